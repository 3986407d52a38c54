//! The data of an entry deflated in pieces, by several threads.

use std::sync::{Mutex, PoisonError};

use flate2::Crc;

use crate::codec::Scratch;
use crate::codec::deflate::{END_OF_PIECES, deflate_piece};
use crate::engine::for_each;
use crate::error::Result;

/// Pieces are encoded apart: matches do not reach from one to the next.
const PIECE_LEN: usize = 512 << 10;

/// Data as it lies in an archive, and the checksum of what it decodes to.
pub(super) struct Deflated {
    pub(super) pieces: Vec<Vec<u8>>,
    pub(super) len: u64,
    pub(super) raw_len: u64,
    pub(super) crc32: u32,
}

impl Deflated {
    /// Encodes `parts`, one behind the other.
    pub(super) fn new(parts: &[&[u8]], threads: usize) -> Result<Self> {
        let raw: Vec<&[u8]> = parts.iter().flat_map(|part| part.chunks(PIECE_LEN)).collect();
        let done: Vec<Mutex<(Vec<u8>, Crc)>> = raw.iter().map(|_| Mutex::default()).collect();
        // Contexts are kept from piece to piece, one a thread.
        let contexts: Mutex<Vec<Scratch>> = Mutex::default();
        for_each(raw.len(), threads, &|at| {
            let (Some(piece), Some(place)) = (raw.get(at), done.get(at)) else { return Ok(()) };
            let kept = contexts.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut scratch = kept.unwrap_or_default();
            let mut encoded = Vec::new();
            deflate_piece(piece, &mut encoded, &mut scratch)?;
            let mut crc = Crc::new();
            crc.update(piece);
            *place.lock().unwrap_or_else(PoisonError::into_inner) = (encoded, crc);
            contexts.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
            Ok(())
        })?;
        let mut crc = Crc::new();
        let mut pieces = Vec::with_capacity(done.len() + 1);
        for piece in done {
            let (encoded, of_piece) = piece.into_inner().unwrap_or_else(PoisonError::into_inner);
            crc.combine(&of_piece);
            pieces.push(encoded);
        }
        pieces.push(END_OF_PIECES.to_vec());
        let len = |pieces: &mut dyn Iterator<Item = usize>| pieces.map(|len| len as u64).sum();
        Ok(Self {
            len: len(&mut pieces.iter().map(Vec::len)),
            raw_len: len(&mut parts.iter().map(|part| part.len())),
            crc32: crc.sum(),
            pieces,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn pieces_are_one_stream() {
        let noise: Vec<u8> = (0..1_300_000_u32).map(|i| (i.wrapping_mul(i) >> 9) as u8).collect();
        for parts in [
            &[][..],
            &[&[][..]],
            &[&b"head"[..], &noise],
            &[&noise[..PIECE_LEN], &[], &[0; 2 * PIECE_LEN + 1]],
        ] {
            let deflated = Deflated::new(parts, 3).unwrap();
            let encoded = deflated.pieces.concat();
            assert_eq!(deflated.len, encoded.len() as u64);
            let mut raw = Vec::new();
            flate2::read::DeflateDecoder::new(&encoded[..]).read_to_end(&mut raw).unwrap();
            assert!(raw == parts.concat());
            let mut crc = Crc::new();
            crc.update(&raw);
            assert_eq!((deflated.raw_len, deflated.crc32), (raw.len() as u64, crc.sum()));
        }
    }
}

//! One codec on whole buffers, without an array around it.
//!
//! Memory is that of the engine's threads, kept between calls; what comes out is borrowed from
//! there or decoded straight into the caller's.

use std::ops::{Deref, Range};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::pipeline::decode_growing;
use super::work::{self, Loan};
use crate::codec::{self, CodecSpec, Stage, Step};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::limits::Limits;

/// A codec ready to run on buffers of items of one type.
#[derive(Debug)]
pub struct BufferCodec {
    name: &'static str,
    step: Step,
    limits: Limits,
    /// How many bytes the last buffer decoded to: of buffers that do not say it, most are alike.
    last_len: AtomicUsize,
}

/// Encoded or decoded bytes, in memory that goes back to the engine when this is dropped.
#[derive(Debug)]
pub struct Borrowed {
    loan: Loan,
    /// Bytes of the buffer; `None` where they are all of the loan's encoded bytes.
    len: Option<usize>,
}

impl Deref for Borrowed {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self.len {
            Some(len) => self.loan.pong.filled(len),
            None => &self.loan.encoded,
        }
    }
}

impl BufferCodec {
    /// The codec `spec` for items of `dtype`.
    ///
    /// # Errors
    /// `Unsupported` for a codec that is not known, or that works on arrays only;
    /// `InvalidInput` for a configuration out of range.
    pub fn new(spec: &CodecSpec, dtype: &DType) -> Result<Self> {
        let (step, _) = codec::build(spec, &Stage::new(dtype.clone(), None))?;
        let name = match &step {
            Step::Codec(codec) => codec.name(),
            Step::Heap(codec) => codec.name(),
            Step::Transpose(_) | Step::ByteOrder(_) => {
                let name = spec.name();
                return Err(Error::unsupported(format!(
                    "codec `{name}` changes how an array lies, not a buffer"
                )));
            }
        };
        Ok(Self { name, step, limits: Limits::default(), last_len: AtomicUsize::new(0) })
    }

    /// Whether it encodes items of variable length, which lie in a heap.
    #[must_use]
    pub fn has_heap(&self) -> bool {
        matches!(self.step, Step::Heap(_))
    }

    /// The encoding of `items`, whose payload lies in `heap` where they vary in length.
    ///
    /// # Errors
    /// `InvalidInput` where they cannot be encoded.
    pub fn encode(&self, items: &[u8], heap: &[u8]) -> Result<Borrowed> {
        let mut loan = work::lend();
        let loaned = &mut *loan;
        loaned.encoded.clear();
        let (out, scratch) = (&mut loaned.encoded, &mut loaned.scratch);
        let encoded = match &self.step {
            Step::Heap(codec) => codec.encode_into(items, heap, out),
            Step::Codec(codec) => codec.encode_into(items, out, scratch),
            Step::Transpose(_) | Step::ByteOrder(_) => Ok(()),
        };
        encoded.map_err(|error| self.named(error))?;
        Ok(Borrowed { loan, len: None })
    }

    /// How many bytes an encoding of `raw_len` has, where that says it: those of variable length
    /// and of compressors differ.
    #[must_use]
    pub fn encoded_len(&self, raw_len: usize) -> Option<usize> {
        match &self.step {
            Step::Codec(codec) if codec.has_fixed_len() => Some(codec.encoded_bound(raw_len)),
            _ => None,
        }
    }

    /// Fills `out`, which has the bytes that [`encoded_len`](Self::encoded_len) says, with the
    /// encoding of `items`.
    ///
    /// # Errors
    /// `InvalidInput` where they cannot be encoded, or not to so many bytes.
    pub fn encode_to(&self, items: &[u8], out: &mut [u8]) -> Result<()> {
        let Step::Codec(codec) = &self.step else { return Err(self.needs_heap()) };
        let mut loan = work::lend();
        codec.encode_to(items, out, &mut loan.scratch).map_err(|error| self.named(error))
    }

    /// The room that [`encode_within`](Self::encode_within) asks for, where the codec has it.
    #[must_use]
    pub fn encode_room(&self, raw_len: usize) -> Option<usize> {
        match &self.step {
            Step::Codec(codec) => codec.encode_room(raw_len),
            _ => None,
        }
    }

    /// Writes the encoding of `items` to the front of `out`, which has the room that was asked
    /// for, and returns how many bytes that were.
    ///
    /// # Errors
    /// `InvalidInput` where they cannot be encoded.
    pub fn encode_within(&self, items: &[u8], out: &mut [u8]) -> Result<usize> {
        let Step::Codec(codec) = &self.step else { return Err(self.needs_heap()) };
        let mut loan = work::lend();
        codec.encode_within(items, out, &mut loan.scratch).map_err(|error| self.named(error))
    }

    /// How many bytes `encoded` says it decodes to, where it says so and that is allowed.
    ///
    /// # Errors
    /// `LimitExceeded` where it is not.
    pub fn decoded_len(&self, encoded: &[u8]) -> Result<Option<usize>> {
        let Step::Codec(codec) = &self.step else { return Ok(None) };
        codec
            .decoded_len(encoded)
            .map(|len| self.limits.chunk(len))
            .transpose()
            .map_err(|error| self.named(error))
    }

    /// What `encoded` decodes to, however long that is.
    ///
    /// # Errors
    /// `Corrupt`, `LimitExceeded`; `InvalidInput` for items of variable length.
    pub fn decode(&self, encoded: &[u8]) -> Result<Borrowed> {
        let Step::Codec(codec) = &self.step else { return Err(self.needs_heap()) };
        let mut loan = work::lend();
        let loaned = &mut *loan;
        let last_len = self.last_len.load(Ordering::Relaxed);
        let is_alike = last_len > 0 && codec.decoded_len(encoded).is_none();
        if is_alike {
            let out = loaned.pong.get(last_len);
            if let Ok(len) = codec.decode_into(encoded, out, &mut loaned.scratch) {
                return Ok(Borrowed { loan, len: Some(len) });
            }
        }
        let (out, scratch) = (&mut loaned.pong, &mut loaned.scratch);
        let len = decode_growing(&**codec, encoded, out, &self.limits, scratch)
            .map_err(|error| self.named(error))?;
        self.last_len.store(len, Ordering::Relaxed);
        Ok(Borrowed { loan, len: Some(len) })
    }

    /// Decodes `encoded` to the front of `out` and returns how many bytes that were.
    ///
    /// # Errors
    /// `Corrupt`, also where `out` is too short; `InvalidInput` for items of variable length.
    pub fn decode_into(&self, encoded: &[u8], out: &mut [u8]) -> Result<usize> {
        let Step::Codec(codec) = &self.step else { return Err(self.needs_heap()) };
        let mut loan = work::lend();
        codec.decode_into(encoded, out, &mut loan.scratch).map_err(|error| self.named(error))
    }

    /// Which part of `encoded` it decodes to, for codecs that only check it and cut something off.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn decoded_part(&self, encoded: &[u8]) -> Result<Option<Range<usize>>> {
        let Step::Codec(codec) = &self.step else { return Ok(None) };
        codec.decoded_part(encoded).map_err(|error| self.named(error))
    }

    /// How many items of variable length `encoded` says it holds, where it says so; not to be
    /// trusted.
    #[must_use]
    pub fn n_items(&self, encoded: &[u8]) -> Option<usize> {
        match &self.step {
            Step::Heap(codec) => codec.n_items(encoded),
            _ => None,
        }
    }

    /// Decodes exactly the items of variable length that fill `items`, appending their payload
    /// to `heap`.
    ///
    /// # Errors
    /// `Corrupt`, `LimitExceeded`; `InvalidInput` for items of fixed length.
    pub fn decode_heap(&self, encoded: &[u8], items: &mut [u8], heap: &mut Vec<u8>) -> Result<()> {
        let Step::Heap(codec) = &self.step else {
            return Err(Error::invalid(format!(
                "codec `{}`: the items are of fixed length",
                self.name
            )));
        };
        codec.decode_into(encoded, items, heap, &self.limits).map_err(|error| self.named(error))
    }

    fn needs_heap(&self) -> Error {
        Error::invalid(format!("codec `{}`: the items vary in length", self.name))
    }

    fn named(&self, error: Error) -> Error {
        error.within(format_args!("codec `{}`", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_of_any_length_come_back() {
        for spec in [
            CodecSpec::Gzip { level: 1 },
            CodecSpec::Zlib { level: 1 },
            CodecSpec::Zstd { level: 1, checksum: false },
        ] {
            let codec = BufferCodec::new(&spec, &DType::UInt8).unwrap();
            // A long buffer behind a short one: the length of the last is a guess, no bound.
            for len in [0, 10, 1_000_000, 999_999, 5] {
                let raw = vec![7; len];
                let encoded = codec.encode(&raw, &[]).unwrap();
                assert_eq!(*codec.decode(&encoded).unwrap(), *raw);
                let mut out = vec![0; len];
                assert_eq!(codec.decode_into(&encoded, &mut out).unwrap(), len);
                assert_eq!(out, raw);
            }
            assert!(codec.decode(b"no encoding").is_err());
        }
    }

    #[test]
    fn what_shrinks_to_next_to_nothing_comes_back() {
        let bz2 = CodecSpec::Bzip2 { level: 9 };
        let pcodec = CodecSpec::Pcodec(crate::codec::Pcodec {
            level: 8,
            settings: serde_json::Map::from_iter([("equal_pages_up_to".into(), (1 << 22).into())]),
        });
        for (spec, dtype) in [(bz2, DType::UInt8), (pcodec, DType::Int64)] {
            let codec = BufferCodec::new(&spec, &dtype).unwrap();
            let raw = vec![0; 8 << 20];
            let encoded = codec.encode(&raw, &[]).unwrap();
            assert!(encoded.len() < 200, "{}", encoded.len());
            assert!(*codec.decode(&encoded).unwrap() == *raw, "{}", spec.name());
        }
    }

    #[test]
    fn what_is_no_work_on_buffers_is_refused() {
        let order = CodecSpec::Transpose { order: vec![1, 0] };
        let error = BufferCodec::new(&order, &DType::UInt8).unwrap_err();
        assert!(error.message().contains("transpose"));
    }
}

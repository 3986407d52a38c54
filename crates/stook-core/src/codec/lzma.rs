//! LZMA in its three containers, as Python's `lzma` module writes them (numcodecs `lzma`): xz,
//! the older lzma, and none.
//!
//! A dictionary longer than the data is of no use, so none is asked for: neither in encoding nor
//! where the chain of filters or the header of an lzma stream says so. What an xz header asks for
//! is read as it stands, up to a limit.

mod filters;

use liblzma::stream::{Action, Check, Error as StreamError, Status, Stream};

use self::filters::Chain;
use super::streams::{self, Decoder, Progress};
use super::{Codec, Lzma, Scratch, spare};
use crate::error::{Error, Result};

/// What a decoder may take, whatever the length of its data: more than the highest preset asks.
const MIN_MEMORY_LIMIT: u64 = 128 << 20;
/// The header of an lzma stream: settings, length of the dictionary, length of the data.
const ALONE_HEADER_LEN: usize = 13;

/// Compresses with LZMA.
#[derive(Clone, Debug)]
pub(super) struct LzmaCodec {
    container: Container,
    chain: Chain,
}

#[derive(Clone, Copy, Debug)]
enum Container {
    Xz(Check),
    Alone,
    Raw,
}

impl LzmaCodec {
    pub(super) fn new(config: &Lzma) -> Result<Self> {
        let container = match (config.format, config.check) {
            (1, -1 | 4) => Container::Xz(Check::Crc64),
            (1, 0) => Container::Xz(Check::None),
            (1, 1) => Container::Xz(Check::Crc32),
            (1, 10) => Container::Xz(Check::Sha256),
            (2, -1 | 0) => Container::Alone,
            (3, -1 | 0) => Container::Raw,
            (format @ 1..=3, check) => {
                return Err(Error::invalid(format!(
                    "lzma: a container of format {format} has no check {check}"
                )));
            }
            (format, _) => {
                return Err(Error::invalid(format!(
                    "lzma: expected a format of 1 to 3, found {format}"
                )));
            }
        };
        let chain = Chain::new(config)?;
        match container {
            Container::Raw if config.filters.is_none() => {
                Err(Error::invalid("lzma: expected filters for format 3, found none"))
            }
            Container::Alone if chain.only_lzma1().is_none() => {
                Err(Error::invalid("lzma: expected one LZMA1 filter for format 2"))
            }
            Container::Xz(_) if chain.has_lzma1() => {
                Err(Error::invalid("lzma: expected filters without LZMA1 for format 1"))
            }
            _ => Ok(Self { container, chain }),
        }
    }

    fn encoder(&self, raw_len: usize) -> Result<Stream> {
        match self.container {
            Container::Xz(check) => Stream::new_stream_encoder(&self.chain.build(raw_len)?, check),
            Container::Raw => Stream::new_raw_encoder(&self.chain.build(raw_len)?),
            Container::Alone => {
                let settings = self.chain.only_lzma1().expect("it was there when made");
                Stream::new_lzma_encoder(&settings.options(raw_len)?)
            }
        }
        .map_err(|error| match error {
            StreamError::Mem => no_memory(),
            error => Error::invalid(format!("lzma: the settings make no encoder: {error}")),
        })
    }

    /// Decodes the stream at the front of `encoded`.
    fn decode_stream(&self, encoded: &[u8], out: &mut [u8]) -> Result<Progress> {
        let limit = MIN_MEMORY_LIMIT.max(out.len() as u64 * 2);
        let name = "lzma";
        match self.container {
            Container::Xz(_) => {
                let stream = Stream::new_stream_decoder(limit, 0);
                streams::decode_stream(name, &mut stream.map_err(decode_error)?, encoded, out)
            }
            Container::Raw => {
                let stream = Stream::new_raw_decoder(&self.chain.build(out.len())?);
                streams::decode_stream(name, &mut stream.map_err(decode_error)?, encoded, out)
            }
            Container::Alone => {
                let mut stream = Stream::new_lzma_decoder(limit).map_err(decode_error)?;
                let (header, rest) = encoded
                    .split_first_chunk()
                    .ok_or_else(|| super::too_short(name, ALONE_HEADER_LEN, encoded.len()))?;
                // The decoder reads nothing where it has no room, and writes nothing yet.
                stream.advance(&with_short_dictionary(*header, out.len()), &mut [0])?;
                let done = streams::decode_stream(name, &mut stream, rest, out)?;
                Ok(Progress { read: ALONE_HEADER_LEN + done.read, ..done })
            }
        }
    }

    /// What may lie between two streams, and is passed over.
    fn padding_len(&self, behind: &[u8]) -> usize {
        match self.container {
            Container::Xz(_) => behind.iter().take_while(|&&byte| byte == 0).count(),
            Container::Alone | Container::Raw => 0,
        }
    }
}

impl Codec for LzmaCodec {
    fn name(&self) -> &'static str {
        "lzma"
    }

    fn encoded_bound(&self, raw_len: usize) -> usize {
        super::generous_bound(raw_len)
    }

    fn encode_into(&self, raw: &[u8], out: &mut Vec<u8>, _: &mut Scratch) -> Result<()> {
        let mut stream = self.encoder(raw.len())?;
        let start = out.len();
        let mut read = 0;
        let mut room = raw.len().saturating_add(raw.len() / 16).saturating_add(4096);
        loop {
            spare::reserve(out, room)?;
            let input = raw.get(read..).unwrap_or_default();
            let status = stream.process_vec(input, out, Action::Finish);
            read = usize::try_from(stream.total_in()).expect("less than the input");
            match status {
                Ok(Status::StreamEnd) => return Ok(()),
                Ok(_) => room = raw.len() / 16 + 4096,
                Err(error) => {
                    out.truncate(start);
                    return Err(match error {
                        StreamError::Mem => no_memory(),
                        error => Error::invalid(format!("lzma: {error}")),
                    });
                }
            }
        }
    }

    fn decode_into(&self, encoded: &[u8], out: &mut [u8], _: &mut Scratch) -> Result<usize> {
        let (mut read, mut written) = (0, 0);
        loop {
            let input = encoded.get(read..).unwrap_or_default();
            let room = out.get_mut(written..).unwrap_or_default();
            let done = self.decode_stream(input, room)?;
            (read, written) = (read + done.read, written + done.written);
            read += self.padding_len(encoded.get(read..).unwrap_or_default());
            if read == encoded.len() {
                return Ok(written);
            }
        }
    }
}

/// The header of an lzma stream, with a dictionary no longer than `len` data need.
fn with_short_dictionary(mut header: [u8; ALONE_HEADER_LEN], len: usize) -> [u8; ALONE_HEADER_LEN] {
    if let Some(stored) = header.get_mut(1..).and_then(|rest| rest.first_chunk_mut::<4>()) {
        *stored = filters::dictionary_len(u32::from_le_bytes(*stored), len).to_le_bytes();
    }
    header
}

impl Decoder for Stream {
    fn advance(&mut self, input: &[u8], out: &mut [u8]) -> Result<Progress> {
        let (read, written) = (self.total_in(), self.total_out());
        let status = self.process(input, out, Action::Run).map_err(decode_error)?;
        let since = |total: u64, before: u64| {
            usize::try_from(total - before).expect("less than a slice has")
        };
        let (read, written) = (since(self.total_in(), read), since(self.total_out(), written));
        Ok(Progress { read, written, is_end: status == Status::StreamEnd })
    }
}

#[cold]
fn decode_error(error: StreamError) -> Error {
    match error {
        StreamError::Mem => no_memory(),
        StreamError::MemLimit => {
            Error::limit("lzma: the stream asks for a dictionary far longer than its data")
        }
        StreamError::Options => {
            Error::unsupported("lzma: the stream has settings that are not supported")
        }
        StreamError::Format => Error::corrupt("lzma: no stream begins here"),
        _ => Error::corrupt("lzma: the stream is damaged"),
    }
}

fn no_memory() -> Error {
    Error::limit("no memory for an lzma stream")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ErrorKind;

    fn xz() -> Lzma {
        Lzma { format: 1, check: -1, preset: Some(0), filters: None }
    }

    fn encode(config: &Lzma, raw: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        LzmaCodec::new(config).unwrap().encode_into(raw, &mut out, &mut Scratch::new()).unwrap();
        out
    }

    fn decode(config: &Lzma, encoded: &[u8], len: usize) -> Result<Vec<u8>> {
        let mut out = vec![0; len];
        let n = LzmaCodec::new(config)?.decode_into(encoded, &mut out, &mut Scratch::new())?;
        out.truncate(n);
        Ok(out)
    }

    #[test]
    fn streams_are_joined_and_padding_is_passed_over() {
        let stream = encode(&xz(), b"stook");
        let all = [&stream, [0; 8].as_slice(), &stream, &[0; 4]].concat();
        assert_eq!(decode(&xz(), &all, 10).unwrap(), b"stookstook");
        assert!(decode(&xz(), &all, 9).is_err());
        let error = decode(&xz(), &stream[..stream.len() - 1], 5).unwrap_err();
        assert_eq!(error.message(), "lzma: the stream is cut short");
        let error = decode(&xz(), &[&stream, [9; 12].as_slice()].concat(), 5).unwrap_err();
        assert_eq!(error.message(), "lzma: no stream begins here");
    }

    #[test]
    fn a_long_dictionary_costs_no_memory() {
        let alone = Lzma { format: 2, ..xz() };
        let mut encoded = encode(&alone, b"stook");
        encoded[1..5].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(decode(&alone, &encoded, 5).unwrap(), b"stook");
        let filters = json!([{ "id": 33, "dict_size": 1_610_612_736 }]);
        let raw = Lzma { format: 3, preset: None, filters: Some(filters), ..xz() };
        assert_eq!(decode(&raw, &encode(&raw, b"stook"), 5).unwrap(), b"stook");
    }

    #[test]
    fn a_dictionary_beyond_the_limit_is_named() {
        // An xz stream of five bytes whose header asks for 1.5 GiB: the header's checksum holds.
        let mut encoded = encode(&xz(), b"stook");
        let header = encoded.get_mut(12..24).unwrap();
        assert_eq!(header[..4], [2, 0, 0x21, 1]);
        header[4] = 37;
        // SAFETY-free route to a CRC-32: that of the codec of that name.
        let sum = super::super::checksum::Sum::of(&super::super::checksum::Crc32, &header[..8]);
        header[8..].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(decode(&xz(), &encoded, 5).unwrap_err().kind(), ErrorKind::LimitExceeded);
    }

    #[test]
    fn configurations_that_make_no_sense_are_refused() {
        let lzma1 = Some(json!([{ "id": 0x4000_0000_0000_0001_u64 }]));
        for (format, check, filters) in [
            (0, -1, None),
            (4, -1, None),
            (1, 2, None),
            (2, 1, None),
            (3, 4, Some(json!([{ "id": 33 }]))),
            (3, -1, None),
            (1, -1, lzma1.clone()),
            (2, -1, Some(json!([{ "id": 33 }]))),
        ] {
            let preset = filters.is_none().then_some(6);
            let config = Lzma { format, check, preset, filters };
            let error = LzmaCodec::new(&config).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{config:?}");
        }
        for (format, preset, filters) in
            [(2, None, lzma1.clone()), (3, None, lzma1), (2, None, None), (1, Some(9), None)]
        {
            let config = Lzma { format, check: 0, preset, filters };
            LzmaCodec::new(&config).unwrap();
        }
    }
}

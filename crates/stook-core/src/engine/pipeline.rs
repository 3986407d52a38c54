//! A chain of codecs as one: from a chunk's items to its stored bytes and back.

use std::ops::Range;
use std::sync::Arc;

use super::work::Work;
use crate::chunk::EncodedChunk;
use crate::codec::{self, Codec, HeapCodec, Scratch, Stage, Step};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::spec::ArraySpec;

/// More codecs than this in one chain are refused.
const MAX_LINKS: usize = 16;

#[derive(Clone, Debug)]
enum Link {
    /// Reverses the bytes of each number, in place.
    Swap(DType),
    Codec(Arc<dyn Codec>),
}

/// What turns the items of a chunk into stored bytes and back.
///
/// Transposition is no work here: it is only another order of the axes, which the copy kernel
/// walks ([`Pipeline::order`]).
#[derive(Clone, Debug)]
pub struct Pipeline {
    dtype: DType,
    order: Option<Vec<usize>>,
    heap: Option<Arc<dyn HeapCodec>>,
    /// In the order of encoding.
    links: Vec<Link>,
}

impl Pipeline {
    /// The pipeline of `spec`.
    ///
    /// # Errors
    /// `Unsupported` naming a codec that is not known, `InvalidInput` for a chain that makes no
    /// sense.
    pub fn new(spec: &ArraySpec) -> Result<Self> {
        let mut pipeline =
            Self { dtype: spec.dtype.clone(), order: None, heap: None, links: Vec::new() };
        let shape = spec.grid.regular_shape().map(<[u64]>::to_vec);
        let mut stage = Stage::new(spec.dtype.clone(), shape);
        for (at, codec) in spec.codecs.iter().enumerate() {
            let (step, after) = codec::build(codec, &stage)?;
            pipeline.push(at, step, (&stage, &after), spec.grid.rank())?;
            stage = after;
        }
        if pipeline.links.len() > MAX_LINKS {
            let found = pipeline.links.len();
            return Err(Error::limit(format!(
                "expected at most {MAX_LINKS} codecs, found {found}"
            )));
        }
        Ok(pipeline)
    }

    /// Adds the `step` numbered `at` between two stages of chunks of `rank` axes.
    fn push(
        &mut self,
        at: usize,
        step: Step,
        (before, after): (&Stage, &Stage),
        rank: usize,
    ) -> Result<()> {
        let link = match step {
            Step::Transpose(order) if at == 0 => {
                if order.len() != rank {
                    return Err(Error::invalid(format!(
                        "codec `transpose`: expected an order of {rank} axes, found {order:?}"
                    )));
                }
                let is_identity = order.iter().enumerate().all(|(i, &axis)| i == axis);
                self.order = (!is_identity).then_some(order);
                return Ok(());
            }
            // Behind another codec it is work on bytes, and needs to know the chunk's shape.
            Step::Transpose(order) => {
                let shape = before.shape.as_deref().ok_or_else(|| {
                    Error::unsupported(
                        "codec `transpose` behind another codec in a rectilinear grid",
                    )
                })?;
                Link::Codec(codec::transpose(&order, shape, before.dtype.item_size())?)
            }
            Step::ByteOrder(_) if before.endian == after.endian => return Ok(()),
            Step::ByteOrder(_) if !before.dtype.has_byte_order() => return Ok(()),
            Step::ByteOrder(_) => Link::Swap(before.dtype.clone()),
            Step::Heap(heap) if self.links.is_empty() && self.heap.is_none() => {
                self.heap = Some(heap);
                return Ok(());
            }
            Step::Heap(heap) => {
                return Err(Error::unsupported(format!("codec `{}` behind another", heap.name())));
            }
            Step::Codec(codec) => Link::Codec(codec),
        };
        self.links.push(link);
        Ok(())
    }

    /// The order in which axes are stored, where it is not that of the array.
    #[must_use]
    pub fn order(&self) -> Option<&[usize]> {
        self.order.as_deref()
    }

    /// Whether stored bytes are the items themselves (in the order of the axes as stored).
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.links.is_empty() && self.heap.is_none()
    }

    /// Whether a byte order other than the machine's is all that stands between bytes and items.
    pub(crate) fn is_swap_only(&self) -> bool {
        self.heap.is_none() && matches!(self.links.as_slice(), [Link::Swap(_)])
    }

    /// Whether the items lie in a heap.
    pub(crate) fn has_heap(&self) -> bool {
        self.dtype.has_heap()
    }

    /// Whether the codec numbered `i` among codecs of a chunk is skipped, for each link.
    fn active(&self, skipped: u32) -> ([bool; MAX_LINKS], usize) {
        let mut active = [true; MAX_LINKS];
        let mut n_codecs = 0;
        for (at, link) in self.links.iter().enumerate() {
            if let Link::Codec(_) = link {
                active[at] = skipped & 1_u32.checked_shl(n_codecs).unwrap_or(0) == 0;
                n_codecs += 1;
            }
        }
        (active, self.links.len())
    }

    /// Decodes `chunk` to exactly the bytes of `out`.
    pub(crate) fn decode(
        &self,
        chunk: EncodedChunk<'_>,
        out: &mut [u8],
        work: &mut PipelineWork<'_>,
    ) -> Result<()> {
        let (active, n) = self.active(chunk.skipped);
        // The longest that the input of each link can be.
        let mut bounds = [out.len(); MAX_LINKS + 1];
        for at in 0..n {
            bounds[at + 1] = match &self.links[at] {
                Link::Codec(codec) if active[at] => codec.encoded_bound(bounds[at]),
                _ => bounds[at],
            };
        }
        let codecs =
            (0..n).rev().filter(|&at| active[at] && matches!(self.links[at], Link::Codec(_)));
        let (mut done, first_codec) = (n, codecs.clone().next_back());
        let Some(first_codec) = first_codec else {
            copy_exact(chunk.bytes, out)?;
            return self.swap(0..n, &active, out);
        };
        // What the links so far made of the chunk: a part of it, or of the buffer `ping`.
        let (mut stored, mut held) = (chunk.bytes, None::<Range<usize>>);
        for at in codecs {
            let Link::Codec(codec) = &self.links[at] else { continue };
            // Swaps between the codec above and this one act on what is held.
            if self.links[at + 1..done].iter().any(|link| matches!(link, Link::Swap(_))) {
                let part = match held.take() {
                    Some(part) => part,
                    None => {
                        copy_exact(stored, work.ping.get(stored.len()))?;
                        0..stored.len()
                    }
                };
                self.swap(at + 1..done, &active, &mut work.ping.get(part.end)[part.clone()])?;
                held = Some(part);
            }
            let input = match &held {
                Some(part) => &work.ping.get(part.end)[part.clone()],
                None => stored,
            };
            let is_last = at == first_codec;
            let failed = |error| named(codec.name(), error);
            if !is_last && let Some(part) = codec.decoded_part(input).map_err(failed)? {
                match &mut held {
                    Some(held) => *held = held.start + part.start..held.start + part.end,
                    None => stored = &stored[part],
                }
            } else {
                let target = if is_last { &mut *out } else { work.pong.get(bounds[at]) };
                let len = codec.decode_into(input, target, work.scratch).map_err(failed)?;
                if is_last {
                    check_len(len, out.len()).map_err(failed)?;
                } else {
                    std::mem::swap(work.ping, work.pong);
                    held = Some(0..len);
                }
            }
            done = at;
        }
        self.swap(0..done, &active, out)
    }

    fn swap(&self, links: Range<usize>, active: &[bool], bytes: &mut [u8]) -> Result<()> {
        for at in links {
            if let Link::Swap(dtype) = &self.links[at]
                && active[at]
            {
                codec::swap_items(dtype, bytes);
            }
        }
        Ok(())
    }

    /// Decodes `chunk` of heap items to exactly `items`, appending their payload to `heap`.
    pub(crate) fn decode_heap(
        &self,
        chunk: EncodedChunk<'_>,
        (items, heap): (&mut [u8], &mut Vec<u8>),
        limits: &Limits,
        work: &mut PipelineWork<'_>,
    ) -> Result<()> {
        let Some(codec) = &self.heap else {
            return Err(Error::unsupported(format!(
                "variable-length type {} without a codec that stores it",
                self.dtype
            )));
        };
        let (active, n) = self.active(chunk.skipped);
        let mut held: Option<usize> = None;
        for at in (0..n).rev().filter(|&at| active[at]) {
            let byte_codec = match &self.links[at] {
                Link::Codec(codec) => codec,
                // What a heap codec makes of its items may be numbers.
                Link::Swap(dtype) => {
                    let len = held.unwrap_or(chunk.bytes.len());
                    let bytes = work.ping.get(len);
                    if held.is_none() {
                        copy_exact(chunk.bytes, bytes)?;
                    }
                    codec::swap_items(dtype, bytes);
                    held = Some(len);
                    continue;
                }
            };
            let input = match held {
                Some(len) => &*work.ping.get(len),
                None => chunk.bytes,
            };
            let len = decode_growing(&**byte_codec, input, work.pong, limits, work.scratch)
                .map_err(|e| named(byte_codec.name(), e))?;
            std::mem::swap(work.ping, work.pong);
            held = Some(len);
        }
        let encoded = match held {
            Some(len) => &*work.ping.get(len),
            None => chunk.bytes,
        };
        codec.decode_into(encoded, items, heap, limits).map_err(|e| named(codec.name(), e))
    }

    /// Replaces `out` by the encoding of `items` (and of the payload in `heap`).
    pub(crate) fn encode(
        &self,
        items: &[u8],
        heap: &[u8],
        out: &mut Vec<u8>,
        work: &mut PipelineWork<'_>,
    ) -> Result<()> {
        out.clear();
        let mut ping = work.scratch.take_buffer();
        let result = self.encode_with(items, heap, out, (&mut ping, &mut *work.scratch));
        work.scratch.give_buffer(ping);
        result
    }

    fn encode_with(
        &self,
        items: &[u8],
        heap: &[u8],
        out: &mut Vec<u8>,
        (ping, scratch): (&mut Vec<u8>, &mut Scratch),
    ) -> Result<()> {
        let mut input: Option<()> = None;
        if let Some(codec) = &self.heap {
            codec.encode_into(items, heap, ping).map_err(|e| named(codec.name(), e))?;
            input = Some(());
        } else if self.dtype.has_heap() {
            return Err(Error::unsupported(format!(
                "variable-length type {} without a codec that stores it",
                self.dtype
            )));
        }
        for link in &self.links {
            match link {
                Link::Swap(dtype) => {
                    if input.is_none() {
                        ping.extend_from_slice(items);
                        input = Some(());
                    }
                    codec::swap_items(dtype, ping);
                }
                Link::Codec(codec) => {
                    out.clear();
                    let raw = if input.is_some() { ping.as_slice() } else { items };
                    codec.encode_into(raw, out, scratch).map_err(|e| named(codec.name(), e))?;
                    std::mem::swap(ping, out);
                    input = Some(());
                }
            }
        }
        out.clear();
        match input {
            Some(()) => std::mem::swap(ping, out),
            None => out.extend_from_slice(items),
        }
        Ok(())
    }
}

/// The parts of a [`Work`] that a pipeline uses.
pub(crate) struct PipelineWork<'w> {
    ping: &'w mut super::work::Buffer,
    pong: &'w mut super::work::Buffer,
    scratch: &'w mut Scratch,
}

impl Work {
    /// What the pipeline uses, beside the chunk and the other buffers.
    pub(crate) fn split(
        &mut self,
    ) -> (PipelineWork<'_>, &mut super::work::Buffer, &mut Vec<u8>, &mut Vec<u8>) {
        let work =
            PipelineWork { ping: &mut self.ping, pong: &mut self.pong, scratch: &mut self.scratch };
        (work, &mut self.chunk, &mut self.encoded, &mut self.heap)
    }
}

/// Decodes to the front of `out`, made as long as need be, and returns how many bytes that were.
pub(super) fn decode_growing(
    codec: &dyn Codec,
    encoded: &[u8],
    out: &mut super::work::Buffer,
    limits: &Limits,
    scratch: &mut Scratch,
) -> Result<usize> {
    let stated = codec.decoded_len(encoded);
    let most = limits.chunk_len_bytes.min(stated.unwrap_or(u64::MAX));
    // Hardly a codec makes more than this of a byte: more room is for those that ask for nothing
    // but that.
    let usual = most.min((encoded.len() as u64).saturating_mul(1 << 15).saturating_add(1 << 16));
    let mut len =
        stated.unwrap_or((encoded.len() as u64).saturating_mul(4).saturating_add(1024)).min(usual);
    loop {
        let out = out.get(limits.chunk(len)?);
        match codec.decode_into(encoded, out, scratch) {
            Ok(n) => return Ok(n),
            Err(error) if len >= most => return Err(error),
            Err(error) if len >= usual && !codec::is_for_room(&error) => return Err(error),
            Err(_) if len < usual => len = len.saturating_mul(4).min(usual),
            Err(_) => len = len.saturating_mul(4).min(most),
        }
    }
}

fn copy_exact(from: &[u8], to: &mut [u8]) -> Result<()> {
    check_len(from.len(), to.len())?;
    to.copy_from_slice(from);
    Ok(())
}

fn check_len(found: usize, expected: usize) -> Result<()> {
    if found != expected {
        return Err(Error::corrupt(format!("expected {expected} bytes, found {found}")));
    }
    Ok(())
}

fn named(codec: &str, error: Error) -> Error {
    error.within(format_args!("codec `{codec}`"))
}

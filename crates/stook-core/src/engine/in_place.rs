//! Elements that lie in one piece: read and written where they are, without chunks.
//!
//! The copy is halved until a piece is one run, which is read straight into the destination, or
//! a dense span of the file, which is read as a whole and picked from; so that rows cost one
//! call each, columns a few, and a transposed file is read front to back.

use super::copy::{self, Direction, Nest};
use super::gate;
use super::parallel;
use super::read::{Io, Target};
use super::view::View;
use super::work::{self, Buffer};
use crate::chunk::InPlace;
use crate::codec;
use crate::error::{Error, Result};
use crate::grid::ChunkGrid;
use crate::selection::Resolved;
use crate::selection::plan::{MAX_RANK, Plan, PointPlan};
use crate::values::byte_len;

/// The most bytes read at once to pick from.
const SPAN_LEN_BYTES: usize = 1 << 20;
/// The most bytes read or written between two checkpoints.
const STEP_LEN_BYTES: usize = 64 << 20;
/// A span is read as a whole if at least one byte in so many is wanted.
const SPARSEST: usize = 8;

/// The elements of `io`, if they can be used in place.
pub(super) fn of<'a>(io: &Io<'a>) -> Option<&'a dyn InPlace> {
    let is_simple = io.spec.contiguous && (io.pipeline.is_plain() || io.pipeline.is_swap_only());
    io.source.in_place().filter(|_| is_simple && !io.pipeline.has_heap())
}

struct Place<'a> {
    io: &'a Io<'a>,
    place: &'a dyn InPlace,
    mapped: Option<&'a [u8]>,
    swaps: bool,
    strides: [isize; MAX_RANK],
}

impl<'a> Place<'a> {
    fn new(io: &'a Io<'_>, place: &'a dyn InPlace) -> Result<Self> {
        let expected = byte_len(io.spec.shape(), io.item_size())?;
        let mapped = place.mapped();
        if let Some(found) = mapped.map(<[u8]>::len).filter(|&found| found < expected) {
            return Err(Error::corrupt(format!(
                "expected {expected} bytes of elements, found {found}"
            )));
        }
        let mut strides = [0; MAX_RANK];
        copy::strides(io.spec.shape(), io.pipeline.order(), io.item_size(), &mut strides);
        Ok(Self { io, place, mapped, swaps: io.pipeline.is_swap_only(), strides })
    }

    fn fetch(&self, offset: isize, out: &mut [u8]) -> Result<()> {
        let start =
            usize::try_from(offset).map_err(|_| Error::invalid("an offset before the elements"))?;
        match self.mapped {
            Some(bytes) => match bytes.get(start..start.saturating_add(out.len())) {
                Some(bytes) => out.copy_from_slice(bytes),
                None => return Err(Error::corrupt("the mapped elements end too early")),
            },
            None => self.place.read_at(start as u64, out)?,
        }
        self.swap(out);
        Ok(())
    }

    fn swap(&self, bytes: &mut [u8]) {
        if self.swaps {
            codec::swap_items(&self.io.spec.dtype, bytes);
        }
    }

    /// Halves `nest` into pieces to be worked on in parallel.
    fn pieces<'p>(&self, nest: Nest<'p>) -> (Vec<Nest<'p>>, usize) {
        const PIECE_LEN_BYTES: usize = 2 << 20;
        let len = nest.n_items().saturating_mul(self.io.item_size());
        let threads = self.io.engine.threads_for(len / PIECE_LEN_BYTES + 1, len);
        let most = if threads == 1 { 1 } else { threads * 8 }.max(len / STEP_LEN_BYTES);
        let mut pieces = vec![nest];
        while pieces.len() < most {
            let halves: Vec<_> = pieces.iter().map(Nest::halves).collect();
            if halves.iter().any(Option::is_none) {
                break;
            }
            pieces = halves.into_iter().flatten().flat_map(|(a, b)| [a, b]).collect();
        }
        (pieces, threads)
    }

    fn read(&self, nest: &Nest<'_>, target: &Target<'_>, buffer: &mut Buffer) -> Result<()> {
        if let (Some(bytes), false) = (self.mapped, self.swaps) {
            // SAFETY: the nest keeps within the elements, whose length was checked, and within
            // a part of the target that is this thread's.
            #[expect(unsafe_code, reason = "copying from mapped memory")]
            unsafe {
                nest.run(bytes.as_ptr(), target.items);
            }
            return Ok(());
        }
        if let Some((from, to, len)) = nest.as_run() {
            // SAFETY: the plan gives each piece a part of the target of its own.
            #[expect(unsafe_code, reason = "reading straight into the destination")]
            let out = unsafe { target.run(to, len) };
            return self.fetch(from, out);
        }
        let (low, high) = nest.chunk_span();
        let span = usize::try_from(high - low).unwrap_or(usize::MAX);
        let wanted = nest.n_items() * self.io.item_size();
        if span <= SPAN_LEN_BYTES && (wanted.saturating_mul(SPARSEST) >= span || span <= 8192) {
            let bytes = buffer.get(span);
            self.fetch(low, bytes)?;
            let nest = nest.with_chunk_shifted(-low);
            // SAFETY: shifted, the nest lies within the span that was read.
            #[expect(unsafe_code, reason = "picking from the span into the target")]
            unsafe {
                nest.run(bytes.as_ptr(), target.items);
            }
            return Ok(());
        }
        let Some((a, b)) = nest.halves() else { return Ok(()) };
        self.read(&a, target, buffer)?;
        self.read(&b, target, buffer)
    }

    fn write(&self, nest: &Nest<'_>, view: &View<'_>, buffer: &mut Buffer) -> Result<()> {
        let run =
            nest.as_run().filter(|(.., len)| *len <= STEP_LEN_BYTES || nest.halves().is_none());
        if let (Some((from, to, len)), false) = (run, self.swaps) {
            gate::checkpoint()?;
            // SAFETY: the nest's source run lies within the view.
            #[expect(unsafe_code, reason = "writing straight from the caller's memory")]
            let bytes = unsafe { std::slice::from_raw_parts(view.items.offset(from), len) };
            return self.place.write_at(u64::try_from(to).unwrap_or(u64::MAX), bytes);
        }
        let (low, high) = nest.chunk_span();
        let span = usize::try_from(high - low).unwrap_or(usize::MAX);
        // Lists may repeat positions, so that the count does not tell whether a span is filled.
        let fills = !nest.has_lists() && span == nest.n_items() * self.io.item_size();
        if span <= SPAN_LEN_BYTES && fills {
            let bytes = buffer.get(span);
            let nest = nest.with_chunk_shifted(-low);
            // SAFETY: shifted, the nest fills the span exactly.
            #[expect(unsafe_code, reason = "gathering the span from the view")]
            unsafe {
                nest.run(view.items, bytes.as_mut_ptr());
            }
            self.swap(bytes);
            return self.place.write_at(u64::try_from(low).unwrap_or(u64::MAX), bytes);
        }
        let Some((a, b)) = nest.halves() else { return Ok(()) };
        self.write(&a, view, buffer)?;
        self.write(&b, view, buffer)
    }

    /// Where point `point` lies in the file.
    fn point(&self, plan: &PointPlan, point: usize) -> isize {
        let at = plan.within(point).iter().zip(&self.strides);
        at.map(|(&at, &stride)| at as isize * stride).sum()
    }
}

fn plan(io: &Io<'_>, selection: &Resolved) -> Result<Plan> {
    Plan::new(selection, io.spec.shape(), &ChunkGrid::whole(io.spec.shape()), None)
}

/// Reads what `selection` takes to `target`.
pub(super) fn read(
    io: &Io<'_>,
    place: &dyn InPlace,
    selection: &Resolved,
    target: &Target<'_>,
) -> Result<()> {
    let place = Place::new(io, place)?;
    let item = io.item_size();
    match plan(io, selection)? {
        Plan::Box(plan) => {
            let strides = &place.strides[..io.spec.shape().len()];
            let nest = Nest::new(&plan.parts(0), strides, target.strides, item, Direction::Read);
            let (pieces, threads) = place.pieces(nest);
            parallel::for_each(pieces.len(), threads, &|i| {
                place.read(&pieces[i], target, &mut work::lend().chunk)
            })
        }
        Plan::Points(plan) => (0..plan.outs.len()).try_for_each(|point| {
            let to = target.layout(item).offset_of(plan.outs[point]);
            // SAFETY: each point has a place of its own in the target.
            #[expect(unsafe_code, reason = "reading straight into the destination")]
            let out = unsafe { target.run(to, item) };
            place.fetch(place.point(&plan, point), out)
        }),
    }
}

/// Writes `view` to what `selection` takes.
pub(super) fn write(
    io: &Io<'_>,
    place: &dyn InPlace,
    selection: &Resolved,
    view: &View<'_>,
) -> Result<()> {
    let place = Place::new(io, place)?;
    let item = io.item_size();
    match plan(io, selection)? {
        Plan::Box(plan) => {
            let strides = &place.strides[..io.spec.shape().len()];
            let nest = Nest::new(&plan.parts(0), strides, &view.strides, item, Direction::Write);
            place.write(&nest, view, &mut work::lend().chunk)
        }
        Plan::Points(plan) => {
            let array = view.layout(item);
            let mut bytes = vec![0; item];
            (0..plan.outs.len()).try_for_each(|point| {
                let from = array.offset_of(plan.outs[point]);
                // SAFETY: the offset leads to an item of the view.
                #[expect(unsafe_code, reason = "the view is a pointer with strides")]
                unsafe {
                    std::ptr::copy_nonoverlapping(
                        view.items.offset(from),
                        bytes.as_mut_ptr(),
                        item,
                    );
                }
                place.swap(&mut bytes);
                let to = u64::try_from(place.point(&plan, point)).unwrap_or(u64::MAX);
                place.place.write_at(to, &bytes)
            })
        }
    }
}

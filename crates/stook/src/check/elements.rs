//! The elements of an array: every chunk decoded, every value what its type promises.

use std::ops::Range;

use stook_core::values::{HeapItem, item_text};
use stook_core::{ArraySpec, DType, Error, ErrorKind, Result, Selection};

use super::stored::plan;
use super::tree::is_dangling;
use super::{CheckEvent, Checker, Finding};
use crate::array::Array;
use crate::copy::{is_filled, plain_fill};
use crate::leaves::{Kind, Leaf, leaves};
use crate::ordered::in_order;
use crate::parts::{Parts, Ranges};
use crate::stats::{one_thread, threads_for, with_items};

/// Boxes are not larger than this, so that progress is seen.
const MOST_BOX_LEN: u64 = 8 << 20;

/// What a box of elements is like.
#[derive(Default)]
struct Outcome {
    n_elements: u64,
    /// Whether anything was read that is stored, as far as can be told.
    is_progress: bool,
    /// Chunks that cannot be read, and other errors.
    errors: Vec<Error>,
    /// Values that are not what they should be, by the sentence that says so, with an example.
    oddities: Vec<(&'static str, u64, String)>,
}

pub(super) fn look(checker: &mut Checker<'_, '_>, array: &Array) -> Result<()> {
    let spec = array.spec();
    let path = array.path().clone();
    checker.tell(&CheckEvent::Node(&path))?;
    if spec.is_null() || checker.options.leave_out.contains(&path) {
        return Ok(());
    }
    let Some(parts) = checker.read(&path, Parts::new(&Selection::All, &spec))? else {
        return Ok(());
    };
    let threads = threads_for(array);
    let share = checker.options.memory_len_bytes / (2 * threads as u64 + 1);
    let planned = plan(array, &spec, share.clamp(1, MOST_BOX_LEN));
    let Some(plan) = checker.read(&path, planned)? else { return Ok(()) };
    checker.report.n_chunks = checker.report.n_chunks.saturating_add(plan.n_chunks);
    let n_absent = spec.n_bytes().saturating_sub(plan.len_bytes);
    checker.total = checker.total.saturating_sub(u128::from(n_absent));
    let look = Look {
        file: checker.file.clone(),
        array: one_thread(array),
        parts: &parts,
        spec: &spec,
        leaves: leaves(&spec.dtype),
        fill: if plan.is_known { None } else { plain_fill(&spec) },
    };
    let mut told = Told::default();
    let stopped = in_order(
        plan.boxes,
        threads,
        &Vec::new,
        &|buffer, ranges| Ok(look.at_box(&ranges, buffer)),
        &mut |outcome: Outcome| told.outcome(checker, &path, outcome, &spec),
    );
    match stopped {
        Err(error) if told.is_hopeless => drop(error),
        other => other?,
    }
    told.rest(checker, &path)
}

/// What has been told of an array.
#[derive(Default)]
struct Told {
    n_errors: usize,
    /// Oddities by their sentence, with an example.
    oddities: Vec<(&'static str, u64, String)>,
    /// Whether no chunk can be read for one reason.
    is_hopeless: bool,
}

impl Told {
    fn outcome(
        &mut self,
        checker: &mut Checker<'_, '_>,
        path: &stook_core::NodePath,
        outcome: Outcome,
        spec: &ArraySpec,
    ) -> Result<()> {
        let n_errors = outcome.errors.len();
        for error in outcome.errors {
            self.n_errors += 1;
            if self.n_errors <= checker.options.most_findings {
                checker.found(Finding::of_error(path, &error))?;
            }
            if error.kind() == ErrorKind::Unsupported && error.location().chunk.is_none() {
                self.is_hopeless = true;
                return Err(error);
            }
        }
        for (what, n, example) in outcome.oddities {
            match self.oddities.iter_mut().find(|(known, _, _)| *known == what) {
                Some((_, sum, _)) => *sum += n,
                None => self.oddities.push((what, n, example)),
            }
        }
        let len = outcome.n_elements.saturating_mul(spec.dtype.item_size() as u64);
        checker.report.len_bytes = checker.report.len_bytes.saturating_add(len);
        // What was never written is no progress, nor is what has no chunks and cannot be read.
        if !outcome.is_progress && (n_errors == 0 || spec.contiguous) {
            return Ok(());
        }
        let done = checker.report.len_bytes;
        let total = u64::try_from(checker.total).unwrap_or(u64::MAX);
        checker.tell(&CheckEvent::Bytes { done, total })
    }

    fn rest(&self, checker: &mut Checker<'_, '_>, path: &stook_core::NodePath) -> Result<()> {
        if let Some(more) = self.n_errors.checked_sub(checker.options.most_findings)
            && more > 0
        {
            let error = Error::corrupt(format!("{more} more chunks cannot be read"));
            checker.found(Finding::of_error(path, &error))?;
        }
        for (what, n, example) in &self.oddities {
            let message = format!("{n} values {what}, such as {example}");
            checker.found(Finding::warning(path, message))?;
        }
        Ok(())
    }
}

struct Look<'l> {
    file: crate::File,
    array: stook_core::Array,
    parts: &'l Parts,
    spec: &'l ArraySpec,
    leaves: Vec<Leaf>,
    /// The item of what was never written, where only that tells it from what is stored.
    fill: Option<Vec<u8>>,
}

impl Look<'_> {
    /// Reads a box; where that fails, chunk by chunk.
    fn at_box(&self, ranges: &Ranges, buffer: &mut Vec<u8>) -> Outcome {
        let mut outcome = Outcome::default();
        let Err(error) = self.read(ranges, buffer, &mut outcome) else { return outcome };
        let chunks = self.chunks(ranges);
        if chunks.len() <= 1 {
            outcome.errors.push(error);
            return outcome;
        }
        outcome = Outcome::default();
        for chunk in chunks {
            if let Err(error) = self.read(&chunk, buffer, &mut outcome) {
                let is_of_all =
                    error.kind() == ErrorKind::Unsupported && error.location().chunk.is_none();
                outcome.errors.push(error);
                if is_of_all {
                    break;
                }
            }
        }
        outcome
    }

    /// The chunks of a box, where the array has chunks.
    fn chunks(&self, ranges: &Ranges) -> Vec<Ranges> {
        if self.spec.contiguous {
            return Vec::new();
        }
        let mut found: Vec<Ranges> = vec![Vec::new()];
        for (axis, range) in ranges.iter().enumerate() {
            let mut cuts: Vec<Range<u64>> = Vec::new();
            let mut at = range.start;
            while at < range.end {
                let (_, within) = self.spec.grid.locate(axis, at);
                let (chunk, _) = self.spec.grid.locate(axis, at);
                let len = self.spec.grid.extent(axis, chunk).1.saturating_sub(within).max(1);
                let end = range.end.min(at.saturating_add(len));
                cuts.push(at..end);
                at = end;
            }
            let longer = |so_far: &Ranges| {
                let so_far = so_far.clone();
                cuts.iter().map(move |cut| {
                    let mut ranges = so_far.clone();
                    ranges.push(cut.clone());
                    ranges
                })
            };
            found = found.iter().flat_map(longer).collect();
        }
        found
    }

    fn read(&self, ranges: &Ranges, buffer: &mut Vec<u8>, outcome: &mut Outcome) -> Result<()> {
        let stride = self.spec.dtype.item_size();
        with_items(&self.array, &self.parts.part(ranges), buffer, &mut |items, heap| {
            outcome.n_elements += items.len().checked_div(stride).unwrap_or(0) as u64;
            let is_fill = self.fill.as_ref().is_some_and(|fill| is_filled(items, fill));
            outcome.is_progress |= !items.is_empty() && !is_fill;
            for leaf in &self.leaves {
                self.values(leaf, items, heap, outcome)?;
            }
            Ok(())
        })
    }

    /// Looks at the values of a leaf, where a type promises more than its bits.
    fn values(&self, leaf: &Leaf, items: &[u8], heap: &[u8], outcome: &mut Outcome) -> Result<()> {
        if !matches!(leaf.kind, Kind::Bool | Kind::Bytes | Kind::Sequence | Kind::Text) {
            return Ok(());
        }
        let stride = self.spec.dtype.item_size().max(1);
        for item in items.chunks_exact(stride).flat_map(|item| leaf.values(item)) {
            let odd = match (leaf.kind, &leaf.dtype) {
                (Kind::Bool, _) => {
                    let byte = item.first().copied().unwrap_or(0);
                    (byte > 1).then(|| ("are no truth values", byte.to_string()))
                }
                (Kind::Sequence, DType::Sequence(inner)) => {
                    HeapItem::from_bytes(item).slice(heap, inner.item_size())?;
                    None
                }
                (Kind::Text, DType::Reference) => {
                    let target = item_text(&leaf.dtype, item, heap).unwrap_or_default();
                    is_dangling(&self.file, &target)
                        .then(|| ("refer to nodes that are not there", format!("`{target}`")))
                }
                (Kind::Text, dtype) => match item_text(dtype, item, heap) {
                    Ok(_) => None,
                    Err(_) => {
                        let bytes = match dtype.has_heap() {
                            true => HeapItem::from_bytes(item).slice(heap, 1)?,
                            false => item,
                        };
                        let shown: String =
                            bytes.escape_ascii().to_string().chars().take(40).collect();
                        Some(("are no valid text", format!("`{shown}`")))
                    }
                },
                _ => {
                    HeapItem::from_bytes(item).slice(heap, 1)?;
                    None
                }
            };
            if let Some((what, example)) = odd {
                match outcome.oddities.iter_mut().find(|(known, _, _)| *known == what) {
                    Some((_, n, _)) => *n += 1,
                    None => outcome.oddities.push((what, 1, example)),
                }
            }
        }
        Ok(())
    }
}

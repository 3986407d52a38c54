//! What there is to know of the elements of an array, in one pass over its chunks.
//!
//! Chunks are read in boxes that fit the budget, on several threads; what a box tells is added
//! up while it is in the cache, so that an array of any size takes the memory of a few boxes.
//! Results are merged in the order of the boxes: they do not depend on the number of threads.

mod histogram;
mod numbers;
mod texts;

use stook_core::engine::ViewMut;
use stook_core::{DType, Engine, Result, Selection, Values};

pub use histogram::Histogram;
pub use numbers::{Numbers, Scalar};
pub use texts::Texts;

use crate::array::Array;
use crate::leaves::{Kind, Leaf, Number, NumberKind, gather, leaves, with_number};
use crate::ordered::in_order;
use crate::parts::{Parts, Ranges};
use numbers::{Counted, RUN};

/// Boxes are not larger than this, so that they stay in the caches.
const MOST_BOX_LEN: u64 = 4 << 20;

/// Called with the bytes of items that were looked at since the last call; an error that it
/// returns ends the work.
pub type OnBytes<'a> = &'a mut dyn FnMut(u64) -> Result<()>;

/// How statistics are made.
pub struct StatsOptions<'a> {
    /// Which elements; a selection that goes axis by axis.
    pub selection: Selection,
    /// Bytes that it may hold, about (default 256 MiB).
    pub memory_len_bytes: u64,
    /// Called now and then.
    pub progress: Option<OnBytes<'a>>,
}

impl Default for StatsOptions<'_> {
    fn default() -> Self {
        Self { selection: Selection::All, memory_len_bytes: 256 << 20, progress: None }
    }
}

/// What there is to know of the elements of an array.
#[derive(Clone, Debug, PartialEq)]
pub struct Stats {
    /// The number of elements.
    pub n: u64,
    /// One entry; of structs, one for each member, and members of members.
    pub fields: Vec<FieldStats>,
}

/// What there is to know of a member of all elements.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldStats {
    /// The member; members of members are joined by dots, and the element as a whole is empty.
    pub name: String,
    /// Its type; of an array in an element, that of its items.
    pub dtype: DType,
    /// What there is to know.
    pub summary: Summary,
}

/// What there is to know of values of one kind.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Summary {
    /// Numbers; enums are the numbers below.
    Numbers(Numbers),
    /// Complex numbers, by their magnitude.
    Magnitudes(Numbers),
    /// Truth values.
    Bools {
        /// How many there are.
        n: u64,
        /// How many are true.
        n_true: u64,
    },
    /// Points in time or spans of time, as counts of the dtype's unit.
    Times {
        /// How many there are.
        n: u64,
        /// How many are no time (NaT).
        n_nat: u64,
        /// The smallest and the greatest; `None` where all are NaT.
        range: Option<(i64, i64)>,
    },
    /// Texts by their characters, bytes and sequences by their lengths.
    Texts(Texts),
    /// Bytes of which nothing more is known.
    Raw {
        /// How many there are.
        n: u64,
        /// How many have a byte that is not zero.
        n_nonzero: u64,
    },
}

/// Looks at all elements of `array` that `options` select.
///
/// # Errors
/// `InvalidInput` for a selection that does not fit, `Unsupported` for one that does not go axis
/// by axis, and what reading may give.
pub fn stats(array: &Array, options: &mut StatsOptions<'_>) -> Result<Stats> {
    let spec = array.spec();
    let leaves = leaves(&spec.dtype);
    let mut whole = Partial::nothing(&leaves);
    if !spec.is_null() {
        let located = |e: stook_core::Error| e.at_node(array.path()).at_file(array.file().path());
        let parts = Parts::new(&options.selection, &spec).map_err(located)?;
        let threads = threads_for(array);
        let share = options.memory_len_bytes / (2 * threads as u64 + 1);
        let item = spec.dtype.item_size() as u64;
        let reader = one_thread(array);
        let work = |state: &mut Vec<u8>, ranges: Ranges| {
            let n =
                ranges.iter().fold(1, |n: u64, range| n.saturating_mul(range.end - range.start));
            let part = look(&reader, &parts.part(&ranges), &leaves, state)?;
            Ok((part, n.saturating_mul(item)))
        };
        let take = &mut |(part, len): (Partial, u64)| {
            whole.merge(&part);
            options.progress.as_mut().map_or(Ok(()), |progress| progress(len))
        };
        let boxes = parts.boxes(&spec, share.clamp(1, MOST_BOX_LEN));
        in_order(boxes, threads, &Vec::new, &work, take)?;
    }
    let named = leaves.into_iter().zip(whole.summaries);
    let fields =
        named.map(|(leaf, summary)| FieldStats { name: leaf.name, dtype: leaf.dtype, summary });
    Ok(Stats { n: whole.n, fields: fields.collect() })
}

/// The threads that are worth it for all of an array: no more than its engine may use.
pub(crate) fn threads_for(array: &Array) -> usize {
    const WORTH_A_THREAD: u64 = 256 << 10;
    let threads = match array.file().engine().config().threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        threads => threads,
    };
    let worth = array.spec().n_bytes() / WORTH_A_THREAD + 1;
    threads.min(usize::try_from(worth).unwrap_or(usize::MAX))
}

/// The same array, read by the calling thread alone: for threads that each read their own part.
pub(crate) fn one_thread(array: &Array) -> stook_core::Array {
    let config = array.file().engine().config().clone().threads(1);
    stook_core::Array::clone(array).with_engine(Engine::new(config))
}

/// What is done with items and their heap.
pub(crate) type OnItems<'f, T> = &'f mut dyn FnMut(&[u8], &[u8]) -> Result<T>;

/// Reads a part of an array, into `buffer` where items have a fixed size, and hands on its items
/// and their heap.
pub(crate) fn with_items<T>(
    array: &stook_core::Array,
    part: &Selection,
    buffer: &mut Vec<u8>,
    then: OnItems<'_, T>,
) -> Result<T> {
    let spec = array.spec();
    if spec.dtype.has_heap() || spec.dtype.item_size() == 0 {
        let values: Values = array.read(part)?;
        return then(values.items(), values.heap());
    }
    let shape = part.result_shape(spec.shape(), &spec.grid)?;
    let n = shape.iter().try_fold(1_u64, |n, &len| n.checked_mul(len));
    let len = n.and_then(|n| n.checked_mul(spec.dtype.item_size() as u64));
    let len = len.and_then(|len| usize::try_from(len).ok());
    let len = len.ok_or_else(|| stook_core::Error::limit("the selection is too large"))?;
    if buffer.len() < len {
        buffer.resize(len, 0);
    }
    let items = buffer.get_mut(..len).unwrap_or_default();
    array.read_into(part, &mut ViewMut::new(&mut *items, &shape, spec.dtype.item_size())?)?;
    then(items, &[])
}

/// What some elements tell, leaf by leaf.
struct Partial {
    n: u64,
    summaries: Vec<Summary>,
}

impl Partial {
    fn nothing(leaves: &[Leaf]) -> Self {
        Self { n: 0, summaries: leaves.iter().map(|leaf| nothing(leaf.kind)).collect() }
    }

    fn merge(&mut self, other: &Self) {
        self.n += other.n;
        for (ours, theirs) in self.summaries.iter_mut().zip(&other.summaries) {
            merge(ours, theirs);
        }
    }
}

fn nothing(kind: Kind) -> Summary {
    match kind {
        Kind::Bool => Summary::Bools { n: 0, n_true: 0 },
        Kind::Number(kind) => Summary::Numbers(with_number!(kind, T => T::nothing())),
        Kind::Complex(_) => Summary::Magnitudes(Numbers::floats()),
        Kind::Time => Summary::Times { n: 0, n_nat: 0, range: None },
        Kind::Text | Kind::Bytes | Kind::Sequence => Summary::Texts(Texts::default()),
        Kind::Raw => Summary::Raw { n: 0, n_nonzero: 0 },
    }
}

fn merge(ours: &mut Summary, theirs: &Summary) {
    match (ours, theirs) {
        (Summary::Numbers(a), Summary::Numbers(b))
        | (Summary::Magnitudes(a), Summary::Magnitudes(b)) => a.merge(b),
        (Summary::Bools { n, n_true }, Summary::Bools { n: m, n_true: m_true }) => {
            *n += m;
            *n_true += m_true;
        }
        (Summary::Raw { n, n_nonzero }, Summary::Raw { n: m, n_nonzero: m_nonzero }) => {
            *n += m;
            *n_nonzero += m_nonzero;
        }
        (
            Summary::Times { n, n_nat, range },
            Summary::Times { n: m, n_nat: m_nat, range: other },
        ) => {
            *n += m;
            *n_nat += m_nat;
            *range = match (*range, *other) {
                (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
                (a, b) => a.or(b),
            };
        }
        (Summary::Texts(a), Summary::Texts(b)) => a.merge(b),
        // Both were made from one list of leaves.
        _ => {}
    }
}

/// Reads a part of the array and looks at it.
fn look(
    array: &stook_core::Array,
    part: &Selection,
    leaves: &[Leaf],
    buffer: &mut Vec<u8>,
) -> Result<Partial> {
    let stride = array.spec().dtype.item_size();
    with_items(array, part, buffer, &mut |items, heap| {
        let mut partial = Partial::nothing(leaves);
        partial.n = items.len().checked_div(stride).unwrap_or(0) as u64;
        for (leaf, summary) in leaves.iter().zip(&mut partial.summaries) {
            let per_run = (RUN / leaf.n.max(1)).max(1);
            for run in items.chunks(per_run.saturating_mul(stride).max(1)) {
                merge(summary, &look_at_run(leaf, run, stride, heap)?);
            }
        }
        Ok(partial)
    })
}

/// What a run of items tells of one leaf.
fn look_at_run(leaf: &Leaf, items: &[u8], stride: usize, heap: &[u8]) -> Result<Summary> {
    let values = || items.chunks_exact(stride.max(1)).flat_map(|item| leaf.values(item));
    Ok(match leaf.kind {
        Kind::Number(kind) => with_number!(kind, T => Summary::Numbers({
            let mut numbers: Vec<T> = Vec::with_capacity(RUN);
            gather(items, stride, leaf, &mut numbers);
            numbers.chunks(RUN).fold(T::nothing(), |mut all, run| {
                all.merge(&T::run(run));
                all
            })
        })),
        Kind::Complex(kind) => {
            let part = |bytes: &[u8]| match kind {
                NumberKind::F32 => f64::from(f32::from_item(bytes)),
                _ => f64::from_item(bytes),
            };
            let magnitudes: Vec<f64> = values()
                .map(|item| item.split_at(item.len() / 2))
                .map(|(real, imaginary)| part(real).hypot(part(imaginary)))
                .collect();
            Summary::Magnitudes(magnitudes.chunks(RUN).fold(Numbers::floats(), |mut all, run| {
                all.merge(&f64::run(run));
                all
            }))
        }
        Kind::Bool => {
            let (n, n_true) = values().fold((0, 0), |(n, n_true), item| {
                (n + 1, n_true + u64::from(item.iter().any(|&byte| byte != 0)))
            });
            Summary::Bools { n, n_true }
        }
        Kind::Raw => {
            let (n, n_nonzero) = values().fold((0, 0), |(n, n_nonzero), item| {
                (n + 1, n_nonzero + u64::from(item.iter().any(|&byte| byte != 0)))
            });
            Summary::Raw { n, n_nonzero }
        }
        Kind::Time => {
            let mut times: Vec<i64> = Vec::new();
            gather(items, stride, leaf, &mut times);
            let (n, n_all) = (times.len() as u64, times.len());
            times.retain(|&time| time != i64::MIN);
            let range = times.iter().min().zip(times.iter().max()).map(|(a, b)| (*a, *b));
            Summary::Times { n, n_nat: (n_all - times.len()) as u64, range }
        }
        Kind::Text | Kind::Bytes | Kind::Sequence => {
            let mut texts = Texts::default();
            values().try_for_each(|item| texts.add(leaf, item, heap))?;
            Summary::Texts(texts)
        }
    })
}

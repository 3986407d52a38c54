//! The elements of two arrays, box by box.

use stook_core::values::{HeapItem, item_text, items_equal};
use stook_core::{AxisSelection, DType, Error, Result, Selection};

use super::kernel::{Compared, Distance, ToWide, Tolerance, Wide, complex};
use super::{Cell, ElementDiff, Place};
use crate::array::Array;
use crate::copy::Blocks;
use crate::json;
use crate::leaves::{Kind, Leaf, NumberKind, gather, leaves, with_number};
use crate::ordered::in_order;
use crate::stats::{one_thread, threads_for, with_items};

/// Boxes are not larger than this, so that they stay in the caches.
const MOST_BOX_LEN: u64 = 4 << 20;

/// What counts as a difference, and what may be used to find it.
pub(super) struct Settings {
    pub(super) relative: f64,
    pub(super) absolute: f64,
    pub(super) nan_differs: bool,
    pub(super) most_cells: usize,
    pub(super) memory_len_bytes: u64,
}

/// Compares the elements of two arrays of one shape; `None` where their types have nothing in
/// common.
pub(super) fn compare(
    a: &Array,
    b: &Array,
    settings: &Settings,
    progress: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<Option<ElementDiff>> {
    let (left, right) = (a.spec(), b.spec());
    let Some(ways) = ways(&left.dtype, &right.dtype) else { return Ok(None) };
    let threads = threads_for(a);
    let share = settings.memory_len_bytes / (4 * threads as u64 + 1);
    let blocks = Blocks::new(&left, &right, share.clamp(1, MOST_BOX_LEN));
    let comparer = Comparer {
        a: one_thread(a),
        b: one_thread(b),
        strides: (left.dtype.item_size(), right.dtype.item_size()),
        is_same_bytes: left.dtype == right.dtype
            && !left.dtype.has_heap()
            && !(settings.nan_differs && ways.iter().any(Way::may_be_nan)),
        ways,
        tolerance: Tolerance {
            relative: settings.relative,
            absolute: settings.absolute,
            nan_differs: settings.nan_differs,
        },
        most_cells: settings.most_cells,
    };
    let mut whole = ElementDiff { n_elements: left.n_elements(), ..ElementDiff::default() };
    let item = left.dtype.item_size() as u64;
    in_order(
        blocks,
        threads,
        &|| (Vec::new(), Vec::new()),
        &|buffers, block| comparer.block(&block, buffers),
        &mut |(found, n): (ElementDiff, u64)| {
            merge(&mut whole, found, settings.most_cells);
            progress(n.saturating_mul(item))
        },
    )?;
    Ok(Some(whole))
}

fn merge(whole: &mut ElementDiff, found: ElementDiff, most_cells: usize) {
    whole.n += found.n;
    raise(&mut whole.largest_absolute, found.largest_absolute);
    raise(&mut whole.largest_relative, found.largest_relative);
    let room = most_cells.saturating_sub(whole.first.len());
    whole.first.extend(found.first.into_iter().take(room));
}

fn raise(to: &mut Option<(f64, Place)>, found: Option<(f64, Place)>) {
    if let Some(found) = found
        && to.as_ref().is_none_or(|known| found.0 > known.0)
    {
        *to = Some(found);
    }
}

/// How a value of one type is compared with one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// Numbers of one kind.
    Number(NumberKind),
    /// Numbers of two kinds.
    Numbers(NumberKind, NumberKind),
    Complex(NumberKind),
    Time,
    Text,
    /// Values whose bytes, and those they point to, are equal or not.
    Bytes,
}

/// A leaf in both types.
struct Way {
    a: Leaf,
    b: Leaf,
    how: How,
}

impl Way {
    fn may_be_nan(&self) -> bool {
        use NumberKind as N;
        match self.how {
            How::Number(kind) => {
                matches!(kind, N::F16 | N::BF16 | N::F32 | N::F64 | N::LongDouble)
            }
            How::Complex(_) | How::Time => true,
            _ => false,
        }
    }
}

/// How items of two types are compared; `None` where they have other parts or parts of kinds
/// that have nothing in common.
fn ways(a: &DType, b: &DType) -> Option<Vec<Way>> {
    let (left, right) = (leaves(a), leaves(b));
    let alike = left.len() == right.len()
        && left.iter().zip(&right).all(|(a, b)| a.name == b.name && a.n == b.n);
    let ways = left.into_iter().zip(right).map(|(a, b)| {
        let number = |kind| match kind {
            Kind::Number(kind) => Some(kind),
            Kind::Bool => Some(NumberKind::U8),
            _ => None,
        };
        let how = match (a.kind, b.kind) {
            (Kind::Complex(x), Kind::Complex(y)) if x == y => How::Complex(x),
            (Kind::Time, Kind::Time) if a.dtype == b.dtype => How::Time,
            (Kind::Text, Kind::Text) => How::Text,
            (x, y) => match (number(x), number(y)) {
                (Some(x), Some(y)) if x == y => How::Number(x),
                (Some(x), Some(y)) => How::Numbers(x, y),
                _ if a.dtype == b.dtype => How::Bytes,
                _ => return None,
            },
        };
        Some(Way { a, b, how })
    });
    if alike { ways.collect() } else { None }
}

/// Whether two values differ, and how far where that is a number.
type Differ<'d> = &'d dyn Fn(&[u8], &[u8]) -> Result<Option<Option<Distance>>>;

struct Comparer {
    a: stook_core::Array,
    b: stook_core::Array,
    strides: (usize, usize),
    /// Whether items of equal bytes are equal.
    is_same_bytes: bool,
    ways: Vec<Way>,
    tolerance: Tolerance,
    most_cells: usize,
}

/// Items with their heap.
#[derive(Clone, Copy)]
struct Items<'i> {
    items: &'i [u8],
    heap: &'i [u8],
    stride: usize,
}

impl Comparer {
    /// Compares one box; returns what differs and how many elements it has.
    fn block(
        &self,
        block: &Selection,
        buffers: &mut (Vec<u8>, Vec<u8>),
    ) -> Result<(ElementDiff, u64)> {
        let (left, right) = buffers;
        with_items(&self.a, block, left, &mut |a, a_heap| {
            with_items(&self.b, block, right, &mut |b, b_heap| {
                let n = a.len().checked_div(self.strides.0).unwrap_or(0) as u64;
                if self.is_same_bytes && a == b {
                    return Ok((ElementDiff::default(), n));
                }
                let a = Items { items: a, heap: a_heap, stride: self.strides.0 };
                let b = Items { items: b, heap: b_heap, stride: self.strides.1 };
                Ok((self.items(block, a, b)?, n))
            })
        })
    }

    fn items(&self, block: &Selection, a: Items<'_>, b: Items<'_>) -> Result<ElementDiff> {
        let n = a.items.len().checked_div(a.stride).unwrap_or(0);
        let mut found = Found {
            block: ranges(block)?,
            diff: ElementDiff::default(),
            differs: if self.ways.len() > 1 { vec![false; n] } else { Vec::new() },
            last: None,
            most_cells: self.most_cells,
            a,
            b,
        };
        for way in &self.ways {
            self.way(way, &mut found)?;
        }
        Ok(found.finish())
    }

    /// Compares one leaf of all items.
    fn way(&self, way: &Way, found: &mut Found<'_>) -> Result<()> {
        let (a, b) = (found.a, found.b);
        let tolerance = &self.tolerance;
        match way.how {
            How::Number(kind) => with_number!(kind, T => {
                let (mut x, mut y): (Vec<T>, Vec<T>) = (Vec::new(), Vec::new());
                gather(a.items, a.stride, &way.a, &mut x);
                gather(b.items, b.stride, &way.b, &mut y);
                for (at, (x, y)) in x.into_iter().zip(y).enumerate() {
                    if let Some(distance) = x.distance(y, tolerance) {
                        found.add(way, at, Some(distance))?;
                    }
                }
                Ok(())
            }),
            How::Numbers(x, y) => {
                let (x, y) = (wide(a, &way.a, x), wide(b, &way.b, y));
                for (at, (x, y)) in x.into_iter().zip(y).enumerate() {
                    if let Some(distance) = x.distance(y, tolerance) {
                        found.add(way, at, Some(distance))?;
                    }
                }
                Ok(())
            }
            How::Time => {
                let (mut x, mut y): (Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new());
                gather(a.items, a.stride, &way.a, &mut x);
                gather(b.items, b.stride, &way.b, &mut y);
                for (at, (x, y)) in x.into_iter().zip(y).enumerate() {
                    let is_nat = (x == i64::MIN, y == i64::MIN);
                    match is_nat {
                        (true, true) if tolerance.nan_differs => found.add(way, at, None)?,
                        (true, false) | (false, true) => found.add(way, at, None)?,
                        _ => {
                            if let Some(distance) = x.distance(y, tolerance) {
                                found.add(way, at, Some(distance))?;
                            }
                        }
                    }
                }
                Ok(())
            }
            How::Complex(kind) => self.each(way, found, &|x, y| {
                Ok(match kind {
                    NumberKind::F32 => complex::<f32>(x, y, tolerance).map(Some),
                    _ => complex::<f64>(x, y, tolerance).map(Some),
                })
            }),
            How::Text => self.each(way, found, &|x, y| {
                let is_same = match (text(&way.a.dtype, x, a.heap), text(&way.b.dtype, y, b.heap)) {
                    (Some(x), Some(y)) => x == y,
                    _ => raw(&way.a.dtype, x, a.heap)? == raw(&way.b.dtype, y, b.heap)?,
                };
                Ok((!is_same).then_some(None))
            }),
            How::Bytes => self.each(way, found, &|x, y| {
                let is_same = items_equal(&way.a.dtype, (x, a.heap), (y, b.heap));
                Ok((!is_same).then_some(None))
            }),
        }
    }

    /// Compares the values of a leaf one by one.
    fn each(&self, way: &Way, found: &mut Found<'_>, differ: Differ<'_>) -> Result<()> {
        let (a, b) = (found.a, found.b);
        let left = a.items.chunks_exact(a.stride.max(1)).flat_map(|item| way.a.values(item));
        let right = b.items.chunks_exact(b.stride.max(1)).flat_map(|item| way.b.values(item));
        for (at, (x, y)) in left.zip(right).enumerate() {
            if let Some(distance) = differ(x, y)? {
                found.add(way, at, distance)?;
            }
        }
        Ok(())
    }
}

fn wide(items: Items<'_>, leaf: &Leaf, kind: NumberKind) -> Vec<Wide> {
    with_number!(kind, T => {
        let mut numbers: Vec<T> = Vec::new();
        gather(items.items, items.stride, leaf, &mut numbers);
        numbers.into_iter().map(ToWide::to_wide).collect()
    })
}

fn text(dtype: &DType, item: &[u8], heap: &[u8]) -> Option<String> {
    item_text(dtype, item, heap).ok()
}

/// The bytes of text that is none.
fn raw<'i>(dtype: &DType, item: &'i [u8], heap: &'i [u8]) -> Result<&'i [u8]> {
    match dtype.has_heap() {
        true => HeapItem::from_bytes(item).slice(heap, 1),
        false => Ok(stook_core::values::trim_nul(item)),
    }
}

/// The ranges of a box.
fn ranges(block: &Selection) -> Result<Vec<(u64, u64)>> {
    let none = || Error::invalid("expected a box");
    let Selection::Axes(axes) = block else { return Err(none()) };
    let range = |axis: &AxisSelection| match axis {
        AxisSelection::Slice { start: Some(start), stop: Some(stop), step: 1 } => {
            let start = u64::try_from(*start).ok()?;
            Some((start, u64::try_from(*stop).ok()?.checked_sub(start)?))
        }
        _ => None,
    };
    axes.iter().map(|axis| range(axis).ok_or_else(none)).collect()
}

/// What was found in a box so far.
struct Found<'i> {
    /// Start and length along each axis.
    block: Vec<(u64, u64)>,
    diff: ElementDiff,
    /// The items that differ, where several leaves say so.
    differs: Vec<bool>,
    /// The last item that differs, where one leaf does.
    last: Option<usize>,
    most_cells: usize,
    a: Items<'i>,
    b: Items<'i>,
}

impl Found<'_> {
    /// Notes that value `at` of a leaf differs.
    #[cold]
    fn add(&mut self, way: &Way, at: usize, distance: Option<Distance>) -> Result<()> {
        let item = at / way.a.n.max(1);
        match self.differs.get_mut(item) {
            Some(differs) => {
                self.diff.n += u64::from(!*differs);
                *differs = true;
            }
            None if self.last == Some(item) => {}
            None => {
                self.diff.n += 1;
                self.last = Some(item);
            }
        }
        if let Some(Distance { absolute, relative }) = distance {
            let beats = |known: &Option<(f64, Place)>, found: f64| {
                !found.is_nan() && known.as_ref().is_none_or(|(known, _)| found > *known)
            };
            if beats(&self.diff.largest_absolute, absolute) {
                self.diff.largest_absolute = Some((absolute, self.place(way, at)));
            }
            if beats(&self.diff.largest_relative, relative) {
                self.diff.largest_relative = Some((relative, self.place(way, at)));
            }
        }
        if self.diff.first.len() < self.most_cells {
            let value = |items: Items<'_>, leaf: &Leaf| {
                let start = item.saturating_mul(items.stride);
                let whole = items.items.get(start..).unwrap_or_default();
                let value = leaf.values(whole).nth(at % leaf.n.max(1)).unwrap_or_default();
                json::of_item(&leaf.dtype, value, items.heap)
            };
            let (a, b) = (value(self.a, &way.a)?, value(self.b, &way.b)?);
            self.diff.first.push(Cell { at: self.place(way, at), a, b });
        }
        Ok(())
    }

    fn place(&self, way: &Way, at: usize) -> Place {
        let n = way.a.n.max(1);
        let mut rest = (at / n) as u64;
        let mut index: Vec<u64> = self.block.iter().map(|(start, _)| *start).collect();
        for (place, (_, len)) in index.iter_mut().zip(&self.block).rev() {
            *place += rest % (*len).max(1);
            rest /= (*len).max(1);
        }
        let member = match n {
            1 => way.a.name.clone(),
            _ => format!("{}[{}]", way.a.name, at % n),
        };
        Place { index, member }
    }

    /// What was found, cells in the order of the elements.
    fn finish(mut self) -> ElementDiff {
        self.diff.first.sort_by(|x, y| x.at.index.cmp(&y.at.index));
        self.diff
    }
}

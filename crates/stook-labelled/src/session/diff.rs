//! How two sessions differ: names, kinds, labels, and elements where labels are in both.

use stook_core::{DType, Error, Result, Values};

use crate::item::Item;
use crate::scalar::Scalar;
use crate::session::Session;
use crate::session::equality::{Numbers, Tolerance};
use crate::{Array, Axis, Label, Labels};

/// What counts as a difference, and how much of it is told.
#[derive(Clone, Copy, Debug)]
pub struct DiffOptions {
    /// How far numbers may be apart.
    pub tolerance: Tolerance,
    /// The cells that are told of each array.
    pub n_cells: usize,
}

impl Default for DiffOptions {
    fn default() -> Self {
        let tolerance = Tolerance { nans_equal: true, ..Tolerance::default() };
        Self { tolerance, n_cells: 5 }
    }
}

/// How two sessions differ; objects that do not are not in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DiffReport {
    /// Each object that differs, in the order of the left side.
    pub items: Vec<(String, ItemDiff)>,
    /// Metadata that differs: name, left, right.
    pub metadata: Vec<(String, Option<Scalar>, Option<Scalar>)>,
}

/// How an object differs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ItemDiff {
    /// It is on the left side only.
    OnlyLeft,
    /// It is on the right side only.
    OnlyRight,
    /// The sides are of different kinds.
    Kind {
        /// What it is on the left.
        left: &'static str,
        /// What it is on the right.
        right: &'static str,
    },
    /// An axis, a group or a value is another.
    Value {
        /// It, on the left.
        left: String,
        /// It, on the right.
        right: String,
    },
    /// An array has other axes, labels or elements.
    Array(Box<ArrayDiff>),
}

/// How an array differs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArrayDiff {
    /// The types of the elements, if they differ.
    pub dtypes: Option<(String, String)>,
    /// Axes of the left side only, by name.
    pub axes_only_left: Vec<String>,
    /// Axes of the right side only.
    pub axes_only_right: Vec<String>,
    /// Of each axis that has any: its name and the labels of the left side only.
    pub labels_only_left: Vec<(String, Vec<Label>)>,
    /// Of each axis that has any: its name and the labels of the right side only.
    pub labels_only_right: Vec<(String, Vec<Label>)>,
    /// Axes whose common labels are in another order.
    pub reordered: Vec<String>,
    /// The elements that both have.
    pub n_compared: usize,
    /// Those of them that differ.
    pub n_different: usize,
    /// The largest absolute difference of numbers.
    pub max_absolute: f64,
    /// The largest difference relative to the right side.
    pub max_relative: f64,
    /// The first cells that differ.
    pub cells: Vec<CellDiff>,
}

/// A cell that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct CellDiff {
    /// Its labels.
    pub labels: Vec<Label>,
    /// The element on the left.
    pub left: String,
    /// The element on the right.
    pub right: String,
}

impl DiffReport {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.metadata.is_empty()
    }
}

impl ArrayDiff {
    fn is_empty(&self) -> bool {
        self.dtypes.is_none()
            && self.axes_only_left.is_empty()
            && self.axes_only_right.is_empty()
            && self.labels_only_left.is_empty()
            && self.labels_only_right.is_empty()
            && self.reordered.is_empty()
            && self.n_different == 0
    }
}

impl Session {
    /// How `other` differs from this session.
    ///
    /// # Errors
    /// `Corrupt` for text that is none, `LimitExceeded` for more elements than memory.
    pub fn diff(&self, other: &Self, options: &DiffOptions) -> Result<DiffReport> {
        let mut report = DiffReport::default();
        for (name, left) in self.iter() {
            let found = match other.get(name) {
                None => Some(ItemDiff::OnlyLeft),
                Some(right) => items(left, right, options)?,
            };
            report.items.extend(found.map(|found| (name.to_owned(), found)));
        }
        let extra = other.keys().filter(|name| !self.contains(name));
        report.items.extend(extra.map(|name| (name.to_owned(), ItemDiff::OnlyRight)));
        let (left, right) = (self.metadata(), other.metadata());
        let names = left.iter().chain(right.iter().filter(|(name, _)| left.get(name).is_none()));
        for (name, _) in names.filter(|(name, _)| left.get(name) != right.get(name)) {
            let (left, right) = (left.get(name).cloned(), right.get(name).cloned());
            report.metadata.push((name.to_owned(), left, right));
        }
        Ok(report)
    }
}

fn items(left: &Item, right: &Item, options: &DiffOptions) -> Result<Option<ItemDiff>> {
    if let (Item::Array(a, _), Item::Array(b, _)) = (left, right) {
        let diff = arrays(a, b, options)?;
        return Ok((!diff.is_empty()).then(|| ItemDiff::Array(Box::new(diff))));
    }
    if left.type_name() != right.type_name() {
        return Ok(Some(ItemDiff::Kind { left: left.type_name(), right: right.type_name() }));
    }
    let is_close = match (left, right) {
        (Item::Scalar(Scalar::Float(a)), Item::Scalar(Scalar::Float(b))) => {
            close(*a, *b, options.tolerance)
        }
        _ => left.equals(right, options.tolerance),
    };
    let words = |item: &Item| {
        let session: Session = [("", item.clone())].into_iter().collect();
        let line = session.summary(&crate::session::SummaryTemplate::default());
        line.trim_start_matches(": ").to_owned()
    };
    Ok((!is_close).then(|| ItemDiff::Value { left: words(left), right: words(right) }))
}

fn close(a: f64, b: f64, tolerance: Tolerance) -> bool {
    a == b
        || (tolerance.nans_equal && a.is_nan() && b.is_nan())
        || (a - b).abs() <= tolerance.absolute + tolerance.relative * b.abs()
}

/// What an axis of an array is called in a report.
fn name_of(at: usize, axis: &Axis) -> String {
    axis.name().map_or_else(|| format!("{{{at}}}"), ToString::to_string)
}

fn arrays(a: &Array, b: &Array, options: &DiffOptions) -> Result<ArrayDiff> {
    let mut diff = ArrayDiff::default();
    if a.dtype() != b.dtype() {
        let name = crate::session::summary::dtype_name;
        diff.dtypes = Some((name(a), name(b)));
    }
    let names = |array: &Array| -> Vec<String> {
        array.axes().iter().enumerate().map(|(at, axis)| name_of(at, axis)).collect()
    };
    let (left, right) = (names(a), names(b));
    diff.axes_only_left = left.iter().filter(|name| !right.contains(name)).cloned().collect();
    diff.axes_only_right = right.iter().filter(|name| !left.contains(name)).cloned().collect();
    if !diff.axes_only_left.is_empty() || !diff.axes_only_right.is_empty() {
        return Ok(diff);
    }
    let mut pairs = Vec::new();
    for (at, name) in left.iter().enumerate() {
        let other = right.iter().position(|other| other == name).unwrap_or(at);
        let (mine, theirs) = (a.axes()[at].labels(), b.axes()[other].labels());
        let only = |from: &Labels, in_: &Labels| -> Vec<Label> {
            from.iter().filter(|label| !in_.contains(label)).collect()
        };
        let (only_left, only_right) = (only(mine, theirs), only(theirs, mine));
        if !only_left.is_empty() {
            diff.labels_only_left.push((name.clone(), only_left));
        }
        if !only_right.is_empty() {
            diff.labels_only_right.push((name.clone(), only_right));
        }
        let common: Vec<(usize, usize)> = (0..mine.len())
            .filter_map(|i| Some((i, theirs.position_ref(mine.get_ref(i)?)?)))
            .collect();
        if !common.iter().map(|(_, theirs)| *theirs).is_sorted() {
            diff.reordered.push(name.clone());
        }
        pairs.push((other, common));
    }
    cells((a, b), &pairs, options, &mut diff)?;
    Ok(diff)
}

/// Compares the cells whose labels both have.
fn cells(
    (a, b): (&Array, &Array),
    pairs: &[(usize, Vec<(usize, usize)>)],
    options: &DiffOptions,
    diff: &mut ArrayDiff,
) -> Result<()> {
    let n_cells = pairs.iter().try_fold(1_usize, |n, (_, common)| n.checked_mul(common.len()));
    diff.n_compared = n_cells.ok_or_else(|| Error::limit("too many cells to compare"))?;
    let (left_strides, right_strides) = (strides(&a.shape()), strides(&b.shape()));
    let mut at = vec![0; pairs.len()];
    let (x, y) = (Element::new(a.data()), Element::new(b.data()));
    for _ in 0..diff.n_compared {
        let (mut i, mut j) = (0, 0);
        for (axis, (other, common)) in pairs.iter().enumerate() {
            let (mine, theirs) = common[at[axis]];
            i += mine * left_strides[axis];
            j += theirs * right_strides[*other];
        }
        if !x.equals(i, &y, j, options.tolerance, diff)? {
            diff.n_different += 1;
            if diff.cells.len() < options.n_cells {
                let labels = pairs.iter().enumerate().map(|(axis, (_, common))| {
                    a.axes()[axis].labels().get(common[at[axis]].0).unwrap_or(Label::None)
                });
                let labels = labels.collect();
                diff.cells.push(CellDiff { labels, left: x.words(i), right: y.words(j) });
            }
        }
        for axis in (0..at.len()).rev() {
            at[axis] += 1;
            if at[axis] < pairs[axis].1.len() {
                break;
            }
            at[axis] = 0;
        }
    }
    Ok(())
}

fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// Elements that are compared one by one.
struct Element<'a> {
    values: &'a Values,
    numbers: Option<Numbers<'a>>,
}

impl<'a> Element<'a> {
    fn new(values: &'a Values) -> Self {
        Self { values, numbers: Numbers::new(values) }
    }

    fn equals(
        &self,
        at: usize,
        other: &Self,
        place: usize,
        tolerance: Tolerance,
        diff: &mut ArrayDiff,
    ) -> Result<bool> {
        if let (Some(a), Some(b)) = (&self.numbers, &other.numbers) {
            let (a, b) = (a.get(at), b.get(place));
            let distance = (a - b).abs();
            if distance > diff.max_absolute {
                diff.max_absolute = distance;
            }
            if distance > 0.0 && distance / b.abs() > diff.max_relative {
                diff.max_relative = distance / b.abs();
            }
            return Ok(close(a, b, tolerance));
        }
        if is_text(self.values) && is_text(other.values) {
            return Ok(self.values.text_at(at)? == other.values.text_at(place)?);
        }
        let is_same_type = self.values.dtype() == other.values.dtype();
        Ok(is_same_type && self.values.item(at) == other.values.item(place))
    }

    fn words(&self, at: usize) -> String {
        if is_text(self.values) {
            return self.values.text_at(at).unwrap_or_default();
        }
        let item = self.values.item(at).unwrap_or_default().to_vec();
        let one = Values::new(self.values.dtype().clone(), vec![1], item, Vec::new());
        let labels = one.and_then(Labels::from_values);
        match labels.ok().and_then(|labels| labels.get(0)) {
            Some(label) => label.to_string(),
            None => format!("{:?}", self.values.item(at).unwrap_or_default()),
        }
    }
}

fn is_text(values: &Values) -> bool {
    matches!(values.dtype(), DType::String(_) | DType::Unicode(_) | DType::FixedString(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AxisCollection;

    fn array(axes: &str, values: &[f64]) -> Array {
        let axes = AxisCollection::parse(axes).unwrap();
        let shape = axes.shape().iter().map(|&len| len as u64).collect();
        let items = stook_core::element::as_bytes(values).to_vec();
        Array::new(axes, Values::new(DType::Float64, shape, items, Vec::new()).unwrap()).unwrap()
    }

    #[test]
    fn cells_are_compared_by_their_labels() {
        let left: Session = [("x", array("a=a0..a2", &[1.0, 2.0, 3.0]))].into_iter().collect();
        let right: Session = [("x", array("a=a2,a1,a3", &[3.0, 2.5, 9.0]))].into_iter().collect();
        let report = left.diff(&right, &DiffOptions::default()).unwrap();
        let [(name, ItemDiff::Array(diff))] = report.items.as_slice() else { panic!("{report:?}") };
        assert_eq!(name, "x");
        assert_eq!(diff.labels_only_left, [("a".to_owned(), vec!["a0".into()])]);
        assert_eq!(diff.labels_only_right, [("a".to_owned(), vec!["a3".into()])]);
        assert_eq!((diff.n_compared, diff.n_different), (2, 1));
        assert_eq!(diff.max_absolute, 0.5);
        assert_eq!(diff.cells[0].labels, ["a1".into()]);
        assert_eq!((diff.cells[0].left.as_str(), diff.cells[0].right.as_str()), ("2.0", "2.5"));
        assert_eq!(diff.reordered, ["a"]);
        let loose = Tolerance { absolute: 1.0, ..Tolerance::default() };
        let options = DiffOptions { tolerance: loose, n_cells: 0 };
        let report = left.diff(&right, &options).unwrap();
        assert!(matches!(&report.items[0].1, ItemDiff::Array(diff) if diff.n_different == 0));
    }

    #[test]
    fn names_and_kinds_are_compared() {
        let left: Session = [("x", 1), ("y", 2)].into_iter().collect();
        let mut right: Session = [("z", 1)].into_iter().collect();
        right.insert("y", 2.0);
        let report = left.diff(&right, &DiffOptions::default()).unwrap();
        assert_eq!(report.items[0], ("x".to_owned(), ItemDiff::OnlyLeft));
        assert_eq!(report.items[1].1, ItemDiff::Kind { left: "int", right: "float" });
        assert_eq!(report.items[2].1, ItemDiff::OnlyRight);
        assert!(left.diff(&left, &DiffOptions::default()).unwrap().is_empty());
    }
}

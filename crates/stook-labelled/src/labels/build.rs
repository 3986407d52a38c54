//! How labels are made, and made from others.

use std::sync::Arc;

use stook_core::dtype::DType;
use stook_core::element::as_bytes;
use stook_core::values::{HeapItem, push_heap_item};
use stook_core::{Element, Error, Result, Values};

use crate::label::{Label, LabelRef};
use crate::labels::joined::Joined;
use crate::labels::{LabelKind, Labels, Range, Repr, typed};

impl Labels {
    /// The positions of an axis of `len`, which match any labels.
    #[must_use]
    pub fn wildcard(len: usize) -> Self {
        Self::of(Repr::Wildcard(len))
    }

    /// `start`, `start + step`, … up to `stop`, which is not one of them; `step` may be negative.
    ///
    /// # Errors
    /// `InvalidInput` if `step` is 0.
    pub fn range(start: i64, stop: i64, step: i64) -> Result<Self> {
        if step == 0 {
            return Err(Error::invalid("a range of labels with a step of 0"));
        }
        let distance = (i128::from(stop) - i128::from(start)) * i128::from(step.signum());
        let len = (distance + i128::from(step).abs() - 1).max(0) / i128::from(step).abs();
        let len = usize::try_from(len)
            .map_err(|_| Error::limit(format!("{len} labels overflow memory")))?;
        Ok(Self::of(Repr::Range(Range { start, step, len })))
    }

    /// Labels of one type, in the dtype they have: truth values, numbers, text, bytes, times.
    ///
    /// # Errors
    /// `InvalidInput` if the values have not one dimension, `Unsupported` if items of that type are
    /// no labels, `Corrupt` if items point out of their heap.
    pub fn from_values(values: impl Into<Arc<Values>>) -> Result<Self> {
        let values = values.into();
        if values.shape().len() != 1 {
            return Err(Error::invalid(format!(
                "labels have one dimension, found shape {:?}",
                values.shape()
            )));
        }
        if typed::kind(values.dtype()).is_none() {
            return Err(Error::unsupported(format!("items of {} are no labels", values.dtype())));
        }
        if values.dtype().has_heap() {
            for item in values.items().chunks_exact(values.dtype().item_size()) {
                HeapItem::from_bytes(item).slice(values.heap(), 1)?;
            }
        }
        Ok(Self::of(Repr::Typed(values)))
    }

    /// Numbers or truth values, in the type they have.
    #[must_use]
    pub fn from_elements<T: Element>(elements: &[T]) -> Self {
        Self::typed(T::DTYPE, elements.len(), as_bytes(elements).to_vec(), Vec::new())
    }

    /// Whole numbers.
    #[must_use]
    pub fn from_ints(labels: &[i64]) -> Self {
        Self::from_elements(labels)
    }

    /// Text, of as many characters as the longest has.
    pub fn from_strings<S: AsRef<str>>(labels: impl IntoIterator<Item = S>) -> Self {
        let labels: Vec<S> = labels.into_iter().collect();
        let width = labels.iter().map(|text| text.as_ref().chars().count()).max().unwrap_or(0);
        let width = width.max(1);
        let mut items = Vec::with_capacity(4 * width * labels.len());
        for text in &labels {
            let end = items.len() + 4 * width;
            for c in text.as_ref().chars() {
                items.extend_from_slice(as_bytes(&[u32::from(c)]));
            }
            items.resize(end, 0);
        }
        Self::typed(DType::Unicode(width), labels.len(), items, Vec::new())
    }

    /// Labels of any types: of the type that all have, else as they are.
    #[must_use]
    pub fn from_labels(labels: Vec<Label>) -> Self {
        common(&labels).unwrap_or_else(|| Self::mixed(labels))
    }

    /// Labels as they are, whatever their types (numpy's `object`).
    #[must_use]
    pub fn mixed(labels: Vec<Label>) -> Self {
        Self::of(Repr::Mixed(labels.into()))
    }

    /// Text made of one label of each of `columns`, at the positions it has, with `sep` between them:
    /// when somebody looks at it, which may be never.
    pub(crate) fn joined(columns: Vec<(Self, Arc<[usize]>)>, sep: &str) -> Self {
        Self::of(Repr::Joined(Box::new(Joined::new(columns, sep))))
    }

    /// `items` has `len` items of `dtype`, one that labels have.
    fn typed(dtype: DType, len: usize, items: Vec<u8>, heap: Vec<u8>) -> Self {
        let values = Values::new(dtype, vec![len as u64], items, heap);
        Self::of(Repr::Typed(Arc::new(values.expect("as many items as labels"))))
    }

    /// The labels at `positions`, in that order and in the same dtype.
    ///
    /// # Errors
    /// `InvalidInput` if a position is past the end.
    pub fn take(&self, positions: &[usize]) -> Result<Self> {
        let len = self.len();
        if let Some(position) = positions.iter().find(|&&position| position >= len) {
            return Err(Error::invalid(format!(
                "position {position} is out of bounds for {len} labels"
            )));
        }
        Ok(self.gather(positions.iter().copied()))
    }

    /// `len` labels from `start` on, each `step` after the one before.
    ///
    /// # Errors
    /// `InvalidInput` if one of them is out of bounds.
    pub fn slice(&self, start: usize, step: isize, len: usize) -> Result<Self> {
        let at = |i: usize| {
            let offset = isize::try_from(i).ok()?.checked_mul(step)?;
            start.checked_add_signed(offset).filter(|&position| position < self.len())
        };
        if len > 0 && (at(0).is_none() || at(len - 1).is_none()) {
            return Err(Error::invalid(format!(
                "{len} labels from {start} by {step} are out of bounds for {}",
                self.len()
            )));
        }
        if start == 0 && step == 1 && len == self.len() {
            return Ok(self.clone());
        }
        if let Repr::Range(range) = self.repr()
            && len > 0
        {
            let step = i64::try_from(step).ok().and_then(|step| range.step.checked_mul(step));
            if let (Some(start), Some(step)) = (range.get(start), step) {
                return Ok(Self::of(Repr::Range(Range { start, step, len })));
            }
        }
        Ok(self.gather((0..len).filter_map(at)))
    }

    /// The labels at positions that are within bounds; a wildcard stays one.
    fn gather(&self, positions: impl Iterator<Item = usize>) -> Self {
        match self.repr() {
            Repr::Typed(values) => {
                let size = values.dtype().item_size();
                let mut items = Vec::with_capacity(positions.size_hint().0.saturating_mul(size));
                let mut len = 0;
                for position in positions {
                    items.extend_from_slice(values.item(position).unwrap_or_default());
                    len += 1;
                }
                let heap =
                    if values.dtype().has_heap() { values.heap().to_vec() } else { Vec::new() };
                Self::typed(values.dtype().clone(), len, items, heap)
            }
            Repr::Mixed(labels) => Self::mixed(
                positions.filter_map(|position| labels.get(position).cloned()).collect(),
            ),
            Repr::Wildcard(_) => Self::wildcard(positions.count()),
            Repr::Joined(_) => self.clone(),
            Repr::Range(_) => {
                let numbers: Vec<i64> = positions
                    .filter_map(|position| match self.get_ref(position)? {
                        LabelRef::Int(value) => Some(value),
                        _ => None,
                    })
                    .collect();
                Self::from_ints(&numbers)
            }
        }
    }

    /// All labels of `parts`, one part after the other: in the dtype that all have, in the wider one
    /// of text, else as text if some are text, as numbers if all are, or as they are.
    #[must_use]
    pub fn concat(parts: &[Self]) -> Self {
        if let [only] = parts {
            return only.clone();
        }
        let filled: Vec<&Self> = parts.iter().filter(|part| !part.is_empty()).collect();
        if let [only] = *filled {
            return only.without_wildcard();
        }
        let dtype = filled.first().and_then(|part| part.dtype());
        let is_one_dtype = filled.iter().all(|part| part.dtype() == dtype);
        if let Some(dtype) = dtype.filter(|dtype| is_one_dtype && !dtype.has_heap()) {
            let mut items = Vec::new();
            let mut len = 0;
            for values in filled.iter().filter_map(|part| part.to_values().ok().flatten()) {
                items.extend_from_slice(values.items());
                len += values.len();
            }
            return Self::typed(dtype, len, items, Vec::new());
        }
        let kinds: Vec<LabelKind> = filled.iter().map(|part| part.kind()).collect();
        let labels = filled.iter().flat_map(|part| part.iter());
        if kinds.contains(&LabelKind::Mixed) {
            return Self::mixed(labels.collect());
        }
        if kinds.contains(&LabelKind::Text) {
            return Self::from_strings(labels.map(|label| label.to_string()));
        }
        Self::from_labels(labels.collect())
    }

    /// The same labels as text; those that are text already as they are.
    #[must_use]
    pub fn to_text(&self) -> Self {
        match self.kind() {
            LabelKind::Text => self.clone(),
            _ => Self::from_strings(self.iter_refs().map(|label| label.to_string())),
        }
    }

    /// The positions of a wildcard as numbers; others as they are.
    #[must_use]
    pub fn without_wildcard(&self) -> Self {
        match self.repr() {
            Repr::Wildcard(len) => Self::of(Repr::Range(Range { start: 0, step: 1, len: *len })),
            _ => self.clone(),
        }
    }
}

/// Labels of one type as items of that type.
fn common(labels: &[Label]) -> Option<Labels> {
    let all = |is: fn(&Label) -> bool| labels.iter().all(is);
    let number = |label: &Label| match label {
        Label::Int(value) => Some(*value as f64),
        Label::UInt(value) => Some(*value as f64),
        Label::Float(value) => Some(*value),
        _ => None,
    };
    match labels.first()? {
        Label::Int(_) if all(|label| matches!(label, Label::Int(_))) => {
            let ints: Vec<i64> = labels.iter().filter_map(Label::as_int).collect();
            Some(Labels::from_ints(&ints))
        }
        Label::Int(_) | Label::UInt(_) | Label::Float(_) => {
            let is_unsigned = all(|label| match label {
                Label::Int(value) => *value >= 0,
                other => matches!(other, Label::UInt(_)),
            });
            if is_unsigned {
                let unsigned = labels.iter().filter_map(|label| match label {
                    Label::Int(value) => u64::try_from(*value).ok(),
                    Label::UInt(value) => Some(*value),
                    _ => None,
                });
                return Some(Labels::from_elements(&unsigned.collect::<Vec<u64>>()));
            }
            let floats: Option<Vec<f64>> = labels.iter().map(number).collect();
            Some(Labels::from_elements(&floats?))
        }
        Label::Bool(_) if all(|label| matches!(label, Label::Bool(_))) => {
            let bools = labels.iter().map(|label| matches!(label, Label::Bool(true)));
            Some(Labels::from_elements(&bools.collect::<Vec<bool>>()))
        }
        Label::Str(_) if all(|label| label.as_str().is_some()) => {
            Some(Labels::from_strings(labels.iter().filter_map(Label::as_str)))
        }
        Label::Bytes(_) => {
            let mut items = Vec::new();
            let mut heap = Vec::new();
            for label in labels {
                let Label::Bytes(bytes) = label else { return None };
                push_heap_item(&mut items, &mut heap, bytes);
            }
            Some(Labels::typed(DType::Bytes, labels.len(), items, heap))
        }
        Label::DateTime(_, unit) => {
            let ticks = labels.iter().map(|label| match label {
                Label::DateTime(ticks, own) if own == unit => Some(*ticks),
                _ => None,
            });
            Some(times(DType::DateTime(*unit), &ticks.collect::<Option<Vec<i64>>>()?))
        }
        Label::TimeDelta(_, unit) => {
            let ticks = labels.iter().map(|label| match label {
                Label::TimeDelta(ticks, own) if own == unit => Some(*ticks),
                _ => None,
            });
            Some(times(DType::TimeDelta(*unit), &ticks.collect::<Option<Vec<i64>>>()?))
        }
        _ => None,
    }
}

fn times(dtype: DType, ticks: &[i64]) -> Labels {
    Labels::typed(dtype, ticks.len(), as_bytes(ticks).to_vec(), Vec::new())
}

impl FromIterator<Label> for Labels {
    fn from_iter<I: IntoIterator<Item = Label>>(labels: I) -> Self {
        Self::from_labels(labels.into_iter().collect())
    }
}

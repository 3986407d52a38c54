//! Columns of Arrow as labels and elements.

use arrow_array::cast::AsArray;
use arrow_array::{Array as _, ArrayRef, types};
use arrow_schema::{DataType, TimeUnit as ArrowUnit};
use stook_core::dtype::{TimeBase, TimeUnit};
use stook_core::values::push_heap_item;
use stook_core::{DType, Error, Result, Values};

use super::of_arrow;
use crate::store::{kept, python};
use crate::{Label, Labels};

/// A column that is read piece by piece.
pub(super) struct Column {
    dtype: DType,
    items: Vec<u8>,
    heap: Vec<u8>,
    /// Which rows have nothing.
    empty: Vec<usize>,
    len: usize,
}

fn unit(unit: ArrowUnit) -> TimeUnit {
    let base = match unit {
        ArrowUnit::Second => TimeBase::Second,
        ArrowUnit::Millisecond => TimeBase::Millisecond,
        ArrowUnit::Microsecond => TimeBase::Microsecond,
        ArrowUnit::Nanosecond => TimeBase::Nanosecond,
    };
    TimeUnit { base, count: 1 }
}

/// The type of what a column holds.
fn dtype_of(data_type: &DataType) -> Result<DType> {
    Ok(match data_type {
        DataType::Boolean => DType::Bool,
        DataType::Int8 => DType::Int8,
        DataType::Int16 => DType::Int16,
        DataType::Int32 => DType::Int32,
        DataType::Int64 => DType::Int64,
        DataType::UInt8 => DType::UInt8,
        DataType::UInt16 => DType::UInt16,
        DataType::UInt32 => DType::UInt32,
        DataType::UInt64 => DType::UInt64,
        DataType::Float16 => DType::Float16,
        DataType::Float32 => DType::Float32,
        DataType::Float64 => DType::Float64,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DType::string(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => DType::Bytes,
        DataType::Date32 => DType::DateTime(TimeUnit { base: TimeBase::Day, count: 1 }),
        DataType::Timestamp(own, _) => DType::DateTime(unit(*own)),
        DataType::Duration(own) => DType::TimeDelta(unit(*own)),
        DataType::Dictionary(_, values) => dtype_of(values)?,
        other => return Err(Error::unsupported(format!("a column of type {other}"))),
    })
}

impl Column {
    /// An empty column.
    ///
    /// # Errors
    /// `Unsupported` for a type that labels and elements have not.
    pub(super) fn new(data_type: &DataType) -> Result<Self> {
        let dtype = dtype_of(data_type)?;
        Ok(Self { dtype, items: Vec::new(), heap: Vec::new(), empty: Vec::new(), len: 0 })
    }

    /// Adds a piece of the column.
    pub(super) fn push(&mut self, piece: &ArrayRef) -> Result<()> {
        if let Some(dictionary) = piece.as_any_dictionary_opt() {
            let plain = arrow_select::take::take(dictionary.values(), dictionary.keys(), None);
            return self.push(&plain.map_err(|error| of_arrow(&error))?);
        }
        if dtype_of(piece.data_type())? != self.dtype {
            return Err(Error::corrupt("a column changes its type"));
        }
        let first = self.len;
        if let Some(nulls) = piece.logical_nulls() {
            let empty = nulls.iter().enumerate().filter(|(_, is_there)| !is_there);
            self.empty.extend(empty.map(|(at, _)| first + at));
        }
        self.len += piece.len();
        macro_rules! numbers {
            ($type:ty) => {{
                let numbers = piece.as_primitive::<$type>().values();
                self.items.extend_from_slice(numbers.inner().as_slice());
            }};
        }
        match piece.data_type() {
            DataType::Boolean => {
                let truths = piece.as_boolean().values();
                self.items.extend(truths.iter().map(u8::from));
            }
            DataType::Int8 => numbers!(types::Int8Type),
            DataType::Int16 => numbers!(types::Int16Type),
            DataType::Int32 => numbers!(types::Int32Type),
            DataType::Int64 => numbers!(types::Int64Type),
            DataType::UInt8 => numbers!(types::UInt8Type),
            DataType::UInt16 => numbers!(types::UInt16Type),
            DataType::UInt32 => numbers!(types::UInt32Type),
            DataType::UInt64 => numbers!(types::UInt64Type),
            DataType::Float16 => numbers!(types::Float16Type),
            DataType::Float32 => numbers!(types::Float32Type),
            DataType::Float64 => numbers!(types::Float64Type),
            DataType::Timestamp(ArrowUnit::Second, _) => numbers!(types::TimestampSecondType),
            DataType::Timestamp(ArrowUnit::Millisecond, _) => {
                numbers!(types::TimestampMillisecondType)
            }
            DataType::Timestamp(ArrowUnit::Microsecond, _) => {
                numbers!(types::TimestampMicrosecondType)
            }
            DataType::Timestamp(ArrowUnit::Nanosecond, _) => {
                numbers!(types::TimestampNanosecondType)
            }
            DataType::Duration(ArrowUnit::Second) => numbers!(types::DurationSecondType),
            DataType::Duration(ArrowUnit::Millisecond) => numbers!(types::DurationMillisecondType),
            DataType::Duration(ArrowUnit::Microsecond) => numbers!(types::DurationMicrosecondType),
            DataType::Duration(ArrowUnit::Nanosecond) => numbers!(types::DurationNanosecondType),
            DataType::Date32 => {
                let days = piece.as_primitive::<types::Date32Type>().values();
                let days: Vec<i64> = days.iter().map(|&day| day.into()).collect();
                self.items.extend_from_slice(stook_core::element::as_bytes(&days));
            }
            DataType::Utf8 => self.payloads(piece.as_string::<i32>().iter()),
            DataType::LargeUtf8 => self.payloads(piece.as_string::<i64>().iter()),
            DataType::Utf8View => self.payloads(piece.as_string_view().iter()),
            DataType::Binary => self.payloads(piece.as_binary::<i32>().iter()),
            DataType::LargeBinary => self.payloads(piece.as_binary::<i64>().iter()),
            DataType::BinaryView => self.payloads(piece.as_binary_view().iter()),
            other => return Err(Error::unsupported(format!("a column of type {other}"))),
        }
        Ok(())
    }

    fn payloads<T: AsRef<[u8]>>(&mut self, payloads: impl Iterator<Item = Option<T>>) {
        for payload in payloads {
            let payload = payload.as_ref().map_or(&[][..], AsRef::as_ref);
            push_heap_item(&mut self.items, &mut self.heap, payload);
        }
    }

    /// How many rows have nothing.
    pub(super) fn n_empty(&self) -> usize {
        self.empty.len()
    }

    /// The elements: nothing is NaN, NaT, or empty text.
    ///
    /// # Errors
    /// `Unsupported` if nothing stands for what is missing.
    pub(super) fn into_values(self) -> Result<Values> {
        let Self { dtype, mut items, heap, empty, len } = self;
        let shape = vec![len as u64];
        if empty.is_empty() {
            return Values::new(dtype, shape, items, heap);
        }
        if crate::store::is_integer(&dtype) {
            let numbers = python::to_floats(&Values::new(dtype, shape.clone(), items, heap)?)?;
            let column = Self {
                dtype: DType::Float64,
                items: numbers.items().to_vec(),
                heap: Vec::new(),
                empty,
                len,
            };
            return column.into_values();
        }
        let nothing: &[u8] = match dtype {
            DType::Float64 => stook_core::element::as_bytes(&[f64::NAN]),
            DType::Float32 => stook_core::element::as_bytes(&[f32::NAN]),
            DType::Float16 => stook_core::element::as_bytes(&[stook_core::element::f16::NAN]),
            DType::DateTime(_) | DType::TimeDelta(_) => stook_core::element::as_bytes(&[i64::MIN]),
            DType::String(_) | DType::Bytes => &[],
            other => {
                let n = empty.len();
                return Err(Error::unsupported(format!("{n} missing elements of type {other}")));
            }
        };
        for at in empty.into_iter().filter(|_| !nothing.is_empty()) {
            let start = at * nothing.len();
            if let Some(item) = items.get_mut(start..start + nothing.len()) {
                item.copy_from_slice(nothing);
            }
        }
        Values::new(dtype, shape, items, heap)
    }

    /// The labels; nothing is the label that is nothing, but in time.
    ///
    /// # Errors
    /// As those of [`Column::into_values`].
    pub(super) fn into_labels(mut self) -> Result<Labels> {
        let is_time = matches!(self.dtype, DType::DateTime(_) | DType::TimeDelta(_));
        if is_time || self.empty.is_empty() {
            return labels(self.into_values()?);
        }
        let empty = std::mem::take(&mut self.empty);
        let known = labels(self.into_values()?)?;
        let mut found: Vec<Label> = known.iter().collect();
        for at in empty {
            if let Some(label) = found.get_mut(at) {
                *label = Label::None;
            }
        }
        Ok(Labels::mixed(found))
    }
}

fn labels(values: Values) -> Result<Labels> {
    if !matches!(values.dtype(), DType::String(_)) {
        return Labels::from_values(values);
    }
    let texts = (0..values.len()).map(|at| values.text_at(at)).collect::<Result<Vec<_>>>()?;
    Ok(Labels::from_strings(texts))
}

/// Elements as they were before they became columns: `dtype` is that of the note.
///
/// # Errors
/// `Corrupt` or `Unsupported` if they cannot have been of that type.
pub(super) fn restored(mut parts: Vec<Values>, dtype: &DType) -> Result<Values> {
    let is_pair = matches!(dtype, DType::Complex64 | DType::Complex128);
    let odd = || Error::corrupt(format!("expected values that were {dtype}"));
    let values = parts.pop().ok_or_else(odd)?;
    if is_pair {
        let reals = parts.pop().filter(|_| parts.is_empty()).ok_or_else(odd)?;
        let half = dtype.item_size() / 2;
        let is_half = |values: &Values| {
            matches!(values.dtype(), DType::Float32 | DType::Float64)
                && values.dtype().item_size() == half
                && values.len() == reals.len()
        };
        if !is_half(&values) || !is_half(&reals) {
            return Err(odd());
        }
        let pairs = reals.items().chunks_exact(half).zip(values.items().chunks_exact(half));
        let items = pairs.flat_map(|(re, im)| [re, im].concat()).collect();
        return Values::new(dtype.clone(), reals.shape().to_vec(), items, Vec::new());
    }
    if !parts.is_empty() {
        return Err(odd());
    }
    match (values.dtype(), dtype) {
        (DType::Int64, DType::DateTime(_) | DType::TimeDelta(_)) => {
            let (_, shape, items, _) = values.into_parts();
            Values::new(dtype.clone(), shape, items, Vec::new())
        }
        (DType::String(_) | DType::Bytes, DType::FixedString(text)) => {
            let mut items = Vec::with_capacity(values.len().saturating_mul(text.len_bytes));
            for at in 0..values.len() {
                let end = items.len() + text.len_bytes;
                items.extend_from_slice(values.payload(at)?);
                if items.len() > end {
                    return Err(odd());
                }
                items.resize(end, 0);
            }
            Values::new(dtype.clone(), values.shape().to_vec(), items, Vec::new())
        }
        _ => kept::retype(values, dtype),
    }
}

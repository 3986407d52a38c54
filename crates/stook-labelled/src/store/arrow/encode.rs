//! Labels and elements as columns of Arrow.
//!
//! Text among labels is a dictionary; points and spans of time keep their unit where Arrow has it.
//! What Arrow has no type for keeps its meaning by the note of the file ([`super::table`]).

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, DictionaryArray, Int32Array, PrimitiveArray, StringArray,
    UInt64Array, types,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use stook_core::dtype::{Charset, TimeBase, TimeUnit};
use stook_core::values::trim_nul;
use stook_core::{DType, Error, Result, Values};

use super::{TableFormat, of_arrow};
use crate::store::time::{self, MICROSECOND, NANOSECOND, SECOND};
use crate::{Axis, Label};

const MILLISECOND: TimeUnit = TimeUnit { base: TimeBase::Millisecond, count: 1 };
const DAY: TimeUnit = TimeUnit { base: TimeBase::Day, count: 1 };

/// The labels of an axis, of which a column repeats some.
pub(super) struct LabelColumn {
    /// Each label once, or of text each different one.
    labels: ArrayRef,
    /// For each position which text it has.
    codes: Option<Vec<i32>>,
    /// How many rows follow one another with the same label.
    pub(super) period: usize,
    len: usize,
}

impl LabelColumn {
    /// The labels of `axis`, each of which holds for `period` rows.
    pub(super) fn new(axis: &Axis, period: usize, format: TableFormat) -> Result<Self> {
        let (len, period) = (axis.len(), period.max(1));
        let plain = |labels| Self { labels, codes: None, period, len };
        match axis.labels().dtype() {
            Some(DType::Unicode(_) | DType::String(_)) | None => Self::texts(axis, period),
            Some(DType::FixedString(text)) if text.charset == Charset::Utf8 => {
                Self::texts(axis, period)
            }
            Some(_) => {
                let values = axis.labels().to_values()?;
                let values = values.ok_or_else(|| Error::invalid("labels without values"))?;
                let mut columns = columns(&*ready(&values, format)?, 0, len)?;
                let labels = columns.pop().filter(|_| columns.is_empty());
                labels.map(plain).ok_or_else(|| Error::unsupported("labels of several parts"))
            }
        }
    }

    /// Text, and what labels of several types are as text.
    fn texts(axis: &Axis, period: usize) -> Result<Self> {
        let (mut texts, mut known) = (Vec::new(), HashMap::new());
        let mut codes = Vec::with_capacity(axis.len());
        for label in axis.labels().iter() {
            let text = if label == Label::None { None } else { Some(label.to_string()) };
            let code = known.entry(text.clone()).or_insert_with(|| {
                texts.push(text);
                texts.len() - 1
            });
            let code = i32::try_from(*code);
            codes.push(code.map_err(|_| Error::unsupported("more labels than Arrow numbers"))?);
        }
        let labels: ArrayRef = Arc::new(texts.into_iter().collect::<StringArray>());
        Ok(Self { labels, codes: Some(codes), period, len: axis.len() })
    }

    /// The column of rows `from..from + n`.
    pub(super) fn rows(&self, from: usize, n: usize) -> Result<ArrayRef> {
        let position = |row: usize| row / self.period % self.len.max(1);
        if let Some(codes) = &self.codes {
            let keys = (from..from + n).map(|row| codes.get(position(row)).copied());
            // A label that is nothing is a key that is nothing, which every reader understands.
            let keys = keys.map(|code| {
                let at = usize::try_from(code?).ok()?;
                self.labels.is_valid(at).then_some(code).flatten()
            });
            let keys: Int32Array = keys.collect();
            let values = Arc::clone(&self.labels);
            let column = DictionaryArray::<types::Int32Type>::try_new(keys, values);
            return Ok(Arc::new(column.map_err(|error| of_arrow(&error))?));
        }
        let positions: UInt64Array = (from..from + n).map(|row| position(row) as u64).collect();
        let column = arrow_select::take::take(&self.labels, &positions, None);
        column.map_err(|error| of_arrow(&error))
    }
}

/// What columns of elements are called beside the name of the value.
pub(super) fn suffixes(dtype: &DType) -> &'static [&'static str] {
    match dtype {
        DType::Complex64 | DType::Complex128 => &["_real", "_imag"],
        _ => &[""],
    }
}

macro_rules! numbers {
    ($type:ty, $bytes:expr, $n:expr, $nulls:expr) => {{
        let numbers = ScalarBuffer::new(Buffer::from($bytes), 0, $n);
        let column = PrimitiveArray::<$type>::try_new(numbers, $nulls);
        vec![Arc::new(column.map_err(|error| of_arrow(&error))?) as ArrayRef]
    }};
}

/// The columns of elements `from..from + n` that are [`ready`].
///
/// # Errors
/// `Unsupported` for elements that Arrow has no type for.
pub(super) fn columns(values: &Values, from: usize, n: usize) -> Result<Vec<ArrayRef>> {
    let size = values.dtype().item_size();
    let bytes = values.items().get(from * size..(from + n) * size).unwrap_or_default();
    Ok(match values.dtype() {
        DType::Bool => {
            let truths = BooleanBuffer::from_iter(bytes.iter().map(|byte| *byte != 0));
            vec![Arc::new(BooleanArray::new(truths, None))]
        }
        DType::Int8 => numbers!(types::Int8Type, bytes, n, None),
        DType::Int16 => numbers!(types::Int16Type, bytes, n, None),
        DType::Int32 => numbers!(types::Int32Type, bytes, n, None),
        DType::Int64 => numbers!(types::Int64Type, bytes, n, None),
        DType::UInt8 => numbers!(types::UInt8Type, bytes, n, None),
        DType::UInt16 => numbers!(types::UInt16Type, bytes, n, None),
        DType::UInt32 => numbers!(types::UInt32Type, bytes, n, None),
        DType::UInt64 => numbers!(types::UInt64Type, bytes, n, None),
        DType::Float16 => numbers!(types::Float16Type, bytes, n, None),
        DType::Float32 => numbers!(types::Float32Type, bytes, n, None),
        DType::Float64 => numbers!(types::Float64Type, bytes, n, None),
        DType::Complex64 => {
            let [re, im] = parts::<4>(bytes);
            let mut columns = numbers!(types::Float32Type, re, n, None);
            columns.extend(numbers!(types::Float32Type, im, n, None));
            columns
        }
        DType::Complex128 => {
            let [re, im] = parts::<8>(bytes);
            let mut columns = numbers!(types::Float64Type, re, n, None);
            columns.extend(numbers!(types::Float64Type, im, n, None));
            columns
        }
        DType::DateTime(_) | DType::TimeDelta(_) => times(values, from, n)?,
        DType::String(_) | DType::Unicode(_) => vec![texts(values, from, n)?],
        DType::FixedString(text) if text.charset == Charset::Utf8 => vec![texts(values, from, n)?],
        DType::FixedString(_) => {
            let payloads = bytes.chunks_exact(size.max(1)).map(trim_nul);
            let empty = std::iter::repeat_n(&[][..], if size == 0 { n } else { 0 });
            vec![Arc::new(BinaryArray::from_iter_values(payloads.chain(empty)))]
        }
        DType::Bytes => {
            let payloads = (from..from + n).map(|at| values.payload(at));
            let payloads = payloads.collect::<Result<Vec<_>>>()?;
            vec![Arc::new(BinaryArray::from_iter_values(payloads))]
        }
        other => return Err(Error::unsupported(format!("elements of type {other} in tables"))),
    })
}

fn texts(values: &Values, from: usize, n: usize) -> Result<ArrayRef> {
    let texts = (from..from + n).map(|at| values.text_at(at)).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(StringArray::from_iter_values(texts)))
}

/// Real and imaginary parts of `N` bytes each.
fn parts<const N: usize>(bytes: &[u8]) -> [Vec<u8>; 2] {
    let (chunks, _) = bytes.as_chunks::<N>();
    let every = |first: usize| chunks.iter().skip(first).step_by(2).flatten().copied().collect();
    [every(0), every(1)]
}

/// Points or spans of time, in a unit that Arrow has.
fn times(values: &Values, from: usize, n: usize) -> Result<Vec<ArrayRef>> {
    let ticks: Vec<i64> = time::ticks(values).skip(from).take(n).collect();
    let nulls = NullBuffer::from_iter(ticks.iter().map(|&ticks| ticks != i64::MIN));
    let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
    let bytes = stook_core::element::as_bytes(&ticks);
    Ok(match values.dtype() {
        DType::DateTime(unit) => match unit.base {
            TimeBase::Second => numbers!(types::TimestampSecondType, bytes, n, nulls),
            TimeBase::Millisecond => numbers!(types::TimestampMillisecondType, bytes, n, nulls),
            TimeBase::Microsecond => numbers!(types::TimestampMicrosecondType, bytes, n, nulls),
            TimeBase::Nanosecond => numbers!(types::TimestampNanosecondType, bytes, n, nulls),
            _ => {
                let day = |&day: &i64| i32::try_from(day).unwrap_or(0);
                let days: Vec<i32> = ticks.iter().map(day).collect();
                let days = stook_core::element::as_bytes(&days);
                numbers!(types::Date32Type, days, n, nulls)
            }
        },
        DType::TimeDelta(unit) => match unit.base {
            TimeBase::Second => numbers!(types::DurationSecondType, bytes, n, nulls),
            TimeBase::Millisecond => numbers!(types::DurationMillisecondType, bytes, n, nulls),
            TimeBase::Microsecond => numbers!(types::DurationMicrosecondType, bytes, n, nulls),
            _ => numbers!(types::DurationNanosecondType, bytes, n, nulls),
        },
        other => return Err(Error::invalid(format!("expected a type of time, found {other}"))),
    })
}

/// Elements of which [`columns`] makes columns: times in a unit that Arrow has, or as numbers.
pub(super) fn ready(values: &Values, format: TableFormat) -> Result<Cow<'_, Values>> {
    if time::unit_of(values.dtype()).is_none() {
        return Ok(Cow::Borrowed(values));
    }
    if let Some(counted) = counted(values, format) {
        return Ok(Cow::Owned(counted));
    }
    let shape = values.shape().to_vec();
    Values::new(DType::Int64, shape, values.items().to_vec(), Vec::new()).map(Cow::Owned)
}

/// The same in a unit that Arrow has; `None` if there is none that loses nothing.
fn counted(values: &Values, format: TableFormat) -> Option<Values> {
    let unit = time::unit_of(values.dtype())?;
    let is_moment = matches!(values.dtype(), DType::DateTime(_));
    // Parquet has no points in time of whole seconds.
    let seconds = if format == TableFormat::Parquet && is_moment { MILLISECOND } else { SECOND };
    let to = match unit.base {
        TimeBase::Year | TimeBase::Month | TimeBase::Week | TimeBase::Day if is_moment => DAY,
        TimeBase::Week | TimeBase::Day | TimeBase::Hour | TimeBase::Minute => seconds,
        TimeBase::Second => seconds,
        TimeBase::Millisecond => MILLISECOND,
        TimeBase::Microsecond => MICROSECOND,
        TimeBase::Nanosecond => NANOSECOND,
        _ => return None,
    };
    let counted = time::in_unit(values, to).ok()?;
    let fits = |ticks: i64| ticks == i64::MIN || i32::try_from(ticks).is_ok();
    (to != DAY || time::ticks(&counted).all(fits)).then_some(counted)
}

//! Values converted, taken and joined along their first axis.

use stook::values::rebase;
use stook::{DType, Error, Result, Values};

use crate::attribute_value::{compacted, is_matrix_dtype};
use crate::matrix::{Number, Wide, with_number_type};

/// What is said of items that are no numbers.
fn expect_numbers(dtype: &DType) -> Result<()> {
    if is_matrix_dtype(dtype) || *dtype == DType::Bool {
        return Ok(());
    }
    Err(Error::invalid(format!("expected numbers, found {dtype}")))
}

/// The type that numbers of this one are read as: truth values are bytes.
fn number_dtype(dtype: &DType) -> &DType {
    if *dtype == DType::Bool { &DType::UInt8 } else { dtype }
}

/// Numbers of type `from` as items of type `to`.
///
/// # Errors
/// `InvalidInput` for one that `to` has no room for, or that it could only have by dropping a
/// fraction, and for types that are no numbers.
pub(crate) fn cast_items(from: &DType, items: &[u8], to: &DType) -> Result<Vec<u8>> {
    if from == to {
        return Ok(items.to_vec());
    }
    expect_numbers(from)?;
    expect_numbers(to)?;
    with_number_type!(number_dtype(from), A => {
        with_number_type!(to, B => cast_between::<A, B>(items))
    })
}

fn cast_between<A: Number, B: Number>(items: &[u8]) -> Result<Vec<u8>> {
    let mut cast = Vec::with_capacity(items.len() / size_of::<A>() * size_of::<B>());
    for item in items.chunks_exact(size_of::<A>()) {
        let number = A::from_item(item);
        let narrow = B::from_wide(number.to_wide()).ok_or_else(|| {
            Error::invalid(format!("{number:?} is no number of type {}", B::DTYPE))
        })?;
        cast.extend_from_slice(stook::element::as_bytes(&[narrow]));
    }
    Ok(cast)
}

/// `values` as numbers of type `to`.
///
/// # Errors
/// Those of [`cast_items`].
pub(crate) fn cast(values: &Values, to: &DType) -> Result<Values> {
    let items = cast_items(values.dtype(), values.items(), to)?;
    Values::new(to.clone(), values.shape().to_vec(), items, Vec::new())
}

/// `values` as 64-bit floats.
///
/// # Errors
/// `InvalidInput` where they are no numbers.
pub(crate) fn floats(values: &Values) -> Result<Vec<f64>> {
    expect_numbers(values.dtype())?;
    with_number_type!(number_dtype(values.dtype()), T => {
        let items = values.items().chunks_exact(size_of::<T>());
        Ok(items.map(|item| T::from_item(item).to_f64()).collect())
    })
}

/// `values` as integers of any size.
///
/// # Errors
/// `InvalidInput` where they are no numbers, or have fractions.
pub(crate) fn integers(values: &Values) -> Result<Vec<i128>> {
    expect_numbers(values.dtype())?;
    let whole = |wide: Wide| match wide {
        Wide::Int(int) => Ok(int),
        Wide::Float(float) if float.fract() == 0.0 => Ok(float as i128),
        Wide::Float(float) => Err(Error::invalid(format!("{float} is no integer"))),
    };
    with_number_type!(number_dtype(values.dtype()), T => {
        let items = values.items().chunks_exact(size_of::<T>());
        items.map(|item| whole(T::from_item(item).to_wide())).collect()
    })
}

/// The items of `values` at `positions` along the first axis, in their order.
///
/// # Errors
/// `InvalidInput` for a position out of bounds, or where there is no axis.
pub(crate) fn take(values: &Values, positions: &[u64]) -> Result<Values> {
    let Some((&len, row)) = values.shape().split_first() else {
        return Err(Error::invalid("a value without axes has no positions"));
    };
    let row_len = row.iter().product::<u64>() as usize * values.dtype().item_size();
    let mut items = Vec::with_capacity(positions.len().saturating_mul(row_len));
    for &at in positions {
        let start = usize::try_from(at).ok().filter(|_| at < len).map(|at| at * row_len);
        let part = start.and_then(|start| values.items().get(start..start + row_len));
        items.extend_from_slice(part.ok_or_else(|| {
            Error::invalid(format!("position {at} is out of bounds for an axis of length {len}"))
        })?);
    }
    let mut shape = vec![positions.len() as u64];
    shape.extend_from_slice(row);
    let heap = values.heap().to_vec();
    compacted(Values::new(values.dtype().clone(), shape, items, heap)?)
}

/// `first` and behind it, along the first axis, `second`; numbers are widened to the narrower of
/// the types that hold both.
///
/// # Errors
/// `InvalidInput` where only one is text, or the other axes differ.
pub(crate) fn join(first: &Values, second: &Values) -> Result<Values> {
    let dtype = common(first.dtype(), second.dtype())?;
    let (Some((&n, row)), Some((&m, other))) =
        (first.shape().split_first(), second.shape().split_first())
    else {
        return Err(Error::invalid("a value without axes cannot be joined"));
    };
    if row != other {
        let (row, other) = (first.shape(), second.shape());
        return Err(Error::invalid(format!("shapes {row:?} and {other:?} cannot be joined")));
    }
    let mut shape = vec![n.saturating_add(m)];
    shape.extend_from_slice(row);
    if !is_matrix_dtype(&dtype) {
        let mut items = first.items().to_vec();
        let mut more = second.items().to_vec();
        let mut heap = first.heap().to_vec();
        let delta = heap.len() as u64;
        heap.extend_from_slice(second.heap());
        rebase(&dtype, &mut more, &mut heap, delta)?;
        items.extend_from_slice(&more);
        return Values::new(dtype, shape, items, heap);
    }
    let mut items = cast_items(first.dtype(), first.items(), &dtype)?;
    items.extend(cast_items(second.dtype(), second.items(), &dtype)?);
    Values::new(dtype, shape, items, Vec::new())
}

/// The type that holds the values of both, as numpy finds it.
///
/// # Errors
/// `InvalidInput` where only one is text, or one is neither text nor numbers.
pub(crate) fn common(a: &DType, b: &DType) -> Result<DType> {
    if a == b {
        return Ok(a.clone());
    }
    if !is_matrix_dtype(a) || !is_matrix_dtype(b) {
        return Err(Error::invalid(format!("{a} and {b} have no type in common")));
    }
    let (a, b) = (Width::of(a), Width::of(b));
    Ok(match (a.is_float || b.is_float, a.is_signed, b.is_signed) {
        (true, ..) => float_of(a.float_bits().max(b.float_bits())),
        (false, true, true) | (false, false, false) => integer_of(a.bits.max(b.bits), a.is_signed),
        (false, true, false) => integer_of(a.bits.max(b.bits * 2), true),
        (false, false, true) => integer_of(b.bits.max(a.bits * 2), true),
    })
}

/// How a number lies in its bits.
struct Width {
    bits: usize,
    is_float: bool,
    is_signed: bool,
}

impl Width {
    fn of(dtype: &DType) -> Self {
        let is_float = matches!(dtype, DType::Float16 | DType::Float32 | DType::Float64);
        let is_unsigned =
            matches!(dtype, DType::UInt8 | DType::UInt16 | DType::UInt32 | DType::UInt64);
        Self { bits: dtype.item_size() * 8, is_float, is_signed: !is_unsigned }
    }

    /// The bits of the float that holds it.
    fn float_bits(&self) -> usize {
        if self.is_float { self.bits } else { (self.bits * 2).min(64) }
    }
}

fn float_of(bits: usize) -> DType {
    match bits {
        16 => DType::Float16,
        32 => DType::Float32,
        _ => DType::Float64,
    }
}

fn integer_of(bits: usize, is_signed: bool) -> DType {
    match (bits, is_signed) {
        (8, true) => DType::Int8,
        (16, true) => DType::Int16,
        (32, true) => DType::Int32,
        (64, true) => DType::Int64,
        (8, false) => DType::UInt8,
        (16, false) => DType::UInt16,
        (32, false) => DType::UInt32,
        (64, false) => DType::UInt64,
        // Nothing holds both a negative and 64 bits without a sign.
        _ => DType::Float64,
    }
}

/// `value`, one item, as often as an axis is long.
///
/// # Errors
/// `InvalidInput` where it is more than one item.
pub(crate) fn repeated(value: &Values, len: u64) -> Result<Values> {
    if value.len() != 1 {
        let found = value.len();
        return Err(Error::invalid(format!("a fill value: expected one item, found {found}")));
    }
    let n = stook_core::values::byte_len(&[len], value.dtype().item_size())?;
    let n = n / value.dtype().item_size().max(1);
    let items = value.items().repeat(n);
    Values::new(value.dtype().clone(), vec![len], items, value.heap().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute_value::numbers;

    #[test]
    fn a_value_that_does_not_fit_is_named() {
        let values = numbers(vec![2], &[1.0_f64, 300.0]).unwrap();
        let error = cast(&values, &DType::UInt8).unwrap_err();
        assert_eq!(error.message(), "300.0 is no number of type uint8");
        assert!(cast(&numbers(vec![1], &[0.5_f32]).unwrap(), &DType::Int8).is_err());
        assert!(cast(&numbers(vec![1], &[f64::NAN]).unwrap(), &DType::Int8).is_err());
        assert!(cast(&numbers(vec![1], &[1e300]).unwrap(), &DType::Float32).is_err());
        let infinite = cast(&numbers(vec![1], &[f64::INFINITY]).unwrap(), &DType::Float32);
        assert_eq!(infinite.unwrap(), numbers(vec![1], &[f32::INFINITY]).unwrap());
    }

    #[test]
    fn types_are_common_as_in_numpy() {
        let common = |a: &str, b: &str| common(&a.parse().unwrap(), &b.parse().unwrap());
        for (a, b, expected) in [
            ("int8", "uint8", "int16"),
            ("uint64", "int64", "float64"),
            ("int16", "float16", "float32"),
            ("int32", "float32", "float64"),
            ("uint8", "uint32", "uint32"),
            ("float32", "float64", "float64"),
        ] {
            assert_eq!(common(a, b).unwrap().to_string(), expected, "{a} {b}");
            assert_eq!(common(b, a).unwrap().to_string(), expected, "{b} {a}");
        }
        assert!(common("int8", "string").is_err());
    }

    #[test]
    fn text_is_joined_and_taken() {
        let first = Values::from_strings(vec![2], &["a", "bc"]).unwrap();
        let second = Values::from_strings(vec![1], &["é"]).unwrap();
        let joined = join(&first, &second).unwrap();
        let taken = take(&joined, &[2, 0, 2]).unwrap();
        assert_eq!(taken, Values::from_strings(vec![3], &["é", "a", "é"]).unwrap());
        assert!(take(&joined, &[3]).is_err());
    }
}

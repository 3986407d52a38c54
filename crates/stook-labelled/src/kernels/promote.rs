//! Which type holds the numbers of two others: numpy's promotion.

use stook_core::{DType, Error, Result};

/// What kind of number a type holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Bool,
    Unsigned,
    Signed,
    Float,
    Complex,
}

pub(super) fn kind(dtype: &DType) -> Option<Kind> {
    Some(match dtype {
        DType::Bool => Kind::Bool,
        DType::UInt8 | DType::UInt16 | DType::UInt32 | DType::UInt64 => Kind::Unsigned,
        DType::Int8 | DType::Int16 | DType::Int32 | DType::Int64 => Kind::Signed,
        DType::Float16 | DType::Float32 | DType::Float64 => Kind::Float,
        DType::Complex64 | DType::Complex128 => Kind::Complex,
        _ => return None,
    })
}

/// Whether that is a type of numbers or truth values.
pub(crate) fn is_number(dtype: &DType) -> bool {
    kind(dtype).is_some()
}

fn signed(size: usize) -> DType {
    match size {
        1 => DType::Int8,
        2 => DType::Int16,
        4 => DType::Int32,
        8 => DType::Int64,
        _ => DType::Float64,
    }
}

/// The float that holds integers of so many bytes as well as numpy asks for.
fn float_for(size: usize) -> DType {
    match size {
        0 | 1 => DType::Float16,
        2 => DType::Float32,
        _ => DType::Float64,
    }
}

/// The type that the numbers of `a` and `b` are both cast to, as numpy 2 promotes types. Two types
/// that are equal promote to themselves, whatever they are.
///
/// # Errors
/// `Unsupported` if there is none.
///
/// ```
/// use stook_core::DType;
/// use stook_labelled::kernels::promote;
///
/// assert_eq!(promote(&DType::Int32, &DType::UInt32)?, DType::Int64);
/// assert_eq!(promote(&DType::Int64, &DType::Float32)?, DType::Float64);
/// # Ok::<(), stook_core::Error>(())
/// ```
pub fn promote(a: &DType, b: &DType) -> Result<DType> {
    if a == b {
        return Ok(a.clone());
    }
    let (Some(kind_a), Some(kind_b)) = (kind(a), kind(b)) else {
        return Err(Error::unsupported(format!("no type holds both {a} and {b}")));
    };
    let (low, high) = if kind_a <= kind_b { (a, b) } else { (b, a) };
    let (kind_low, kind_high) = (kind_a.min(kind_b), kind_a.max(kind_b));
    let (size_low, size_high) = (low.item_size(), high.item_size());
    let wider = |one: &DType, other: &DType| {
        if one.item_size() >= other.item_size() { one.clone() } else { other.clone() }
    };
    Ok(match (kind_low, kind_high) {
        (Kind::Bool, _) => high.clone(),
        (one, other) if one == other => wider(low, high),
        (Kind::Unsigned, Kind::Signed) => signed(size_high.max(size_low * 2)),
        (Kind::Float, Kind::Float) => wider(low, high),
        (_, Kind::Float) => wider(&float_for(size_low), high),
        (Kind::Float, Kind::Complex) if size_low < 8 => high.clone(),
        (_, Kind::Complex) if kind_low != Kind::Float && size_low <= 2 => high.clone(),
        _ => DType::Complex128,
    })
}

/// Whether numbers of one type are cast to another without losing what they are: what numpy calls
/// `same_kind`, in that nothing becomes of a lesser kind.
#[must_use]
pub fn can_cast(from: &DType, to: &DType) -> bool {
    if from == to {
        return true;
    }
    match (kind(from), kind(to)) {
        (Some(Kind::Unsigned), Some(Kind::Signed)) => true,
        (Some(from), Some(to)) => from <= to,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_promote_as_numpy_promotes_them() {
        use DType::*;
        for (a, b, expected) in [
            (Bool, Int8, Int8),
            (UInt8, Int8, Int16),
            (UInt64, Int8, Float64),
            (UInt16, Int64, Int64),
            (Int8, Float16, Float16),
            (Int16, Float16, Float32),
            (Int32, Float32, Float64),
            (UInt16, Float32, Float32),
            (Float64, Complex64, Complex128),
            (Float32, Complex64, Complex64),
            (Int32, Complex64, Complex128),
            (Int16, Complex64, Complex64),
            (Bool, Complex64, Complex64),
        ] {
            assert_eq!(promote(&a, &b).unwrap(), expected, "{a} and {b}");
            assert_eq!(promote(&b, &a).unwrap(), expected, "{b} and {a}");
        }
        assert!(promote(&Bool, &DType::string()).is_err());
    }
}

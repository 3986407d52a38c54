//! The parts of an item that are values: members of structs and elements of arrays within items,
//! down to numbers, times, texts and bytes.

use stook_core::DType;
use stook_core::dtype::Narrow;
use stook_core::element::{bf16, f16};

/// What kind of value a leaf is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Number(NumberKind),
    /// Two numbers.
    Complex(NumberKind),
    /// A count of units; the least is not a time.
    Time,
    /// Text of any kind, or the path of a node.
    Text,
    /// Bytes of variable length.
    Bytes,
    /// A sequence of items.
    Sequence,
    /// Bytes of which nothing more is known.
    Raw,
}

/// How a number lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberKind {
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    BF16,
    F32,
    F64,
    LongDouble,
}

/// A value in every item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// The members that lead to it, joined by dots; empty where it is the item.
    pub(crate) name: String,
    /// The dtype of one value.
    pub(crate) dtype: DType,
    pub(crate) kind: Kind,
    /// Where the first value begins in the item.
    pub(crate) offset: usize,
    /// The values in an item, one behind the other.
    pub(crate) n: usize,
}

impl Leaf {
    /// The bytes of its values in an item.
    pub(crate) fn bytes<'i>(&self, item: &'i [u8]) -> &'i [u8] {
        let len = self.n.saturating_mul(self.dtype.item_size());
        item.get(self.offset..self.offset.saturating_add(len)).unwrap_or_default()
    }

    /// The bytes of each of its values in an item.
    pub(crate) fn values<'i>(&self, item: &'i [u8]) -> impl Iterator<Item = &'i [u8]> + use<'i> {
        self.bytes(item).chunks_exact(self.dtype.item_size().max(1))
    }
}

/// Leaves beyond these are not told apart.
const MOST_LEAVES: usize = 4096;

/// The leaves of an item of `dtype`.
pub(crate) fn leaves(dtype: &DType) -> Vec<Leaf> {
    let mut found = Vec::new();
    push(dtype, String::new(), 0, &mut found);
    found
}

fn push(dtype: &DType, name: String, offset: usize, found: &mut Vec<Leaf>) {
    match dtype {
        DType::Struct(r#struct) if found.len() < MOST_LEAVES => {
            for field in &r#struct.fields {
                let dot = if name.is_empty() { "" } else { "." };
                let name = format!("{name}{dot}{}", field.name);
                push(&field.dtype, name, offset.saturating_add(field.offset), found);
            }
        }
        DType::Array(array) if !matches!(array.item, DType::Struct(_) | DType::Array(_)) => {
            let size = array.item.item_size();
            let n = dtype.item_size().checked_div(size).unwrap_or(0);
            let kind = kind(&array.item);
            found.push(Leaf { name, dtype: array.item.clone(), kind, offset, n });
        }
        // Arrays of structs: a value is a whole item of the array.
        _ => found.push(Leaf { name, dtype: dtype.clone(), kind: kind(dtype), offset, n: 1 }),
    }
}

fn kind(dtype: &DType) -> Kind {
    use NumberKind as N;
    match dtype {
        DType::Bool => Kind::Bool,
        DType::Enum(r#enum) => kind(&r#enum.base),
        DType::Complex64 => Kind::Complex(N::F32),
        DType::Complex128 => Kind::Complex(N::F64),
        DType::DateTime(_) | DType::TimeDelta(_) => Kind::Time,
        DType::String(_) | DType::FixedString(_) | DType::Unicode(_) | DType::Reference => {
            Kind::Text
        }
        DType::Bytes => Kind::Bytes,
        DType::Sequence(_) => Kind::Sequence,
        _ => number(dtype).map_or(Kind::Raw, Kind::Number),
    }
}

fn number(dtype: &DType) -> Option<NumberKind> {
    use NumberKind as N;
    Some(match dtype {
        DType::Int8 | DType::Narrow(Narrow::Int2 | Narrow::Int4) => N::I8,
        DType::UInt8 | DType::Bitfield(1) | DType::Narrow(Narrow::UInt2 | Narrow::UInt4) => N::U8,
        DType::Int16 => N::I16,
        DType::UInt16 | DType::Bitfield(2) => N::U16,
        DType::Int32 => N::I32,
        DType::UInt32 | DType::Bitfield(4) => N::U32,
        DType::Int64 => N::I64,
        DType::UInt64 | DType::Bitfield(8) => N::U64,
        DType::Float16 => N::F16,
        DType::BFloat16 => N::BF16,
        DType::Float32 => N::F32,
        DType::Float64 => N::F64,
        DType::LongDouble => N::LongDouble,
        _ => return None,
    })
}

/// Calls `$body` with `$t` as the Rust type of a number of `$kind`.
macro_rules! with_number {
    ($kind:expr, $t:ident => $body:expr) => {{
        use $crate::leaves::NumberKind as N;
        macro_rules! with {
            ($rust:ty) => {{
                type $t = $rust;
                $body
            }};
        }
        match $kind {
            N::I8 => with!(i8),
            N::I16 => with!(i16),
            N::I32 => with!(i32),
            N::I64 => with!(i64),
            N::U8 => with!(u8),
            N::U16 => with!(u16),
            N::U32 => with!(u32),
            N::U64 => with!(u64),
            N::F16 => with!(stook_core::element::f16),
            N::BF16 => with!(stook_core::element::bf16),
            N::F32 => with!(f32),
            N::F64 => with!(f64),
            N::LongDouble => with!($crate::leaves::LongDouble),
        }
    }};
}
pub(crate) use with_number;

/// An x87 extended double, as the nearest `f64`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct LongDouble(pub(crate) f64);

impl LongDouble {
    /// From the 80 bits, little-endian, that begin `bytes`.
    fn from_bytes(bytes: [u8; 16]) -> Self {
        let mantissa = bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let head = u16::from_le_bytes([bytes[8], bytes[9]]);
        let (is_negative, exponent) = (head >> 15 == 1, i32::from(head & 0x7fff));
        let magnitude = match (exponent, mantissa << 1) {
            (0x7fff, 0) => f64::INFINITY,
            (0x7fff, _) => f64::NAN,
            // Two steps, so that a factor alone does not underflow.
            _ => {
                let power = exponent - 16383 - 63;
                let half = power / 2;
                mantissa as f64 * 2_f64.powi(half) * 2_f64.powi(power - half)
            }
        };
        Self(if is_negative { -magnitude } else { magnitude })
    }
}

/// A number that lies in items.
pub(crate) trait Number: Copy + Send + Sync + PartialEq + 'static {
    const SIZE: usize;
    /// The number whose bytes these are; there are `SIZE` of them.
    fn from_item(item: &[u8]) -> Self;
}

macro_rules! number {
    ($($t:ty),*) => {$(
        impl Number for $t {
            const SIZE: usize = size_of::<$t>();
            #[inline]
            fn from_item(item: &[u8]) -> Self {
                item.try_into().map(<$t>::from_ne_bytes).unwrap_or_default()
            }
        }
    )*};
}
number!(i8, i16, i32, i64, u8, u16, u32, u64, f16, bf16, f32, f64);

impl Number for LongDouble {
    const SIZE: usize = 16;
    fn from_item(item: &[u8]) -> Self {
        Self::from_bytes(item.try_into().unwrap_or_default())
    }
}

/// Replaces what is in `out` by the values of `leaf` in `items`, each item `stride` bytes.
pub(crate) fn gather<T: Number>(items: &[u8], stride: usize, leaf: &Leaf, out: &mut Vec<T>) {
    out.clear();
    if leaf.n * leaf.dtype.item_size() == stride {
        out.extend(items.chunks_exact(T::SIZE).map(T::from_item));
        return;
    }
    for item in items.chunks_exact(stride.max(1)) {
        out.extend(leaf.bytes(item).chunks_exact(T::SIZE).map(T::from_item));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use stook_core::dtype::{ArrayType, StructType};

    #[test]
    fn members_of_members_are_leaves() {
        let inner = StructType::packed([
            ("x".to_owned(), DType::Float32),
            ("s".to_owned(), DType::fixed_bytes(3)),
        ]);
        let inner = DType::Struct(Arc::new(inner.unwrap()));
        let pair = DType::Array(Arc::new(ArrayType { item: DType::Int16, shape: vec![2] }));
        let outer = StructType::packed([("p".to_owned(), inner), ("n".to_owned(), pair)]);
        let found = leaves(&DType::Struct(Arc::new(outer.unwrap())));
        let shown: Vec<_> =
            found.iter().map(|leaf| (leaf.name.as_str(), leaf.offset, leaf.n)).collect();
        assert_eq!(shown, [("p.x", 0, 1), ("p.s", 4, 1), ("n", 7, 2)]);
        let items: Vec<u8> = (0..22).collect();
        let mut numbers: Vec<u16> = Vec::new();
        gather(&items, 11, &found[2], &mut numbers);
        let numbers: Vec<u16> = numbers.into_iter().map(u16::from_le).collect();
        assert_eq!(numbers, [0x0807, 0x0a09, 0x1312, 0x1514]);
    }

    #[test]
    fn long_doubles_are_the_nearest_doubles() {
        let long = |head: u16, mantissa: u64| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&mantissa.to_le_bytes());
            bytes[8..10].copy_from_slice(&head.to_le_bytes());
            LongDouble::from_bytes(bytes).0
        };
        assert_eq!(long(0x3fff, 1 << 63), 1.0);
        assert_eq!(long(0xc000, 3 << 62), -3.0);
        assert_eq!(long(0, 0), 0.0);
        assert_eq!(long(0x7fff, 1 << 63), f64::INFINITY);
        assert!(long(0x7fff, 3 << 62).is_nan());
    }
}

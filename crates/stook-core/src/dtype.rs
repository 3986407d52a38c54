//! Element types: what one item of an array is, independent of where it is stored.
//!
//! In memory an item has a fixed size and the machine's byte order; the byte order in a file is
//! a property of its storage ([`CodecSpec::ByteOrder`](crate::CodecSpec)). An item of a
//! variable-length type is a 16-byte [`HeapItem`](crate::HeapItem) that points into the heap of
//! the [`Values`](crate::Values) that hold it, so that structs with such members, and sequences
//! of sequences, move through the engine like any other item.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};

/// The bytes of an item of a variable-length type: offset and length in the heap.
pub const HEAP_ITEM_LEN: usize = 16;

/// The type of an array's items.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DType {
    /// One byte, 0 or 1.
    Bool,
    /// 8-bit signed integer.
    Int8,
    /// 16-bit signed integer.
    Int16,
    /// 32-bit signed integer.
    Int32,
    /// 64-bit signed integer.
    Int64,
    /// 8-bit unsigned integer.
    UInt8,
    /// 16-bit unsigned integer.
    UInt16,
    /// 32-bit unsigned integer.
    UInt32,
    /// 64-bit unsigned integer.
    UInt64,
    /// A number narrower than a byte, or an 8-bit float; one byte each in memory.
    Narrow(Narrow),
    /// IEEE 754 binary16.
    Float16,
    /// The upper half of a binary32.
    BFloat16,
    /// IEEE 754 binary32.
    Float32,
    /// IEEE 754 binary64.
    Float64,
    /// x87 80-bit extended, padded to 16 bytes.
    LongDouble,
    /// Two `Float32`: real, imaginary.
    Complex64,
    /// Two `Float64`: real, imaginary.
    Complex128,
    /// Text in a field of fixed width (numpy `S`, HDF5 fixed-length strings).
    FixedString(FixedString),
    /// Text of `n` UCS-4 characters, NUL padded, 4 bytes each (numpy `U`).
    Unicode(usize),
    /// A point in time: a 64-bit count of units since 1970-01-01 UTC; `i64::MIN` is NaT.
    DateTime(TimeUnit),
    /// A span of time: a 64-bit count of units; `i64::MIN` is NaT.
    TimeDelta(TimeUnit),
    /// Integers with names.
    Enum(Arc<EnumType>),
    /// Named members at offsets.
    Struct(Arc<StructType>),
    /// A fixed-shape array as one item (a struct member with a shape).
    Array(Arc<ArrayType>),
    /// Uninterpreted bytes (numpy `V`).
    Opaque(Arc<OpaqueType>),
    /// A bit field of 1, 2, 4 or 8 bytes (HDF5 `H5T_BITFIELD`).
    Bitfield(usize),
    /// The path of another node, as variable-length text (an HDF5 object reference).
    Reference,
    /// Variable-length text.
    String(Charset),
    /// Variable-length bytes.
    Bytes,
    /// A variable-length sequence of items (HDF5 `H5T_VLEN`); length counts items.
    Sequence(Arc<DType>),
}

/// Numbers that take one byte each in memory though their values need less or mean a float.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of the ml_dtypes and Zarr registries")]
#[non_exhaustive]
pub enum Narrow {
    Int2,
    Int4,
    UInt2,
    UInt4,
    Float8E3M4,
    Float8E4M3,
    Float8E4M3B11Fnuz,
    Float8E4M3Fnuz,
    Float8E5M2,
    Float8E5M2Fnuz,
    Float8E8M0Fnu,
    Float6E2M3Fn,
    Float6E3M2Fn,
    Float4E2M1Fn,
}

impl Narrow {
    /// Every member with its name in the Zarr registry.
    pub const NAMES: [(Self, &'static str); 14] = [
        (Self::Int2, "int2"),
        (Self::Int4, "int4"),
        (Self::UInt2, "uint2"),
        (Self::UInt4, "uint4"),
        (Self::Float8E3M4, "float8_e3m4"),
        (Self::Float8E4M3, "float8_e4m3"),
        (Self::Float8E4M3B11Fnuz, "float8_e4m3b11fnuz"),
        (Self::Float8E4M3Fnuz, "float8_e4m3fnuz"),
        (Self::Float8E5M2, "float8_e5m2"),
        (Self::Float8E5M2Fnuz, "float8_e5m2fnuz"),
        (Self::Float8E8M0Fnu, "float8_e8m0fnu"),
        (Self::Float6E2M3Fn, "float6_e2m3fn"),
        (Self::Float6E3M2Fn, "float6_e3m2fn"),
        (Self::Float4E2M1Fn, "float4_e2m1fn"),
    ];

    /// The name in the Zarr registry.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, _)| *kind == self).map_or("narrow", |(_, name)| name)
    }
}

/// The character set of stored text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Charset {
    /// Bytes whose text is ASCII by declaration (numpy `S`, HDF5 `H5T_CSET_ASCII`).
    Ascii,
    /// UTF-8.
    #[default]
    Utf8,
}

/// How text shorter than its field is filled up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Padding {
    /// With NUL bytes; a full field has no terminator (numpy `S`).
    #[default]
    Null,
    /// With NUL bytes, at least one (C strings).
    NullTerminated,
    /// With spaces (Fortran).
    Space,
}

/// Text in a field of fixed width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FixedString {
    /// The width of the field in bytes.
    pub len_bytes: usize,
    /// The character set.
    pub charset: Charset,
    /// How short text is filled up.
    pub padding: Padding,
}

/// The unit of a time type: `count` times `base`, as in numpy's `M8[10ms]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeUnit {
    /// The base unit.
    pub base: TimeBase,
    /// How many of it.
    pub count: u32,
}

/// numpy's time units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TimeBase {
    Generic,
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
    Picosecond,
    Femtosecond,
    Attosecond,
}

impl TimeBase {
    /// Every unit with numpy's abbreviation.
    pub const NAMES: [(Self, &'static str); 14] = [
        (Self::Generic, "generic"),
        (Self::Year, "Y"),
        (Self::Month, "M"),
        (Self::Week, "W"),
        (Self::Day, "D"),
        (Self::Hour, "h"),
        (Self::Minute, "m"),
        (Self::Second, "s"),
        (Self::Millisecond, "ms"),
        (Self::Microsecond, "us"),
        (Self::Nanosecond, "ns"),
        (Self::Picosecond, "ps"),
        (Self::Femtosecond, "fs"),
        (Self::Attosecond, "as"),
    ];

    /// numpy's abbreviation.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(base, _)| *base == self).map_or("generic", |(_, name)| name)
    }

    /// The unit that numpy abbreviates so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = if name == "μs" { "us" } else { name };
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(base, _)| *base)
    }
}

/// Integers with names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EnumType {
    /// The integer type below.
    pub base: DType,
    /// Names and values in the order of the file.
    pub members: Vec<(String, i128)>,
}

/// A member of a struct.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The member's name.
    pub name: String,
    /// The member's type.
    pub dtype: DType,
    /// Where it begins in the item, in bytes.
    pub offset: usize,
}

/// Named members at offsets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StructType {
    /// The members in the order of the file.
    pub fields: Vec<Field>,
    /// Bytes of one item, padding included.
    pub size: usize,
}

impl StructType {
    /// A struct whose members follow one another without padding.
    ///
    /// # Errors
    /// `LimitExceeded` if the size overflows.
    pub fn packed(members: impl IntoIterator<Item = (String, DType)>) -> Result<Self> {
        let mut fields = Vec::new();
        let mut size = 0_usize;
        for (name, dtype) in members {
            let offset = size;
            size = size
                .checked_add(dtype.item_size())
                .ok_or_else(|| Error::limit("struct size overflows"))?;
            fields.push(Field { name, dtype, offset });
        }
        Ok(Self { fields, size })
    }

    /// The member called `name`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// A fixed-shape array as one item.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ArrayType {
    /// The type of its elements.
    pub item: DType,
    /// Its shape, in C order.
    pub shape: Vec<u64>,
}

/// Uninterpreted bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OpaqueType {
    /// Bytes of one item.
    pub size: usize,
    /// What the file calls them (an HDF5 tag); may be empty.
    pub tag: String,
}

impl DType {
    /// numpy's `S{len_bytes}`.
    #[must_use]
    pub fn fixed_bytes(len_bytes: usize) -> Self {
        Self::FixedString(FixedString {
            len_bytes,
            charset: Charset::Ascii,
            padding: Padding::Null,
        })
    }

    /// numpy's `V{size}`.
    #[must_use]
    pub fn opaque(size: usize) -> Self {
        Self::Opaque(Arc::new(OpaqueType { size, tag: String::new() }))
    }

    /// Variable-length UTF-8 text.
    #[must_use]
    pub fn string() -> Self {
        Self::String(Charset::Utf8)
    }

    /// Bytes of one item in memory.
    #[must_use]
    pub fn item_size(&self) -> usize {
        match self {
            Self::Bool | Self::Int8 | Self::UInt8 | Self::Narrow(_) => 1,
            Self::Int16 | Self::UInt16 | Self::Float16 | Self::BFloat16 => 2,
            Self::Int32 | Self::UInt32 | Self::Float32 => 4,
            Self::Int64 | Self::UInt64 | Self::Float64 | Self::Complex64 => 8,
            Self::DateTime(_) | Self::TimeDelta(_) => 8,
            Self::LongDouble | Self::Complex128 => 16,
            Self::FixedString(string) => string.len_bytes,
            Self::Unicode(n_chars) => n_chars.saturating_mul(4),
            Self::Enum(r#enum) => r#enum.base.item_size(),
            Self::Struct(r#struct) => r#struct.size,
            Self::Array(array) => {
                let n = array.shape.iter().try_fold(1_u64, |n, &len| n.checked_mul(len));
                let n = n.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
                array.item.item_size().saturating_mul(n)
            }
            Self::Opaque(opaque) => opaque.size,
            Self::Bitfield(size) => *size,
            Self::Reference | Self::String(_) | Self::Bytes | Self::Sequence(_) => HEAP_ITEM_LEN,
        }
    }

    /// Whether an item, or a part of it, lies in a heap.
    #[must_use]
    pub fn has_heap(&self) -> bool {
        match self {
            Self::Reference | Self::String(_) | Self::Bytes | Self::Sequence(_) => true,
            Self::Struct(r#struct) => r#struct.fields.iter().any(|field| field.dtype.has_heap()),
            Self::Array(array) => array.item.has_heap(),
            _ => false,
        }
    }

    /// Calls `visit(offset, size)` for every part of an item whose bytes a change of byte order
    /// reverses.
    ///
    /// Heap items are not visited: their payload's order is the business of who decodes them.
    pub fn for_each_swap(&self, base: usize, visit: &mut dyn FnMut(usize, usize)) {
        match self {
            Self::Complex64 | Self::Complex128 => {
                let half = self.item_size() / 2;
                visit(base, half);
                visit(base + half, half);
            }
            Self::Unicode(n_chars) => (0..*n_chars).for_each(|i| visit(base + 4 * i, 4)),
            Self::Enum(r#enum) => r#enum.base.for_each_swap(base, visit),
            Self::Struct(r#struct) => {
                for field in &r#struct.fields {
                    field.dtype.for_each_swap(base + field.offset, visit);
                }
            }
            Self::Array(array) => {
                let size = array.item.item_size();
                let n = self.item_size().checked_div(size).unwrap_or(0);
                (0..n).for_each(|i| array.item.for_each_swap(base + i * size, visit));
            }
            Self::FixedString(_) | Self::Opaque(_) => {}
            _ if self.has_heap() => {}
            _ if self.item_size() > 1 => visit(base, self.item_size()),
            _ => {}
        }
    }

    /// Whether a change of byte order changes an item.
    #[must_use]
    pub fn has_byte_order(&self) -> bool {
        // Lengths come from files, and there may be no items yet: nothing is counted through.
        match self {
            Self::Unicode(n_chars) => *n_chars > 0,
            Self::Enum(r#enum) => r#enum.base.has_byte_order(),
            Self::Struct(r#struct) => r#struct.fields.iter().any(|f| f.dtype.has_byte_order()),
            Self::Array(array) => self.item_size() > 0 && array.item.has_byte_order(),
            _ => {
                let mut found = false;
                self.for_each_swap(0, &mut |_, _| found = true);
                found
            }
        }
    }
}

/// The name a user of numpy would know, and a short form of our own where numpy has none.
impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Bool => "bool",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::UInt8 => "uint8",
            Self::UInt16 => "uint16",
            Self::UInt32 => "uint32",
            Self::UInt64 => "uint64",
            Self::Narrow(narrow) => narrow.name(),
            Self::Float16 => "float16",
            Self::BFloat16 => "bfloat16",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::LongDouble => "longdouble",
            Self::Complex64 => "complex64",
            Self::Complex128 => "complex128",
            Self::Reference => "reference",
            Self::String(_) => "string",
            Self::Bytes => "bytes",
            Self::FixedString(string) => return fmt_fixed(f, *string),
            Self::Unicode(n_chars) => return write!(f, "U{n_chars}"),
            Self::DateTime(unit) => return write!(f, "datetime64[{unit}]"),
            Self::TimeDelta(unit) => return write!(f, "timedelta64[{unit}]"),
            Self::Enum(r#enum) => return fmt_enum(f, r#enum),
            Self::Struct(r#struct) => return fmt_struct(f, r#struct),
            Self::Array(array) => return write!(f, "{}{:?}", array.item, array.shape),
            Self::Opaque(opaque) if opaque.tag.is_empty() => return write!(f, "V{}", opaque.size),
            Self::Opaque(opaque) => return write!(f, "V{}({})", opaque.size, opaque.tag),
            Self::Bitfield(size) => return write!(f, "bitfield{}", size.saturating_mul(8)),
            Self::Sequence(item) => return write!(f, "sequence[{item}]"),
        };
        f.write_str(name)
    }
}

fn fmt_fixed(f: &mut fmt::Formatter<'_>, string: FixedString) -> fmt::Result {
    let charset = if string.charset == Charset::Utf8 { ", utf-8" } else { "" };
    match string.padding {
        Padding::Null if charset.is_empty() => write!(f, "S{}", string.len_bytes),
        Padding::Null => write!(f, "S{}{charset}", string.len_bytes),
        Padding::NullTerminated => write!(f, "S{}{charset}, nul-terminated", string.len_bytes),
        Padding::Space => write!(f, "S{}{charset}, space-padded", string.len_bytes),
    }
}

fn fmt_enum(f: &mut fmt::Formatter<'_>, r#enum: &EnumType) -> fmt::Result {
    write!(f, "enum[{}", r#enum.base)?;
    for (i, (name, value)) in r#enum.members.iter().enumerate() {
        write!(f, "{}{name}={value}", if i == 0 { ": " } else { ", " })?;
    }
    f.write_str("]")
}

fn fmt_struct(f: &mut fmt::Formatter<'_>, r#struct: &StructType) -> fmt::Result {
    f.write_str("{")?;
    for (i, field) in r#struct.fields.iter().enumerate() {
        write!(f, "{}{}: {}", if i == 0 { "" } else { ", " }, field.name, field.dtype)?;
    }
    f.write_str("}")
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count == 1 {
            f.write_str(self.base.name())
        } else {
            write!(f, "{}{}", self.count, self.base.name())
        }
    }
}

impl std::str::FromStr for DType {
    type Err = Error;

    /// The simple types by the names that `Display` gives them, and numpy's short forms
    /// (`f4`, `<i8`, `S12`, `U5`, `V3`, `M8[ns]`); byte order marks are accepted and dropped.
    fn from_str(text: &str) -> Result<Self> {
        parse(text).ok_or_else(|| {
            Error::invalid(format!("dtype `{text}` is not known"))
                .with_hint("use a numpy name such as float32, int64, bool, S8, U8, datetime64[ns]")
        })
    }
}

fn parse(text: &str) -> Option<DType> {
    let name = text.trim_start_matches(['<', '>', '=', '|']);
    let simple = match name {
        "bool" | "b1" | "?" => DType::Bool,
        "int8" | "i1" => DType::Int8,
        "int16" | "i2" => DType::Int16,
        "int32" | "i4" => DType::Int32,
        "int64" | "i8" | "int" => DType::Int64,
        "uint8" | "u1" => DType::UInt8,
        "uint16" | "u2" => DType::UInt16,
        "uint32" | "u4" => DType::UInt32,
        "uint64" | "u8" | "uint" => DType::UInt64,
        "float16" | "f2" => DType::Float16,
        "bfloat16" => DType::BFloat16,
        "float32" | "f4" => DType::Float32,
        "float64" | "f8" | "float" => DType::Float64,
        "longdouble" | "f16" => DType::LongDouble,
        "complex64" | "c8" => DType::Complex64,
        "complex128" | "c16" | "complex" => DType::Complex128,
        "string" | "str" => DType::string(),
        "bytes" => DType::Bytes,
        "reference" => DType::Reference,
        _ => return parse_sized(name),
    };
    Some(simple)
}

fn parse_sized(name: &str) -> Option<DType> {
    if let Some((narrow, _)) = Narrow::NAMES.iter().find(|(_, known)| *known == name) {
        return Some(DType::Narrow(*narrow));
    }
    if let Some(rest) = name.strip_prefix("datetime64").or_else(|| name.strip_prefix("M8")) {
        return parse_unit(rest).map(DType::DateTime);
    }
    if let Some(rest) = name.strip_prefix("timedelta64").or_else(|| name.strip_prefix("m8")) {
        return parse_unit(rest).map(DType::TimeDelta);
    }
    let (kind, size) = name.split_at_checked(1)?;
    let size: usize = size.parse().ok()?;
    match kind {
        "S" => Some(DType::fixed_bytes(size)),
        "U" => size.checked_mul(4).map(|_| DType::Unicode(size)),
        "V" => Some(DType::opaque(size)),
        _ => None,
    }
}

fn parse_unit(text: &str) -> Option<TimeUnit> {
    if text.is_empty() {
        return Some(TimeUnit { base: TimeBase::Generic, count: 1 });
    }
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let digits = inner.len() - inner.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (count, base) = inner.split_at_checked(digits)?;
    let count = if count.is_empty() { 1 } else { count.parse().ok().filter(|&n| n > 0)? };
    Some(TimeUnit { base: TimeBase::from_name(base)?, count })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in [
            "bool",
            "int8",
            "uint64",
            "bfloat16",
            "float64",
            "complex128",
            "S12",
            "U5",
            "V3",
            "datetime64[10ms]",
            "timedelta64[ns]",
            "string",
            "float8_e4m3",
            "longdouble",
        ] {
            assert_eq!(name.parse::<DType>().unwrap().to_string(), name);
        }
        assert_eq!("<f4".parse::<DType>().unwrap(), DType::Float32);
        for name in ["f3", "S", "U99999999999999999999", "M8[0s]", "é8", ""] {
            assert!(name.parse::<DType>().is_err(), "{name}");
        }
    }

    #[test]
    fn a_struct_swaps_each_member_at_its_offset() {
        let inner = ArrayType { item: DType::Int16, shape: vec![2] };
        let members = [
            ("a", DType::Complex64),
            ("b", DType::Array(Arc::new(inner))),
            ("s", DType::fixed_bytes(3)),
        ];
        let members = members.map(|(name, dtype)| (name.to_owned(), dtype));
        let dtype = DType::Struct(Arc::new(StructType::packed(members).unwrap()));
        let mut swaps = Vec::new();
        dtype.for_each_swap(0, &mut |offset, size| swaps.push((offset, size)));
        assert_eq!(swaps, [(0, 4), (4, 4), (8, 2), (10, 2)]);
        assert_eq!(dtype.item_size(), 15);
        assert!(!DType::UInt8.has_byte_order() && !DType::string().has_byte_order());
    }
}

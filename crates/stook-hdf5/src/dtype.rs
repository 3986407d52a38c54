//! Datatypes of a file as the core's dtypes.
//!
//! What the core has no type for but what has a fixed size becomes opaque bytes whose tag says
//! what they are (`H5T_TIME`, floats of no known form), so that nothing else
//! in the file is out of reach because of them.

use std::sync::Arc;

use stook_core::codec::Endian;
use stook_core::dtype::{
    ArrayType, Charset, DType, EnumType, Field, FixedString, Narrow, OpaqueType, Padding,
    StructType,
};

use crate::ffi::{
    Class, Datatype, Failure, FloatLayout, Order, Result, StringPadding, region_dtype,
};

/// How deep types may nest in types.
const MAX_DEPTH: usize = 32;

/// A datatype of a file.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    /// The core's type.
    pub(crate) dtype: DType,
    /// The byte order of its numbers; `None` if it has none.
    pub(crate) endian: Option<Endian>,
    /// Whether stored items are the core's but for the byte order.
    pub(crate) is_direct: bool,
}

impl Stored {
    fn direct(dtype: DType) -> Self {
        Self { dtype, endian: None, is_direct: true }
    }

    fn ordered(dtype: DType, order: Order) -> Self {
        match order {
            _ if dtype.item_size() <= 1 => Self::direct(dtype),
            Order::Little => Self { dtype, endian: Some(Endian::Little), is_direct: true },
            Order::Big => Self { dtype, endian: Some(Endian::Big), is_direct: true },
            Order::Other | Order::None => Self::converted(dtype),
        }
    }

    /// A type whose items the library has to convert.
    fn converted(dtype: DType) -> Self {
        Self { dtype, endian: None, is_direct: false }
    }

    /// Something of a fixed size that is kept as its bytes, and its type in a tag.
    fn opaque(datatype: &Datatype, class: &str) -> Self {
        let opaque = OpaqueType { size: datatype.size(), tag: datatype.tag_of(class) };
        Self::direct(DType::Opaque(Arc::new(opaque)))
    }

    /// Whether items have to be reversed to the machine's byte order.
    pub(crate) fn is_foreign(&self) -> bool {
        self.endian.is_some_and(|endian| endian != Endian::NATIVE)
    }
}

/// What `datatype` is to the core.
pub(crate) fn read(datatype: &Datatype) -> Result<Stored> {
    read_at_depth(datatype, 0)
}

fn read_at_depth(datatype: &Datatype, depth: usize) -> Result<Stored> {
    if depth > MAX_DEPTH {
        return Err(unsupported(format!("types nested deeper than {MAX_DEPTH}")));
    }
    let stored = match datatype.class() {
        Class::Integer => integer(datatype),
        Class::Float => float(datatype)?,
        Class::Complex => complex(datatype)?,
        Class::String => string(datatype)?,
        Class::Bitfield => bitfield(datatype),
        Class::Opaque => opaque(datatype)?,
        Class::Enum => enumeration(datatype)?,
        Class::Compound => compound(datatype, depth)?,
        Class::Array => array(datatype, depth)?,
        Class::VariableLength => {
            let item = read_at_depth(&datatype.base()?, depth + 1)?;
            match item.dtype {
                DType::UInt8 => Stored::converted(DType::Bytes),
                item => Stored::converted(DType::Sequence(Arc::new(item))),
            }
        }
        Class::Reference if datatype.is_object_reference()? => Stored::converted(DType::Reference),
        Class::Reference if datatype.is_region_reference()? => Stored::converted(region_dtype()?),
        Class::Reference => return Err(unsupported("references of the kind H5T_STD_REF")),
        Class::Time => Stored::opaque(datatype, "H5T_TIME"),
        Class::Unknown => return Err(unsupported("a datatype of no known class")),
    };
    if stored.is_direct && stored.dtype.item_size() != datatype.size() {
        let (expected, found) = (stored.dtype.item_size(), datatype.size());
        let message = format!("{} of {found} bytes instead of {expected}", stored.dtype);
        return Err(unsupported(message));
    }
    Ok(stored)
}

fn unsupported(message: impl Into<String>) -> Failure {
    Failure::new("datatype", message).of(stook_core::ErrorKind::Unsupported)
}

fn integer(datatype: &Datatype) -> Stored {
    let size = datatype.size();
    let dtype = match (size, datatype.is_signed()) {
        (1, true) => DType::Int8,
        (2, true) => DType::Int16,
        (3..=4, true) => DType::Int32,
        (5..=8, true) => DType::Int64,
        (1, false) => DType::UInt8,
        (2, false) => DType::UInt16,
        (3..=4, false) => DType::UInt32,
        (5..=8, false) => DType::UInt64,
        _ => return Stored::opaque(datatype, "H5T_INTEGER"),
    };
    if dtype.item_size() == size && datatype.precision() == (size * 8, 0) {
        Stored::ordered(dtype, datatype.order())
    } else {
        Stored::converted(dtype)
    }
}

fn float(datatype: &Datatype) -> Result<Stored> {
    let layout = datatype.float_layout()?;
    let exact = [
        (FloatLayout::F16, DType::Float16),
        (FloatLayout::BF16, DType::BFloat16),
        (FloatLayout::F32, DType::Float32),
        (FloatLayout::F64, DType::Float64),
        (FloatLayout::F8_E4M3, DType::Narrow(Narrow::Float8E4M3)),
        (FloatLayout::F8_E5M2, DType::Narrow(Narrow::Float8E5M2)),
    ];
    if let Some((_, dtype)) = exact.into_iter().find(|(known, _)| *known == layout) {
        return Ok(Stored::ordered(dtype, datatype.order()));
    }
    let is_x86 = cfg!(any(target_arch = "x86_64", target_arch = "x86"));
    let is_extended = FloatLayout { size: 16, ..layout } == FloatLayout::X87;
    Ok(if is_x86 && is_extended {
        match datatype.order() {
            Order::Little if layout.size == 16 => Stored::ordered(DType::LongDouble, Order::Little),
            _ => Stored::converted(DType::LongDouble),
        }
    } else if layout.exponent_len <= 11 && layout.mantissa_len <= 52 {
        Stored::converted(DType::Float64)
    } else {
        Stored::opaque(datatype, "H5T_FLOAT")
    })
}

fn complex(datatype: &Datatype) -> Result<Stored> {
    let part = float(&datatype.base()?)?;
    let dtype = match part.dtype {
        DType::Float32 if part.is_direct => DType::Complex64,
        DType::Float64 if part.is_direct => DType::Complex128,
        _ => return Ok(Stored::opaque(datatype, "H5T_COMPLEX")),
    };
    Ok(Stored { dtype, ..part })
}

fn string(datatype: &Datatype) -> Result<Stored> {
    let charset = if datatype.is_utf8() { Charset::Utf8 } else { Charset::Ascii };
    if datatype.is_variable_string()? {
        return Ok(Stored::converted(DType::String(charset)));
    }
    let padding = match datatype.string_padding()? {
        StringPadding::NullTerminated => Padding::NullTerminated,
        StringPadding::Null => Padding::Null,
        StringPadding::Space => Padding::Space,
    };
    let string = FixedString { len_bytes: datatype.size(), charset, padding };
    Ok(Stored::direct(DType::FixedString(string)))
}

fn bitfield(datatype: &Datatype) -> Stored {
    let size = datatype.size();
    match size {
        1 | 2 | 4 | 8 if datatype.precision() == (size * 8, 0) => {
            Stored::ordered(DType::Bitfield(size), datatype.order())
        }
        1 | 2 | 4 | 8 => Stored::converted(DType::Bitfield(size)),
        _ => Stored::opaque(datatype, "H5T_BITFIELD"),
    }
}

/// Opaque bytes; with h5py's tag for numpy's times and UCS-4 text, those.
fn opaque(datatype: &Datatype) -> Result<Stored> {
    let (size, tag) = (datatype.size(), datatype.tag()?);
    if let Some(name) = tag.strip_prefix("NUMPY:")
        && let Ok(dtype) = name.parse::<DType>()
        && matches!(dtype, DType::DateTime(_) | DType::TimeDelta(_) | DType::Unicode(_))
        && dtype.item_size() == size
    {
        let order = if name.starts_with('>') { Order::Big } else { Order::Little };
        return Ok(Stored::ordered(dtype, order));
    }
    Ok(Stored::direct(DType::Opaque(Arc::new(OpaqueType { size, tag }))))
}

fn enumeration(datatype: &Datatype) -> Result<Stored> {
    let base = datatype.base()?;
    let stored = integer(&base);
    if !stored.is_direct || matches!(stored.dtype, DType::Opaque(_)) {
        return Ok(Stored::opaque(datatype, "H5T_ENUM"));
    }
    let is_big = stored.endian == Some(Endian::Big);
    let is_signed = base.is_signed();
    let members: Vec<(String, i128)> = datatype
        .enumerators()?
        .into_iter()
        .map(|(name, value)| (text(&name), enumerator(value, is_signed, is_big)))
        .collect();
    let is_bool = stored.dtype.item_size() == 1
        && members.len() == 2
        && members.iter().all(|(name, value)| match name.as_str() {
            "FALSE" => *value == 0,
            "TRUE" => *value == 1,
            _ => false,
        });
    if is_bool {
        return Ok(Stored::direct(DType::Bool));
    }
    let dtype = DType::Enum(Arc::new(EnumType { base: stored.dtype, members }));
    Ok(Stored { dtype, ..stored })
}

fn enumerator(mut value: Vec<u8>, is_signed: bool, is_big: bool) -> i128 {
    if is_big {
        value.reverse();
    }
    let is_negative = is_signed && value.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut bytes = if is_negative { [0xff; 16] } else { [0; 16] };
    bytes.iter_mut().zip(value).for_each(|(to, from)| *to = from);
    i128::from_le_bytes(bytes)
}

fn compound(datatype: &Datatype, depth: usize) -> Result<Stored> {
    let size = datatype.size();
    let mut fields = Vec::new();
    let (mut endian, mut is_direct) = (None, true);
    for member in datatype.members()? {
        let stored = read_at_depth(&member.datatype, depth + 1)?;
        match (endian, stored.endian) {
            (Some(known), Some(found)) if known != found => is_direct = false,
            (None, found) => endian = found,
            _ => {}
        }
        is_direct &= stored.is_direct;
        fields.push(Field { name: text(&member.name), dtype: stored.dtype, offset: member.offset });
    }
    if let Some(dtype) = as_complex(&fields, size).filter(|_| is_direct) {
        return Ok(Stored { dtype, endian, is_direct });
    }
    // The library converts to the machine's byte order where members differ in theirs, and then
    // keeps offsets only if each member has the size it has in the file.
    let fits = |field: &Field| {
        let end = field.offset.checked_add(field.dtype.item_size());
        end.is_some_and(|end| end <= size)
    };
    let dtype = DType::Struct(Arc::new(StructType { fields, size }));
    let keeps_offsets = !dtype.has_heap() && !overlaps(&dtype);
    let DType::Struct(r#struct) = &dtype else { return Err(unsupported("no struct")) };
    if is_direct && !r#struct.fields.iter().all(fits) {
        return Err(Failure::new("datatype", "a struct member lies outside its item"));
    }
    if is_direct || (keeps_offsets && r#struct.fields.iter().all(fits)) {
        return Ok(Stored { dtype, endian: endian.filter(|_| is_direct), is_direct });
    }
    let members = r#struct.fields.iter().map(|field| (field.name.clone(), field.dtype.clone()));
    let packed = StructType::packed(members)?;
    Ok(Stored::converted(DType::Struct(Arc::new(packed))))
}

/// Whether members of a struct lie on one another.
fn overlaps(dtype: &DType) -> bool {
    let DType::Struct(r#struct) = dtype else { return false };
    let mut ranges: Vec<(usize, usize)> = r#struct
        .fields
        .iter()
        .map(|field| (field.offset, field.offset.saturating_add(field.dtype.item_size())))
        .collect();
    ranges.sort_unstable();
    ranges.windows(2).any(|pair| matches!(pair, [(_, end), (start, _)] if start < end))
}

/// h5py's complex numbers: two floats called `r` and `i`.
fn as_complex(fields: &[Field], size: usize) -> Option<DType> {
    let [r, i] = fields else { return None };
    let (dtype, part) = match (&r.dtype, &i.dtype) {
        (DType::Float32, DType::Float32) => (DType::Complex64, 4),
        (DType::Float64, DType::Float64) => (DType::Complex128, 8),
        _ => return None,
    };
    let is_it = r.name == "r" && i.name == "i" && r.offset == 0 && i.offset == part;
    (is_it && size == 2 * part).then_some(dtype)
}

fn array(datatype: &Datatype, depth: usize) -> Result<Stored> {
    let item = read_at_depth(&datatype.base()?, depth + 1)?;
    let shape = datatype.array_shape()?;
    stook_core::values::byte_len(&shape, item.dtype.item_size())?;
    let dtype = DType::Array(Arc::new(ArrayType { item: item.dtype, shape }));
    Ok(Stored { dtype, ..item })
}

/// A name of the file's; bytes that are not UTF-8 are replaced.
fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

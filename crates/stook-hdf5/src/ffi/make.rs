//! The library's types for the core's dtypes.

use std::ffi::CString;

use stook_core::ErrorKind;
use stook_core::dtype::{
    Charset, DType, EnumType, FixedString, Narrow, Padding, StructType, TimeBase,
};

use super::datatype::{Datatype, FloatLayout, StringPadding};
use super::values::{is_region, raw_size};
use super::{Failure, Result};

/// The library's type for `dtype`, in a file or in memory alike.
pub(crate) fn datatype_of(dtype: &DType, is_big: bool) -> Result<Datatype> {
    let float = |layout| Datatype::float(&layout, is_big);
    match dtype {
        DType::Bool => boolean(),
        DType::Int8 | DType::Int16 | DType::Int32 | DType::Int64 => {
            Datatype::integer(dtype.item_size(), true, is_big)
        }
        DType::UInt8 | DType::UInt16 | DType::UInt32 | DType::UInt64 => {
            Datatype::integer(dtype.item_size(), false, is_big)
        }
        DType::Float16 => float(FloatLayout::F16),
        DType::BFloat16 => float(FloatLayout::BF16),
        DType::Float32 => float(FloatLayout::F32),
        DType::Float64 => float(FloatLayout::F64),
        DType::Narrow(Narrow::Float8E4M3) => float(FloatLayout::F8_E4M3),
        DType::Narrow(Narrow::Float8E5M2) => float(FloatLayout::F8_E5M2),
        DType::LongDouble if cfg!(any(target_arch = "x86_64", target_arch = "x86")) && !is_big => {
            float(FloatLayout::X87)
        }
        DType::Complex64 => complex(FloatLayout::F32, is_big),
        DType::Complex128 => complex(FloatLayout::F64, is_big),
        DType::FixedString(string) => fixed_string(*string),
        DType::String(charset) => {
            Datatype::string(None, *charset == Charset::Utf8, StringPadding::NullTerminated)
        }
        DType::DateTime(_) | DType::TimeDelta(_) | DType::Unicode(1..) => numpy(dtype, is_big),
        DType::Enum(r#enum) => enumeration(r#enum, is_big),
        DType::Struct(_) if is_region(dtype) => Datatype::region_reference(),
        DType::Struct(r#struct) => compound(r#struct, dtype.has_heap(), is_big),
        DType::Array(array) => datatype_of(&array.item, is_big)?.array(&array.shape),
        DType::Opaque(opaque) if opaque.size > 0 => {
            let kept = Datatype::kept(&opaque.tag, opaque.size);
            kept.map_or_else(|| Datatype::opaque(opaque.size, &opaque.tag), Ok)
        }
        DType::Bitfield(size) => Datatype::bitfield(*size, is_big),
        DType::Reference => Datatype::object_reference(),
        DType::Bytes => Datatype::integer(1, false, false)?.sequence(),
        DType::Sequence(item) => datatype_of(item, is_big)?.sequence(),
        _ => {
            let message = format!("HDF5 has no type for {dtype}");
            Err(Failure::new("datatype", message).of(ErrorKind::Unsupported))
        }
    }
}

/// h5py's and PyTables' truth value: an enumeration over a signed byte.
fn boolean() -> Result<Datatype> {
    let members = [(c"FALSE".to_owned(), vec![0]), (c"TRUE".to_owned(), vec![1])];
    Datatype::integer(1, true, false)?.enumeration(&members)
}

/// h5py's complex number: a compound of `r` and `i`.
fn complex(part: FloatLayout, is_big: bool) -> Result<Datatype> {
    let datatype = Datatype::compound(2 * part.size)?;
    let float = Datatype::float(&part, is_big)?;
    datatype.insert("r", 0, &float)?;
    datatype.insert("i", part.size, &float)?;
    Ok(datatype)
}

fn fixed_string(string: FixedString) -> Result<Datatype> {
    let padding = match string.padding {
        Padding::Null => StringPadding::Null,
        Padding::NullTerminated => StringPadding::NullTerminated,
        Padding::Space => StringPadding::Space,
    };
    if string.len_bytes == 0 {
        let message = "HDF5 has no strings of width 0";
        return Err(Failure::new("datatype", message).of(ErrorKind::Unsupported));
    }
    Datatype::string(Some(string.len_bytes), string.charset == Charset::Utf8, padding)
}

/// h5py's way to hold what HDF5 has no type for: opaque bytes tagged with numpy's name.
fn numpy(dtype: &DType, is_big: bool) -> Result<Datatype> {
    let name = match dtype {
        DType::DateTime(unit) if unit.base == TimeBase::Generic => "M8".to_owned(),
        DType::TimeDelta(unit) if unit.base == TimeBase::Generic => "m8".to_owned(),
        DType::DateTime(unit) => format!("M8[{unit}]"),
        DType::TimeDelta(unit) => format!("m8[{unit}]"),
        other => other.to_string(),
    };
    let order = if is_big { '>' } else { '<' };
    Datatype::opaque(dtype.item_size(), &format!("NUMPY:{order}{name}"))
}

fn enumeration(r#enum: &EnumType, is_big: bool) -> Result<Datatype> {
    let base = datatype_of(&r#enum.base, is_big)?;
    let size = r#enum.base.item_size();
    let members = r#enum.members.iter().map(|(name, value)| {
        let mut bytes = value.to_le_bytes().get(..size).unwrap_or(&[]).to_vec();
        if is_big {
            bytes.reverse();
        }
        let name = CString::new(name.as_str())
            .map_err(|_| Failure::new("enumeration", "a name holds a NUL character"))?;
        Ok((name, bytes))
    });
    base.enumeration(&members.collect::<Result<Vec<_>>>()?)
}

fn compound(r#struct: &StructType, has_heap: bool, is_big: bool) -> Result<Datatype> {
    let size = if has_heap {
        r#struct.fields.iter().fold(0, |n: usize, f| n.saturating_add(raw_size(&f.dtype)))
    } else {
        r#struct.size
    };
    if size == 0 {
        let message = "HDF5 has no structs without members";
        return Err(Failure::new("datatype", message).of(ErrorKind::Unsupported));
    }
    let datatype = Datatype::compound(size)?;
    let mut packed = 0;
    for field in &r#struct.fields {
        let offset = if has_heap { packed } else { field.offset };
        let member = datatype_of(&field.dtype, is_big)?;
        // Members that lie on one another, or two of one name.
        datatype
            .insert(&field.name, offset, &member)
            .map_err(|failure| failure.of(ErrorKind::Unsupported))?;
        packed = packed.saturating_add(raw_size(&field.dtype));
    }
    Ok(datatype)
}

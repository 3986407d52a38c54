//! numpy's description of a dtype, as headers have it, from and to a [`DType`].
//!
//! Titles of struct members have no place in a [`DType`] and are dropped in reading.

use std::collections::HashSet;
use std::sync::Arc;

use stook_core::codec::Endian;
use stook_core::dtype::{ArrayType, Charset, Field, FixedString, Padding, StructType};
use stook_core::{DType, Error, Result};

use crate::literal::Literal;

/// A dtype, and the bytes of an item that are not in little-endian order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Described {
    pub(crate) dtype: DType,
    pub(crate) order: Order,
}

/// The byte order of the parts of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// No part has one.
    None,
    /// All parts that have one have this.
    All(Endian),
    /// Parts differ.
    Mixed,
}

impl Order {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, order) | (order, Self::None) => order,
            (a, b) if a == b => a,
            _ => Self::Mixed,
        }
    }
}

/// Whether a description is that of objects.
pub(crate) fn is_object(descr: &Literal) -> bool {
    matches!(descr, Literal::Str(name) if name.trim_start_matches(['|', '<', '>', '=']) == "O")
}

/// Reads a description.
///
/// # Errors
/// `Corrupt` if it is none, `Unsupported` for objects as members and other types without a
/// [`DType`].
pub(crate) fn parse(descr: &Literal) -> Result<Described> {
    match descr {
        Literal::Str(name) => parse_name(name),
        Literal::List(fields) => parse_struct(fields),
        Literal::Tuple(_) => {
            Err(Error::unsupported(format!("an array as the type of an item, {descr}")))
        }
        _ => Err(not_a_dtype(descr)),
    }
}

fn not_a_dtype(found: &Literal) -> Error {
    Error::corrupt(format!("header: expected the description of a dtype, found {found}"))
}

fn parse_name(name: &str) -> Result<Described> {
    let unknown = || Error::corrupt(format!("header: `{name}` is no dtype"));
    let (endian, rest) = match name.split_at_checked(1) {
        Some(("<", rest)) => (Endian::Little, rest),
        Some((">", rest)) => (Endian::Big, rest),
        Some(("|" | "=", rest)) => (Endian::NATIVE, rest),
        _ => (Endian::NATIVE, name),
    };
    let (kind, size) = rest.split_at_checked(1).ok_or_else(unknown)?;
    if kind == "O" {
        return Err(Error::unsupported("objects (dtype `|O`) as members of a struct"));
    }
    let dtype = match kind {
        "b" | "i" | "u" | "f" | "c" | "U" | "V" if size.bytes().all(|b| b.is_ascii_digit()) => {
            rest.parse().ok()
        }
        "M" | "m" if size.starts_with('8') => rest.parse().ok(),
        "S" | "a" => size.parse().ok().map(DType::fixed_bytes),
        _ => None,
    };
    let dtype: DType = match dtype {
        Some(dtype) => dtype,
        None if matches!(rest, "c32" | "f12" | "c24") => {
            return Err(Error::unsupported(format!("dtype `{name}` is not supported")));
        }
        None => return Err(unknown()),
    };
    let order = if dtype.has_byte_order() { Order::All(endian) } else { Order::None };
    Ok(Described { dtype, order })
}

fn parse_struct(members: &[Literal]) -> Result<Described> {
    let too_large = || Error::limit("header: struct size overflows");
    let mut fields = Vec::with_capacity(members.len());
    let mut names = HashSet::new();
    let (mut offset, mut order) = (0_usize, Order::None);
    for (i, member) in members.iter().enumerate() {
        let (name, described) = parse_member(member)?;
        let Described { dtype, order: member_order } = described;
        let size = dtype.item_size();
        let is_padding = name.is_empty() && is_void(&dtype);
        if !is_padding {
            // numpy names members that have no name by their position.
            let name = if name.is_empty() { format!("f{i}") } else { name.to_owned() };
            if !names.insert(name.clone()) {
                return Err(Error::corrupt(format!("header: two members are called `{name}`")));
            }
            fields.push(Field { name, dtype, offset });
            order = order.and(member_order);
        }
        offset = offset.checked_add(size).ok_or_else(too_large)?;
    }
    let dtype = DType::Struct(Arc::new(StructType { fields, size: offset }));
    Ok(Described { dtype, order })
}

/// The name, without its title, and the type of a member.
fn parse_member(member: &Literal) -> Result<(&str, Described)> {
    let Literal::Tuple(parts) = member else { return Err(not_a_dtype(member)) };
    let (name, descr, shape) = match parts.as_slice() {
        [name, descr] => (name, descr, None),
        [name, descr, shape] => (name, descr, Some(shape)),
        _ => return Err(not_a_dtype(member)),
    };
    let name = match name {
        Literal::Str(name) => name,
        Literal::Tuple(parts) => match parts.as_slice() {
            [_, Literal::Str(name)] => name,
            _ => return Err(not_a_dtype(member)),
        },
        _ => return Err(not_a_dtype(member)),
    };
    let mut described = parse(descr)?;
    if let Some(shape) = shape {
        if described.order == Order::Mixed {
            return Err(Error::unsupported(format!(
                "member `{name}`, an array of structs of mixed byte order"
            )));
        }
        let shape = match shape {
            Literal::Int(len) => vec![*len],
            _ => parse_shape(shape)?,
        };
        let array = ArrayType { item: described.dtype, shape };
        described.dtype = DType::Array(Arc::new(array));
        if described.dtype.item_size() == usize::MAX {
            return Err(Error::limit(format!("header: size of member `{name}` overflows")));
        }
    }
    Ok((name, described))
}

/// A tuple of lengths.
pub(crate) fn parse_shape(shape: &Literal) -> Result<Vec<u64>> {
    let lengths = match shape {
        Literal::Tuple(items) => items.iter().map(|item| match item {
            Literal::Int(len) => Some(*len),
            _ => None,
        }),
        _ => return Err(Error::corrupt(format!("header: expected a shape, found {shape}"))),
    };
    lengths
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| Error::corrupt(format!("header: expected a shape, found {shape}")))
}

/// Calls `visit` with the offset and type of every part of an item that is big-endian.
pub(crate) fn for_each_big(descr: &Literal, base: usize, visit: &mut dyn FnMut(usize, DType)) {
    match (descr, parse(descr)) {
        (_, Ok(Described { dtype, order: Order::All(Endian::Big) })) => visit(base, dtype),
        (Literal::List(members), Ok(Described { order: Order::Mixed, .. })) => {
            let mut offset = base;
            for member in members {
                let Ok((_, Described { dtype, order })) = parse_member(member) else { return };
                match (member, order) {
                    (_, Order::All(Endian::Big)) => visit(offset, dtype.clone()),
                    (Literal::Tuple(parts), Order::Mixed) => {
                        if let Some(inner) = parts.get(1) {
                            for_each_big(inner, offset, visit);
                        }
                    }
                    _ => {}
                }
                offset = offset.saturating_add(dtype.item_size());
            }
        }
        _ => {}
    }
}

fn is_void(dtype: &DType) -> bool {
    match dtype {
        DType::Opaque(_) => true,
        DType::Array(array) => is_void(&array.item),
        _ => false,
    }
}

/// Describes a dtype whose parts have the byte order `endian`.
///
/// # Errors
/// `Unsupported` if numpy has no such dtype.
pub(crate) fn describe(dtype: &DType, endian: Endian) -> Result<Literal> {
    let mark = if endian == Endian::Big { '>' } else { '<' };
    let name = match dtype {
        DType::Bool => "|b1".to_owned(),
        DType::Int8 => "|i1".to_owned(),
        DType::UInt8 => "|u1".to_owned(),
        DType::Int16 | DType::Int32 | DType::Int64 => format!("{mark}i{}", dtype.item_size()),
        DType::UInt16 | DType::UInt32 | DType::UInt64 => format!("{mark}u{}", dtype.item_size()),
        DType::Float16 | DType::Float32 | DType::Float64 | DType::LongDouble => {
            format!("{mark}f{}", dtype.item_size())
        }
        DType::Complex64 | DType::Complex128 => format!("{mark}c{}", dtype.item_size()),
        DType::FixedString(FixedString {
            len_bytes,
            charset: Charset::Ascii,
            padding: Padding::Null,
        }) => format!("|S{len_bytes}"),
        DType::Unicode(n_chars) => format!("{mark}U{n_chars}"),
        DType::Opaque(opaque) if opaque.tag.is_empty() => format!("|V{}", opaque.size),
        DType::DateTime(unit) | DType::TimeDelta(unit) => {
            let kind = if matches!(dtype, DType::DateTime(_)) { 'M' } else { 'm' };
            match unit.to_string() {
                generic if generic == "generic" => format!("{mark}{kind}8"),
                unit => format!("{mark}{kind}8[{unit}]"),
            }
        }
        DType::Struct(r#struct) => return describe_struct(r#struct, endian),
        _ => return Err(Error::unsupported(format!("numpy files cannot hold {dtype}"))),
    };
    Ok(Literal::Str(name))
}

fn describe_struct(r#struct: &StructType, endian: Endian) -> Result<Literal> {
    let padding =
        |len: usize| Literal::Tuple(vec![Literal::str(""), Literal::Str(format!("|V{len}"))]);
    let mut members = Vec::new();
    let mut end = 0;
    for field in &r#struct.fields {
        match field.offset.checked_sub(end) {
            Some(0) => {}
            Some(gap) => members.push(padding(gap)),
            None => {
                return Err(Error::unsupported(format!(
                    "numpy files cannot hold structs whose members overlap or are out of order, as `{}` is",
                    field.name
                )));
            }
        }
        let mut member = vec![Literal::str(field.name.as_str())];
        match &field.dtype {
            DType::Array(array) => {
                member.push(describe(&array.item, endian)?);
                let lengths = array.shape.iter().map(|&len| Literal::Int(len));
                member.push(Literal::Tuple(lengths.collect()));
            }
            dtype => member.push(describe(dtype, endian)?),
        }
        members.push(Literal::Tuple(member));
        end = field.offset.saturating_add(field.dtype.item_size());
    }
    match r#struct.size.checked_sub(end) {
        Some(0) => {}
        Some(gap) => members.push(padding(gap)),
        None => return Err(Error::invalid("a struct is smaller than its members")),
    }
    Ok(Literal::List(members))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stook_core::ErrorKind;

    fn round_trip(text: &str) -> Described {
        let descr = Literal::parse(text).unwrap();
        let described = parse(&descr).unwrap();
        if let Order::None | Order::All(Endian::Little) = described.order {
            let again = describe(&described.dtype, Endian::Little).unwrap();
            assert_eq!(again.to_string(), text);
        }
        described
    }

    #[test]
    fn descriptions_of_numpy_round_trip() {
        for (text, name) in [
            ("'|b1'", "bool"),
            ("'|i1'", "int8"),
            ("'<u8'", "uint64"),
            ("'<f2'", "float16"),
            ("'<f16'", "longdouble"),
            ("'<c8'", "complex64"),
            ("'|S0'", "S0"),
            ("'|S5'", "S5"),
            ("'<U4'", "U4"),
            ("'|V3'", "V3"),
            ("'<M8[10ms]'", "datetime64[10ms]"),
            ("'<m8'", "timedelta64[generic]"),
            (
                "[('a', '<i4', (2, 3)), ('b', [('x', '|S3'), ('y', '<U2')])]",
                "{a: int32[2, 3], b: {x: S3, y: U2}}",
            ),
            ("[]", "{}"),
        ] {
            assert_eq!(round_trip(text).dtype.to_string(), name);
        }
        assert_eq!(round_trip("'>f8'").order, Order::All(Endian::Big));
        assert_eq!(round_trip("[('a', '>f8'), ('b', '|S2')]").order, Order::All(Endian::Big));
        assert_eq!(round_trip("[('a', '>f8'), ('b', '<i2')]").order, Order::Mixed);
    }

    #[test]
    fn padding_becomes_offsets() {
        let text = "[('', '|V1'), ('a', '<i2'), ('', '|V5'), ('b', '<f4'), ('', '|V4')]";
        let DType::Struct(found) = round_trip(text).dtype else { panic!("a struct") };
        let offsets: Vec<_> = found.fields.iter().map(|field| field.offset).collect();
        assert_eq!((offsets, found.size), (vec![1, 8], 16));
        let titled = parse(&Literal::parse("[(('title', 'a'), '<i4')]").unwrap()).unwrap();
        assert_eq!(titled.dtype.to_string(), "{a: int32}");
        let unnamed = parse(&Literal::parse("[('', '<i4')]").unwrap()).unwrap();
        assert_eq!(unnamed.dtype.to_string(), "{f0: int32}");
    }

    #[test]
    fn big_endian_parts_are_found_in_structs_of_structs() {
        let text =
            "[('a', '<i2'), ('b', [('c', '>i2'), ('d', '<i2')]), ('e', '>i2', (2,)), ('s', '|S2')]";
        let mut found = Vec::new();
        for_each_big(&Literal::parse(text).unwrap(), 0, &mut |offset, dtype| {
            found.push((offset, dtype.to_string()));
        });
        assert_eq!(found, [(2, "int16".to_owned()), (6, "int16[2]".to_owned())]);
    }

    #[test]
    fn what_is_no_dtype_is_refused_by_name() {
        let kind = |text| parse(&Literal::parse(text).unwrap()).unwrap_err().kind();
        for text in ["'|O'", "[('a', 'O')]", "'<c32'", "('<i4', (2,))"] {
            assert_eq!(kind(text), ErrorKind::Unsupported, "{text}");
        }
        for text in [
            "''",
            "'<'",
            "'<x4'",
            "'<f3'",
            "'<i4x'",
            "'é'",
            "'float64'",
            "5",
            "[5]",
            "[('a',)]",
            "[('a', '<i4', 'x')]",
            "[('a', '<i4'), ('a', '<i4')]",
            "[(('t', 5), '<i4')]",
            "'<M8[0s]'",
            "'<U'",
            "'string'",
        ] {
            assert_eq!(kind(text), ErrorKind::Corrupt, "{text}");
        }
        let huge = "[('a', '<i8', (18446744073709551615, 9))]";
        assert_eq!(kind(huge), ErrorKind::LimitExceeded);
    }
}

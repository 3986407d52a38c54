//! What the names of a pickle make of their arguments.

use std::sync::Arc;

use stook_core::codec::Endian;
use stook_core::dtype::{TimeBase, TimeUnit};
use stook_core::{DType, Error, Result};

use super::array::{Descr, PickledArray};
use super::class::Object;
use super::global::Global;
use super::node::{Callable, DateTime, Named, Node, NodeId};
use super::payload::Payload;
use super::read::Machine;

/// The object that `global` makes of `arguments`.
pub(super) fn reduce(
    global: Global,
    arguments: &[NodeId],
    machine: &mut Machine<'_>,
) -> Result<Node> {
    check_count("arguments", arguments.len())?;
    if global == Global::Reconstructor {
        return reconstructor(arguments, machine);
    }
    let payload = arguments.iter().map(|id| len_of(machine.node(*id))).sum();
    machine.charge(payload)?;
    let nodes: Vec<&Node> = arguments.iter().map(|id| machine.node(*id)).collect();
    let made = match (global, nodes.as_slice()) {
        (Global::Reconstruct, [..]) => Some(Node::BareArray),
        (Global::Scalar, [Node::DType(descr), data]) if !matches!(data, Node::ByteArray(_)) => {
            let array = payload_of(data)
                .map(|bytes| PickledArray::of_bytes(Arc::clone(descr), vec![], false, bytes));
            array.transpose()?.map(|array| Node::Scalar(Arc::new(array)))
        }
        (Global::FromBuffer, [data, Node::DType(descr), shape, order]) => {
            let is_fortran = order.as_text() == Some("F");
            let bytes = payload_of(data);
            let array = bytes.zip(shape_of(shape, machine)).map(|(bytes, shape)| {
                PickledArray::of_bytes(Arc::clone(descr), shape, is_fortran, bytes)
            });
            array.transpose()?.map(|array| Node::Array(Arc::new(array)))
        }
        (Global::DType, [name, ..]) => match name.as_text() {
            Some(name) => Some(Node::DType(Arc::new(parse_dtype(name)?))),
            None => None,
        },
        (Global::DateTime, [state]) => date_time(state.as_bytes()),
        (Global::DateTime, [_, _]) => {
            return Err(Error::unsupported("a time with a zone"));
        }
        (Global::Date, [state]) => date(state.as_bytes()).map(Node::Date),
        (Global::Time, [state]) => state.as_bytes().and_then(micros_of).map(Node::Time),
        (Global::TimeDelta, parts) => time_delta(parts),
        (Global::Path, parts) => path(parts),
        (Global::Complex, [Node::Float(re), Node::Float(im)]) => Some(Node::Complex(*re, *im)),
        (Global::Slice, _) => <[NodeId; 3]>::try_from(arguments).ok().map(Node::Slice),
        (Global::Range, parts) => range(parts),
        (Global::Encode, [text, encoding]) => latin1(text, encoding).map(Node::Bytes),
        // What protocol 2 has for bytes of no length.
        (Global::Bytes, []) => Some(Node::Bytes(Vec::new())),
        (Global::ByteArray, []) => Some(Node::ByteArray(Vec::new())),
        (Global::ByteArray, [data]) => data.as_bytes().map(|data| Node::ByteArray(data.to_vec())),
        (Global::ByteArray, [text, encoding]) => latin1(text, encoding).map(Node::ByteArray),
        (Global::Set | Global::FrozenSet, [Node::List(items) | Node::Tuple(items)]) => {
            Some(if global == Global::Set {
                Node::Set(items.clone())
            } else {
                Node::FrozenSet(items.clone())
            })
        }
        (Global::Dict, []) => Some(Node::Dict(Vec::new())),
        (Global::Set, []) => Some(Node::Set(Vec::new())),
        (Global::FrozenSet, []) => Some(Node::FrozenSet(Vec::new())),
        (Global::OrderedDict, []) => Some(Node::OrderedDict(Vec::new())),
        (Global::OrderedDict, [Node::List(items)]) => ordered(items, machine),
        _ => None,
    };
    made.ok_or_else(|| {
        let found: Vec<_> = nodes.iter().map(|node| node.type_name()).collect();
        Error::corrupt(format!("{global:?} of ({}) makes nothing", found.join(", ")))
    })
}

/// What protocols 0 and 1 make of a class, the builtin that it inherits from, and what that holds.
fn reconstructor(arguments: &[NodeId], machine: &mut Machine<'_>) -> Result<Node> {
    let malformed = || Error::corrupt("expected a class, its base and what it holds");
    let &[class, base, held] = arguments else { return Err(malformed()) };
    let Node::Callable(Callable(Named::Class(class))) = *machine.node(class) else {
        let found = machine.node(class).type_name();
        return Err(Error::unsupported(format!("it makes an object of a {found}")));
    };
    let items = match (machine.node(base), machine.node(held)) {
        (Node::Callable(Callable(Named::Global(Global::Dict))), Node::Dict(items)) => items.clone(),
        (Node::Callable(_), Node::None) => Vec::new(),
        _ => return Err(malformed()),
    };
    machine.charge(size_of::<Object>().saturating_add(size_of_val(items.as_slice())))?;
    Ok(Node::Object(Box::new(Object { items, ..Object::new(class) })))
}

/// What becomes of the object at `target` when it is given `state`.
pub(super) fn build(target: NodeId, state: NodeId, machine: &mut Machine<'_>) -> Result<Node> {
    let state = match machine.node(state) {
        Node::Tuple(state) => state,
        other => {
            let found = other.type_name();
            return Err(Error::unsupported(format!("a state of type {found}")));
        }
    };
    check_count("parts of a state", state.len())?;
    let state = state.clone();
    match machine.node(target).clone() {
        Node::BareArray => build_array(&state, machine),
        Node::DType(descr) => {
            let built = build_dtype(&descr, &state, machine)?;
            machine.charge(measure(&built).1.saturating_mul(size_of::<Descr>() * 2))?;
            Ok(Node::DType(Arc::new(built)))
        }
        other => Err(Error::unsupported(format!("a {} with a state", other.type_name()))),
    }
}

fn build_array(state: &[NodeId], machine: &mut Machine<'_>) -> Result<Node> {
    let malformed = || Error::corrupt("the state of an array is malformed");
    let &[_, shape, descr, is_fortran, data] = state else { return Err(malformed()) };
    machine.charge(len_of(machine.node(data)))?;
    let shape = shape_of(machine.node(shape), machine).ok_or_else(malformed)?;
    let Node::DType(descr) = machine.node(descr) else { return Err(malformed()) };
    let is_fortran = machine.node(is_fortran).as_int() == Some(1);
    let array = match (machine.node(data), &**descr) {
        (Node::List(objects), Descr::Object) => {
            PickledArray::of_objects(shape, is_fortran, objects.clone())?
        }
        (_, Descr::Object) => return Err(malformed()),
        (data, _) => {
            let bytes = payload_of(data).ok_or_else(malformed)?;
            PickledArray::of_bytes(Arc::clone(descr), shape, is_fortran, bytes)?
        }
    };
    Ok(Node::Array(Arc::new(array)))
}

/// The dtype called `name`, in the machine's byte order until its state says another.
fn parse_dtype(name: &str) -> Result<Descr> {
    let unknown = || Error::unsupported(format!("dtype `{}`", name.escape_default()));
    let plain = name.strip_prefix(['<', '>', '=', '|']).unwrap_or(name);
    if plain == "O8" || plain == "O4" || plain == "O" {
        return Ok(Descr::Object);
    }
    let (kind, size) = plain.split_at_checked(1).ok_or_else(unknown)?;
    let is_known = matches!(kind, "b" | "i" | "u" | "f" | "c" | "S" | "U" | "V" | "M" | "m");
    if !is_known || size.is_empty() || !size.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(unknown());
    }
    let dtype: DType = match kind {
        "M" | "m" if size == "8" => {
            let unit = TimeUnit { base: TimeBase::Generic, count: 1 };
            if kind == "M" { DType::DateTime(unit) } else { DType::TimeDelta(unit) }
        }
        _ => plain.parse().map_err(|_| unknown())?,
    };
    Ok(Descr::Plain { dtype, endian: Endian::NATIVE })
}

fn build_dtype(descr: &Descr, state: &[NodeId], machine: &Machine<'_>) -> Result<Descr> {
    let malformed = || Error::corrupt("the state of a dtype is malformed");
    let part = |at: usize| state.get(at).map(|id| machine.node(*id)).ok_or_else(malformed);
    let endian = match part(1)?.as_text() {
        Some("<") => Endian::Little,
        Some(">") => Endian::Big,
        Some("|" | "=") => Endian::NATIVE,
        _ => return Err(malformed()),
    };
    if let Node::Tuple(sub) = part(2)? {
        let [item, shape] = sub.as_slice() else { return Err(malformed()) };
        let Node::DType(item) = machine.node(*item) else { return Err(malformed()) };
        let shape = shape_of(machine.node(*shape), machine).ok_or_else(malformed)?;
        check_depth(item)?;
        let array = Descr::Array { item: Box::new((**item).clone()), shape };
        return match array.item_size() {
            usize::MAX => Err(Error::limit("the size of an item overflows")),
            _ => Ok(array),
        };
    }
    if let Node::Tuple(names) = part(3)? {
        let size = part(5)?.as_int().and_then(|size| usize::try_from(size).ok());
        return build_struct(names, part(4)?, size.ok_or_else(malformed)?, machine);
    }
    Ok(match (descr, state.get(8).map(|id| machine.node(*id))) {
        (Descr::Plain { dtype: DType::DateTime(_), .. }, Some(metadata)) => {
            let dtype = DType::DateTime(time_unit(metadata, machine).ok_or_else(malformed)?);
            Descr::Plain { dtype, endian }
        }
        (Descr::Plain { dtype: DType::TimeDelta(_), .. }, Some(metadata)) => {
            let dtype = DType::TimeDelta(time_unit(metadata, machine).ok_or_else(malformed)?);
            Descr::Plain { dtype, endian }
        }
        (Descr::Plain { dtype, .. }, _) => Descr::Plain { dtype: dtype.clone(), endian },
        (other, _) => other.clone(),
    })
}

fn build_struct(
    names: &[NodeId],
    fields: &Node,
    size: usize,
    machine: &Machine<'_>,
) -> Result<Descr> {
    let malformed = || Error::corrupt("the members of a dtype are malformed");
    let Node::Dict(pairs) = fields else { return Err(malformed()) };
    check_count("members", names.len().max(pairs.len()))?;
    let mut members = Vec::with_capacity(names.len());
    for name in names {
        let name = machine.node(*name).as_text().ok_or_else(malformed)?;
        let found = pairs.iter().find(|(key, _)| machine.node(*key).as_text() == Some(name));
        let (_, member) = found.ok_or_else(malformed)?;
        let Node::Tuple(parts) = machine.node(*member) else { return Err(malformed()) };
        let mut parts = parts.iter().map(|id| machine.node(*id));
        let (Some(Node::DType(descr)), Some(offset)) = (parts.next(), parts.next()) else {
            return Err(malformed());
        };
        let offset = offset.as_int().and_then(|offset| usize::try_from(offset).ok());
        let offset = offset.ok_or_else(malformed)?;
        if offset.checked_add(descr.item_size()).is_none_or(|end| end > size) {
            return Err(Error::corrupt(format!("member `{name}` does not fit into {size} bytes")));
        }
        check_depth(descr)?;
        members.push((name.to_owned(), (**descr).clone(), offset));
    }
    Ok(Descr::Struct { fields: members, size })
}

/// More parts of one thing than this are refused: what is done with them may take its time for
/// each.
const MAX_PARTS: usize = 4096;
/// Types nest so deep at most, so that whoever walks them may recurse.
const MAX_DEPTH: usize = 16;

fn check_count(what: &str, found: usize) -> Result<()> {
    if found > MAX_PARTS {
        return Err(Error::limit(format!("expected at most {MAX_PARTS} {what}, found {found}")));
    }
    Ok(())
}

fn check_depth(descr: &Descr) -> Result<()> {
    let (depth, parts) = measure(descr);
    if depth > MAX_DEPTH {
        return Err(Error::limit(format!("expected a dtype at most {MAX_DEPTH} deep")));
    }
    check_count("parts of a dtype", parts)
}

/// How deep a dtype is, and how many parts it has.
fn measure(descr: &Descr) -> (usize, usize) {
    match descr {
        Descr::Object | Descr::Plain { .. } => (1, 1),
        Descr::Array { item, .. } => {
            let (depth, parts) = measure(item);
            (depth + 1, parts + 1)
        }
        Descr::Struct { fields, .. } => {
            fields.iter().fold((1, 1), |(depth, parts), (_, descr, _)| {
                let (d, p) = measure(descr);
                (depth.max(d + 1), parts.saturating_add(p))
            })
        }
    }
}

/// The unit in `(metadata, (unit, count, 1, 1))`.
fn time_unit(metadata: &Node, machine: &Machine<'_>) -> Option<TimeUnit> {
    let Node::Tuple(parts) = metadata else { return None };
    let Node::Tuple(unit) = machine.node(*parts.get(1)?) else { return None };
    let name = machine.node(*unit.first()?);
    let name = name.as_text().or_else(|| std::str::from_utf8(name.as_bytes()?).ok())?;
    let count = u32::try_from(machine.node(*unit.get(1)?).as_int()?).ok()?;
    Some(TimeUnit { base: TimeBase::from_name(name)?, count })
}

fn shape_of(node: &Node, machine: &Machine<'_>) -> Option<Vec<u64>> {
    match node {
        Node::Tuple(lengths) => {
            let lengths = lengths.iter().map(|id| machine.node(*id).as_int());
            lengths.map(|len| len.and_then(|len| u64::try_from(len).ok())).collect()
        }
        Node::Int(len) => Some(vec![u64::try_from(*len).ok()?]),
        _ => None,
    }
}

/// The items of an array, that an object is.
fn payload_of(node: &Node) -> Option<Payload> {
    match node {
        Node::StoredBytes(stored) => Some(Payload::Stored(stored.clone())),
        other => other.as_bytes().map(|bytes| bytes.to_vec().into()),
    }
}

fn len_of(node: &Node) -> usize {
    match node {
        Node::Text(text) => text.len(),
        Node::Bytes(bytes) | Node::ByteArray(bytes) | Node::ByteText(bytes) => bytes.len(),
        Node::StoredBytes(stored) => stored.len_bytes(),
        Node::List(items) | Node::Tuple(items) => size_of_val(items.as_slice()),
        _ => 0,
    }
}

fn date(bytes: Option<&[u8]>) -> Option<DateTime> {
    let &[high, low, month, day, ..] = bytes? else { return None };
    // The highest bit of the month tells apart the two hours when clocks are put back.
    let month = month & 0x7f;
    let date =
        DateTime { year: u16::from_be_bytes([high, low]), month, day, microsecond_of_day: 0 };
    let is_valid = (1..=9999).contains(&date.year) && (1..=12).contains(&month);
    (is_valid && (1..=31).contains(&day)).then_some(date)
}

fn date_time(bytes: Option<&[u8]>) -> Option<Node> {
    let day = date(bytes)?;
    let microsecond_of_day = micros_of(bytes?.get(4..)?)?;
    Some(Node::DateTime(DateTime { microsecond_of_day, ..day }))
}

/// Microseconds since midnight, of the bytes of a time.
fn micros_of(bytes: &[u8]) -> Option<u64> {
    let &[hour, minute, second, high, middle, low] = bytes else { return None };
    // The highest bit of the hour tells apart the two hours when clocks are put back.
    let hour = hour & 0x7f;
    let micros = u32::from_be_bytes([0, high, middle, low]);
    if hour > 23 || minute > 59 || second > 59 || micros > 999_999 {
        return None;
    }
    let seconds = (u64::from(hour) * 60 + u64::from(minute)) * 60 + u64::from(second);
    Some(seconds * 1_000_000 + u64::from(micros))
}

fn time_delta(parts: &[&Node]) -> Option<Node> {
    const UNITS: [i128; 3] = [86_400_000_000, 1_000_000, 1];
    if parts.len() > UNITS.len() {
        return None;
    }
    let mut micros = 0_i128;
    for (part, unit) in parts.iter().zip(UNITS) {
        micros = micros.checked_add(part.as_int()?.checked_mul(unit)?)?;
    }
    Some(Node::TimeDelta(micros))
}

fn path(parts: &[&Node]) -> Option<Node> {
    let mut path = String::new();
    for part in parts {
        let part = part.as_text()?;
        if !path.is_empty() && !path.ends_with(['/', '\\']) {
            path.push('/');
        }
        path.push_str(part);
    }
    Some(Node::Path(path))
}

fn range(parts: &[&Node]) -> Option<Node> {
    let parts: Option<Vec<i128>> = parts.iter().map(|part| part.as_int()).collect();
    Some(Node::Range(match *parts?.as_slice() {
        [stop] => [0, stop, 1],
        [start, stop] => [start, stop, 1],
        [start, stop, step] => [start, stop, step],
        _ => return None,
    }))
}

fn ordered(items: &[NodeId], machine: &Machine<'_>) -> Option<Node> {
    let pair = |id: &NodeId| match machine.node(*id) {
        Node::List(pair) | Node::Tuple(pair) => match *pair.as_slice() {
            [key, value] => Some((key, value)),
            _ => None,
        },
        _ => None,
    };
    items.iter().map(pair).collect::<Option<_>>().map(Node::OrderedDict)
}

/// The bytes that Python 3 pickled as text for Python 2 to read.
fn latin1(text: &Node, encoding: &Node) -> Option<Vec<u8>> {
    if !matches!(encoding.as_text()?, "latin1" | "latin-1") {
        return None;
    }
    text.as_text()?.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

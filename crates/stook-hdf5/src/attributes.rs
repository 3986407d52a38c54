//! Attributes: reading them as values, writing them all or none, and what becomes of JSON.

use std::ffi::{CStr, CString};

use serde_json::Value;
use stook_core::codec::swap_items;
use stook_core::container::{Adapted, Loss};
use stook_core::dtype::DType;
use stook_core::values::byte_len;
use stook_core::{AttributeEdits, AttributeValue, Attributes, Error, Limits, Result, Values};

use crate::dtype::{self, Stored};
use crate::ffi::{self, Attribute, Datatype, Extent, Location, MemoryType, References, Space};

pub(crate) type Context<'a> = (&'a dyn References, &'a Limits);

/// A failure with the name of its attribute.
fn named(name: &CStr, failure: &ffi::Failure) -> ffi::Failure {
    let message = format!("attribute `{}`: {failure}", name.to_string_lossy());
    let named = ffi::Failure::new("attribute", message);
    match failure.kind() {
        Some(kind) => named.of(kind),
        None => named,
    }
}

/// All attributes of the object at `location` but `hidden`.
pub(crate) fn read_all(
    location: &Location,
    hidden: &[&CStr],
    context: Context<'_>,
) -> ffi::Result<Attributes> {
    let _lock = ffi::lock();
    let mut attributes = Vec::new();
    for name in location.attribute_names()? {
        if hidden.contains(&name.as_c_str()) {
            continue;
        }
        let attribute = location.attribute(&name)?;
        let value = read(&attribute, context).map_err(|failure| named(&name, &failure))?;
        attributes.push((name.to_string_lossy().into_owned(), value));
    }
    Ok(attributes.into_iter().collect())
}

/// The attribute `name` of the object at `location`; `None` if there is none.
pub(crate) fn read_one(
    location: &Location,
    name: &CStr,
    context: Context<'_>,
) -> ffi::Result<Option<AttributeValue>> {
    let _lock = ffi::lock();
    if !location.has_attribute(name)? {
        return Ok(None);
    }
    read(&location.attribute(name)?, context).map(Some)
}

/// Creates the attribute `name`, which is not there.
pub(crate) fn create_one(
    location: &Location,
    name: &CStr,
    values: &Values,
    references: &dyn References,
) -> ffi::Result<()> {
    create(location, name, &Prepared::values(values)?, references)
}

/// The text of the attribute `name` of the object at `location`; `None` if there is none.
pub(crate) fn read_text(
    location: &Location,
    name: &CStr,
    context: Context<'_>,
) -> ffi::Result<Option<String>> {
    match read_one(location, name, context)? {
        Some(AttributeValue::Values(values)) if values.len() == 1 => Ok(values.text_at(0).ok()),
        _ => Ok(None),
    }
}

fn read(attribute: &Attribute, context: Context<'_>) -> ffi::Result<AttributeValue> {
    let datatype = attribute.datatype()?;
    let stored = dtype::read(&datatype)?;
    let shape = match attribute.space()?.extent()? {
        Extent::Null => return Ok(AttributeValue::Null(stored.dtype)),
        Extent::Scalar => Vec::new(),
        Extent::Simple { shape, .. } => shape,
    };
    let len = byte_len(&shape, stored.dtype.item_size())?;
    context.1.metadata(len as u64)?;
    let memory = memory_of(&stored, datatype)?;
    let (mut items, mut heap) = (vec![0_u8; len], Vec::new());
    attribute.read(&memory, (&mut items, &mut heap), context)?;
    if stored.is_direct && stored.is_foreign() {
        swap_items(&stored.dtype, &mut items);
    }
    Ok(AttributeValue::Values(Values::new(stored.dtype, shape, items, heap)?))
}

/// The type in which items of `stored` come from the library: their own where only the byte
/// order differs from the core's.
pub(crate) fn memory_of(stored: &Stored, datatype: Datatype) -> ffi::Result<MemoryType> {
    if stored.is_direct {
        MemoryType::as_stored(&stored.dtype, datatype)
    } else {
        MemoryType::new(&stored.dtype)
    }
}

/// An attribute value with all that can be made before the file is touched.
struct Prepared<'a> {
    datatype: Datatype,
    space: Space,
    /// The values; `None` for a type without a value.
    values: Option<(MemoryType, &'a Values)>,
}

impl<'a> Prepared<'a> {
    fn values(values: &'a Values) -> ffi::Result<Self> {
        let dtype = values.dtype();
        Ok(Self {
            datatype: ffi::datatype_of(dtype, false)?,
            space: Space::fixed(values.shape())?,
            values: Some((MemoryType::new(dtype)?, values)),
        })
    }

    fn new(value: &'a AttributeValue) -> ffi::Result<Self> {
        match value {
            AttributeValue::Values(values) => Self::values(values),
            AttributeValue::Null(dtype) => Ok(Self {
                datatype: ffi::datatype_of(dtype, false)?,
                space: Space::new(&Extent::Null)?,
                values: None,
            }),
            AttributeValue::Json(_) => Err(ffi::Failure::new("attribute", "JSON is no HDF5 type")),
        }
    }
}

/// Creates the attribute `name`; if writing its value fails there is none.
fn create(
    location: &Location,
    name: &CStr,
    prepared: &Prepared<'_>,
    references: &dyn References,
) -> ffi::Result<()> {
    let attribute = location.create_attribute(name, &prepared.datatype, &prepared.space)?;
    let Some((memory, values)) = &prepared.values else { return Ok(()) };
    let written = attribute.write(memory, (values.items(), values.heap()), references);
    if written.is_err() {
        drop(attribute);
        location.delete_attribute(name)?;
    }
    written
}

/// Carries out `edits`, all or none; what is in `keep` is not cleared.
pub(crate) fn edit(
    location: &Location,
    edits: &AttributeEdits,
    keep: &[&CStr],
    references: &dyn References,
) -> Result<(), EditError> {
    let _lock = ffi::lock();
    let before = location.attribute_names()?;
    let changes = net_changes(edits)?;
    let mut prepared = Vec::with_capacity(changes.len());
    for (name, value) in &changes {
        if let Some(value) = value {
            let ready = Prepared::new(value).map_err(|failure| named(name, &failure))?;
            prepared.push((name, ready));
        }
    }
    // Everything new is written under names that are free; only then do old names go.
    let mut created: Vec<CString> = Vec::new();
    let mut renames: Vec<(CString, &CString)> = Vec::new();
    for (at, (name, ready)) in prepared.iter().enumerate() {
        let place = if before.contains(name) { free_name(&before, at) } else { (*name).clone() };
        if let Err(failure) = create(location, &place, ready, references) {
            for name in &created {
                location.delete_attribute(name)?;
            }
            return Err(EditError::Failure(too_large(named(name, &failure))));
        }
        if place != **name {
            renames.push((place.clone(), name));
        }
        created.push(place);
    }
    for name in &before {
        let change = changes.iter().find(|(changed, _)| changed == name);
        let is_cleared = edits.clear && !keep.contains(&name.as_c_str());
        if change.is_some() || is_cleared {
            location.delete_attribute(name)?;
        }
    }
    for (from, to) in &renames {
        location.rename_attribute(from, to)?;
    }
    Ok(())
}

/// Why attributes could not be changed.
pub(crate) enum EditError {
    /// The library refused.
    Failure(ffi::Failure),
    /// The edits themselves are at fault.
    Error(Error),
}

impl From<ffi::Failure> for EditError {
    fn from(failure: ffi::Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Error> for EditError {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Says what the library means when it refuses a large attribute.
fn too_large(failure: ffi::Failure) -> ffi::Failure {
    if !failure.mentions("object header message is too large") {
        return failure;
    }
    let message = format!("{failure}; objects of the old format hold no attribute over 64 KiB");
    ffi::Failure::new("attribute", message).of(stook_core::ErrorKind::Unsupported)
}

fn free_name(before: &[CString], at: usize) -> CString {
    let candidates = (at..).filter_map(|n| CString::new(format!(".stook-new-{n}")).ok());
    candidates.into_iter().find(|name| !before.contains(name)).unwrap_or_default()
}

/// The last change of each name, in the order of the first; JSON made into values.
fn net_changes(edits: &AttributeEdits) -> Result<Vec<(CString, Option<AttributeValue>)>> {
    let mut changes: Vec<(CString, Option<AttributeValue>)> = Vec::new();
    for (name, value) in &edits.changes {
        let value = value.as_ref().map(|value| adapt(name, value).map(|adapted| adapted.value));
        let (name, value) = (crate::shared::name(name)?, value.transpose()?);
        match changes.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => changes.push((name, value)),
        }
    }
    Ok(changes)
}

/// The nearest attribute value to `value` that HDF5 can hold.
pub(crate) fn adapt(name: &str, value: &AttributeValue) -> Result<Adapted<AttributeValue>> {
    let dtype = match value {
        AttributeValue::Json(json) => return adapt_json(name, json),
        AttributeValue::Values(values) => values.dtype(),
        AttributeValue::Null(dtype) => dtype,
    };
    if let (DType::Unicode(_), AttributeValue::Values(values)) = (dtype, value) {
        let texts = (0..values.len()).map(|at| values.text_at(at)).collect::<Result<Vec<_>>>()?;
        let texts = Values::from_strings(values.shape().to_vec(), &texts)?;
        return Ok(adapted(name, texts.into(), "stored as variable-length UTF-8"));
    }
    if let (DType::String(_), AttributeValue::Values(values)) = (dtype, value) {
        let mut texts = (0..values.len()).map(|at| values.payload(at));
        if texts.any(|text| text.is_ok_and(|text| text.contains(&0))) {
            let message = format!("attribute `{name}`: HDF5 holds no text with NUL characters");
            return Err(Error::unsupported(message));
        }
    }
    if ffi::datatype_of(dtype, false).is_ok() {
        return Ok(Adapted::exact(value.clone()));
    }
    Err(Error::unsupported(format!("attribute `{name}`: HDF5 has no type for {dtype}")))
}

fn adapted(name: &str, value: AttributeValue, becomes: &str) -> Adapted<AttributeValue> {
    let losses = vec![Loss::new(format!("attribute {name}"), becomes)];
    Adapted { value, losses }
}

fn adapt_json(name: &str, json: &Value) -> Result<Adapted<AttributeValue>> {
    if json.is_null() {
        let null = AttributeValue::Null(DType::Float64);
        return Ok(adapted(name, null, "stored without a value"));
    }
    let mut flat = Flat::default();
    if flat.push(json, 0).is_some()
        && let Some(values) = flat.into_values()?
    {
        return Ok(Adapted::exact(values.into()));
    }
    let text = Values::text(&json.to_string());
    Ok(adapted(name, text.into(), "stored as JSON text"))
}

/// A JSON scalar, or nested lists of one shape with scalars of one kind, on the way to values.
#[derive(Default)]
struct Flat<'a> {
    shape: Vec<u64>,
    scalars: Vec<&'a Value>,
}

impl<'a> Flat<'a> {
    /// Appends `json`, which lies `depth` lists deep; `None` where it does not fit the shape.
    fn push(&mut self, json: &'a Value, depth: usize) -> Option<()> {
        let Value::Array(list) = json else {
            self.scalars.push(json);
            return (self.shape.len() == depth).then_some(());
        };
        match self.shape.get(depth) {
            Some(&len) if len == list.len() as u64 => {}
            None if self.scalars.is_empty() => {
                self.shape.push(list.len() as u64);
            }
            _ => return None,
        }
        list.iter().try_for_each(|item| self.push(item, depth + 1))
    }

    fn into_values(self) -> Result<Option<Values>> {
        if self.scalars.is_empty() {
            // A list without items says nothing of their type.
            return Values::zeroed(DType::Float64, self.shape).map(Some);
        }
        let all = |is: fn(&Value) -> bool| self.scalars.iter().all(|scalar| is(scalar));
        let (dtype, items): (DType, Vec<u8>) = if all(Value::is_string) {
            let texts: Vec<&str> = self.scalars.iter().filter_map(|s| s.as_str()).collect();
            if texts.iter().any(|text| text.contains('\0')) {
                return Ok(None);
            }
            return Values::from_strings(self.shape, &texts).map(Some);
        } else if all(Value::is_boolean) {
            let bools = self.scalars.iter().filter_map(|s| s.as_bool());
            (DType::Bool, bools.map(u8::from).collect())
        } else if all(Value::is_i64) {
            let numbers = self.scalars.iter().filter_map(|s| s.as_i64());
            (DType::Int64, numbers.flat_map(native_i64).collect())
        } else if all(Value::is_u64) {
            let numbers = self.scalars.iter().filter_map(|s| s.as_u64());
            (DType::UInt64, numbers.flat_map(|n| native_i64(n.cast_signed())).collect())
        } else if all(is_double) {
            let numbers = self.scalars.iter().filter_map(|s| s.as_f64());
            (DType::Float64, numbers.flat_map(|n| native_i64(n.to_bits().cast_signed())).collect())
        } else {
            return Ok(None);
        };
        Values::new(dtype, self.shape, items, Vec::new()).map(Some)
    }
}

/// Whether a double holds the number exactly.
fn is_double(value: &Value) -> bool {
    const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;
    value.is_f64()
        || value.as_i64().is_some_and(|n| n.unsigned_abs() <= EXACT)
        || value.as_u64().is_some_and(|n| n <= EXACT)
}

#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
fn native_i64(number: i64) -> [u8; 8] {
    number.to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn adapted_dtype(json: Value) -> (String, Vec<u64>, usize) {
        let adapted = adapt_json("x", &json).unwrap();
        match adapted.value {
            AttributeValue::Values(v) => {
                (v.dtype().to_string(), v.shape().to_vec(), adapted.losses.len())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn json_of_one_kind_and_shape_becomes_values() {
        assert_eq!(adapted_dtype(json!(1)), ("int64".into(), vec![], 0));
        assert_eq!(adapted_dtype(json!([1.5, 2.0])), ("float64".into(), vec![2], 0));
        assert_eq!(adapted_dtype(json!([[true], [false]])), ("bool".into(), vec![2, 1], 0));
        assert_eq!(adapted_dtype(json!(["a", "é"])), ("string".into(), vec![2], 0));
        assert_eq!(adapted_dtype(json!(u64::MAX)), ("uint64".into(), vec![], 0));
    }

    #[test]
    fn numbers_of_one_list_are_of_one_type() {
        assert_eq!(adapted_dtype(json!([1, 2.5])), ("float64".to_owned(), vec![2], 0));
        assert_eq!(adapted_dtype(json!([])), ("float64".to_owned(), vec![0], 0));
        assert_eq!(adapted_dtype(json!([[], []])), ("float64".to_owned(), vec![2, 0], 0));
    }

    #[test]
    fn other_json_becomes_text_and_says_so() {
        for json in [json!({"a": 1}), json!([1, "a"]), json!([[1], [1, 2]]), json!([u64::MAX, 1.5])]
        {
            assert_eq!(adapted_dtype(json), ("string".into(), vec![], 1));
        }
    }
}

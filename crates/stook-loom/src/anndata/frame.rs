//! Tables (`obs`, `var`): columns, and what of them is an attribute of a loom.

use stook::{Array, DType, Error, Group, Node, Result, Selection, Values};

use super::tree;
use crate::matrix::{Numbers, numbers_of};
use crate::normalized;

/// A table's column as an attribute.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// The attribute that stands for it; none where nothing can.
    pub(super) values: Option<Values>,
    /// Whether the attribute alone tells all of it.
    pub(super) is_plain: bool,
    /// Of versions before 0.7, whose categories lie elsewhere: codes and categories.
    pub(super) categorical: Option<[Values; 2]>,
}

/// A table.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) index_name: String,
    pub(super) index: Column,
    /// In the order of the table.
    pub(super) columns: Vec<Column>,
}

impl Frame {
    /// Reads the table `name` of `root`.
    pub(super) fn read(root: &Group, name: &str) -> Result<Self> {
        match tree::find(root, name)? {
            Some(Node::Group(group)) => Self::of_group(&group),
            Some(Node::Array(array)) => Self::of_structs(root, &array),
            _ => Err(Error::corrupt(format!("no table `{name}`")).at_file(root.file().path())),
        }
    }

    fn of_group(group: &Group) -> Result<Self> {
        let attributes = group.attributes()?;
        let index_name = tree::text(&attributes, "_index").unwrap_or_else(|| "_index".to_owned());
        let nodes = group.nodes()?;
        let order = tree::texts(&attributes, "column-order").unwrap_or_else(|| {
            let names = nodes.iter().map(|(name, _)| name.clone());
            names.filter(|name| *name != index_name && name != "__categories").collect()
        });
        let column = |name: &String| {
            let (values, is_plain) = attribute_of(&group.node(name)?, group)?;
            Ok(Column { name: name.clone(), values, is_plain, categorical: None })
        };
        let index = column(&index_name)?;
        let columns = order.iter().map(column).collect::<Result<_>>()?;
        Ok(Self { index_name, index, columns })
    }

    /// Tables of versions before 0.7.
    fn of_structs(root: &Group, array: &Array) -> Result<Self> {
        let mut columns = Vec::new();
        for (name, column) in fields_of(array)? {
            let categories = tree::find(root, &format!("uns/{}", categories_of(&name)))?;
            let (values, categorical) = match categories {
                Some(Node::Array(categories)) => {
                    let categories = categories.read(&Selection::All)?;
                    let values = categorical(&column, &categories)?;
                    let parts = normalized(&categories).ok().filter(|_| values.is_some());
                    (values, parts.map(|categories| [column, categories]))
                }
                _ => (normalized(&column).ok(), None),
            };
            columns.push(Column { name, values, is_plain: false, categorical });
        }
        let at = columns.iter().position(|column| column.name == "index").unwrap_or(0);
        if columns.is_empty() {
            return Err(Error::corrupt("a table without an index").at_node(array.path()));
        }
        let index = columns.remove(at);
        Ok(Self { index_name: index.name.clone(), index, columns })
    }
}

/// Where in `uns` versions before 0.7 have the categories of a column.
pub(super) fn categories_of(column: &str) -> String {
    format!("{column}_categories")
}

/// The members of an array of structs, each as an array of its own.
pub(super) fn fields_of(array: &Array) -> Result<Vec<(String, Values)>> {
    let values = array.read(&Selection::All)?;
    let DType::Struct(fields) = values.dtype().clone() else {
        let what = format!("a table: expected structs, found {}", values.dtype());
        return Err(Error::corrupt(what).at_node(array.path()).at_file(array.file().path()));
    };
    let field = |field: &stook::dtype::Field| {
        let range = field.offset..field.offset + field.dtype.item_size();
        let mut items = Vec::with_capacity(range.len() * values.len());
        for at in 0..values.len() {
            let item = values.item(at).unwrap_or_default();
            items.extend_from_slice(item.get(range.clone()).unwrap_or_default());
        }
        let mut shape = values.shape().to_vec();
        let mut dtype = field.dtype.clone();
        // A member may have axes of its own.
        while let DType::Array(inner) = &dtype {
            shape.extend_from_slice(&inner.shape);
            dtype = inner.item.clone();
        }
        let heap = values.heap().to_vec();
        Ok((field.name.clone(), Values::new(dtype, shape, items, heap)?))
    };
    fields.fields.iter().map(field).collect()
}

/// The attribute that stands for a node, and whether it tells all of it.
pub(super) fn attribute_of(node: &Node, parent: &Group) -> Result<(Option<Values>, bool)> {
    match node {
        Node::Array(array) => of_array(array, parent),
        Node::Group(group) => Ok((of_group(group)?, false)),
        _ => Ok((None, false)),
    }
}

fn of_array(array: &Array, parent: &Group) -> Result<(Option<Values>, bool)> {
    let attributes = array.attributes()?;
    if array.spec().is_null() {
        return Ok((None, false));
    }
    let values = array.read(&Selection::All)?;
    // Categories of versions before 0.8 are referred to, and lie beside.
    if attributes.get("categories").is_some()
        && let Some(name) = array.path().as_str().rsplit('/').next()
        && let Some(Node::Array(categories)) = tree::find(parent, &format!("__categories/{name}"))?
    {
        return Ok((categorical(&values, &categories.read(&Selection::All)?)?, false));
    }
    let n_known = ["encoding-type", "encoding-version"];
    let is_bare = attributes.iter().all(|(name, _)| n_known.contains(&name));
    let is_same = match values.dtype() {
        DType::String(_) => tree::encoding(&attributes) == "string-array",
        DType::Bool => false,
        _ => tree::encoding(&attributes) == "array",
    };
    let normal = normalized(&values).ok();
    let is_plain = is_same && is_bare && normal.as_ref() == Some(&values);
    Ok((normal, is_plain))
}

fn of_group(group: &Group) -> Result<Option<Values>> {
    let read = |name: &str| -> Result<Option<Values>> {
        match tree::find(group, name)? {
            Some(Node::Array(array)) if !array.spec().is_null() => {
                array.read(&Selection::All).map(Some)
            }
            _ => Ok(None),
        }
    };
    match tree::encoding(&group.attributes()?).as_str() {
        "categorical" => match (read("codes")?, read("categories")?) {
            (Some(codes), Some(categories)) => categorical(&codes, &categories),
            _ => Ok(None),
        },
        "nullable-integer" | "nullable-boolean" | "nullable-string-array" => {
            match (read("values")?, read("mask")?) {
                (Some(values), Some(mask)) => masked(&values, &mask),
                _ => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

/// The category of each code; what is missing is empty, or NaN.
fn categorical(codes: &Values, categories: &Values) -> Result<Option<Values>> {
    let codes = match numbers_of(codes)?.cast(&DType::Int64)? {
        Numbers::Int64(codes) => codes.into_owned(),
        _ => return Ok(None),
    };
    let Ok(categories) = normalized(categories) else { return Ok(None) };
    let place = |code: &i64| usize::try_from(*code).ok().filter(|&at| at < categories.len());
    let shape = vec![codes.len() as u64];
    if matches!(categories.dtype(), DType::String(_)) {
        let text = |code: &i64| place(code).map_or(Ok(String::new()), |at| categories.text_at(at));
        let texts = codes.iter().map(text).collect::<Result<Vec<_>>>()?;
        return Values::from_strings(shape, &texts).map(Some);
    }
    let is_whole = codes.iter().all(|code| place(code).is_some());
    if is_whole {
        let mut items = Vec::new();
        for code in &codes {
            items.extend_from_slice(place(code).and_then(|at| categories.item(at)).unwrap_or(&[]));
        }
        return Values::new(categories.dtype().clone(), shape, items, Vec::new()).map(Some);
    }
    let Numbers::Float64(all) = numbers_of(&categories)?.cast(&DType::Float64)? else {
        return Ok(None);
    };
    let number = |code: &i64| place(code).and_then(|at| all.get(at)).copied().unwrap_or(f64::NAN);
    crate::numbers(shape, &codes.iter().map(number).collect::<Vec<f64>>()).map(Some)
}

/// Values of which some are missing: empty, or NaN.
fn masked(values: &Values, mask: &Values) -> Result<Option<Values>> {
    let Ok(values) = normalized(values) else { return Ok(None) };
    let is_missing = |at: usize| mask.item(at).is_some_and(|item| item.iter().any(|&b| b != 0));
    let n = values.len();
    if !(0..n).any(is_missing) {
        return Ok(Some(values));
    }
    if matches!(values.dtype(), DType::String(_)) {
        let text = |at| if is_missing(at) { Ok(String::new()) } else { values.text_at(at) };
        let texts = (0..n).map(text).collect::<Result<Vec<_>>>()?;
        return Values::from_strings(vec![n as u64], &texts).map(Some);
    }
    let Numbers::Float64(all) = numbers_of(&values)?.cast(&DType::Float64)? else {
        return Ok(None);
    };
    let number = |(at, number): (usize, &f64)| if is_missing(at) { f64::NAN } else { *number };
    let numbers: Vec<f64> = all.iter().enumerate().map(number).collect();
    crate::numbers(vec![n as u64], &numbers).map(Some)
}

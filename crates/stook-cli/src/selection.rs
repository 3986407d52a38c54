//! Selections as they are written on the command line: what Python has between brackets, lists,
//! positions and masks that are arrays of the file themselves, and a member of structs.

use stook::{AxisSelection, DType, Error, File, Result, Selection};

/// Lists and masks taken from arrays are not longer than this.
const MOST_POSITIONS: u64 = 1 << 28;

/// Which elements, and what of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Picked {
    pub(crate) selection: Selection,
    /// The members that lead to what is taken of each element; empty for all of it.
    pub(crate) member: Option<String>,
}

impl Picked {
    /// The selection, where no member is asked for.
    pub(crate) fn of_items(self) -> Result<Selection> {
        match self.member {
            None => Ok(self.selection),
            Some(_) => Err(Error::invalid("the members of structs are told apart anyway")
                .with_hint("leave the `.name` out")),
        }
    }
}

/// The member `path` of `dtype`: where it begins in an item, and its type.
pub(crate) fn member(dtype: &DType, path: &str) -> Result<(usize, DType)> {
    let (mut at, mut found, mut rest) = (0, dtype, path);
    while !rest.is_empty() {
        let DType::Struct(r#struct) = found else {
            return Err(Error::invalid(format!(
                "expected a struct with a member `{rest}`, found {found}"
            )));
        };
        // A name may hold dots: the longest that fits is meant.
        let fits = |name: &str| {
            rest == name || rest.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
        };
        let fitting = r#struct.fields.iter().filter(|field| fits(&field.name));
        let Some(field) = fitting.max_by_key(|field| field.name.len()) else {
            let names: Vec<&str> =
                r#struct.fields.iter().map(|field| field.name.as_str()).collect();
            return Err(Error::invalid(format!("there is no member `{rest}`"))
                .with_hint(format!("the members are: {}", names.join(", "))));
        };
        at += field.offset;
        found = &field.dtype;
        rest = rest.get(field.name.len()..).unwrap_or_default().trim_start_matches('.');
    }
    Ok((at, found.clone()))
}

/// Parses `text`; arrays that it names are read from `file`.
///
/// # Errors
/// `InvalidInput` for what is no selection, and what reading may give.
pub(crate) fn parse(file: &File, text: &str) -> Result<Picked> {
    let (axes, member) = split_member(text.trim());
    let axes = axes.trim();
    let axes = within_brackets(axes)?.unwrap_or(axes).trim();
    let member = member.map(str::to_owned);
    if axes.is_empty() {
        return Ok(Picked { selection: Selection::All, member });
    }
    let parts = split(axes)?;
    let has_more = parts.iter().any(|part| part.starts_with(['[', '@']));
    let selection = match has_more {
        false => Selection::parse(axes)?,
        true => {
            Selection::Axes(parts.iter().map(|part| axis(file, part)).collect::<Result<Vec<_>>>()?)
        }
    };
    Ok(Picked { selection, member })
}

/// What is in the brackets around all of `axes`, if there are any that Python's would be. `[1, 5]`
/// is a list: the element has no brackets.
fn within_brackets(axes: &str) -> Result<Option<&str>> {
    let Some(inner) = axes.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) else {
        return Ok(None);
    };
    // In `[1, 2], [3]` the first is closed before the end.
    let mut depth = 0_i64;
    let is_pair = inner.chars().all(|c| {
        depth += i64::from(c == '[') - i64::from(c == ']');
        depth >= 0
    });
    if !is_pair || depth != 0 {
        return Ok(None);
    }
    let parts = split(inner)?;
    let is_list = parts.len() > 1 && parts.iter().all(|part| part.parse::<i64>().is_ok());
    Ok((!is_list).then_some(inner))
}

/// The axes, and the member that is named behind them.
fn split_member(text: &str) -> (&str, Option<&str>) {
    // `...` and the dots within names are not the beginning of one; `[` and `@` are before it.
    let bytes = text.as_bytes();
    let begins = (0..bytes.len()).find(|&at| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let after = bytes.get(at + 1);
        bytes.get(at) == Some(&b'.')
            && before.is_none_or(|b| matches!(b, b']' | b' ' | b',' | b'0'..=b'9' | b':'))
            && after.is_some_and(|b| !matches!(b, b'.' | b' ' | b',' | b']'))
            && !text.get(..at).is_some_and(is_within_name)
    });
    match begins {
        Some(at) => {
            let axes = text.get(..at).unwrap_or_default().trim_end().trim_end_matches(',');
            (axes, text.get(at + 1..))
        }
        None => (text, None),
    }
}

/// Whether `head` ends within the path of an array, `@/a/b`.
fn is_within_name(head: &str) -> bool {
    head.rsplit([',', ' ']).next().is_some_and(|last| last.contains('@'))
}

/// The parts between the commas that are in no list.
fn split(axes: &str) -> Result<Vec<&str>> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0_usize, 0);
    for (at, c) in axes.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.checked_sub(1).ok_or_else(|| unpaired(axes))?,
            ',' if depth == 0 => {
                parts.push(axes.get(from..at).unwrap_or_default().trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    if depth > 0 {
        return Err(unpaired(axes));
    }
    parts.push(axes.get(from..).unwrap_or_default().trim());
    Ok(parts)
}

fn unpaired(axes: &str) -> Error {
    Error::invalid(format!("the brackets of selection `{axes}` do not match"))
}

fn axis(file: &File, part: &str) -> Result<AxisSelection> {
    if let Some(list) = part.strip_prefix('[').and_then(|list| list.strip_suffix(']')) {
        let numbers = list.split(',').map(str::trim).filter(|number| !number.is_empty());
        let number = |text: &str| {
            text.parse()
                .map_err(|_| Error::invalid(format!("`{text}` in list `{part}` is no integer")))
        };
        return numbers.map(number).collect::<Result<_>>().map(AxisSelection::List);
    }
    if let Some(node) = part.strip_prefix('@') {
        return positions(file, node);
    }
    match Selection::parse(part)? {
        Selection::Axes(axes) if axes.len() == 1 => {
            Ok(axes.into_iter().next().unwrap_or(AxisSelection::ALL))
        }
        _ => Err(Error::invalid(format!("selection `{part}` is no integer, slice or list"))),
    }
}

/// The positions or the mask that the array at `node` holds.
fn positions(file: &File, node: &str) -> Result<AxisSelection> {
    let array = crate::find::node(file, node)?;
    let stook::Node::Array(array) = array else {
        return Err(Error::invalid("expected an array of positions or a mask, found a group")
            .at_node(array.path())
            .at_file(file.path()));
    };
    let located = |error: Error| error.at_node(array.path()).at_file(file.path());
    let spec = array.spec();
    if spec.shape().len() != 1 || spec.n_elements() > MOST_POSITIONS {
        return Err(located(Error::invalid(format!(
            "expected positions or a mask along one axis, found shape {:?}",
            spec.shape()
        ))));
    }
    let values = array.read(&Selection::All)?;
    let is_mask = match &spec.dtype {
        DType::Bool => true,
        // h5py's and PyTables' bool.
        DType::Enum(r#enum) => r#enum.members.len() == 2,
        _ => false,
    };
    let items: Vec<&[u8]> =
        (0..values.len()).map(|at| values.item(at).unwrap_or_default()).collect();
    if is_mask {
        let on = |item: &&[u8]| item.iter().any(|&byte| byte != 0);
        return Ok(AxisSelection::Mask(items.iter().map(on).collect()));
    }
    let position = |item: &&[u8]| {
        let value = stook::json::of_item(&spec.dtype, item, values.heap())?;
        value.as_i64().ok_or_else(|| {
            located(Error::invalid(format!("expected integers or a mask, found {}", spec.dtype)))
        })
    };
    items.iter().map(position).collect::<Result<_>>().map(AxisSelection::List)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use stook::dtype::StructType;

    fn parsed(text: &str) -> (Selection, Option<String>) {
        let file = File::in_memory().unwrap();
        let picked = parse(&file, text).unwrap();
        (picked.selection, picked.member)
    }

    #[test]
    fn what_python_has_is_as_before() {
        for text in ["", "0", "-1", "1:3, ::2", "..., 3", "[1, ..., ::-1]", "[2]", " : "] {
            assert_eq!(parsed(text), (Selection::parse(text).unwrap(), None), "{text}");
        }
    }

    #[test]
    fn lists_are_in_brackets() {
        let list = |list: &[i64]| AxisSelection::List(list.to_vec());
        let axes = |axes: &[AxisSelection]| (Selection::Axes(axes.to_vec()), None);
        assert_eq!(parsed("[1, 5,7]"), axes(&[list(&[1, 5, 7])]));
        assert_eq!(parsed("[1,5], :"), axes(&[list(&[1, 5]), AxisSelection::ALL]));
        assert_eq!(parsed("[[1,5], 0]"), axes(&[list(&[1, 5]), AxisSelection::Index(0)]));
        assert_eq!(parsed("[1,2], [-1]"), axes(&[list(&[1, 2]), list(&[-1])]));
        assert_eq!(parsed("..., [3]"), axes(&[AxisSelection::Ellipsis, list(&[3])]));
    }

    #[test]
    fn members_are_behind_a_dot() {
        let member = |text: &str| parsed(text).1;
        assert_eq!(parsed(".n"), (Selection::All, Some("n".to_owned())));
        assert_eq!(parsed("0:5 .n").0, Selection::parse("0:5").unwrap());
        assert_eq!(member("[0:5].a.b").as_deref(), Some("a.b"));
        assert_eq!(member("..., 1").as_deref(), None);
        assert_eq!(member("...").as_deref(), None);
        assert_eq!(member("...,.x").as_deref(), Some("x"));
    }

    #[test]
    fn brackets_must_match_and_lists_hold_integers() {
        let file = File::in_memory().unwrap();
        for text in ["[1", "1]", "[a, b]", "[1.5, 2]", "@/nowhere"] {
            assert!(parse(&file, text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_member_may_have_dots_in_its_name() {
        let inner = StructType::packed([("y".to_owned(), DType::Int8)]).unwrap();
        let inner = DType::Struct(Arc::new(inner));
        let members = [("a".to_owned(), DType::Int16), ("a.x".to_owned(), inner)];
        let dtype = DType::Struct(Arc::new(StructType::packed(members).unwrap()));
        assert_eq!(member(&dtype, "a").unwrap(), (0, DType::Int16));
        assert_eq!(member(&dtype, "a.x.y").unwrap(), (2, DType::Int8));
        let error = member(&dtype, "b").unwrap_err();
        assert_eq!(error.hint(), Some("the members are: a, a.x"));
        assert!(member(&dtype, "a.b").is_err());
    }
}

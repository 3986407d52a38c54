//! Loading recipes: a saved name that says where its data lies, and what to make of it.
//!
//! A recipe is a dictionary with a marker, in an npy file of one object (docs/formats/onedata.md).

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use stook::npy::ObjectArray;
use stook::pickle::{Node, NodeId, Pickle};
use stook_core::{Error, Result};

/// What tells a recipe from any other dictionary.
pub const RECIPE_MARKER: &str = "__LOADING_RECIPE__";

/// Values nest so deep at most.
const MAX_DEPTH: usize = 64;
/// Values and bytes of a recipe, those that occur more than once counted each time.
const MAX_LEN: usize = 1 << 20;

/// How to load something that is saved elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadingRecipe {
    /// The name of a loader.
    pub loader: String,
    /// What it is to load; loaders that need no argument have none.
    pub source: Option<String>,
    /// Names of transforms, in the order in which they are applied.
    pub transforms: Vec<String>,
    /// Keyword arguments for the loader.
    pub arguments: Map<String, Value>,
}

impl LoadingRecipe {
    /// A recipe without transforms and keyword arguments.
    #[must_use]
    pub fn new(loader: impl Into<String>, source: impl Into<String>) -> Self {
        let (loader, source) = (loader.into(), Some(source.into()));
        Self { loader, source, transforms: Vec::new(), arguments: Map::new() }
    }

    /// The same with one more transform.
    #[must_use]
    pub fn transform(mut self, name: impl Into<String>) -> Self {
        self.transforms.push(name.into());
        self
    }

    /// The same with one more keyword argument.
    #[must_use]
    pub fn argument(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.arguments.insert(name.into(), value.into());
        self
    }

    /// The recipe that `objects` are; `None` if they are anything else.
    ///
    /// # Errors
    /// `Corrupt` naming the member of a recipe that is missing or of another type.
    pub fn of_objects(objects: &ObjectArray) -> Result<Option<Self>> {
        let Some(dict) = objects.item() else { return Ok(None) };
        let pickle = objects.pickle();
        let text = |id: NodeId| pickle.get(id).and_then(Node::as_text);
        if pickle.item(dict, "marker").and_then(text) != Some(RECIPE_MARKER) {
            return Ok(None);
        }
        check_len(pickle, dict, 0, &mut 0)?;
        match pickle.to_json(dict)? {
            Value::Object(members) => Self::of_members(members).map(Some),
            _ => Ok(None),
        }
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// `Corrupt` for what is no recipe.
    pub fn of_json(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| Error::corrupt("a recipe is no JSON").with_source(error))?;
        match value {
            Value::Object(members) if members.get("marker") == Some(&json!(RECIPE_MARKER)) => {
                Self::of_members(members)
            }
            _ => Err(Error::corrupt(format!(
                "expected an object whose `marker` is `{RECIPE_MARKER}`"
            ))),
        }
    }

    fn of_members(mut members: Map<String, Value>) -> Result<Self> {
        let mut take = |name: &str| {
            let missing = || Error::corrupt(format!("loading recipe: `{name}` is missing"));
            members.remove(name).ok_or_else(missing)
        };
        let loader = text_of("loader_type", take("loader_type")?)?;
        let source = match take("source_arg")? {
            Value::Null => None,
            other => Some(text_of("source_arg", other)?),
        };
        let transforms = match take("transforms")? {
            Value::Null => Vec::new(),
            Value::Array(names) => {
                names.into_iter().map(|name| text_of("transforms", name)).collect::<Result<_>>()?
            }
            other => return Err(unfit("transforms", "a list", &other)),
        };
        let arguments = match take("kwargs")? {
            Value::Object(arguments) => arguments,
            other => return Err(unfit("kwargs", "a dictionary", &other)),
        };
        Ok(Self { loader, source, transforms, arguments })
    }

    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        json!({
            "marker": RECIPE_MARKER,
            "loader_type": self.loader,
            "source_arg": self.source,
            "transforms": self.transforms,
            "kwargs": self.arguments,
        })
        .to_string()
    }

    /// The dictionary, as the one object of an array.
    ///
    /// # Errors
    /// `LimitExceeded` for arguments nested over 64 deep.
    pub fn to_objects(&self) -> Result<ObjectArray> {
        let mut builder = Builder { pickle: Pickle::new(Node::None), texts: HashMap::new() };
        let members = [
            ("marker", json!(RECIPE_MARKER)),
            ("loader_type", json!(self.loader)),
            ("source_arg", json!(self.source)),
            ("transforms", json!(self.transforms)),
            ("kwargs", Value::Object(self.arguments.clone())),
        ];
        let mut pairs = Vec::with_capacity(members.len());
        for (name, value) in members {
            pairs.push((builder.text(name)?, builder.value(&value, 0)?));
        }
        let dict = builder.pickle.add(Node::Dict(pairs))?;
        ObjectArray::new(builder.pickle, Vec::new(), vec![dict])
    }
}

/// Checks that a recipe is no longer than one would be: an object that is there once in the file may
/// be met any number of times.
fn check_len(pickle: &Pickle, id: NodeId, depth: usize, len: &mut usize) -> Result<()> {
    let (own, parts): (usize, &[NodeId]) = match pickle.node(id)? {
        Node::Text(text) | Node::Path(text) => (text.len(), &[]),
        Node::Bytes(bytes) | Node::ByteArray(bytes) | Node::ByteText(bytes) => (bytes.len(), &[]),
        Node::List(items) | Node::Tuple(items) | Node::Set(items) | Node::FrozenSet(items) => {
            (0, items)
        }
        Node::Array(array) | Node::Scalar(array) => (array.bytes.len_bytes(), &array.objects),
        Node::Dict(pairs) | Node::OrderedDict(pairs) => {
            for (name, value) in pairs {
                check_len(pickle, *name, depth + 1, len)?;
                check_len(pickle, *value, depth + 1, len)?;
            }
            (0, &[])
        }
        _ => (0, &[]),
    };
    *len = len.saturating_add(own).saturating_add(1);
    if depth > MAX_DEPTH || *len > MAX_LEN {
        return Err(Error::limit("loading recipe: it is longer or nests deeper than one would be"));
    }
    parts.iter().try_for_each(|part| check_len(pickle, *part, depth + 1, len))
}

fn text_of(name: &str, value: Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(unfit(name, "text", &other)),
    }
}

fn unfit(name: &str, expected: &str, found: &Value) -> Error {
    const SHOWN: usize = 60;
    let found: String = found.to_string().chars().take(SHOWN).collect();
    Error::corrupt(format!("loading recipe: `{name}`: expected {expected}, found {found}"))
}

/// Makes objects of values. Equal texts are one object, as they are in a Python program that
/// spells them out.
struct Builder {
    pickle: Pickle,
    texts: HashMap<String, NodeId>,
}

impl Builder {
    fn text(&mut self, text: &str) -> Result<NodeId> {
        if let Some(id) = self.texts.get(text) {
            return Ok(*id);
        }
        let id = self.pickle.add(Node::Text(text.to_owned()))?;
        self.texts.insert(text.to_owned(), id);
        Ok(id)
    }

    fn value(&mut self, value: &Value, depth: usize) -> Result<NodeId> {
        if depth > MAX_DEPTH {
            return Err(Error::limit(format!(
                "loading recipe: values nested over {MAX_DEPTH} deep"
            )));
        }
        let node = match value {
            Value::Null => Node::None,
            Value::Bool(value) => Node::Bool(*value),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => Node::Int(number.into()),
                (_, Some(number)) => Node::Int(number.into()),
                _ => Node::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => return self.text(text),
            Value::Array(items) => {
                let items = items.iter().map(|item| self.value(item, depth + 1));
                Node::List(items.collect::<Result<_>>()?)
            }
            Value::Object(members) => {
                let pairs = members
                    .iter()
                    .map(|(name, value)| Ok((self.text(name)?, self.value(value, depth + 1)?)));
                Node::Dict(pairs.collect::<Result<_>>()?)
            }
        };
        self.pickle.add(node)
    }
}

#[cfg(test)]
mod tests {
    use stook_core::ErrorKind;

    use super::*;

    fn recipe() -> LoadingRecipe {
        LoadingRecipe::new("S2P", "F")
            .transform("transpose")
            .argument("planes", json!([0, 2]))
            .argument("rate", 30.0)
    }

    #[test]
    fn objects_and_json_give_it_back() {
        let back = LoadingRecipe::of_objects(&recipe().to_objects().unwrap()).unwrap();
        assert_eq!(back, Some(recipe()));
        assert_eq!(LoadingRecipe::of_json(&recipe().to_json()).unwrap(), recipe());
        let bare = LoadingRecipe { source: None, ..recipe() };
        assert_eq!(LoadingRecipe::of_objects(&bare.to_objects().unwrap()).unwrap(), Some(bare));
    }

    #[test]
    fn what_is_no_recipe_says_so() {
        let mut pickle = Pickle::new(Node::None);
        let (key, value) = (pickle.add(Node::Text("marker".into())).unwrap(), pickle.root());
        let dict = pickle.add(Node::Dict(vec![(key, value)])).unwrap();
        let objects = ObjectArray::new(pickle.clone(), vec![], vec![dict]).unwrap();
        assert_eq!(LoadingRecipe::of_objects(&objects).unwrap(), None);
        let objects = ObjectArray::new(pickle, vec![1], vec![dict]).unwrap();
        assert_eq!(LoadingRecipe::of_objects(&objects).unwrap(), None);

        let text = recipe().to_json();
        for (from, to, named) in [
            ("\"loader_type\":\"S2P\",", "", "`loader_type` is missing"),
            ("\"S2P\"", "7", "`loader_type`: expected text, found 7"),
            ("[\"transpose\"]", "{}", "`transforms`: expected a list"),
            ("[\"transpose\"]", "[1]", "`transforms`: expected text"),
            ("\"kwargs\":{", "\"kwargs\":[],\"x\":{", "`kwargs`: expected a dictionary"),
        ] {
            assert!(text.contains(from), "{from}");
            let error = LoadingRecipe::of_json(&text.replace(from, to)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.message().contains(named), "{error}");
        }
        assert!(LoadingRecipe::of_json("[]").is_err());
        assert!(LoadingRecipe::of_json("{").is_err());
    }

    #[test]
    fn values_that_nest_too_deep_are_refused() {
        let mut value = json!([]);
        for _ in 0..100 {
            value = json!([value]);
        }
        let error = recipe().argument("x", value).to_objects().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    }
}

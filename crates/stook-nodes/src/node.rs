//! Handles to the nodes of an acquisition.

use stook::{Array, DType, Element, NodePath, Selection, Values, View};
use stook_core::{Error, Result};

use crate::acquisition::Acquisition;
use crate::attribute;
use crate::convention::Class;
use crate::create::{NewArray, numpy_name};
use crate::kinds::GroupType;
use crate::live::Live;
use crate::value::Value;
use crate::walk::{Depth, Visit};

/// A node's attributes, decoded, in the order of the file.
pub type Attributes = Vec<(String, Value)>;

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// A group.
    Group(Group),
    /// An array of a fixed shape.
    CArray(CArray),
    /// An array that grows along its first axis.
    EArray(EArray),
    /// Rows of different lengths.
    VLArray(VLArray),
    /// Texts.
    StringArray(StringArray),
}

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            acquisition: Acquisition,
            path: NodePath,
        }

        impl $name {
            /// Where it is.
            #[must_use]
            pub fn path(&self) -> &NodePath {
                &self.path
            }

            /// Its name; `/` of the root.
            #[must_use]
            pub fn name(&self) -> &str {
                if self.path.is_root() { "/" } else { self.path.name() }
            }

            /// The file it is in.
            #[must_use]
            pub fn acquisition(&self) -> &Acquisition {
                &self.acquisition
            }

            /// Its title.
            ///
            /// # Errors
            /// As [`Acquisition::attribute`].
            pub fn title(&self) -> Result<String> {
                let title = self.attribute("TITLE")?;
                Ok(title.as_ref().and_then(Value::as_text).unwrap_or_default().to_owned())
            }

            /// The group it is in; `None` of the root.
            #[must_use]
            pub fn parent(&self) -> Option<Group> {
                let path = self.path.parent()?;
                Some(Group { acquisition: self.acquisition.clone(), path })
            }

            /// The attribute `name`; `None` where there is none.
            ///
            /// # Errors
            /// As [`Acquisition::attribute`].
            pub fn attribute(&self, name: &str) -> Result<Option<Value>> {
                self.acquisition.attribute(&self.path, name)
            }

            /// All attributes.
            ///
            /// # Errors
            /// As [`Acquisition::attribute`].
            pub fn attributes(&self) -> Result<Attributes> {
                let names = self.acquisition.attribute_names(&self.path)?;
                let read = |name: String| Ok(self.attribute(&name)?.map(|value| (name, value)));
                names.into_iter().filter_map(|name| read(name).transpose()).collect()
            }

            /// Sets an attribute.
            ///
            /// # Errors
            /// As [`Acquisition::set_attribute`].
            pub fn set_attribute(&self, name: &str, value: &Value) -> Result<()> {
                self.acquisition.set_attribute(&self.path, name, value)
            }

            fn at(&self, error: Error) -> Error {
                error.at_node(&self.path).at_file(self.acquisition.file().path())
            }
        }

        impl From<$name> for Node {
            fn from(handle: $name) -> Self {
                Self::$name(handle)
            }
        }
    )*};
}

handles! {
    /// A group. Names given to its methods are those of its children.
    Group,
    /// An array of a fixed shape.
    CArray,
    /// An array that grows along its first axis.
    EArray,
    /// Rows of different lengths.
    VLArray,
    /// Texts, one a row.
    StringArray,
}

impl Node {
    pub(crate) fn new(acquisition: Acquisition, path: NodePath, class: Class) -> Self {
        match class {
            Class::Group => Self::Group(Group { acquisition, path }),
            Class::CArray => Self::CArray(CArray { acquisition, path }),
            Class::EArray => Self::EArray(EArray { acquisition, path }),
            Class::VLArray => Self::VLArray(VLArray { acquisition, path }),
            Class::StringArray => Self::StringArray(StringArray { acquisition, path }),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &NodePath {
        match self {
            Self::Group(node) => node.path(),
            Self::CArray(node) => node.path(),
            Self::EArray(node) => node.path(),
            Self::VLArray(node) => node.path(),
            Self::StringArray(node) => node.path(),
        }
    }

    /// What it is.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Group(_) => Class::Group,
            Self::CArray(_) => Class::CArray,
            Self::EArray(_) => Class::EArray,
            Self::VLArray(_) => Class::VLArray,
            Self::StringArray(_) => Class::StringArray,
        }
    }
}

impl Group {
    fn below(&self, name: &str) -> Result<NodePath> {
        self.path.join(name).map_err(|error| self.at(error))
    }

    /// The nodes in it, sorted by name.
    ///
    /// # Errors
    /// As [`Acquisition::children`].
    pub fn children(&self) -> Result<Vec<Node>> {
        let children = self.acquisition.children(&self.path)?;
        let node = |(name, class): (String, Class)| {
            Ok(Node::new(self.acquisition.clone(), self.below(&name)?, class))
        };
        children.into_iter().map(node).collect()
    }

    /// The names in it, sorted.
    ///
    /// # Errors
    /// As [`Acquisition::children`].
    pub fn children_names(&self) -> Result<Vec<String>> {
        Ok(self.acquisition.children(&self.path)?.into_iter().map(|(name, _)| name).collect())
    }

    /// The node called `name`.
    ///
    /// # Errors
    /// As [`Acquisition::node`].
    pub fn child(&self, name: &str) -> Result<Node> {
        self.acquisition.node(self.below(name)?.as_str())
    }

    /// Whether a node of this name is in it, in small letters or large ones.
    ///
    /// # Errors
    /// As [`Acquisition::children`].
    pub fn contains(&self, name: &str) -> Result<bool> {
        let name = name.to_lowercase();
        Ok(self.children_names()?.iter().any(|known| known.to_lowercase() == name))
    }

    /// The group in it with this title.
    ///
    /// # Errors
    /// As [`Acquisition::children`] and [`Acquisition::attribute`].
    pub fn group_by_title(&self, title: &str) -> Result<Option<Self>> {
        for node in self.children()? {
            if let Node::Group(group) = node
                && group.title()? == title
            {
                return Ok(Some(group));
            }
        }
        Ok(None)
    }

    /// Removes all nodes in it.
    ///
    /// # Errors
    /// As [`Acquisition::remove`].
    pub fn remove_children(&self) -> Result<()> {
        let names = self.children_names()?;
        names.iter().try_for_each(|name| self.acquisition.remove(&self.below(name)?))
    }

    /// The nodes from this group down; see [`Acquisition::walk`].
    ///
    /// # Errors
    /// As [`Acquisition::walk`].
    pub fn walk(&self, depth: Depth) -> Result<Vec<Visit>> {
        self.acquisition.walk(self.path.as_str(), depth)
    }

    /// The group called `name`, made if it is not there.
    ///
    /// # Errors
    /// `InvalidInput` if something else has the name, `ReadOnly`, `Io`.
    pub fn require_group(&self, name: &str, title: &str) -> Result<Self> {
        let path = self.below(name)?;
        match self.acquisition.class(&path)? {
            Some(_) => self.acquisition.group(path.as_str()),
            None => self.make_group(path, title, &[]),
        }
    }

    /// Makes a group with attributes whose texts are stored as they are.
    ///
    /// # Errors
    /// `AlreadyExists`, `ReadOnly`, `Io`. Nothing is left behind.
    pub fn create_group_with(
        &self,
        name: &str,
        title: &str,
        attributes: &[(String, String)],
    ) -> Result<Self> {
        self.make_group(self.below(name)?, title, attributes)
    }

    fn make_group(
        &self,
        path: NodePath,
        title: &str,
        attributes: &[(String, String)],
    ) -> Result<Self> {
        self.acquisition.make_group(&path, title, attributes)?;
        Ok(Self { acquisition: self.acquisition.clone(), path })
    }

    /// The group called `name`, in which the first letter becomes a large one, made with its kind
    /// if it is not there.
    ///
    /// # Errors
    /// As [`Group::require_group`].
    pub fn add_group(&self, name: &str, kind: &str, title: &str) -> Result<Self> {
        let convention = self.acquisition.convention();
        let backend = ("backend".to_owned(), convention.backend_text());
        for name in [name.to_owned(), capitalized(name)] {
            let path = self.below(&name)?;
            if self.acquisition.class(&path)?.is_some() {
                let group = self.acquisition.group(path.as_str())?;
                self.acquisition.set_text(&path, &backend.0, &backend.1)?;
                return Ok(group);
            }
        }
        let kind = attribute::encode(&kind.to_lowercase().into());
        let attributes = [("type".to_owned(), kind), backend];
        self.make_group(self.below(&capitalized(name))?, title, &attributes)
    }

    /// As [`Group::add_group`], of a kind that is known.
    ///
    /// # Errors
    /// As [`Group::require_group`].
    pub fn add_group_of(&self, name: &str, kind: GroupType, title: &str) -> Result<Self> {
        self.add_group(name, kind.name(), title)
    }

    /// Makes an array of `values`.
    ///
    /// # Errors
    /// `AlreadyExists`, `InvalidInput`, `ReadOnly`, `Unsupported`, `Io`. Nothing is left behind.
    pub fn create_carray(&self, name: &str, values: &Values, title: &str) -> Result<CArray> {
        let dtype = values.dtype();
        let view = View::new(values.items(), values.shape(), dtype.item_size(), values.heap())?;
        self.create_carray_from(name, (dtype, values.shape(), &view), title)
    }

    /// Makes an array of the items of a view, which are of the dtype in native byte order, of this
    /// shape.
    ///
    /// # Errors
    /// As [`Group::create_carray`].
    pub fn create_carray_from(
        &self,
        name: &str,
        (dtype, shape, items): (&DType, &[u64], &View<'_>),
        title: &str,
    ) -> Result<CArray> {
        let new = self.new_array(name, Class::CArray, dtype.clone(), shape, title)?;
        if !self.acquisition.make_whole(&new, items)? {
            self.acquisition.make_array(&new, Some(items))?;
        }
        Ok(CArray { acquisition: self.acquisition.clone(), path: new.path })
    }

    fn new_array<'a>(
        &self,
        name: &str,
        class: Class,
        dtype: DType,
        shape: &'a [u64],
        title: &'a str,
    ) -> Result<NewArray<'a>> {
        let dtype_name = match &dtype {
            DType::Sequence(item) => numpy_name(item),
            other => numpy_name(other),
        };
        Ok(NewArray { path: self.below(name)?, class, dtype, shape, title, dtype_name })
    }

    /// Makes an array of no rows that grows, of rows of `row_shape` (empty for numbers).
    ///
    /// # Errors
    /// As [`Group::create_carray`].
    pub fn create_earray(
        &self,
        name: &str,
        dtype: DType,
        row_shape: &[u64],
        title: &str,
    ) -> Result<EArray> {
        let mut shape = vec![0];
        shape.extend_from_slice(row_shape);
        let new = self.new_array(name, Class::EArray, dtype, &shape, title)?;
        let array = self.acquisition.make_array(&new, None)?;
        self.acquisition.adopt(&new.path, Class::EArray, array)?;
        Ok(EArray { acquisition: self.acquisition.clone(), path: new.path })
    }

    /// Makes an array of rows of different lengths, of items of `dtype`.
    ///
    /// # Errors
    /// As [`Group::create_carray`].
    pub fn create_vlarray(&self, name: &str, dtype: DType, title: &str) -> Result<VLArray> {
        let path = self.make_ragged(name, Class::VLArray, dtype, title)?;
        Ok(VLArray { acquisition: self.acquisition.clone(), path })
    }

    /// Makes an array of texts.
    ///
    /// # Errors
    /// As [`Group::create_carray`].
    pub fn create_string_array(&self, name: &str, title: &str) -> Result<StringArray> {
        let path = self.make_ragged(name, Class::StringArray, DType::UInt8, title)?;
        Ok(StringArray { acquisition: self.acquisition.clone(), path })
    }

    fn make_ragged(&self, name: &str, class: Class, dtype: DType, title: &str) -> Result<NodePath> {
        if dtype.has_heap() || dtype.item_size() == 0 {
            let message = format!("rows of items of type {dtype}");
            return Err(self.at(Error::unsupported(message)));
        }
        let sequence = match (&dtype, self.acquisition.is_hdf5()) {
            (DType::UInt8, false) => DType::Bytes,
            _ => DType::Sequence(dtype.into()),
        };
        let new = self.new_array(name, class, sequence, &[0], title)?;
        let array = self.acquisition.make_array(&new, None)?;
        self.acquisition.adopt(&new.path, class, array)?;
        Ok(new.path)
    }
}

/// A name whose first letter is a large one.
fn capitalized(name: &str) -> String {
    let mut chars = name.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

impl CArray {
    /// The array, to be read and written.
    ///
    /// # Errors
    /// As [`Acquisition::node`].
    pub fn array(&self) -> Result<Array> {
        self.acquisition.file().array(self.path.as_str()).map_err(|error| self.at(error))
    }

    /// Its shape.
    ///
    /// # Errors
    /// As [`Acquisition::node`].
    pub fn shape(&self) -> Result<Vec<u64>> {
        Ok(self.array()?.shape())
    }

    /// All its values.
    ///
    /// # Errors
    /// As [`stook_core::Array::read`].
    pub fn read(&self) -> Result<Values> {
        self.array()?.read(&Selection::All)
    }
}

impl EArray {
    fn live(&self) -> Result<Live> {
        self.acquisition.live(&self.path, Class::EArray)
    }

    /// Its shape, with what is not stored yet.
    ///
    /// # Errors
    /// As [`Acquisition::node`].
    pub fn shape(&self) -> Result<Vec<u64>> {
        Ok(self.live()?.shape())
    }

    /// The array with all that was appended, to be read.
    ///
    /// # Errors
    /// As [`EArray::append`].
    pub fn array(&self) -> Result<Array> {
        match self.live()? {
            Live::Rows(rows) => rows.stored().cloned(),
            Live::Ragged(rows) => rows.stored().cloned(),
        }
    }

    /// All its values.
    ///
    /// # Errors
    /// As [`stook_core::Array::read`].
    pub fn read(&self) -> Result<Values> {
        self.array()?.read(&Selection::All)
    }

    /// The way of rows into it, for who appends often.
    ///
    /// # Errors
    /// As [`Acquisition::node`].
    pub fn appender(&self) -> Result<Appender> {
        match self.live()? {
            Live::Rows(rows) => Ok(Appender { rows }),
            Live::Ragged(_) => Err(self.at(Error::invalid("rows of different lengths"))),
        }
    }

    /// Appends `values`: one row, or an array of rows.
    ///
    /// # Errors
    /// `InvalidInput` for another dtype or shape; `ReadOnly`; what storing may give, of these rows
    /// or earlier ones: then none of these is appended.
    pub fn append(&self, values: &Values) -> Result<()> {
        let appender = self.appender()?;
        if values.dtype() != appender.dtype() {
            let (expected, found) = (appender.dtype(), values.dtype());
            return Err(self.at(Error::invalid(format!("expected {expected}, found {found}"))));
        }
        let is_row = values.shape() == appender.row_shape();
        let n = if is_row { 1 } else { appender.rows.n_rows_of(values.shape())? };
        appender.append(values.items(), n)
    }

    /// Appends one row of Rust numbers, or several, one after another.
    ///
    /// # Errors
    /// As [`EArray::append`].
    pub fn append_elements<T: Element>(&self, elements: &[T]) -> Result<()> {
        let appender = self.appender()?;
        if appender.dtype() != &T::DTYPE {
            let (expected, found) = (appender.dtype(), T::DTYPE);
            return Err(self.at(Error::invalid(format!("expected {expected}, found {found}"))));
        }
        let row = appender.row_shape().iter().product::<u64>();
        let found = elements.len() as u64;
        if row == 0 || !found.is_multiple_of(row) {
            let message = format!("expected rows of {row} elements, found {found} elements");
            return Err(self.at(Error::invalid(message)));
        }
        appender.append(stook::element::as_bytes(elements), found / row)
    }
}

/// The way of rows into an array. Cheap to clone; clones append to the same array.
#[derive(Clone, Debug)]
pub struct Appender {
    rows: std::sync::Arc<crate::rows::Rows>,
}

impl Appender {
    /// The type of the items.
    #[must_use]
    pub fn dtype(&self) -> &DType {
        self.rows.dtype()
    }

    /// The shape of a row.
    #[must_use]
    pub fn row_shape(&self) -> &[u64] {
        self.rows.row_shape()
    }

    /// The shape of the array, with what is not stored yet.
    #[must_use]
    pub fn shape(&self) -> Vec<u64> {
        self.rows.shape()
    }

    /// Appends rows if that is no more than a copy in memory; gives whether it did. They are whole
    /// rows of items of the dtype, in C order and native byte order.
    #[must_use]
    pub fn append_to_memory(&self, rows: &[u8]) -> bool {
        self.rows.append_to_memory(rows)
    }

    /// Appends `n` rows.
    ///
    /// # Errors
    /// As [`EArray::append`].
    pub fn append(&self, rows: &[u8], n: u64) -> Result<()> {
        self.rows.append(rows, n)
    }

    /// Stores what was appended, and forgets it: somebody changes the array past this.
    ///
    /// # Errors
    /// As [`EArray::append`].
    pub fn forget(&self) -> Result<()> {
        self.rows.forget()
    }
}

impl VLArray {
    /// The number of rows, with those that are not stored yet.
    ///
    /// # Errors
    /// As [`Acquisition::node`].
    pub fn len(&self) -> Result<u64> {
        let shape = self.acquisition.live(&self.path, Class::VLArray)?.shape();
        Ok(shape.first().copied().unwrap_or(0))
    }

    /// Whether there are no rows.
    ///
    /// # Errors
    /// As [`Acquisition::node`].
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// The array with all that was appended, to be read.
    ///
    /// # Errors
    /// As [`VLArray::append`].
    pub fn array(&self) -> Result<Array> {
        self.acquisition.stored_array(&self.path)
    }

    /// The type of the items of its rows.
    ///
    /// # Errors
    /// As [`Acquisition::node`].
    pub fn item_dtype(&self) -> Result<DType> {
        Ok(match self.acquisition.file().array(self.path.as_str())?.dtype() {
            DType::Sequence(item) => (*item).clone(),
            _ => DType::UInt8,
        })
    }

    /// Appends a row: whole items in native byte order.
    ///
    /// # Errors
    /// `InvalidInput` for a part of an item; what storing may give.
    pub fn append(&self, row: &[u8]) -> Result<()> {
        self.acquisition.append_row(&self.path, row)
    }

    /// Appends a row of Rust numbers.
    ///
    /// # Errors
    /// As [`VLArray::append`]; `InvalidInput` also for another dtype.
    pub fn append_elements<T: Element>(&self, elements: &[T]) -> Result<()> {
        let dtype = self.item_dtype()?;
        if dtype != T::DTYPE {
            let message = format!("expected {dtype}, found {}", T::DTYPE);
            return Err(self.at(Error::invalid(message)));
        }
        self.append(stook::element::as_bytes(elements))
    }

    /// All rows.
    ///
    /// # Errors
    /// As [`stook_core::Array::read`].
    pub fn read(&self) -> Result<Values> {
        self.array()?.read(&Selection::All)
    }
}

impl From<StringArray> for VLArray {
    /// The rows that hold the pickles of the texts.
    fn from(array: StringArray) -> Self {
        Self { acquisition: array.acquisition, path: array.path }
    }
}

impl StringArray {
    /// The number of texts.
    ///
    /// # Errors
    /// As [`Acquisition::node`].
    pub fn len(&self) -> Result<u64> {
        let shape = self.acquisition.live(&self.path, Class::VLArray)?.shape();
        Ok(shape.first().copied().unwrap_or(0))
    }

    /// Whether there are no texts.
    ///
    /// # Errors
    /// As [`Acquisition::node`].
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Appends a text.
    ///
    /// # Errors
    /// As [`VLArray::append`].
    pub fn append(&self, text: &str) -> Result<()> {
        self.acquisition.append_row(&self.path, &pickled(text))
    }

    /// The array of the pickles of the texts, with all that was appended.
    ///
    /// # Errors
    /// As [`VLArray::append`].
    pub fn array(&self) -> Result<Array> {
        self.acquisition.stored_array(&self.path)
    }

    /// All texts.
    ///
    /// # Errors
    /// As [`stook_core::Array::read`]; `Unsupported` naming what a row would call if it were
    /// unpickled, or where it holds something other than text.
    pub fn read(&self) -> Result<Vec<String>> {
        let rows = self.array()?.read(&Selection::All)?;
        let text = |at: usize| match attribute::of_pickle(rows.payload(at)?)? {
            Value::Text(text) => Ok(text),
            other => {
                let found = other.type_name().1.to_owned();
                Err(Error::unsupported(format!("expected a text, found a {found}")))
            }
        };
        let text = |at| text(at).map_err(|error| self.at(error.within(format_args!("row {at}"))));
        (0..rows.len()).map(text).collect()
    }
}

/// What Python's `pickle` makes of a text, in protocol 4.
#[must_use]
pub fn pickled(text: &str) -> Vec<u8> {
    let len = text.len();
    let mut body = Vec::with_capacity(len + 16);
    match (u8::try_from(len), u32::try_from(len)) {
        (Ok(len), _) => body.extend([0x8c, len]),
        (_, Ok(len)) => {
            body.push(b'X');
            body.extend(len.to_le_bytes());
        }
        _ => {
            body.push(0x8d);
            body.extend((len as u64).to_le_bytes());
        }
    }
    body.extend_from_slice(text.as_bytes());
    // Memoized, and the end.
    body.extend([0x94, b'.']);
    let mut pickle = vec![0x80, 4, 0x95];
    pickle.extend((body.len() as u64).to_le_bytes());
    pickle.extend(body);
    pickle
}

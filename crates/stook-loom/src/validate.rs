//! What a loom deviates in from its specification, and from the conventions of names.

use std::path::Path;

use stook::{
    Array, DType, Error, File, NodeKind, NodePath, OpenOptions, Result, Selection, Values,
};

use crate::attribute_value::{is_matrix_dtype, is_text, values_of};
use crate::axis::Axis;
use crate::change::named;
use crate::items;
use crate::state::{ATTRS, LAYERS, MATRIX};
use crate::version::{self, SpecVersion};

/// What a loom is held to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// The specification of its version.
    #[default]
    Specification,
    /// Also the names that attributes should have.
    Conventions,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The version that it was held to: that which it says it follows, if nobody said another.
    pub version: String,
    /// In what it deviates from the specification.
    pub errors: Vec<String>,
    /// What is unusual, or not as conventions have it.
    pub warnings: Vec<String>,
    /// What is in it: a line each.
    pub summary: Vec<String>,
}

impl Report {
    /// Whether it is as its specification says.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }
}

/// Looks through the file at `path`, be it a loom or not; nothing is changed.
///
/// # Errors
/// `NotFound`, `Unsupported` for a format that is not known, `Corrupt` where its structure cannot
/// be read, `Io`.
pub fn validate(path: impl AsRef<Path>, level: Level) -> Result<Report> {
    validate_file(&File::open_with(path, &OpenOptions::read())?, level)
}

/// Looks through the file at `path` as if it said that it follows `version`.
///
/// # Errors
/// As [`validate`].
pub fn validate_as(path: impl AsRef<Path>, level: Level, version: SpecVersion) -> Result<Report> {
    validate_version(&File::open_with(path, &OpenOptions::read())?, level, version)
}

/// Looks through a file that is open.
///
/// # Errors
/// As [`validate`].
pub fn validate_file(file: &File, level: Level) -> Result<Report> {
    validate_version(file, level, SpecVersion::of(file)?)
}

fn validate_version(file: &File, level: Level, version: SpecVersion) -> Result<Report> {
    let report = Report { version: version.to_string(), ..Report::default() };
    let mut check = Check { file, version, report };
    let shape = check.matrix()?;
    check.layers(shape)?;
    for axis in Axis::BOTH {
        check.attributes(axis, shape)?;
        check.graphs(axis, shape)?;
    }
    check.file_attributes()?;
    if level == Level::Conventions {
        check.conventions()?;
    }
    Ok(check.report)
}

struct Check<'a> {
    file: &'a File,
    version: SpecVersion,
    report: Report,
}

impl Check<'_> {
    fn error(&mut self, what: impl Into<String>) {
        self.report.errors.push(what.into());
    }

    fn warn(&mut self, what: impl Into<String>) {
        self.report.warnings.push(what.into());
    }

    fn say(&mut self, what: impl Into<String>) {
        self.report.summary.push(what.into());
    }

    fn kind(&self, path: &str) -> Result<Option<NodeKind>> {
        self.file.container().kind(&NodePath::parse(path)?)
    }

    /// The arrays in a group by their names; what is none, or cannot be opened, is told.
    fn arrays(&mut self, group: &str) -> Result<Vec<(String, Array)>> {
        let mut arrays = Vec::new();
        for child in self.file.container().children(&NodePath::parse(group)?)? {
            let path = named(group, &child.name)?;
            match child.kind {
                Some(NodeKind::Array) => match self.file.array(path.as_str()) {
                    Ok(array) => arrays.push((child.name, array)),
                    Err(error) => self.error(format!("`{path}`: {}", error.message())),
                },
                _ => self.error(format!("`{path}`: expected an array")),
            }
        }
        Ok(arrays)
    }

    /// The shape of the main matrix, where it has one.
    fn matrix(&mut self) -> Result<Option<[u64; 2]>> {
        if self.kind(MATRIX)? != Some(NodeKind::Array) {
            self.error(format!("`{MATRIX}` is missing"));
            return Ok(None);
        }
        let matrix = self.file.array(MATRIX)?;
        let Ok(shape) = <[u64; 2]>::try_from(matrix.shape()) else {
            self.error(format!("`{MATRIX}`: expected two axes, found shape {:?}", matrix.shape()));
            return Ok(None);
        };
        self.layer(MATRIX, &matrix, shape);
        Ok(Some(shape))
    }

    fn layer(&mut self, name: &str, array: &Array, shape: [u64; 2]) {
        let spec = array.spec();
        if !is_matrix_dtype(&spec.dtype) {
            self.error(format!("`{name}`: expected numbers, found items of type {}", spec.dtype));
        }
        if spec.shape() != shape {
            let found = spec.shape();
            self.error(format!("`{name}`: expected shape {shape:?}, found {found:?}"));
        }
        let can_grow =
            !spec.contiguous && spec.max_shape.as_ref().is_none_or(|m| m.get(1) == Some(&None));
        if !can_grow {
            self.warn(format!("`{name}` cannot grow by columns: it is copied when some are added"));
        }
        let [rows, columns] = shape;
        self.say(format!("`{name}`: {rows} by {columns} of {}", spec.dtype));
    }

    fn layers(&mut self, shape: Option<[u64; 2]>) -> Result<()> {
        if self.kind(LAYERS)? != Some(NodeKind::Group) {
            self.warn(format!("the group `{LAYERS}` is missing"));
            return Ok(());
        }
        for (name, array) in self.arrays(LAYERS)? {
            if let Some(shape) = shape {
                self.layer(&format!("{LAYERS}/{name}"), &array, shape);
            }
        }
        Ok(())
    }

    fn attributes(&mut self, axis: Axis, shape: Option<[u64; 2]>) -> Result<()> {
        let group = axis.attributes();
        if self.kind(group)? != Some(NodeKind::Group) {
            self.error(format!("the group `{group}` is missing"));
            return Ok(());
        }
        for (name, array) in self.arrays(group)? {
            let (path, spec) = (format!("{group}/{name}"), array.spec());
            let expected = shape.map(|shape| axis.of(shape));
            match (spec.shape().first(), expected) {
                (Some(found), Some(expected)) if *found != expected => {
                    let word = axis.word();
                    self.error(format!(
                        "`{path}`: expected {expected} values, one for each {word}, found {found}"
                    ));
                }
                (None, _) => self.error(format!("`{path}`: expected values, found a single one")),
                _ => {}
            }
            self.attribute_type(&path, &spec.dtype);
            self.say(format!("`{path}`: {:?} of {}", spec.shape(), spec.dtype));
        }
        Ok(())
    }

    fn attribute_type(&mut self, path: &str, dtype: &DType) {
        if is_text(dtype) {
            let is_right = match (self.version.is_v3(), dtype) {
                (true, DType::String(_)) | (false, DType::FixedString(_)) => true,
                // Zarr has no version before 3.
                _ => false,
            };
            if !is_right {
                let expected = if self.version.is_v3() { "variable length" } else { "fixed width" };
                self.error(format!("`{path}`: expected text of {expected}, found {dtype}"));
            }
        } else if !is_matrix_dtype(dtype) {
            self.error(format!("`{path}`: expected text or numbers, found {dtype}"));
        }
    }

    fn graphs(&mut self, axis: Axis, shape: Option<[u64; 2]>) -> Result<()> {
        let mut group = axis.graphs();
        if self.kind(group)? != Some(NodeKind::Group) {
            if self.kind(axis.edges())? != Some(NodeKind::Group) {
                self.warn(format!("the group `{group}` is missing"));
                return Ok(());
            }
            self.warn(format!("graphs are in `{}`, as before version 2", axis.edges()));
            group = axis.edges();
        }
        for child in self.file.container().children(&NodePath::parse(group)?)? {
            let path = format!("{group}/{}", child.name);
            if child.kind == Some(NodeKind::Group) {
                self.graph(&path, shape.map(|shape| axis.of(shape)))?;
            } else {
                self.error(format!("`{path}`: expected a group with the lists `a`, `b` and `w`"));
            }
        }
        Ok(())
    }

    fn graph(&mut self, path: &str, n: Option<u64>) -> Result<()> {
        let mut lens = Vec::new();
        for name in ["a", "b", "w"] {
            let list = format!("{path}/{name}");
            if self.kind(&list)? != Some(NodeKind::Array) {
                self.error(format!("`{list}` is missing"));
                continue;
            }
            let array = self.file.array(&list)?;
            let (dtype, shape) = (array.dtype(), array.shape());
            let is_float = matches!(dtype, DType::Float16 | DType::Float32 | DType::Float64);
            let is_right = is_matrix_dtype(&dtype) && is_float == (name == "w");
            if !is_right {
                let expected = if name == "w" { "floats" } else { "integers" };
                self.error(format!("`{list}`: expected {expected}, found {dtype}"));
            }
            if shape.len() != 1 {
                self.error(format!("`{list}`: expected one axis, found shape {shape:?}"));
            }
            lens.push(shape);
            if name != "w" && is_matrix_dtype(&dtype) {
                self.nodes(&list, &array.read(&Selection::All)?, n);
            }
        }
        if lens.windows(2).any(|pair| pair.first() != pair.last()) {
            self.error(format!("`{path}`: the lists differ in length: {lens:?}"));
        }
        let n_edges = lens.first().and_then(|shape| shape.first()).copied().unwrap_or(0);
        self.say(format!("`{path}`: {n_edges} edges"));
        Ok(())
    }

    fn nodes(&mut self, list: &str, values: &Values, n: Option<u64>) {
        let limit = n.map_or(i128::MAX, i128::from);
        match items::integers(values) {
            Err(error) => self.error(format!("`{list}`: {}", error.message())),
            Ok(nodes) => {
                if let Some(node) = nodes.iter().find(|node| !(0..limit).contains(*node)) {
                    self.error(format!("`{list}`: {node} is none of {limit} nodes"));
                }
            }
        }
    }

    fn file_attributes(&mut self) -> Result<()> {
        let root = self.file.container().attribute(&NodePath::root(), version::NAME)?;
        let root = root.as_ref().and_then(values_of);
        if root.is_some_and(|values| !values.shape().is_empty()) {
            self.warn(format!("the attribute `{}` is an array of one", version::NAME));
        }
        if !self.version.is_v3() {
            return Ok(());
        }
        if self.kind(ATTRS)? != Some(NodeKind::Group) {
            self.error(format!("the group `{ATTRS}` is missing"));
            return Ok(());
        }
        for (name, array) in self.arrays(ATTRS)? {
            let path = format!("{ATTRS}/{name}");
            self.attribute_type(&path, &array.dtype());
            if name == version::NAME && !array.shape().is_empty() {
                self.warn(format!("`{path}` is an array of one"));
            }
        }
        if self.kind(&format!("{ATTRS}/{}", version::NAME))?.is_none() {
            self.error(format!("`{ATTRS}/{}` is missing", version::NAME));
        }
        Ok(())
    }

    fn conventions(&mut self) -> Result<()> {
        for name in ["Title", "Description", "Authors", "Journal", "Year", "CreationDate"] {
            let is_there = if self.version.is_v3() {
                self.kind(&format!("{ATTRS}/{name}"))?.is_some()
            } else {
                self.file.container().attribute(&NodePath::root(), name)?.is_some()
            };
            if !is_there {
                self.warn(format!("the file has no attribute `{name}`"));
            }
        }
        for (axis, name, kind) in [
            (Axis::Columns, "CellID", Convention::Unique),
            (Axis::Columns, "ClusterID", Convention::Integer),
            (Axis::Columns, "ClusterName", Convention::Text),
            (Axis::Columns, "Valid", Convention::Truth),
            (Axis::Rows, "Accession", Convention::Unique),
            (Axis::Rows, "Gene", Convention::Text),
            (Axis::Rows, "Valid", Convention::Truth),
            (Axis::Rows, "Selected", Convention::Truth),
        ] {
            let path = format!("{}/{name}", axis.attributes());
            if self.kind(&path)? != Some(NodeKind::Array) {
                self.warn(format!("{}s have no attribute `{name}`", axis.word()));
                continue;
            }
            let values = self.file.array(&path)?.read(&Selection::All)?;
            if let Err(error) = kind.check(&values) {
                self.error(format!("`{path}`: {}", error.message()));
            }
        }
        Ok(())
    }
}

/// What an attribute of a certain name holds.
#[derive(Clone, Copy)]
enum Convention {
    Unique,
    Text,
    Integer,
    Truth,
}

impl Convention {
    fn check(self, values: &Values) -> Result<()> {
        let expected = |what: &str| {
            Err(Error::invalid(format!("expected {what}, found items of type {}", values.dtype())))
        };
        match self {
            Self::Unique | Self::Text if !is_text(values.dtype()) => expected("text"),
            Self::Unique => {
                let mut known = std::collections::HashSet::new();
                for at in 0..values.len() {
                    let text = values.text_at(at)?;
                    if !known.insert(text.clone()) {
                        return Err(Error::invalid(format!("`{text}` is there twice")));
                    }
                }
                Ok(())
            }
            Self::Text => Ok(()),
            Self::Integer => items::integers(values).map(drop).or_else(|_| expected("integers")),
            Self::Truth => match items::integers(values) {
                Ok(numbers) if numbers.iter().all(|number| matches!(number, 0 | 1)) => Ok(()),
                _ => expected("zeros and ones"),
            },
        }
    }
}

//! Sparse matrices as `scipy.sparse.save_npz` lays them out in an npz archive.
//!
//! Any container that has groups of arrays can hold the same members; nothing here depends on
//! the archive. Every index is checked when a matrix is made, so that whoever walks one need not.

mod dense;
mod indices;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use stook_core::dtype::DType;
use stook_core::store::zip::Archive;
use stook_core::{
    Array, ArraySpec, Container, Durability, Error, ErrorKind, Limits, NodeKind, NodePath, Result,
    Selection, Values,
};

pub use self::indices::Indices;
use self::indices::{integers, naturals, signed};
use crate::stream::npy_header;

/// How the entries of a matrix are arranged.
#[derive(Clone, Debug, PartialEq)]
pub enum Layout {
    /// By row: the columns of row `i` are `indices[pointers[i]..pointers[i + 1]]`.
    Csr(Compressed),
    /// By column, likewise.
    Csc(Compressed),
    /// By row of dense blocks.
    Bsr {
        /// The columns of blocks in each row of blocks.
        blocks: Compressed,
        /// Rows and columns of a block.
        block_shape: [u64; 2],
    },
    /// Each with its row and column; duplicates add up.
    Coo {
        /// The row of each entry.
        rows: Vec<u64>,
        /// The column of each entry.
        columns: Vec<u64>,
    },
    /// Diagonals, one a row of the data: element `j` of diagonal `k` is in column `j` and row
    /// `j - k`.
    Dia {
        /// Which diagonals: 0 the main one, positive ones above it.
        offsets: Vec<i64>,
    },
}

/// Indices of one axis, grouped along the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Compressed {
    /// Where each group begins in `indices`, and where the last one ends.
    pub pointers: Indices,
    /// The place of each entry along the other axis.
    pub indices: Indices,
}

/// A sparse matrix.
#[derive(Clone, Debug)]
pub struct Sparse {
    shape: [u64; 2],
    layout: Layout,
    data: Arc<Values>,
    is_array: bool,
}

impl Sparse {
    /// A matrix of `shape` whose entries are `data`: along one axis, for BSR along three (blocks,
    /// rows, columns), for DIA along two (diagonals, columns).
    ///
    /// # Errors
    /// `InvalidInput` naming the index that is out of range, or the length that does not match.
    pub fn new(shape: [u64; 2], layout: Layout, data: impl Into<Arc<Values>>) -> Result<Self> {
        let matrix = Self { shape, layout, data: data.into(), is_array: false };
        matrix.check()?;
        Ok(matrix)
    }

    /// The same, marked as one of scipy's sparse arrays and not of its matrices.
    #[must_use]
    pub fn as_array(self) -> Self {
        Self { is_array: true, ..self }
    }

    /// Rows and columns.
    #[must_use]
    pub fn shape(&self) -> [u64; 2] {
        self.shape
    }

    /// How the entries are arranged.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The entries.
    #[must_use]
    pub fn data(&self) -> &Arc<Values> {
        &self.data
    }

    /// Whether scipy makes one of its sparse arrays of it, and not a matrix.
    #[must_use]
    pub fn is_array(&self) -> bool {
        self.is_array
    }

    /// scipy's name of the layout.
    #[must_use]
    pub fn format(&self) -> &'static str {
        match self.layout {
            Layout::Csr(_) => "csr",
            Layout::Csc(_) => "csc",
            Layout::Bsr { .. } => "bsr",
            Layout::Coo { .. } => "coo",
            Layout::Dia { .. } => "dia",
        }
    }

    fn check(&self) -> Result<()> {
        let [n_rows, n_columns] = self.shape;
        let n_data = self.data.shape().first().copied().unwrap_or(0);
        let data_rank = match &self.layout {
            Layout::Csr(part) => {
                part.check("row", n_rows, n_columns, n_data)?;
                1
            }
            Layout::Csc(part) => {
                part.check("column", n_columns, n_rows, n_data)?;
                1
            }
            Layout::Bsr { blocks, block_shape: [rows, columns] } => {
                let divided = |n: u64, by: u64| n.is_multiple_of(by.max(1)).then(|| n / by.max(1));
                let (Some(n_rows), Some(n_columns), true) = (
                    divided(n_rows, *rows),
                    divided(n_columns, *columns),
                    self.data.shape().get(1..) == Some(&[*rows, *columns]),
                ) else {
                    return Err(Error::invalid(format!(
                        "blocks of {rows} by {columns} do not fit shape {:?} and data of shape {:?}",
                        self.shape,
                        self.data.shape()
                    )));
                };
                blocks.check("row of blocks", n_rows, n_columns, n_data)?;
                3
            }
            Layout::Coo { rows, columns } => {
                check_len("row", rows.len(), n_data)?;
                check_len("column", columns.len(), n_data)?;
                check_range("row", rows, n_rows)?;
                check_range("column", columns, n_columns)?;
                1
            }
            Layout::Dia { offsets } => {
                check_len("offset", offsets.len(), n_data)?;
                2
            }
        };
        if self.data.shape().len() != data_rank {
            let found = self.data.shape();
            return Err(Error::invalid(format!(
                "{}: expected data along {data_rank} axes, found shape {found:?}",
                self.format()
            )));
        }
        Ok(())
    }

    /// Reads the matrix whose members lie in `group`.
    ///
    /// # Errors
    /// `NotFound` for a member that is missing, `Corrupt` for members that contradict one
    /// another, `Unsupported` for a format that scipy has not, and those of reading.
    pub fn read(container: &dyn Container, group: &NodePath) -> Result<Self> {
        let members = Members { container, group };
        Self::read_members(&members)
            .map_err(|error| error.at_file(container.location()).at_node(group))
    }

    fn read_members(members: &Members<'_>) -> Result<Self> {
        let format = members.values("format")?.text_at(0)?;
        let shape = members.unsigned("shape")?;
        let &[n_rows, n_columns] = shape.as_slice() else {
            return Err(Error::unsupported(format!("a sparse array of shape {shape:?}")));
        };
        let data = members.values("data")?;
        let compressed = || {
            let pointers = members.indices("indptr")?;
            Ok(Compressed { pointers, indices: members.indices("indices")? })
        };
        let layout = match format.as_str() {
            "csr" => Layout::Csr(compressed()?),
            "csc" => Layout::Csc(compressed()?),
            "bsr" => {
                let block_shape = match data.shape() {
                    &[_, rows, columns] => [rows, columns],
                    other => {
                        return Err(Error::corrupt(format!(
                            "bsr: expected data along 3 axes, found shape {other:?}"
                        )));
                    }
                };
                Layout::Bsr { blocks: compressed()?, block_shape }
            }
            "coo" => {
                Layout::Coo { rows: members.unsigned("row")?, columns: members.unsigned("col")? }
            }
            "dia" => Layout::Dia { offsets: members.signed("offsets")? },
            other => {
                return Err(Error::unsupported(format!(
                    "sparse format `{}` is not known",
                    other.escape_default()
                )));
            }
        };
        let is_array = members.is_array()?;
        let matrix = Self { shape: [n_rows, n_columns], layout, data: data.into(), is_array };
        // What the caller got wrong in `new` is the file's fault here.
        matrix.check().map_err(|error| Error::corrupt(error.message()))?;
        Ok(matrix)
    }

    /// Reads a run of columns of a matrix by columns, or of rows of one by rows, without the entries
    /// of the others: what comes is a matrix of these alone.
    ///
    /// # Errors
    /// As [`Sparse::read`]; `InvalidInput` for a range beyond the matrix, `Unsupported` for other
    /// layouts.
    pub fn read_range(
        container: &dyn Container,
        group: &NodePath,
        range: Range<u64>,
    ) -> Result<Self> {
        let members = Members { container, group };
        let located = |error: Error| error.at_file(container.location()).at_node(group);
        members.read_range(range).map_err(located)
    }

    /// Writes the members of the matrix into `group`, as `scipy.sparse.load_npz` reads them.
    ///
    /// # Errors
    /// `AlreadyExists` for a member that is there, and those of writing.
    pub fn write(&self, container: &dyn Container, group: &NodePath) -> Result<()> {
        let members = Members { container, group };
        self.members()?.into_iter().try_for_each(|(name, values)| members.write(name, &values))
    }

    /// Writes the matrix to a new npz archive at `path`, whose members are stored, or deflated by
    /// several threads.
    ///
    /// # Errors
    /// `AlreadyExists`, `Unsupported` for entries that numpy has not, `Io`.
    pub fn write_npz(&self, path: &Path, packing: Packing, durability: Durability) -> Result<()> {
        let archive = Archive::create(path, &Limits::default())?;
        for (name, values) in self.members()? {
            let head = npy_header(values.dtype(), values.shape())?;
            let (name, parts) = (format!("{name}.npy"), [head.as_slice(), values.items()]);
            match packing {
                Packing::Stored => archive.put_parts(&name, &parts)?,
                Packing::Deflated => archive.put_deflated(&name, &parts, n_threads())?,
            }
        }
        archive.commit(durability)
    }

    /// What is stored, by name.
    fn members(&self) -> Result<Vec<(&'static str, Arc<Values>)>> {
        let mut members: Vec<(&'static str, Arc<Values>)> = Vec::new();
        match &self.layout {
            Layout::Csr(part) | Layout::Csc(part) | Layout::Bsr { blocks: part, .. } => {
                // scipy wants both in one type: the narrower where that will do.
                let is_wide = part.indices.is_wide() || part.pointers.is_wide();
                let values = |indices: &Indices| {
                    if is_wide { indices.to_wide() } else { Arc::clone(indices.values()) }
                };
                members.push(("indices", values(&part.indices)));
                members.push(("indptr", values(&part.pointers)));
            }
            Layout::Coo { rows, columns } => {
                let largest = rows.iter().chain(columns).max().copied().unwrap_or(0);
                let is_wide = largest > i32::MAX.cast_unsigned().into();
                members.push(("row", integers(rows, is_wide).into()));
                members.push(("col", integers(columns, is_wide).into()));
            }
            Layout::Dia { offsets } => {
                let is_wide = offsets.iter().any(|&offset| i32::try_from(offset).is_err());
                let offsets: Vec<u64> =
                    offsets.iter().map(|offset| offset.cast_unsigned()).collect();
                members.push(("offsets", integers(&offsets, is_wide).into()));
            }
        }
        let format = self.format().as_bytes().to_vec();
        let format = Values::new(DType::fixed_bytes(format.len()), vec![], format, vec![])?;
        members.push(("format", format.into()));
        members.push(("shape", integers(&self.shape, true).into()));
        members.push(("data", Arc::clone(&self.data)));
        if self.is_array {
            let yes = Values::new(DType::Bool, vec![], vec![1], vec![])?;
            members.push(("_is_array", yes.into()));
        }
        Ok(members)
    }
}

/// How the members of an archive lie in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Packing {
    /// As they are: parts are read without the rest.
    #[default]
    Stored,
    /// Deflated: shorter, and decoded whole.
    Deflated,
}

/// As many threads as the machine has processors.
pub(crate) fn n_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

impl Compressed {
    /// Whether there are `n_groups` groups of `n_data` entries with places below `n_places`.
    fn check(&self, what: &str, n_groups: u64, n_places: u64, n_data: u64) -> Result<()> {
        let n_pointers = n_groups.saturating_add(1);
        check_len(&format!("pointer ({what}s and one)"), self.pointers.len(), n_pointers)?;
        check_len("index", self.indices.len(), n_data)?;
        // scipy lets data lie behind what the pointers reach.
        let end = self.pointers.largest();
        if !self.pointers.rise_from_zero() || end.is_none_or(|end| end > n_data) {
            return Err(Error::invalid(format!(
                "pointers must rise from 0 to at most {n_data}, the number of entries"
            )));
        }
        if self.indices.largest().is_some_and(|largest| largest >= n_places) {
            return outside("index", self.indices.iter(), n_places);
        }
        Ok(())
    }
}

fn check_len(what: &str, found: usize, expected: u64) -> Result<()> {
    if found as u64 != expected {
        return Err(Error::invalid(format!("expected one {what} each, {expected}, found {found}")));
    }
    Ok(())
}

fn check_range(what: &str, indices: &[u64], len: u64) -> Result<()> {
    outside(what, indices.iter().copied(), len)
}

/// The error of the first index that is not less than `len`, if there is one.
fn outside(what: &str, indices: impl Iterator<Item = u64>, len: u64) -> Result<()> {
    match indices.enumerate().find(|(_, index)| *index >= len) {
        None => Ok(()),
        Some((at, found)) => Err(Error::invalid(format!(
            "{what} number {at}: expected less than {len}, found {found}"
        ))),
    }
}

/// The arrays of a matrix in their group.
struct Members<'a> {
    container: &'a dyn Container,
    group: &'a NodePath,
}

impl Members<'_> {
    fn values(&self, name: &str) -> Result<Values> {
        self.array(name)?.read(&Selection::All)
    }

    fn array(&self, name: &str) -> Result<Array> {
        let node = self.group.join(name)?;
        if self.container.kind(&node)? != Some(NodeKind::Array) {
            return Err(Error::not_found(format!("a sparse matrix has an array `{name}`"))
                .at_node(self.group));
        }
        Ok(Array::new(self.container.open_array(&node)?, self.container.location(), node))
    }

    fn is_array(&self) -> Result<bool> {
        match self.values("_is_array") {
            Ok(values) => Ok(values.items().first().is_some_and(|&byte| byte != 0)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn read_range(&self, range: Range<u64>) -> Result<Sparse> {
        let format = self.values("format")?.text_at(0)?;
        let shape = self.unsigned("shape")?;
        let &[n_rows, n_columns] = shape.as_slice() else {
            return Err(Error::unsupported(format!("a sparse array of shape {shape:?}")));
        };
        let is_csr = match format.as_str() {
            "csr" => true,
            "csc" => false,
            other => {
                let what = format!("parts of a sparse matrix of format `{}`", other.escape_debug());
                return Err(Error::unsupported(what));
            }
        };
        let n_groups = if is_csr { n_rows } else { n_columns };
        if range.start > range.end || range.end > n_groups {
            let what =
                format!("{}..{} lies outside the matrix's {n_groups}", range.start, range.end);
            return Err(Error::invalid(what));
        }
        let pointers = self.indices("indptr")?;
        if !pointers.rise_from_zero() {
            return Err(Error::corrupt("the pointers of a sparse matrix do not rise from 0"));
        }
        let bounds = |at: u64| usize::try_from(at).ok().and_then(|at| pointers.get(at));
        let (Some(first), Some(end)) = (bounds(range.start), bounds(range.end)) else {
            let what = format!("expected {n_groups} pointers and one, found {}", pointers.len());
            return Err(Error::corrupt(what));
        };
        let n_skipped = usize::try_from(range.start).unwrap_or(usize::MAX);
        let n_own = range.end - range.start;
        let n_pointers = usize::try_from(n_own).unwrap_or(usize::MAX).saturating_add(1);
        let own = pointers.iter().skip(n_skipped).take(n_pointers);
        let own = own.map(|pointer| pointer - first).collect();
        let entries = |name: &str| {
            let array = self.array(name)?;
            // A pointer beyond the entries is the file's fault, and not the caller's.
            if array.shape().first().is_none_or(|&n| n < end) || array.shape().len() != 1 {
                let what = format!("`{name}`: expected {end} entries, found {:?}", array.shape());
                return Err(Error::corrupt(what));
            }
            array.read(&Selection::parse(&format!("{first}:{end}"))?)
        };
        let part =
            Compressed { pointers: own, indices: indices_of("indices", entries("indices")?)? };
        let (shape, layout) = if is_csr {
            ([n_own, n_columns], Layout::Csr(part))
        } else {
            ([n_rows, n_own], Layout::Csc(part))
        };
        let data = entries("data")?.into();
        let matrix = Sparse { shape, layout, data, is_array: self.is_array()? };
        matrix.check().map_err(|error| Error::corrupt(error.message()))?;
        Ok(matrix)
    }

    fn signed(&self, name: &str) -> Result<Vec<i64>> {
        signed(&self.values(name)?).map_err(|error| at_member(name, error))
    }

    fn unsigned(&self, name: &str) -> Result<Vec<u64>> {
        naturals(&self.values(name)?).map_err(|error| at_member(name, error))
    }

    fn indices(&self, name: &str) -> Result<Indices> {
        indices_of(name, self.values(name)?)
    }

    fn write(&self, name: &str, values: &Values) -> Result<()> {
        let node = self.group.join(name)?;
        let mut spec = ArraySpec::new(values.dtype().clone(), values.shape());
        spec.contiguous = true;
        let spec = self.container.adapt_array(&spec)?.value;
        let source = self.container.create_array(&node, &spec)?;
        Array::new(source, self.container.location(), node).write(&Selection::All, values)
    }
}

fn indices_of(name: &str, values: Values) -> Result<Indices> {
    Indices::new(values).map_err(|error| at_member(name, error))
}

/// What the caller got wrong elsewhere is the file's fault here.
fn at_member(name: &str, error: Error) -> Error {
    Error::corrupt(format!("`{name}`: {}", error.message()))
}

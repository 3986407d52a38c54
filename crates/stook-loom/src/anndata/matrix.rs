//! `X` and `layers`: matrices of cells and genes, transposed on their way.

use stook::{Array, AxisSelection, DType, Error, File, Group, Node, Result, Selection, Values};

use super::tree;
use crate::Axis;
use crate::fused::{FusedOptions, csr_kept};
use crate::matrix::{
    Dense, Matrix, Numbers, Picked, StoredSparse, TileWriter, WriteOptions, Zeros, with_number_type,
};
use crate::source::MatrixSource;

/// Elements of a block of a dense matrix.
const BLOCK_N_ELEMENTS: u64 = 1 << 20;

/// The sparse matrix in `group`, as it says of itself; none where that is no sparse matrix.
pub(super) fn sparse_of(group: &Group) -> Result<Option<StoredSparse>> {
    let attributes = group.attributes()?;
    let major = match tree::encoding(&attributes).as_str() {
        "csr_matrix" => Axis::Rows,
        "csc_matrix" => Axis::Columns,
        _ => return Ok(None),
    };
    let shape = tree::numbers(&attributes, "shape");
    let shape = shape.or_else(|| tree::numbers(&attributes, "h5sparse_shape"));
    let shape = shape
        .ok_or_else(|| Error::corrupt("a sparse matrix without a shape").at_node(group.path()))?;
    StoredSparse::open(group, major, &shape).map(Some)
}

/// A dense matrix in an array, transposed.
#[derive(Debug)]
pub(super) struct StoredDense {
    pub(super) array: Array,
    pub(super) shape: [u64; 2],
}

impl MatrixSource for StoredDense {
    fn shape(&self) -> [u64; 2] {
        self.shape
    }

    fn dtype(&self) -> DType {
        self.array.dtype()
    }

    fn store(&self, target: &Array, at: [u64; 2]) -> Result<()> {
        let [n_genes, n_cells] = self.shape;
        let across = usize::try_from(n_genes).map_err(|_| Error::limit("too many genes"))?;
        let options = WriteOptions::new().zeros(Zeros::Skipped);
        let mut writer = TileWriter::new(target, Axis::Columns, at, across, options);
        let step = (8 * BLOCK_N_ELEMENTS / n_genes.max(1)).clamp(1, 64 * 64);
        let mut start = 0;
        while start < n_cells {
            let end = (start + step).min(n_cells);
            let rows = Selection::Axes(vec![AxisSelection::range(start, end)]);
            let block = Dense::read(&self.array, &rows)?;
            let block = Dense::columns([across, (end - start) as usize], block.into_numbers())?;
            writer.push(&Matrix::from(block))?;
            start = end;
        }
        writer.finish().map(drop)
    }
}

/// A matrix of nothing but zeros, where there is none.
#[derive(Debug)]
pub(super) struct Nothing(pub(super) [u64; 2]);

impl MatrixSource for Nothing {
    fn shape(&self) -> [u64; 2] {
        self.0
    }

    fn dtype(&self) -> DType {
        DType::Float32
    }

    fn store(&self, _: &Array, _: [u64; 2]) -> Result<()> {
        Ok(())
    }
}

/// Cells that are read at once for a matrix of AnnData's.
fn step_of(layer: &Array, budget_len_bytes: u64) -> u64 {
    let spec = layer.spec();
    let item = spec.dtype.item_size() as u64;
    let len_cell = spec.shape().first().copied().unwrap_or(1).saturating_mul(item).max(1);
    // What is read, and what it becomes.
    (budget_len_bytes / 4 / len_cell / 64).clamp(1, 64) * 64
}

/// Writes a layer as a sparse matrix of cells and genes.
pub(super) fn write_sparse(
    layer: &Array,
    parent: &Group,
    name: &str,
    (major, dtypes): (Axis, [DType; 2]),
) -> Result<()> {
    let shape = layer.shape();
    let &[n_genes, n_cells] = shape.as_slice() else {
        return Err(Error::invalid("a layer of other than two axes").at_node(layer.path()));
    };
    crate::progress::expect(n_genes.saturating_mul(n_cells));
    let group = parent.create_group(name)?;
    let encoding = if major == Axis::Rows { "csr_matrix" } else { "csc_matrix" };
    tree::mark(&group, encoding, "0.1.0")?;
    let lens = crate::numbers(vec![2], &[n_cells as i64, n_genes as i64])?;
    group.set_attribute("shape", lens)?;
    let [of_indices, of_pointers] = dtypes;
    let data = tree::growing(&group, "data", layer.dtype())?;
    let indices = tree::growing(&group, "indices", of_indices)?;
    let mut pointers = vec![0_u64];
    // Cells are columns of a loom: CSR goes along those.
    let axis = major.other();
    let (n, step) = match axis {
        Axis::Columns => (n_cells, step_of(layer, FusedOptions::default().memory_len_bytes)),
        Axis::Rows => (n_genes, 64),
    };
    let mut start = 0;
    while start < n {
        let end = (start + step).min(n);
        let lines: Vec<u64> = (start..end).collect();
        let picked = match axis {
            Axis::Columns => Picked { rows: None, columns: Some(&lines) },
            Axis::Rows => Picked { rows: Some(&lines), columns: None },
        };
        let block = csr_kept(layer, picked, &layer.dtype(), &FusedOptions::default())?;
        let block = if axis == Axis::Columns { block.turned()? } else { block };
        let base = pointers.last().copied().unwrap_or(0);
        let n_lines = (end - start) as usize;
        pointers.extend((1..=n_lines).map(|line| base + block.pointers().get(line) as u64));
        append(&data, block.numbers())?;
        let places: Vec<u64> =
            (0..block.indices().len()).map(|at| block.indices().get(at) as u64).collect();
        append(&indices, &Numbers::from(places))?;
        start = end;
    }
    let pointers = Numbers::from(pointers).cast(&of_pointers)?;
    let values = values_of(&pointers)?;
    let array = group.array("indptr").dtype(of_pointers).shape(values.shape()).create()?;
    array.write(&Selection::All, &values)
}

fn values_of(numbers: &Numbers<'_>) -> Result<Values> {
    let shape = vec![numbers.len() as u64];
    Values::new(numbers.dtype(), shape, numbers.as_bytes().to_vec(), Vec::new())
}

fn append(array: &Array, numbers: &Numbers<'_>) -> Result<()> {
    if numbers.is_empty() {
        return Ok(());
    }
    array.append(&values_of(&numbers.cast(&array.dtype())?)?, 0)
}

/// Writes a layer as a dense matrix of cells and genes.
pub(super) fn write_dense(layer: &Array, parent: &Group, name: &str) -> Result<()> {
    let shape = layer.shape();
    let &[n_genes, n_cells] = shape.as_slice() else {
        return Err(Error::invalid("a layer of other than two axes").at_node(layer.path()));
    };
    let builder = parent.array(name).dtype(layer.dtype()).shape([n_cells, n_genes]);
    let chunk = [64.min(n_cells.max(1)), n_genes.clamp(1, 4096)];
    let array = builder.chunks(chunk).codecs([tree::coding(parent)]).create()?;
    tree_mark_array(&array)?;
    let step = step_of(layer, FusedOptions::default().memory_len_bytes);
    let mut start = 0;
    while start < n_cells {
        let end = (start + step).min(n_cells);
        let cells = Selection::Axes(vec![AxisSelection::ALL, AxisSelection::range(start, end)]);
        let block = Dense::read(layer, &cells)?;
        // Columns one behind the other are rows one behind the other of what is transposed.
        let [n, m] = block.lens();
        let turned = Dense::strided([m, n], 0, [1, m as isize], block.into_numbers())?;
        turned.store(&array, [start, 0])?;
        start = end;
    }
    Ok(())
}

fn tree_mark_array(array: &Array) -> Result<()> {
    array.set_attribute("encoding-type", "array")?;
    array.set_attribute("encoding-version", "0.2.0")
}

/// A matrix of AnnData's as what fills a layer; none where a loom cannot hold it.
pub(super) fn source_of(
    node: &Node,
    shape: [u64; 2],
) -> Result<Option<Box<dyn MatrixSource + Send>>> {
    let [n_genes, n_cells] = shape;
    match node {
        Node::Array(array) => {
            let is_fit = array.shape() == [n_cells, n_genes] && is_number(&array.dtype());
            Ok(is_fit.then(|| Box::new(StoredDense { array: array.clone(), shape }) as Box<_>))
        }
        Node::Group(group) => Ok(sparse_of(group)?
            .filter(|matrix| matrix.lens() == [n_cells as usize, n_genes as usize])
            .filter(|matrix| is_number(&matrix.dtype()))
            .map(|matrix| Box::new(matrix.transposed()) as Box<_>)),
        _ => Ok(None),
    }
}

/// Whether a layer may have numbers of this type.
pub(super) fn is_number(dtype: &DType) -> bool {
    with_number_type!(dtype, T => {
        let _ = T::default();
        Ok(())
    })
    .is_ok()
}

/// How a matrix is stored, where that is not what a loom becomes by itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Storage {
    /// None for a dense one.
    pub(super) major: Option<Axis>,
    pub(super) indices: DType,
    pub(super) pointers: DType,
}

impl Storage {
    /// As it is told by attributes of the group that keeps it.
    pub(super) fn of_kept(group: &Group) -> Result<Option<Self>> {
        let attributes = group.attributes()?;
        let dtype = |name: &str| {
            tree::text(&attributes, name).and_then(|name| name.parse().ok()).unwrap_or(DType::Int32)
        };
        let major = match tree::text(&attributes, "storage").as_deref() {
            Some("array") => None,
            Some("csr_matrix") => Some(Axis::Rows),
            Some("csc_matrix") => Some(Axis::Columns),
            _ => return Ok(None),
        };
        Ok(Some(Self { major, indices: dtype("indices"), pointers: dtype("indptr") }))
    }

    /// That of a matrix, and whether it and the elements tell all of it.
    pub(super) fn of(node: &Node) -> Result<Option<(Self, bool)>> {
        match node {
            Node::Array(_) => {
                let none = DType::Int32;
                Ok(Some((Self { major: None, indices: none.clone(), pointers: none }, true)))
            }
            Node::Group(group) => {
                let Some(matrix) = sparse_of(group)? else { return Ok(None) };
                let [_, indices, pointers] = matrix.dtypes(group)?;
                let is_new = tree::text(&group.attributes()?, "encoding-type").is_some();
                let is_all = is_new && matrix.is_canonical()?;
                Ok(Some((Self { major: Some(matrix.major()), indices, pointers }, is_all)))
            }
            _ => Ok(None),
        }
    }

    pub(super) fn keep(&self, group: &Group) -> Result<()> {
        let name = match self.major {
            None => "array",
            Some(Axis::Rows) => "csr_matrix",
            Some(Axis::Columns) => "csc_matrix",
        };
        group.set_attribute("storage", name)?;
        group.set_attribute("indices", self.indices.to_string())?;
        group.set_attribute("indptr", self.pointers.to_string())
    }
}

/// A file that an error names.
pub(super) fn located(file: &File) -> impl Fn(Error) -> Error {
    let path = file.path().to_path_buf();
    move |error| error.at_file(&path)
}

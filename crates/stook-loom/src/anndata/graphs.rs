//! Graphs of a loom as AnnData's `obsp` and `varp`: sparse square matrices.

use stook::{DType, Error, Group, Node, Result, Values};

use super::matrix::sparse_of;
use super::tree;
use crate::Graph;
use crate::matrix::{Compressed, Coo, Indices, Numbers, numbers_of, whole_numbers};

/// The graph that a matrix is, if it is a sparse square one of numbers.
pub(super) fn graph_of(node: &Node, n: u64) -> Result<Option<Graph>> {
    let Node::Group(group) = node else { return Ok(None) };
    let Some(matrix) = sparse_of(group)? else { return Ok(None) };
    if matrix.lens().map(|len| len as u64) != [n, n] {
        return Ok(None);
    }
    let all = matrix.block(0, matrix.lens()[0])?;
    let dtype = all.numbers().dtype();
    if !matches!(dtype, DType::Float32 | DType::Float64 | DType::Float16) {
        return Ok(None);
    }
    let is_rows = all.major() == crate::Axis::Rows;
    let (mut lines, mut places) = (Vec::new(), Vec::new());
    let (pointers, indices, numbers) = all.into_parts();
    for line in 0..pointers.len().saturating_sub(1) {
        for at in pointers.get(line)..pointers.get(line + 1) {
            lines.push(line as u64);
            places.push(indices.get(at) as u64);
        }
    }
    let (a, b) = if is_rows { (lines, places) } else { (places, lines) };
    let shape = vec![a.len() as u64];
    let w = Values::new(dtype, shape, numbers.as_bytes().to_vec(), Vec::new())?;
    Graph::new(n, a, b, w).map(Some)
}

/// Whether a sparse matrix is what [`write`] makes of the graph that it is.
pub(super) fn is_plain(node: &Node) -> Result<bool> {
    let Node::Group(group) = node else { return Ok(false) };
    let attributes = group.attributes()?;
    let Some(matrix) = sparse_of(group)? else { return Ok(false) };
    let [_, indices, pointers] = matrix.dtypes(group)?;
    Ok(tree::text(&attributes, "encoding-type").as_deref() == Some("csr_matrix")
        && [indices, pointers] == [DType::Int32, DType::Int32]
        && matrix.block(0, matrix.lens()[0])?.is_in_order())
}

/// Whether edges come row by row, none twice: a sparse matrix then has all of them as they are.
pub(super) fn is_in_order(graph: &Graph) -> bool {
    let edges: Vec<(u64, u64)> = graph.a().iter().copied().zip(graph.b().iter().copied()).collect();
    let is_float = matches!(graph.w().dtype(), DType::Float16 | DType::Float32 | DType::Float64);
    is_float && edges.is_sorted_by(|x, y| x < y)
}

/// Writes a graph as a sparse matrix, row by row; weights of edges that are there twice add up.
pub(super) fn write(graph: &Graph, parent: &Group, name: &str) -> Result<()> {
    let n = usize::try_from(graph.n_nodes()).map_err(|_| Error::limit("too many nodes"))?;
    let coo = Coo::new([n, n], graph.a(), graph.b(), numbers_of(graph.w())?)?;
    let csr = if is_in_order(graph) { coo.to_csr()? } else { added(&coo)? };
    let group = parent.create_group(name)?;
    tree::mark(&group, "csr_matrix", "0.1.0")?;
    group.set_attribute("shape", crate::numbers(vec![2], &[n as i64, n as i64])?)?;
    let plain = |indices: &Indices<'_>| -> Result<Values> {
        let all: Vec<u64> = (0..indices.len()).map(|at| indices.get(at) as u64).collect();
        values_of(&Numbers::from(all).cast(&DType::Int32)?)
    };
    let put = |name: &str, values: &Values| {
        let array = tree::put(&group, name, values)?;
        let edits = stook::AttributeEdits::new();
        array.edit_attributes(&edits.remove("encoding-type").remove("encoding-version"))
    };
    put("data", &values_of(csr.numbers())?)?;
    put("indices", &plain(csr.indices())?)?;
    put("indptr", &plain(csr.pointers())?)
}

/// The same row by row in order, with what is listed twice added.
fn added(coo: &Coo<'_>) -> Result<Compressed<'static>> {
    let csr = coo.to_csr()?;
    let (pointers, indices, numbers) = csr.into_parts();
    let [n, m] = coo.lens();
    let all = numbers.cast(&DType::Float64)?;
    let values = <f64 as crate::matrix::Variant>::of(&all).unwrap_or_default();
    let (mut ends, mut columns, mut sums) = (vec![0_u64], Vec::<u64>::new(), Vec::<f64>::new());
    for row in 0..n {
        let mut line: Vec<(usize, f64)> = (pointers.get(row)..pointers.get(row + 1))
            .map(|at| (indices.get(at), values.get(at).copied().unwrap_or(0.0)))
            .collect();
        line.sort_by_key(|(column, _)| *column);
        for same in line.chunk_by(|x, y| x.0 == y.0) {
            columns.push(same.first().map_or(0, |first| first.0 as u64));
            sums.push(same.iter().map(|(_, weight)| weight).sum());
        }
        ends.push(columns.len() as u64);
    }
    let dtype = if numbers.dtype() == DType::Float32 { DType::Float32 } else { DType::Float64 };
    Compressed::csr([n, m], ends, columns, Numbers::from(sums).cast(&dtype)?)
}

fn values_of(numbers: &Numbers<'_>) -> Result<Values> {
    let shape = vec![numbers.len() as u64];
    Values::new(numbers.dtype(), shape, numbers.as_bytes().to_vec(), Vec::new())
}

/// Keeps the edges of a graph as they are.
pub(super) fn keep(graph: &Graph, parent: &Group, name: &str) -> Result<()> {
    let group = tree::dict(parent, name)?;
    let whole = |list: &[u64]| {
        let list: Vec<i64> = list.iter().map(|&at| at as i64).collect();
        crate::numbers(vec![list.len() as u64], &list)
    };
    tree::put(&group, "a", &whole(graph.a())?)?;
    tree::put(&group, "b", &whole(graph.b())?)?;
    tree::put(&group, "w", graph.w()).map(drop)
}

/// The graph of which [`keep`] kept the edges.
pub(super) fn kept(group: &Group, n: u64) -> Result<Graph> {
    let read = |name: &str| group.open_array(name)?.read(&stook::Selection::All);
    Graph::new(n, whole_numbers(&read("a")?)?, whole_numbers(&read("b")?)?, read("w")?)
}

/// Whether two graphs are the same matrix.
pub(super) fn is_same_matrix(one: &Graph, other: &Graph) -> Result<bool> {
    let dense = |graph: &Graph| -> Result<Compressed<'static>> {
        let n = usize::try_from(graph.n_nodes()).map_err(|_| Error::limit("too many nodes"))?;
        added(&Coo::new([n, n], graph.a(), graph.b(), numbers_of(graph.w())?)?)
    };
    let (one, other) = (dense(one)?, dense(other)?);
    let (one, other) = (one.into_parts(), other.into_parts());
    Ok(one.0 == other.0 && one.1 == other.1 && one.2.as_bytes() == other.2.as_bytes())
}

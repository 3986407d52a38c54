//! Graphs: edges with weights between rows, or between columns.

use std::collections::BTreeMap;

use stook::{Error, NodeKind, NodePath, Result, Values};

use crate::attribute_value::numbers;
use crate::attributes::WHOLE;
use crate::axis::Axis;
use crate::change::{Change, named};
use crate::items;
use crate::layout;
use crate::loom::Loom;
use crate::state::State;

/// Graphs by their names, which are sorted.
pub type GraphMap = BTreeMap<String, Graph>;

/// A graph: edges from `a` to `b` of weight `w`, in their order. An edge may be there twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    n: u64,
    a: Vec<u64>,
    b: Vec<u64>,
    w: Values,
}

impl Graph {
    /// The graph of `n` nodes with edges from `a` to `b` of weights `w`, which are numbers.
    ///
    /// # Errors
    /// `InvalidInput` where the lists differ in length, or an edge leads to no node.
    pub fn new(n: u64, a: Vec<u64>, b: Vec<u64>, w: Values) -> Result<Self> {
        if a.len() != b.len() || w.shape() != [a.len() as u64] {
            let (a, b, w) = (a.len(), b.len(), w.shape());
            return Err(Error::invalid(format!(
                "a graph: expected as many beginnings, ends and weights of edges, found {a}, {b} \
                 and {w:?}"
            )));
        }
        if let Some(at) = a.iter().chain(&b).find(|&&at| at >= n) {
            return Err(Error::invalid(format!("a graph: node {at} is none of {n} nodes")));
        }
        Ok(Self { n, a, b, w })
    }

    /// The number of nodes.
    #[must_use]
    pub fn n_nodes(&self) -> u64 {
        self.n
    }

    /// The number of edges.
    #[must_use]
    pub fn n_edges(&self) -> usize {
        self.a.len()
    }

    /// Where edges begin.
    #[must_use]
    pub fn a(&self) -> &[u64] {
        &self.a
    }

    /// Where edges end.
    #[must_use]
    pub fn b(&self) -> &[u64] {
        &self.b
    }

    /// The weights of edges.
    #[must_use]
    pub fn w(&self) -> &Values {
        &self.w
    }

    /// The graph between the nodes at `positions`, in their order: an edge stays where both its
    /// ends do. A node that is picked twice has its edges twice.
    ///
    /// # Errors
    /// `InvalidInput` for a position out of bounds.
    pub fn select(&self, positions: &[u64]) -> Result<Self> {
        let n = usize::try_from(self.n).map_err(|_| Error::limit("too many nodes"))?;
        // Where each node goes: the first of its new numbers, and for each new number the next.
        const NONE: u64 = u64::MAX;
        let (mut first, mut next) = (vec![NONE; n], vec![NONE; positions.len()]);
        for (new, &old) in positions.iter().enumerate().rev() {
            let place = usize::try_from(old).ok().and_then(|old| first.get_mut(old));
            let place = place.ok_or_else(|| {
                let n = self.n;
                Error::invalid(format!("position {old} is out of bounds for {n} nodes"))
            })?;
            if let Some(after) = next.get_mut(new) {
                *after = std::mem::replace(place, new as u64);
            }
        }
        let (first, next) = (&first, &next);
        let all_of = |old: u64| {
            let head = usize::try_from(old).ok().and_then(|old| first.get(old)).copied();
            let head = head.filter(|&new| new != NONE);
            std::iter::successors(head, move |&new| {
                next.get(usize::try_from(new).ok()?).copied().filter(|&new| new != NONE)
            })
        };
        let (mut a, mut b, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        for (edge, (&from, &to)) in self.a.iter().zip(&self.b).enumerate() {
            for new_from in all_of(from) {
                for new_to in all_of(to) {
                    a.push(new_from);
                    b.push(new_to);
                    kept.push(edge as u64);
                }
            }
        }
        Ok(Self { n: positions.len() as u64, a, b, w: items::take(&self.w, &kept)? })
    }

    /// The same edges among `n` nodes, the first of which has the number `first`.
    ///
    /// # Errors
    /// `InvalidInput` where they do not all fit.
    pub(crate) fn shifted(&self, first: u64, n: u64) -> Result<Self> {
        let shift = |list: &[u64]| list.iter().map(|at| at.saturating_add(first)).collect();
        Self::new(n, shift(&self.a), shift(&self.b), self.w.clone())
    }

    /// The edges of both, among as many nodes as `other` has.
    ///
    /// # Errors
    /// `InvalidInput` where the nodes of this are more.
    pub(crate) fn joined(&self, other: &Self) -> Result<Self> {
        let both = |a: &[u64], b: &[u64]| [a, b].concat();
        let w = items::join(&self.w, &other.w)?;
        Self::new(other.n, both(&self.a, &other.a), both(&self.b, &other.b), w)
    }
}

/// The graphs of an axis. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Graphs {
    loom: Loom,
    axis: Axis,
}

impl Graphs {
    pub(crate) fn new(loom: Loom, axis: Axis) -> Self {
        Self { loom, axis }
    }

    /// The axis.
    #[must_use]
    pub fn axis(&self) -> Axis {
        self.axis
    }

    /// Their names, sorted.
    ///
    /// # Errors
    /// `InvalidInput` once the loom is closed, `Corrupt`, `Io`.
    pub fn names(&self) -> Result<Vec<String>> {
        self.loom.read(|state| names(state, self.axis))
    }

    /// A graph.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt` where its lists make none, `Io`.
    pub fn get(&self, name: &str) -> Result<Graph> {
        self.loom.read(|state| read(state, self.axis, name))
    }

    /// All of them.
    ///
    /// # Errors
    /// `Corrupt`, `Io`.
    pub fn all(&self) -> Result<GraphMap> {
        self.loom.read(|state| all(state, self.axis))
    }

    /// Sets one.
    ///
    /// # Errors
    /// `InvalidInput` for a graph of another number of nodes than the axis has, or weights that
    /// are no numbers; `ReadOnly`, `Io`.
    pub fn set(&self, name: &str, graph: &Graph) -> Result<()> {
        self.loom.change(|change| {
            let len = (change.shape() != [0, 0]).then_some(self.axis.of(change.shape()));
            check(self.axis, name, graph, len)?;
            put(change, self.axis, name, graph)
        })
    }

    /// Removes one.
    ///
    /// # Errors
    /// `NotFound`, `ReadOnly`, `Io`.
    pub fn remove(&self, name: &str) -> Result<()> {
        self.loom.change(|change| {
            let path = named(self.axis.graphs(), name)?;
            if change.file().container().kind(&path)?.is_none() {
                return Err(missing(self.axis, name));
            }
            change.remove(&path);
            change.touch(&path);
            Ok(())
        })
    }
}

fn missing(axis: Axis, name: &str) -> Error {
    Error::not_found(format!("there is no {} graph `{name}`", axis.word()))
}

/// The group in which the graphs of `axis` are: that of old versions in a file that has no other.
fn group_of(state: &State, axis: Axis) -> Result<&'static str> {
    let kind = state.file.container().kind(&NodePath::parse(axis.graphs())?)?;
    Ok(if kind.is_some() { axis.graphs() } else { axis.edges() })
}

/// The names of the graphs of `axis`.
pub(crate) fn names(state: &State, axis: Axis) -> Result<Vec<String>> {
    state.names(group_of(state, axis)?, NodeKind::Group)
}

/// A graph of `axis`.
pub(crate) fn read(state: &State, axis: Axis, name: &str) -> Result<Graph> {
    let path = named(group_of(state, axis)?, name)?;
    if state.file.container().kind(&path)?.is_none() {
        return Err(missing(axis, name));
    }
    let word = axis.word();
    let list = |list: &str| {
        let what = format!("{word} graph `{name}` has no list `{list}`");
        state.array(&path.join(list)?, &what)?.read(&WHOLE)
    };
    let corrupt = |error: Error| {
        let message = format!("{word} graph `{name}`: {}", error.message());
        Error::corrupt(message).at_node(&path)
    };
    let nodes = |values: &Values| -> Result<Vec<u64>> {
        // R writes the numbers of nodes as floats.
        let found = items::integers(values).map_err(corrupt)?.into_iter();
        let node = |at: i128| {
            u64::try_from(at).map_err(|_| corrupt(Error::invalid(format!("{at} is no node"))))
        };
        found.map(node).collect()
    };
    let (a, b, w) = (nodes(&list("a")?)?, nodes(&list("b")?)?, list("w")?);
    Graph::new(state.len(axis), a, b, w).map_err(corrupt)
}

/// All graphs of `axis`.
pub(crate) fn all(state: &State, axis: Axis) -> Result<GraphMap> {
    let names = names(state, axis)?.into_iter();
    names.map(|name| Ok((name.clone(), read(state, axis, &name)?))).collect()
}

/// Refuses a graph that cannot be one of `axis`, which has as many nodes as `len` says.
///
/// # Errors
/// `InvalidInput` naming the graph.
pub(crate) fn check(axis: Axis, name: &str, graph: &Graph, len: Option<u64>) -> Result<()> {
    let word = axis.word();
    let within = |error: Error| error.within(format!("{word} graph `{name}`"));
    named(axis.graphs(), name).map_err(within)?;
    items::floats(graph.w()).map_err(within)?;
    match len {
        Some(len) if len != graph.n_nodes() => Err(within(Error::invalid(format!(
            "expected {len} nodes, one for each {word}, found {}",
            graph.n_nodes()
        )))),
        _ => Ok(()),
    }
}

/// Stores a graph that was checked.
pub(crate) fn put(change: &mut Change<'_>, axis: Axis, name: &str, graph: &Graph) -> Result<()> {
    let path = named(axis.graphs(), name)?;
    change.require_group(&NodePath::parse(axis.graphs())?)?;
    let place = change.place(&path)?;
    change.file().container().create_group(&place)?;
    let list = |list: &[u64]| nodes_list(graph.n_nodes(), list);
    let w = match items::common(graph.w().dtype(), &stook::DType::Float16) {
        // Weights are floats; those that are stay as they are.
        Ok(_) if is_float(graph.w()) => graph.w().clone(),
        _ => items::cast(graph.w(), &stook::DType::Float64)?,
    };
    layout::make_list(change.file(), &place.join("a")?, &list(graph.a())?)?;
    layout::make_list(change.file(), &place.join("b")?, &list(graph.b())?)?;
    layout::make_list(change.file(), &place.join("w")?, &w)?;
    change.touch(&path);
    Ok(())
}

fn is_float(values: &Values) -> bool {
    use stook::DType::{Float16, Float32, Float64};
    matches!(values.dtype(), Float16 | Float32 | Float64)
}

/// Numbers of nodes, in as few bytes as scipy gives them.
fn nodes_list(n: u64, list: &[u64]) -> Result<Values> {
    let shape = vec![list.len() as u64];
    if i32::try_from(n).is_ok() {
        let small: Vec<i32> = list.iter().map(|&at| i32::try_from(at).unwrap_or(0)).collect();
        return numbers(shape, &small);
    }
    let large: Vec<i64> = list.iter().map(|&at| i64::try_from(at).unwrap_or(0)).collect();
    numbers(shape, &large)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Graph {
        let w = numbers(vec![4], &[1.0_f32, 2.0, 3.0, 4.0]).unwrap();
        Graph::new(3, vec![0, 0, 1, 2], vec![1, 1, 2, 0], w).unwrap()
    }

    #[test]
    fn edges_follow_their_nodes_and_duplicates_stay() {
        let picked = graph().select(&[1, 0]).unwrap();
        assert_eq!((picked.a(), picked.b()), (&[1, 1][..], &[0, 0][..]));
        assert_eq!(*picked.w(), numbers(vec![2], &[1.0_f32, 2.0]).unwrap());
        let permuted = graph().select(&[2, 0, 1]).unwrap();
        assert_eq!((permuted.a(), permuted.b()), (&[1, 1, 2, 0][..], &[2, 2, 0, 1][..]));
    }

    #[test]
    fn a_node_that_is_picked_twice_has_its_edges_twice() {
        let picked = graph().select(&[1, 2, 1]).unwrap();
        assert_eq!((picked.a(), picked.b()), (&[0, 2][..], &[1, 1][..]));
        assert!(graph().select(&[3]).is_err());
    }

    #[test]
    fn lists_that_make_no_graph_are_refused() {
        let w = || numbers(vec![1], &[1.0]).unwrap();
        assert!(Graph::new(2, vec![0], vec![2], w()).is_err());
        assert!(Graph::new(2, vec![0, 1], vec![1], w()).is_err());
    }
}

//! A change of a loom: all of it or nothing.
//!
//! In HDF5 a change is one transaction: where it fails, what was written is given up and the file
//! opened again at its last commit. Zarr has no transactions: what is replaced is written beside,
//! under [`BESIDE`], and takes its place at the end, a key at a time; where a change fails, what
//! was made goes and what grew shrinks again.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use stook::{
    Array, Durability, Error, ErrorKind, File, Mode, NodeKind, NodePath, OpenOptions, Result,
};

use crate::axis::Axis;
use crate::stamp;
use crate::state::State;

/// The group of what is not in its place yet.
pub(crate) const BESIDE: &str = "/.stook-loom";

/// A change that is under way.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    /// The loom; none once it could not be opened again after a change that failed.
    slot: &'a mut Option<State>,
    stamp: String,
    /// What was made in its place.
    made: Vec<NodePath>,
    /// What was made beside its place, and the place.
    beside: Vec<(NodePath, NodePath)>,
    removed: BTreeSet<NodePath>,
    /// Arrays that grew, and how large they were.
    grown: Vec<(Array, Vec<u64>)>,
    touched: BTreeSet<NodePath>,
    shape: Option<[u64; 2]>,
    is_done: bool,
}

impl<'a> Change<'a> {
    /// Begins a change of the loom in `slot`.
    ///
    /// # Errors
    /// `InvalidInput` if it is closed, `ReadOnly` if it was opened for reading.
    pub(crate) fn begin(slot: &'a mut Option<State>) -> Result<Self> {
        let state = slot.as_mut().ok_or_else(closed)?;
        if state.file.container().mode() == Mode::Read {
            let message = "the loom was opened for reading only";
            return Err(Error::read_only(message).at_file(state.file.path()));
        }
        state.forget_layers();
        Ok(Self {
            slot,
            stamp: stamp::timestamp(),
            made: Vec::new(),
            beside: Vec::new(),
            removed: BTreeSet::new(),
            grown: Vec::new(),
            touched: BTreeSet::new(),
            shape: None,
            is_done: false,
        })
    }

    /// The loom as it was when the change began, but for what is in its place already.
    pub(crate) fn state(&self) -> &State {
        self.slot.as_ref().expect("a change is of a loom that is open")
    }

    pub(crate) fn file(&self) -> &File {
        &self.state().file
    }

    /// The shape that the loom will have.
    pub(crate) fn shape(&self) -> [u64; 2] {
        self.shape.unwrap_or(self.state().shape)
    }

    pub(crate) fn set_shape(&mut self, shape: [u64; 2]) {
        self.shape = Some(shape);
    }

    /// Where something new that belongs at `path` is to be made: there, if nothing is there, and
    /// beside it else.
    pub(crate) fn place(&mut self, path: &NodePath) -> Result<NodePath> {
        if self.file().container().kind(path)?.is_none() {
            self.made.push(path.clone());
            return Ok(path.clone());
        }
        let beside = NodePath::parse(BESIDE)?.join(&self.beside.len().to_string())?;
        self.beside.push((beside.clone(), path.clone()));
        Ok(beside)
    }

    /// `path` goes when the change is done.
    pub(crate) fn remove(&mut self, path: &NodePath) {
        self.removed.insert(path.clone());
    }

    /// Makes the group at `path` if it is missing.
    pub(crate) fn require_group(&mut self, path: &NodePath) -> Result<()> {
        match self.file().container().kind(path)? {
            Some(NodeKind::Group) => Ok(()),
            Some(_) => Err(Error::invalid("expected a group, found an array")
                .at_node(path)
                .at_file(self.file().path())),
            None => {
                self.file().container().create_group(path)?;
                self.made.push(path.clone());
                Ok(())
            }
        }
    }

    /// Gives `array` another shape, within its bounds.
    pub(crate) fn resize(&mut self, array: &Array, shape: &[u64]) -> Result<()> {
        let n_elements = |shape: &[u64]| shape.iter().product::<u64>();
        if shape.len() == 2 {
            let n_before = n_elements(&array.shape());
            crate::progress::expect(n_elements(shape).saturating_sub(n_before));
        }
        self.grown.push((array.clone(), array.shape()));
        array.resize(shape)
    }

    /// `path`, the group it is in and the file are stamped when the change is done.
    pub(crate) fn touch(&mut self, path: &NodePath) {
        self.touched.insert(path.clone());
        if let Some(group) = path.parent() {
            self.touched.insert(group);
        }
        self.touched.insert(NodePath::root());
    }

    /// Puts everything in its place, stamps it, and commits.
    ///
    /// # Errors
    /// `Io`: nothing of the change is there then.
    pub(crate) fn finish(mut self, durability: Durability) -> Result<()> {
        self.settle()?;
        self.file().commit_with(durability)?;
        self.is_done = true;
        let shape = self.shape();
        if let Some(state) = self.slot.as_mut() {
            state.shape = shape;
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<()> {
        let container = self.file().container().clone();
        for path in &self.removed {
            if container.kind(path)?.is_some() {
                container.remove(path)?;
            }
        }
        for (from, to) in &self.beside {
            if container.kind(to)?.is_some() {
                container.remove(to)?;
            }
            container.rename(from, to)?;
        }
        let beside = NodePath::parse(BESIDE)?;
        if container.kind(&beside)?.is_some() {
            container.remove(&beside)?;
        }
        for path in &self.touched {
            if container.kind(path)?.is_some() {
                stamp::write(self.file(), path, &self.stamp)?;
            }
        }
        Ok(())
    }

    /// Brings the file back to what it was.
    fn roll_back(&mut self) -> Result<()> {
        let Some(state) = self.slot.as_ref() else { return Ok(()) };
        if state.file.container().discard()? {
            let path = state.file.path().to_path_buf();
            self.grown.clear();
            // The library must have closed the file before it can be opened anew.
            *self.slot = None;
            *self.slot = Some(State::of(reopened(&path)?)?);
            return Ok(());
        }
        let container = state.file.container();
        for (array, shape) in self.grown.iter().rev() {
            array.resize(shape)?;
        }
        self.made.push(NodePath::parse(BESIDE)?);
        for path in self.made.iter().rev() {
            if container.kind(path)?.is_some() {
                container.remove(path)?;
            }
        }
        Ok(())
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        // The error that ended the change is the one to tell; a file that does not open again is
        // a loom that is closed.
        if !self.is_done {
            let _ = self.roll_back();
        }
    }
}

/// The file at `path`, which was closed just now. A child process that was begun meanwhile may have
/// its lock until it runs its own program.
///
/// # Errors
/// Those of [`File::open_with`].
pub(crate) fn reopened(path: &Path) -> Result<File> {
    const TRIES: u32 = 50;
    let open = || File::open_with(path, &OpenOptions::read_write());
    for _ in 0..TRIES {
        match open() {
            Err(error) if error.kind() == ErrorKind::Locked => {
                std::thread::sleep(Duration::from_millis(20));
            }
            opened => return opened,
        }
    }
    open()
}

/// The error of a loom that is closed.
pub(crate) fn closed() -> Error {
    Error::invalid("the loom is closed")
}

/// Where an attribute of `axis` is.
pub(crate) fn attribute_path(axis: Axis, name: &str) -> Result<NodePath> {
    named(axis.attributes(), name).map_err(|error| error.within("an attribute"))
}

/// The node `name` in `group`.
pub(crate) fn named(group: &str, name: &str) -> Result<NodePath> {
    NodePath::parse(group)?.join(name)
}

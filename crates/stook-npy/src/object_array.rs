//! An npy file of Python objects as the objects it holds, whatever they are.
//!
//! As a container ([`open_npy`](crate::open_npy)) such a file has values of one type, or texts. Who
//! wants the objects themselves (a dictionary, lists of arrays) has them here, as the document that
//! their pickle is.

use std::path::Path;
use std::sync::Arc;

use stook_core::file::{FileIo, LocalFile};
use stook_core::{ArraySpec, Error, Limits, Result};

use crate::header::Header;
use crate::pickle::{Form, Node, NodeId, Pickle, PickledArray, write};

/// An array of objects.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectArray {
    pickle: Pickle,
    array: Arc<PickledArray>,
}

impl ObjectArray {
    /// An array of `shape` whose elements, in C order, are objects of `pickle`.
    ///
    /// # Errors
    /// `Corrupt` if they do not fill the shape, `LimitExceeded` for more than `u32::MAX` objects.
    pub fn new(mut pickle: Pickle, shape: Vec<u64>, elements: Vec<NodeId>) -> Result<Self> {
        let array = Arc::new(PickledArray::of_objects(shape, false, elements)?);
        let root = pickle.add(Node::Array(Arc::clone(&array)))?;
        Ok(Self { pickle: pickle.with_root(root), array })
    }

    /// Reads the npy file at `path`; `None` where its elements are no objects.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `Unsupported` naming what the file would run or what is no plain
    /// data, `LimitExceeded`, `Io`.
    pub fn open(path: impl AsRef<Path>, limits: &Limits) -> Result<Option<Self>> {
        let file = LocalFile::open(&path)?;
        Self::read(&file, limits).map_err(|error| error.at_file(path))
    }

    /// Reads the bytes of an npy file; `None` where its elements are no objects.
    ///
    /// # Errors
    /// As [`ObjectArray::open`].
    pub fn parse(npy: &[u8], limits: &Limits) -> Result<Option<Self>> {
        let mut read = |offset: u64, out: &mut [u8]| {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            let from = npy.get(start..start.saturating_add(out.len()));
            out.copy_from_slice(from.ok_or_else(|| Error::corrupt("an npy file is cut short"))?);
            Ok(())
        };
        let (header, start) = Header::read(npy.len() as u64, limits, &mut read)?;
        if !header.is_object() {
            return Ok(None);
        }
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        Self::of_pickle(&header, npy.get(start..).unwrap_or_default(), limits).map(Some)
    }

    fn read(file: &LocalFile, limits: &Limits) -> Result<Option<Self>> {
        let file_len = file.len_bytes()?;
        let mut read = |offset: u64, out: &mut [u8]| file.read_exact_at(offset, out);
        let (header, start) = Header::read(file_len, limits, &mut read)?;
        if !header.is_object() {
            return Ok(None);
        }
        let mut bytes = vec![0; limits.chunk(file_len.saturating_sub(start))?];
        file.read_exact_at(start, &mut bytes)?;
        Self::of_pickle(&header, &bytes, limits).map(Some)
    }

    fn of_pickle(header: &Header, bytes: &[u8], limits: &Limits) -> Result<Self> {
        let pickle = Pickle::parse(bytes, limits)?;
        let array = match pickle.node(pickle.root())? {
            Node::Array(array) if array.is_object() => Arc::clone(array),
            other => {
                let found = other.type_name();
                return Err(Error::corrupt(format!("expected an array of objects, found {found}")));
            }
        };
        if array.shape != header.shape {
            let (expected, found) = (&header.shape, &array.shape);
            return Err(Error::corrupt(format!(
                "expected objects of shape {expected:?}, found {found:?}"
            )));
        }
        Ok(Self { pickle, array })
    }

    /// The npy file, byte for byte as `numpy.save` writes it.
    ///
    /// # Errors
    /// `Unsupported` for objects that are not written, `LimitExceeded` for objects nested too deep.
    pub fn to_npy(&self, form: Form) -> Result<Vec<u8>> {
        let mut bytes = Header::of_objects(self.array.shape.clone()).to_bytes()?;
        bytes.extend(write(&self.pickle, form)?);
        Ok(bytes)
    }

    /// The shape.
    #[must_use]
    pub fn shape(&self) -> &[u64] {
        &self.array.shape
    }

    /// The elements in C order.
    #[must_use]
    pub fn elements(&self) -> &[NodeId] {
        &self.array.objects
    }

    /// The one element of an array without axes.
    #[must_use]
    pub fn item(&self) -> Option<NodeId> {
        if self.array.shape.is_empty() { self.array.objects.first().copied() } else { None }
    }

    /// What holds the objects.
    #[must_use]
    pub fn pickle(&self) -> &Pickle {
        &self.pickle
    }
}

/// The bytes up to the data of an npy file whose items lie as `spec` says: their byte order, and
/// whether the first axis varies fastest.
///
/// # Errors
/// `Unsupported` for a dtype that numpy has not, or whose items vary in size.
pub fn npy_header_of(spec: &ArraySpec) -> Result<Vec<u8>> {
    if spec.dtype.has_heap() {
        return Err(Error::unsupported(format!("npy has no items of type {}", spec.dtype)));
    }
    Header::from_spec(spec)?.to_bytes()
}

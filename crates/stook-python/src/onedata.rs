//! The saved files of an experiment's sessions as the Python half sees them: loaded without a copy,
//! replaced whole; and the cache of loads, whose values are Python's objects.

mod catalogue;
mod objects;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use stook::codec::Endian;
use stook::npy::ObjectArray;
use stook::sparse::{Compressed, Indices, Layout, Packing, Sparse};
use stook::{ArraySpec, CodecSpec, Error, Values};
use stook_onedata::alf::{AlfName, DatasetFilter, list_datasets};
use stook_onedata::{
    Cache, Data, LoadingRecipe, OneData, OneFile, OneName, Planes, Source, Suite2p, transpose_into,
};

pub(crate) use self::catalogue::OneCatalogue;
use crate::dtype::from_numpy;
use crate::enter::{enter, invalid, raise};
use crate::lend;
use crate::memory::{allocate, bytes, bytes_mut};
use crate::tree::durability_of;

/// The saved files of one session.
#[pyclass(frozen, module = "stook._stook")]
pub(crate) struct OneFolder {
    data: OneData,
}

impl OneFolder {
    fn data_to_python<'py>(
        &self,
        py: Python<'py>,
        data: Data,
        dense: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        match data {
            Data::Array(array) => {
                if let Some(mapped) = lend::mapped(py, array.clone())? {
                    return Ok(mapped);
                }
                let values = enter(py, || array.read(&stook::Selection::All))?;
                lend::held(py, Arc::new(values))
            }
            Data::Values(values) => lend::held(py, values),
            Data::Sparse(matrix) if dense => {
                let limits = self.data.file_limits();
                let columns = enter(py, || matrix.to_dense_columns(limits))?;
                lend::held(py, Arc::new(columns))?.getattr("T")
            }
            Data::Sparse(matrix) => sparse_to_python(py, &matrix),
            Data::Objects(objects) => Ok(Bound::new(py, OneObjects { objects })?.into_any()),
            Data::List(parts) => {
                let parts = parts.into_iter().map(|part| self.data_to_python(py, part, dense));
                Ok(PyList::new(py, parts.collect::<PyResult<Vec<_>>>()?)?.into_any())
            }
            other => Err(raise(py, &Error::unsupported(format!("a {}", other.kind())))),
        }
    }

    fn file(py: Python<'_>, name: &str) -> PyResult<OneFile> {
        OneFile::parse(name).map_err(|error| raise(py, &error))
    }

    fn name(py: Python<'_>, name: &str) -> PyResult<OneName> {
        name.parse().map_err(|error| raise(py, &error))
    }
}

#[pymethods]
impl OneFolder {
    #[staticmethod]
    fn open(
        py: Python<'_>,
        data_path: PathBuf,
        folder: Option<PathBuf>,
        memory_map: bool,
        saving: (&str, bool, bool),
    ) -> PyResult<Self> {
        let (durability, checksums, deflated) = saving;
        let durability = durability_of(py, durability)?;
        let packing = if deflated { Packing::Deflated } else { Packing::Stored };
        let mut data =
            enter(py, || OneData::at(data_path))?.durability(durability).packing(packing);
        if checksums {
            data = data.with_checksums();
        }
        if let Some(folder) = folder {
            data = data.folder(folder);
        }
        Ok(Self { data: if memory_map { data } else { data.without_memory_map() } })
    }

    #[getter]
    fn path(&self) -> PathBuf {
        self.data.path().to_path_buf()
    }

    /// Whether all lies in one Zarr or HDF5 file.
    #[getter]
    fn is_in_file(&self) -> bool {
        self.data.is_in_file()
    }

    /// The name of a file of these parts, without what that ends in.
    #[staticmethod]
    fn check_name(py: Python<'_>, parts: Vec<String>) -> PyResult<String> {
        let name = OneName::new(&parts).map_err(|error| raise(py, &error))?;
        Ok(name.as_str().to_owned())
    }

    /// The files' names, npy first.
    fn files(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let files = enter(py, || self.data.files())?;
        Ok(files.iter().map(ToString::to_string).collect())
    }

    fn has(&self, py: Python<'_>, file: &str) -> PyResult<bool> {
        let file = Self::file(py, file)?;
        enter(py, || self.data.has(&file))
    }

    /// What is in a file: an array that cannot be written to, objects, or the parts of a sparse
    /// matrix that is not to be dense.
    fn load<'py>(&self, py: Python<'py>, file: &str, dense: bool) -> PyResult<Bound<'py, PyAny>> {
        let file = Self::file(py, file)?;
        let data = enter(py, || self.data.load(&file))?;
        self.data_to_python(py, data, dense)
    }

    /// Some columns of a sparse matrix.
    fn load_columns<'py>(
        &self,
        py: Python<'py>,
        file: &str,
        range: (u64, u64),
        dense: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let file = Self::file(py, file)?;
        let matrix = enter(py, || self.data.load_columns(&file, range.0..range.1))?;
        self.data_to_python(py, Data::Sparse(Arc::new(matrix)), dense)
    }

    /// Writes the JSON form of a recipe beside it.
    fn save_recipe_json(&self, py: Python<'_>, name: &str, json: &str) -> PyResult<PathBuf> {
        let name = Self::name(py, name)?;
        enter(py, || self.data.save_recipe_json(&name, &LoadingRecipe::of_json(json)?))
    }

    /// What the checksums say of each file.
    fn verify(&self, py: Python<'_>) -> PyResult<Vec<(String, &'static str)>> {
        let found = enter(py, || self.data.verify(&|_, _| ()))?;
        Ok(found.into_iter().map(|(name, state)| (name, state.as_str())).collect())
    }

    /// Makes checksums of all files; returns of how many.
    fn sum_up(&self, py: Python<'_>) -> PyResult<u64> {
        enter(py, || self.data.sum_up())
    }

    /// Removes temporary files that are older than so many seconds.
    fn sweep(&self, py: Python<'_>, seconds: u64) -> PyResult<Vec<String>> {
        enter(py, || self.data.sweep(Duration::from_secs(seconds)))
    }

    /// Paths of datasets, below the session's folder.
    fn datasets(
        &self,
        py: Python<'_>,
        file_name: Option<String>,
        collection: Option<String>,
    ) -> PyResult<Vec<String>> {
        enter(py, || list_datasets(&self.data, &DatasetFilter { collection, file_name }))
    }

    /// The object of a file's name in ALF, and what its attribute is called; `None` if it is none.
    #[staticmethod]
    fn alf_parts(file_name: &str) -> Option<(String, String)> {
        let name = AlfName::parse(file_name)?;
        Some((name.object.clone(), name.key()))
    }

    /// What is in an npy or npz file anywhere in the session's folder.
    fn load_at<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        dense: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let kind = Self::file(py, name)?.kind;
        let data = enter(py, || self.data.load_at(&path, kind))?;
        self.data_to_python(py, data, dense)
    }

    /// The numbers of the planes that suite2p's output has.
    fn plane_ids(&self, py: Python<'_>) -> PyResult<Vec<u32>> {
        enter(py, || Suite2p::of(&self.data).plane_ids())
    }

    /// A variable of suite2p's output, and the files it was made from.
    #[pyo3(signature = (variable, joined, planes=None, n_frames=None))]
    fn suite2p<'py>(
        &self,
        py: Python<'py>,
        variable: &str,
        joined: bool,
        planes: Option<Vec<u32>>,
        n_frames: Option<u64>,
    ) -> PyResult<(Bound<'py, PyAny>, Vec<OneSource>)> {
        let mut suite2p = Suite2p::of(&self.data);
        if let Some(planes) = planes {
            suite2p = suite2p.planes(planes);
        }
        if let Some(n_frames) = n_frames {
            suite2p = suite2p.n_frames(n_frames);
        }
        let how = if joined { Planes::Joined } else { Planes::Apart };
        let (data, sources) =
            enter(py, || Ok((suite2p.load(variable, how)?, suite2p.sources(variable)?)))?;
        let sources = sources.into_iter().map(|source| OneSource { source }).collect();
        Ok((self.data_to_python(py, data, true)?, sources))
    }

    /// Saves an array that is contiguous in C order; `fortran` if it is the transposed of what is to
    /// be saved.
    fn save_array(
        &self,
        py: Python<'_>,
        name: &str,
        array: &Bound<'_, PyUntypedArray>,
        fortran: bool,
    ) -> PyResult<()> {
        let name = Self::name(py, name)?;
        let dtype = from_numpy(&array.dtype())?;
        let mut shape: Vec<u64> = array.shape().iter().map(|&len| len as u64).collect();
        let n_item_axes = array.dtype().shape().len();
        shape.truncate(shape.len().saturating_sub(n_item_axes));
        let mut codecs = Vec::new();
        if fortran {
            shape.reverse();
            codecs.push(CodecSpec::Transpose { order: (0..shape.len()).rev().collect() });
        }
        codecs.push(CodecSpec::ByteOrder(endian_of(array)?));
        let mut spec = ArraySpec::new(dtype, shape);
        spec.codecs = codecs;
        let items = bytes(array);
        enter(py, || self.data.save_items(&name, &spec, items))
    }

    /// Saves an object as the one of an array without axes, or an array of objects.
    fn save_objects(&self, py: Python<'_>, name: &str, object: &Bound<'_, PyAny>) -> PyResult<()> {
        let name = Self::name(py, name)?;
        let objects = objects::from_python(object)?;
        enter(py, || self.data.save_objects(&name, &objects))
    }

    /// Saves a sparse matrix by columns; `index` has its indices and pointers, integers.
    fn save_csc(
        &self,
        py: Python<'_>,
        name: &str,
        data: &Bound<'_, PyUntypedArray>,
        index: (Bound<'_, PyUntypedArray>, Bound<'_, PyUntypedArray>),
        shape: [u64; 2],
    ) -> PyResult<()> {
        let name = Self::name(py, name)?;
        let (data, indices, pointers) = (line(data)?, line(&index.0)?, line(&index.1)?);
        enter(py, || {
            let (indices, pointers) = (Indices::new(indices()?)?, Indices::new(pointers()?)?);
            let layout = Layout::Csc(Compressed { pointers, indices });
            self.data.save_sparse(&name, &Sparse::new(shape, layout, data()?)?.as_array())
        })
    }

    fn remove(&self, py: Python<'_>, file: &str) -> PyResult<bool> {
        let file = Self::file(py, file)?;
        enter(py, || self.data.remove(&file))
    }
}

/// How the items of an array become values along one axis.
fn line<'a>(
    array: &'a Bound<'_, PyUntypedArray>,
) -> PyResult<impl Fn() -> stook::Result<Values> + Send + 'a> {
    let (dtype, items, len) = (from_numpy(&array.dtype())?, bytes(array), array.len() as u64);
    Ok(move || Values::new(dtype.clone(), vec![len], items.to_vec(), Vec::new()))
}

/// The byte order of an array's items.
fn endian_of(array: &Bound<'_, PyUntypedArray>) -> PyResult<Endian> {
    let order: char = array.dtype().getattr("byteorder")?.extract()?;
    Ok(match order {
        '>' => Endian::Big,
        '<' => Endian::Little,
        _ => Endian::NATIVE,
    })
}

/// Data, indices, pointers and shape.
fn sparse_to_python<'py>(py: Python<'py>, matrix: &Sparse) -> PyResult<Bound<'py, PyAny>> {
    let Layout::Csc(part) = matrix.layout() else {
        let found = matrix.format();
        let error =
            Error::unsupported(format!("expected a matrix by columns (csc), found {found}"));
        return Err(raise(py, &error));
    };
    // Both in one type, as scipy has them.
    let is_wide = part.indices.is_wide() || part.pointers.is_wide();
    let lent = |indices: &Indices| {
        lend::held(py, if is_wide { indices.to_wide() } else { Arc::clone(indices.values()) })
    };
    let data = lend::held(py, Arc::clone(matrix.data()))?;
    let (indices, pointers) = (lent(&part.indices)?, lent(&part.pointers)?);
    let shape = PyTuple::new(py, matrix.shape())?;
    Ok((data, indices, pointers, shape).into_pyobject(py)?.into_any())
}

/// Objects of a file, which become Python's each time they are asked for.
#[pyclass(frozen, module = "stook._stook")]
pub(crate) struct OneObjects {
    objects: Arc<ObjectArray>,
}

#[pymethods]
impl OneObjects {
    #[getter]
    fn len(&self) -> usize {
        self.objects.elements().len()
    }

    /// A new array of new objects.
    fn to_array<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        objects::to_python(py, &self.objects)
    }
}

/// A file as it was when it was looked at.
#[pyclass(frozen, module = "stook._stook")]
pub(crate) struct OneSource {
    source: Source,
}

#[pymethods]
impl OneSource {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        Ok(Self { source: enter(py, || Source::of(path))? })
    }

    #[getter]
    fn path(&self) -> PathBuf {
        self.source.path().to_path_buf()
    }

    /// Whether the file is certainly the same.
    #[getter]
    fn is_current(&self, py: Python<'_>) -> bool {
        py.detach(|| self.source.is_current())
    }
}

/// Loads that are kept, by the name of the file and what became of it.
#[pyclass(frozen, module = "stook._stook")]
pub(crate) struct OneCache {
    cache: Cache<(String, String), Arc<Py<PyAny>>>,
}

#[pymethods]
impl OneCache {
    #[new]
    fn new(budget: u64) -> Self {
        Self { cache: Cache::new(budget) }
    }

    fn get(&self, py: Python<'_>, file: String, form: String) -> Option<Py<PyAny>> {
        let key = (file, form);
        let value = py.detach(|| self.cache.get(&key))?;
        Some(value.clone_ref(py))
    }

    fn put(
        &self,
        file: String,
        form: String,
        value: Py<PyAny>,
        len_bytes: u64,
        sources: Vec<PyRef<'_, OneSource>>,
    ) {
        let sources = sources.iter().map(|source| source.source.clone()).collect();
        self.cache.put((file, form), Arc::new(value), len_bytes, sources);
    }

    /// Forgets a file, or all.
    #[pyo3(signature = (file=None))]
    fn remove(&self, file: Option<&str>) {
        self.cache.remove_if(|(known, _)| file.is_none_or(|file| file == known));
    }

    /// Files and forms, the least recently used first.
    fn keys(&self) -> Vec<(String, String)> {
        self.cache.keys()
    }

    #[getter]
    fn len_bytes(&self) -> u64 {
        self.cache.len_bytes()
    }

    #[getter]
    fn get_budget(&self) -> u64 {
        self.cache.budget_len_bytes()
    }

    #[setter]
    fn set_budget(&self, budget: u64) {
        self.cache.set_budget_len_bytes(budget);
    }
}

/// A matrix that is contiguous in C order, transposed to a new one that is.
#[pyfunction]
pub(crate) fn transpose<'py>(array: &Bound<'py, PyUntypedArray>) -> PyResult<Bound<'py, PyAny>> {
    let py = array.py();
    let &[n_rows, n_columns] = array.shape() else {
        return Err(invalid(py, format!("expected two axes, found shape {:?}", array.shape())));
    };
    if !array.is_c_contiguous() || array.dtype().has_object() {
        return Err(invalid(py, "expected items in C order"));
    }
    let shape = [n_columns as u64, n_rows as u64];
    let mut turned = allocate(py, &shape, array.dtype().as_any(), false)?;
    let (from, item_size) = (bytes(array), array.dtype().itemsize());
    let to = bytes_mut(&mut turned)?;
    enter(py, || transpose_into(from, [n_rows, n_columns], item_size, to))?;
    Ok(turned.into_any())
}

//! Layers as sparse matrices in a file beside the loom, for who goes through them again and again.
//!
//! The sidecar of `cells.loom` is `cells.loom.csr`, an HDF5 file with a group for each layer that
//! was put there: a matrix of rows and columns as AnnData stores it (`csr_matrix`), its layer's
//! name, and a checksum of the layer's tiles as they are stored. What scans, sums or extracts a
//! layer reads the checksum of its tiles first, each time, and takes the elements from the sidecar
//! only where that is the one they were made of: a sidecar is never stale, only of no use.
//!
//! A sidecar can be deleted at any time. docs/formats/loom.md draws it.

mod checksum;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use stook::{
    Array, CreateOptions, DType, Error, ErrorKind, File, Format, Group, InTheWay, Result, Values,
};
use stook_core::CodecSpec;
use stook_core::file::place::{draft_of, kind_of, publish, remove};

use crate::axis::Axis;
use crate::fused::{FusedOptions, csr_kept};
use crate::loom::Loom;
use crate::matrix::{Compressed, Numbers, Picked, StoredSparse, tile_of};
use crate::progress;
use crate::state::State;

pub(crate) use checksum::of_layer as checksum_of;

/// What the names of sidecars end with.
const SUFFIX: &str = ".csr";
/// What the file says that it is.
const ENCODING: &str = "stook-loom-csr";
const VERSION: &str = "1";
/// Elements of a chunk of the sidecar's arrays, each with a checksum.
const CHUNK_LEN: u64 = 1 << 14;

/// The matrices that were read from a sidecar, by the names of their layers.
pub(crate) type Known = HashMap<String, Option<Arc<Sidecar>>>;

/// A layer in a sidecar, read.
#[derive(Debug)]
pub(crate) struct Sidecar {
    checksum: u64,
    matrix: Arc<Compressed<'static>>,
}

/// What the sidecar of a loom has of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SidecarState {
    /// Nothing.
    Missing,
    /// The elements of a layer that has changed since, or of another: they are not used.
    Stale,
    /// Its elements, of which so many are not zero.
    Valid {
        /// How many are listed.
        n_elements: u64,
    },
}

/// Where the sidecar of the loom at `path` is; none where the loom is behind a URL.
#[must_use]
pub fn sidecar_of(path: &Path) -> Option<PathBuf> {
    if path.to_str().is_some_and(stook::is_url) {
        return None;
    }
    let mut name = path.file_name()?.to_owned();
    name.push(SUFFIX);
    Some(path.with_file_name(name))
}

impl Loom {
    /// Writes layers as sparse matrices to the sidecar of the loom, in the place of the one that
    /// may be there. About a quarter of the budget is in memory at once.
    ///
    /// # Errors
    /// `NotFound` for a layer that is not there, `Unsupported` behind a URL, `Io`.
    pub fn make_sidecar(&self, layers: &[&str]) -> Result<PathBuf> {
        let target = self.sidecar_path()?;
        let budget = self.options().budget_len_bytes as u64;
        self.read(|state| {
            layers.iter().try_for_each(|layer| state.known_layer(layer).map(drop))?;
            let draft = draft_of(&target);
            let made = write(state, &draft, (layers, budget));
            let made = made.and_then(|()| publish(&draft, &target, InTheWay::Goes));
            if let Err(error) = made {
                // The first error is the one to tell.
                let _ = remove(&draft);
                return Err(error.rename_file(&target));
            }
            state.forget_sidecar();
            Ok(())
        })?;
        Ok(target)
    }

    /// Deletes the sidecar of the loom; false where there is none.
    ///
    /// # Errors
    /// `InvalidInput` where the file of its name is none, `Unsupported` behind a URL, `Io`.
    pub fn drop_sidecar(&self) -> Result<bool> {
        let target = self.sidecar_path()?;
        self.read(|state| {
            if kind_of(&target)?.is_none() {
                return Ok(false);
            }
            if opened(&target)?.is_none() {
                let message = "the file beside the loom is no sidecar of it";
                return Err(Error::invalid(message).rename_file(&target));
            }
            remove(&target)?;
            state.forget_sidecar();
            Ok(true)
        })
    }

    /// What the sidecar has of a layer.
    ///
    /// # Errors
    /// `NotFound` for a layer that is not there, `Corrupt` where its tiles cannot be read, `Io`.
    pub fn sidecar_state(&self, layer: &str) -> Result<SidecarState> {
        let Some(path) = sidecar_of(self.path()) else { return Ok(SidecarState::Missing) };
        self.read(|state| {
            let array = state.known_layer(layer)?;
            let Some(file) = opened(&path)? else { return Ok(SidecarState::Missing) };
            let Some((group, checksum)) = found(&file, layer)? else {
                return Ok(SidecarState::Missing);
            };
            if checksum_of(&array)? != checksum {
                return Ok(SidecarState::Stale);
            }
            let n_elements = group.open_array("data")?.shape().first().copied().unwrap_or(0);
            Ok(SidecarState::Valid { n_elements })
        })
    }

    /// How a pass over a layer is made: within the loom's budget, and from the elements in its
    /// sidecar where these are there, are those of the layer as it is now, and take no more than
    /// half of the budget.
    ///
    /// # Errors
    /// `NotFound` for a layer that is not there, `Corrupt` where its tiles cannot be read, `Io`.
    pub fn fused_options(&self, layer: &str) -> Result<FusedOptions> {
        let memory_len_bytes = self.options().budget_len_bytes as u64;
        let sparse = self.sparse_elements(layer)?;
        Ok(FusedOptions { memory_len_bytes, sparse, ..FusedOptions::default() })
    }

    /// The elements of a layer from its sidecar, where that has them.
    ///
    /// # Errors
    /// As [`Loom::fused_options`].
    pub fn sparse_elements(&self, layer: &str) -> Result<Option<Arc<Compressed<'static>>>> {
        let Some(path) = sidecar_of(self.path()) else { return Ok(None) };
        let room = self.options().budget_len_bytes as u64 / 2;
        self.read(|state| {
            let known = || state.sidecar.lock().unwrap_or_else(PoisonError::into_inner);
            let before = known().get(layer).cloned();
            let sidecar = match before {
                Some(sidecar) => sidecar,
                None => {
                    // One that cannot be read is of no use, and no hindrance.
                    let read = read(&path, state, (layer, room)).unwrap_or(None).map(Arc::new);
                    known().insert(layer.to_owned(), read.clone());
                    read
                }
            };
            let Some(sidecar) = sidecar else { return Ok(None) };
            let is_same = checksum_of(&state.known_layer(layer)?)? == sidecar.checksum;
            Ok(is_same.then(|| Arc::clone(&sidecar.matrix)))
        })
    }

    fn sidecar_path(&self) -> Result<PathBuf> {
        sidecar_of(self.path()).ok_or_else(|| {
            let message = "a loom behind a URL has no sidecar";
            Error::unsupported(message).at_file(self.path())
        })
    }
}

/// The sidecar at `path`; none where there is none, or something else.
fn opened(path: &Path) -> Result<Option<File>> {
    if kind_of(path)?.is_none() {
        return Ok(None);
    }
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let root = file.root_group()?.attributes()?;
    let says = |name: &str, expected: &str| {
        let value = root.get(name).and_then(crate::attribute_value::values_of);
        value.and_then(|value| value.text_at(0).ok()).is_some_and(|text| text == expected)
    };
    Ok((says("encoding-type", ENCODING) && says("encoding-version", VERSION)).then_some(file))
}

/// The group of a layer, and the checksum of the tiles that it was made of.
fn found(file: &File, layer: &str) -> Result<Option<(Group, u64)>> {
    for (_, node) in file.root_group()?.nodes()? {
        let stook::Node::Group(group) = node else { continue };
        let attributes = group.attributes()?;
        let text = |name: &str| {
            let value = attributes.get(name).and_then(crate::attribute_value::values_of)?;
            value.text_at(0).ok()
        };
        if text("layer").as_deref() == Some(layer) {
            let checksum = text("checksum").and_then(|sum| u64::from_str_radix(&sum, 16).ok());
            return Ok(checksum.map(|checksum| (group, checksum)));
        }
    }
    Ok(None)
}

/// The elements of a layer, where they take at most `room` bytes.
fn read(path: &Path, state: &State, (layer, room): (&str, u64)) -> Result<Option<Sidecar>> {
    let Some(file) = opened(path)? else { return Ok(None) };
    let Some((group, checksum)) = found(&file, layer)? else { return Ok(None) };
    let dtype = state.known_layer(layer)?.dtype();
    let stored = StoredSparse::open(&group, Axis::Rows, &state.shape)?;
    let n = group.open_array("data")?.shape().first().copied().unwrap_or(0);
    let len = n.saturating_mul(dtype.item_size() as u64 + 4).saturating_add(8 * state.shape[0]);
    let is_fit = len <= room && stored.dtypes(&group)?.first() == Some(&dtype);
    if !is_fit {
        return Ok(None);
    }
    let matrix = stored.whole()?;
    Ok(matrix.is_in_order().then(|| Sidecar { checksum, matrix: Arc::new(matrix) }))
}

fn write(state: &State, path: &Path, (layers, budget): (&[&str], u64)) -> Result<()> {
    let options = CreateOptions { format: Some(Format::Hdf5), ..CreateOptions::default() };
    let file = File::create_with(path, &options)?;
    let root = file.root_group()?;
    root.set_attribute("encoding-type", ENCODING)?;
    root.set_attribute("encoding-version", VERSION)?;
    for (at, layer) in layers.iter().enumerate() {
        let array = state.known_layer(layer)?;
        let group = root.create_group(&at.to_string())?;
        let before = checksum_of(&array)?;
        write_layer(&array, &group, budget)?;
        if checksum_of(&array)? != before {
            let message = format!("layer `{layer}` changed while it was read");
            return Err(Error::new(ErrorKind::Locked, message));
        }
        group.set_attribute("encoding-type", "csr_matrix")?;
        group.set_attribute("encoding-version", "0.1.0")?;
        let [rows, columns] = state.shape.map(|len| i64::try_from(len).unwrap_or(i64::MAX));
        group.set_attribute("shape", crate::numbers(vec![2], &[rows, columns])?)?;
        group.set_attribute("layer", *layer)?;
        group.set_attribute("checksum", format!("{before:016x}"))?;
    }
    file.commit()
}

/// Writes the elements of a layer, a band of rows at a time.
fn write_layer(layer: &Array, group: &Group, budget: u64) -> Result<()> {
    let shape = layer.shape();
    let (&[n_rows, n_columns], dtype) = (shape.as_slice(), layer.dtype()) else {
        return Err(Error::invalid("a layer of other than two axes").at_node(layer.path()));
    };
    let growing = |name: &str, dtype: DType| {
        let builder = group.array(name).dtype(dtype).shape([0]).max_shape([None]);
        builder.chunks([CHUNK_LEN]).codecs([CodecSpec::Fletcher32]).create()
    };
    progress::expect(n_rows.saturating_mul(n_columns));
    let (data, indices) = (growing("data", dtype.clone())?, growing("indices", DType::Int32)?);
    let mut pointers = vec![0_i64];
    let tile = tile_of(layer)[0].max(1);
    let len_row = n_columns.saturating_mul(dtype.item_size() as u64 + 4).max(1);
    let step = (budget / 4 / len_row / tile).max(1).saturating_mul(tile);
    let options = FusedOptions { memory_len_bytes: budget / 4, ..FusedOptions::default() };
    let mut start = 0;
    while start < n_rows {
        let end = start.saturating_add(step).min(n_rows);
        let rows: Vec<u64> = (start..end).collect();
        let picked = Picked { rows: Some(&rows), columns: None };
        let band = csr_kept(layer, picked, &dtype, &options)?;
        let base = pointers.last().copied().unwrap_or(0);
        let ends = (1..=rows.len()).map(|row| base + band.pointers().get(row) as i64);
        pointers.extend(ends);
        append(&data, band.numbers())?;
        let places = (0..band.indices().len()).map(|at| band.indices().get(at) as i32);
        append(&indices, &Numbers::from(places.collect::<Vec<_>>()))?;
        start = end;
    }
    append(&growing("indptr", DType::Int64)?, &Numbers::from(pointers))
}

fn append(array: &Array, numbers: &Numbers<'_>) -> Result<()> {
    if numbers.is_empty() {
        return Ok(());
    }
    let shape = vec![numbers.len() as u64];
    let items = numbers.as_bytes().to_vec();
    array.append(&Values::new(numbers.dtype(), shape, items, Vec::new())?, 0)
}

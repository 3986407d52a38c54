//! The catalogue made from the tree: what is known and unchanged is kept, the rest is looked at by
//! several threads, and all of it is written at once.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use stook_core::engine::for_each;
use stook_core::file::place::{PlaceKind, canonical, kind_of};
use stook_core::file::{LocalFile, Stamp};
use stook_core::{Error, Limits, Result};

use super::database::{Database, Known, Scanned};
use super::inspect::inspect;
use super::quality::Quality;
use super::record::{DatasetKind, DatasetRecord};
use super::scan::{self, FoundFile, Place};
use super::{Catalogue, datasets_of};
use crate::cache::UNSETTLED;
use crate::checksums::hash_of_file;
use crate::one_data::OneData;
use crate::transpose::n_threads;

/// Whether the bytes of files are summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hashes {
    /// Those of unchanged files are kept, and no new ones are made.
    #[default]
    Kept,
    /// Files without one are read whole.
    Made,
}

/// How a tree is indexed.
#[derive(Clone, Copy, Default)]
pub struct IndexOptions<'a> {
    /// Whether the bytes of files are summed up.
    pub hashes: Hashes,
    /// Told after each session.
    pub progress: Option<&'a (dyn Fn(IndexProgress) + Sync)>,
}

impl fmt::Debug for IndexOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexOptions").field("hashes", &self.hashes).finish_non_exhaustive()
    }
}

/// How far an index is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexProgress {
    /// Sessions that were looked at.
    pub n_done: u64,
    /// Sessions that there are.
    pub n_sessions: u64,
}

/// What an index found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexReport {
    /// Sessions there are.
    pub n_sessions: u64,
    /// Files that are named as datasets.
    pub n_datasets: u64,
    /// Of these, those that were read: new ones and changed ones.
    pub n_read: u64,
    /// Sessions that were there before and are no more.
    pub n_gone: u64,
    /// Files with which something is wrong, and what.
    pub problems: Vec<(String, String)>,
}

pub(super) fn index(catalogue: &Catalogue, options: &IndexOptions<'_>) -> Result<IndexReport> {
    let mut database = Database::open_to_write(catalogue.path())?;
    let known = database.known()?;
    let is_known = |path: &str| known.contains_key(path);
    let places = scan::sessions(catalogue.root(), &is_known)?;
    let work = Work {
        catalogue,
        known: &known,
        options,
        n_read: AtomicU64::new(0),
        n_done: AtomicU64::new(0),
        n_sessions: places.len() as u64,
        found: Mutex::default(),
    };
    for_each(places.len(), n_threads(), &|at| {
        places.get(at).map_or(Ok(()), |place| work.session(place))
    })?;
    let n_read = work.n_read.into_inner();
    let found = work.found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut report = IndexReport { n_sessions: found.len() as u64, n_read, ..Default::default() };
    for (path, scanned) in &found {
        report.n_datasets += scanned.datasets.len() as u64;
        for data in &scanned.datasets {
            // The record of a session's file is of the file itself.
            let is_itself = path.rsplit('/').next() == Some(&data.path);
            let place = || if is_itself { path.clone() } else { format!("{path}/{}", data.path) };
            report.problems.extend(data.problem.clone().map(|problem| (place(), problem)));
        }
    }
    report.n_gone = database.replace(&found)?;
    Ok(report)
}

struct Work<'a> {
    catalogue: &'a Catalogue,
    known: &'a Known,
    options: &'a IndexOptions<'a>,
    n_read: AtomicU64,
    n_done: AtomicU64,
    n_sessions: u64,
    found: Mutex<BTreeMap<String, Scanned>>,
}

impl Work<'_> {
    fn session(&self, place: &Place) -> Result<()> {
        let folder = self.catalogue.root().join(&place.path);
        // It may have become a link since it was listed.
        if canonical(&folder)?.is_some_and(|found| found.starts_with(self.catalogue.root())) {
            let known = self.known.get(&place.path).map_or(&[][..], Vec::as_slice);
            let known: HashMap<&str, &DatasetRecord> =
                known.iter().map(|data| (data.path.as_str(), data)).collect();
            let datasets = if place.is_file {
                self.packed(&folder, &known)
            } else {
                let files = scan::files(&folder)?;
                let datasets = files.into_iter().map(|file| self.dataset(file, &known));
                datasets.collect::<Result<Vec<_>>>()?
            };
            let scanned = Scanned { name: place.name.clone(), datasets };
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.insert(place.path.clone(), scanned);
        }
        let n_done = self.n_done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(progress) = self.options.progress {
            progress(IndexProgress { n_done, n_sessions: self.n_sessions });
        }
        Ok(())
    }

    /// What lies in the Zarr or HDF5 file at `path`. What is wrong with the file is told by a record of it.
    fn packed(&self, path: &Path, known: &HashMap<&str, &DatasetRecord>) -> Vec<DatasetRecord> {
        // Of a folder of Zarr, nothing tells whether it has changed.
        let stamp = match kind_of(path) {
            Ok(Some(PlaceKind::File)) => LocalFile::open(path).and_then(|file| file.stamp()).ok(),
            _ => None,
        };
        let modified = stamp.map_or(0, |stamp| stamp.modified);
        let is_same = |data: &&DatasetRecord| data.is_settled && data.modified == modified;
        if stamp.is_some() && !known.is_empty() && known.values().all(is_same) {
            let mut datasets: Vec<_> = known.values().map(|data| (**data).clone()).collect();
            datasets.sort_by(|a, b| a.path.cmp(&b.path));
            return datasets;
        }
        self.n_read.fetch_add(1, Ordering::Relaxed);
        let found = OneData::in_file(path).and_then(|data| datasets_of(&data));
        let mut datasets = found.unwrap_or_else(|error| vec![broken(path, stamp, &error)]);
        datasets.sort_by(|a, b| a.path.cmp(&b.path));
        for data in &mut datasets {
            data.modified = modified;
            data.is_settled = stamp.is_some() && modified.saturating_add(UNSETTLED) < now();
        }
        datasets
    }

    fn dataset(
        &self,
        file: FoundFile,
        known: &HashMap<&str, &DatasetRecord>,
    ) -> Result<DatasetRecord> {
        let real = file.real.clone();
        let known = known.get(file.path.as_str());
        let known = known.filter(|known| known.is_of(file.len_bytes, file.modified));
        let mut data = if let Some(known) = known {
            (*known).clone()
        } else {
            self.n_read.fetch_add(1, Ordering::Relaxed);
            record_of(file)
        };
        if self.options.hashes == Hashes::Made && data.hash.is_none() {
            match hash_of_file(&real) {
                Ok(hash) => data.hash = Some(hash),
                Err(error) => tell(&mut data, &error),
            }
        }
        Ok(data)
    }
}

/// What is known of a file that was looked at just now.
pub(super) fn record_of(file: FoundFile) -> DatasetRecord {
    let is_settled = file.modified.saturating_add(UNSETTLED) < now();
    let head = inspect(&file.real, file.len_bytes, &Limits::default());
    DatasetRecord {
        path: file.path,
        name: file.name,
        kind: head.kind,
        dtype: head.dtype,
        shape: head.shape,
        len_bytes: file.len_bytes,
        modified: file.modified,
        hash: None,
        problem: head.problem,
        quality: Quality::default(),
        is_settled,
    }
}

/// The record of a file that cannot be read.
fn broken(path: &Path, stamp: Option<Stamp>, error: &Error) -> DatasetRecord {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    DatasetRecord {
        path: name.clone(),
        name,
        kind: DatasetKind::Other,
        dtype: None,
        shape: None,
        len_bytes: stamp.map_or(0, |stamp| stamp.len_bytes),
        modified: 0,
        hash: None,
        problem: Some(error.message().to_owned()),
        quality: Quality::default(),
        is_settled: false,
    }
}

fn tell(data: &mut DatasetRecord, error: &Error) {
    data.problem.get_or_insert_with(|| error.message().to_owned());
}

/// Nanoseconds since 1970.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.ok().and_then(|now| u64::try_from(now.as_nanos()).ok()).unwrap_or(0)
}

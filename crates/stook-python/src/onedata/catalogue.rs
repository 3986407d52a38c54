//! The catalogue of a tree of sessions as the Python half sees it: records and values are JSON.

use std::path::PathBuf;
use std::sync::Mutex;

use pyo3::prelude::*;
use serde_json::{Value, json};
use stook::{Error, gate};
use stook_onedata::Catalogue;
use stook_onedata::alf::{DatasetFilter, export_tables};
use stook_onedata::catalogue::{
    Condition, DatasetRecord, Hashes, IndexOptions, IndexProgress, Operator, QualityFilter,
    SessionRecord,
};

use crate::enter::{enter, raise};

/// The catalogue of a tree.
#[pyclass(frozen, module = "stook._stook")]
pub(crate) struct OneCatalogue {
    catalogue: Catalogue,
}

fn value_of(py: Python<'_>, text: &str) -> PyResult<Value> {
    serde_json::from_str(text)
        .map_err(|error| raise(py, &Error::invalid(format!("a value is no JSON: {error}"))))
}

#[pymethods]
impl OneCatalogue {
    #[staticmethod]
    fn open(py: Python<'_>, root: PathBuf, path: Option<PathBuf>, create: bool) -> PyResult<Self> {
        let catalogue = enter(py, || match (&path, create) {
            (None, false) => Catalogue::open(root),
            (path, _) => Catalogue::require_at(root, path.as_deref()),
        })?;
        Ok(Self { catalogue })
    }

    #[getter]
    fn root(&self) -> PathBuf {
        self.catalogue.root().to_path_buf()
    }

    #[getter]
    fn path(&self) -> PathBuf {
        self.catalogue.path().to_path_buf()
    }

    /// Looks at the tree; `progress` is called with sessions done and sessions there are.
    fn index(&self, py: Python<'_>, hashes: bool, progress: Option<Py<PyAny>>) -> PyResult<String> {
        let failed: Mutex<Option<PyErr>> = Mutex::new(None);
        let call = |at: IndexProgress| {
            let Some(progress) = &progress else { return };
            // Any thread calls it; the first exception is raised at the end.
            let call = |py: Python<'_>| progress.call1(py, (at.n_done, at.n_sessions)).map(drop);
            let called = gate::aside(|| Python::attach(call));
            if let (Err(error), Ok(mut failed)) = (called, failed.lock()) {
                failed.get_or_insert(error);
            }
        };
        let report = enter(py, || {
            let hashes = if hashes { Hashes::Made } else { Hashes::Kept };
            let told: &(dyn Fn(IndexProgress) + Sync) = &call;
            let progress = progress.is_some().then_some(told);
            self.catalogue.index(&IndexOptions { hashes, progress })
        })?;
        if let Some(error) = failed.lock().ok().and_then(|mut failed| failed.take()) {
            return Err(error);
        }
        Ok(json!({
            "n_sessions": report.n_sessions,
            "n_datasets": report.n_datasets,
            "n_read": report.n_read,
            "n_gone": report.n_gone,
            "problems": report.problems,
        })
        .to_string())
    }

    /// Sessions that meet conditions: texts, and field, operator and value.
    fn sessions(
        &self,
        py: Python<'_>,
        texts: Vec<String>,
        conditions: Vec<(String, String, String)>,
    ) -> PyResult<String> {
        let found = enter(py, || {
            let mut all = Vec::with_capacity(texts.len() + conditions.len());
            for text in &texts {
                all.push(Condition::parse(text)?);
            }
            for (field, operator, value) in &conditions {
                let value: Value = serde_json::from_str(value)
                    .map_err(|error| Error::invalid(format!("a value is no JSON: {error}")))?;
                all.push(Condition::new(field, Operator::parse(operator)?, value));
            }
            self.catalogue.sessions(&all)
        })?;
        Ok(found.iter().map(SessionRecord::to_json).collect::<Value>().to_string())
    }

    fn datasets(&self, py: Python<'_>, session: &str) -> PyResult<String> {
        let found = enter(py, || {
            let session = self.catalogue.session(session)?;
            self.catalogue.datasets(&session)
        })?;
        Ok(found.iter().map(DatasetRecord::to_json).collect::<Value>().to_string())
    }

    /// Paths of datasets as ONE-api lists them: a quality by its name or number, and whether those
    /// that nobody judged are left out.
    fn list_datasets(
        &self,
        py: Python<'_>,
        session: &str,
        filter: (Option<String>, Option<String>),
        quality: (&str, bool),
    ) -> PyResult<Vec<String>> {
        let (file_name, collection) = filter;
        enter(py, || {
            let quality = QualityFilter { at_most: quality.0.parse()?, is_set: quality.1 };
            let session = self.catalogue.session(session)?;
            let filter = DatasetFilter { collection, file_name };
            self.catalogue.list_datasets(&session, &filter, quality)
        })
    }

    fn set_quality(
        &self,
        py: Python<'_>,
        session: &str,
        dataset: &str,
        quality: &str,
    ) -> PyResult<()> {
        enter(py, || self.catalogue.set_quality(session, dataset, quality.parse()?))
    }

    fn tag(&self, py: Python<'_>, session: &str, tag: &str) -> PyResult<bool> {
        enter(py, || self.catalogue.tag(session, tag))
    }

    fn untag(&self, py: Python<'_>, session: &str, tag: &str) -> PyResult<bool> {
        enter(py, || self.catalogue.untag(session, tag))
    }

    fn set_field(&self, py: Python<'_>, session: &str, name: &str, value: &str) -> PyResult<()> {
        let value = value_of(py, value)?;
        enter(py, || self.catalogue.set_field(session, name, &value))
    }

    /// Writes the tables of ONE-api.
    fn export(&self, py: Python<'_>, folder: PathBuf) -> PyResult<String> {
        let done = enter(py, || export_tables(&self.catalogue, &folder))?;
        Ok(json!({
            "sessions": done.sessions.display().to_string(),
            "datasets": done.datasets.display().to_string(),
            "n_sessions": done.n_sessions,
            "n_datasets": done.n_datasets,
            "left_out": done.left_out,
        })
        .to_string())
    }
}

//! A session: its name, its values, and what is saved in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;
use stook_core::{Error, Result, Values};

use crate::cache::{Cache, Source};
use crate::data::Data;
use crate::name::{OneName, SessionName};
use crate::one_data::{FileKind, OneData, OneFile};
use crate::recipe::LoadingRecipe;
use crate::recipes::{Loading, Recipes};

/// What caches of sessions hold unless told otherwise.
pub const CACHE_LEN_BYTES: u64 = 2 << 30;

/// How a name is loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LoadOptions {
    /// Which of the files of that name.
    pub kind: FileKind,
    /// What becomes of a sparse matrix.
    pub sparse: SparseAs,
    /// Whether what the cache has will do.
    pub cached: Cached,
}

/// What becomes of a sparse matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SparseAs {
    /// An array with all its zeros.
    #[default]
    Dense,
    /// It stays one.
    Sparse,
}

/// Whether what was loaded before will do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Cached {
    /// While its files are unchanged.
    #[default]
    Used,
    /// It is loaded anew.
    Ignored,
}

impl LoadOptions {
    /// A sparse matrix, from its npz file.
    #[must_use]
    pub fn sparse(sparse: SparseAs) -> Self {
        Self { kind: FileKind::Npz, sparse, ..Self::default() }
    }

    /// The same, loaded anew.
    #[must_use]
    pub fn anew(mut self) -> Self {
        self.cached = Cached::Ignored;
        self
    }
}

/// Loads that are kept, by file and what became of it.
pub type SessionCache = Cache<(OneFile, SparseAs), Data>;

/// Small values that a session carries.
#[derive(Debug, Default)]
pub struct SessionValues(RwLock<BTreeMap<String, Value>>);

impl SessionValues {
    /// The value called `key`.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn get(&self, key: &str) -> Result<Value> {
        let values = self.0.read().unwrap_or_else(PoisonError::into_inner);
        values
            .get(key)
            .cloned()
            .ok_or_else(|| Error::not_found(format!("there is no value `{key}`")))
    }

    /// Sets the value called `key`.
    pub fn set(&self, key: &str, value: impl Into<Value>) {
        let mut values = self.0.write().unwrap_or_else(PoisonError::into_inner);
        values.insert(key.to_owned(), value.into());
    }
}

/// Whether files may be removed: who removes says that he means it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// Removed files do not come back, and that is meant.
    Certain,
}

/// A session. Who implements it says where its data lies and what its activity is; loading and saving
/// follow from that.
pub trait SessionData {
    /// What tells it from others.
    fn session_name(&self) -> &SessionName;

    /// Its saved files.
    fn one_data(&self) -> &OneData;

    /// What it has loaded.
    fn cache(&self) -> &SessionCache;

    /// Its small values.
    fn values(&self) -> &SessionValues;

    /// The activity of its cells.
    ///
    /// # Errors
    /// As [`SessionData::load_with`].
    fn spks(&self) -> Result<Data>;

    /// What recipes may ask for; nothing, unless told.
    fn recipes(&self) -> Recipes {
        Recipes::new()
    }

    /// Its folder.
    fn data_path(&self) -> &Path {
        self.one_data().data_path()
    }

    /// Its saved files by name.
    ///
    /// # Errors
    /// As [`OneData::files`].
    fn saved(&self) -> Result<Vec<OneFile>> {
        self.one_data().files()
    }

    /// Loads what is saved as `name` in an npy file, or what the recipe there leads to.
    ///
    /// # Errors
    /// As [`SessionData::load_with`].
    fn load(&self, name: &str) -> Result<Data> {
        self.load_with(name, LoadOptions::default())
    }

    /// Loads what is saved as `name`.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` for what is no name, `Unsupported` naming a loader or transform
    /// that is not known or what a file would run, `Corrupt`, `LimitExceeded`, `Io`; and what loaders
    /// and transforms return.
    fn load_with(&self, name: &str, options: LoadOptions) -> Result<Data> {
        let file = OneFile { kind: options.kind, name: name.parse()? };
        let key = (file, options.sparse);
        if options.cached == Cached::Used
            && let Some(data) = self.cache().get(&key)
        {
            return Ok(data);
        }
        let loading = Loading::new(self.one_data());
        loading.uses([Source::of(self.one_data().path_of(&key.0))?]);
        let data = match self.one_data().load(&key.0)? {
            Data::Sparse(matrix) if options.sparse == SparseAs::Dense => {
                Data::from(matrix.to_dense(self.one_data().file_limits())?)
            }
            Data::Objects(objects) => match LoadingRecipe::of_objects(&objects)? {
                Some(recipe) => self.recipes().follow(&loading, &recipe)?,
                None => Data::Objects(objects),
            },
            other => other,
        };
        // What changes within a file is not told by the file.
        if self.one_data().is_in_file() {
            return Ok(data);
        }
        self.cache().put(key, data.clone(), data.len_bytes(), loading.into_sources());
        Ok(data)
    }

    /// Saves an array as `name`.
    ///
    /// # Errors
    /// As [`OneData::save_items`].
    fn save(&self, name: &str, values: &Values) -> Result<()> {
        self.one_data().save(&name.parse()?, values)
    }

    /// Saves a recipe as `name`.
    ///
    /// # Errors
    /// As [`OneData::save_recipe`].
    fn save_recipe(&self, name: &str, recipe: &LoadingRecipe) -> Result<()> {
        self.one_data().save_recipe(&name.parse()?, recipe)
    }

    /// Removes saved files: those called by `names`, of any kind, or all. Returns which.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`; some may be gone then.
    fn clear(&self, names: Option<&[OneName]>, _certainty: Certainty) -> Result<Vec<OneFile>> {
        let mut files = self.saved()?;
        files.retain(|file| names.is_none_or(|names| names.contains(&file.name)));
        for file in &files {
            self.one_data().remove(file)?;
            self.cache().remove_if(|(cached, _)| cached == file);
        }
        Ok(files)
    }
}

/// A session in a plain tree of folders, `mouse/date` or `mouse/date/id`, with suite2p's output beside
/// its saved files if there is any. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Session(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: SessionName,
    data: OneData,
    cache: SessionCache,
    values: SessionValues,
    recipes: Recipes,
    spks: OneName,
}

impl Session {
    /// The session `name` below `root`, with the recipes in use. Nothing need be there.
    ///
    /// # Errors
    /// As [`OneData::at`].
    pub fn open(root: impl Into<PathBuf>, name: SessionName) -> Result<Self> {
        Self::with_recipes(root, name, Recipes::standard())
    }

    /// The same with `recipes`.
    ///
    /// # Errors
    /// As [`OneData::at`].
    pub fn with_recipes(
        root: impl Into<PathBuf>,
        name: SessionName,
        recipes: Recipes,
    ) -> Result<Self> {
        let mut path = root.into();
        path.extend([name.mouse(), &name.date().to_string()]);
        path.extend(name.id());
        Ok(Self(Arc::new(Inner {
            name,
            data: OneData::at(path)?,
            cache: Cache::new(CACHE_LEN_BYTES),
            values: SessionValues::default(),
            recipes,
            spks: "mpci.roiActivityDeconvolved".parse()?,
        })))
    }
}

impl SessionData for Session {
    fn session_name(&self) -> &SessionName {
        &self.0.name
    }

    fn one_data(&self) -> &OneData {
        &self.0.data
    }

    fn cache(&self) -> &SessionCache {
        &self.0.cache
    }

    fn values(&self) -> &SessionValues {
        &self.0.values
    }

    fn spks(&self) -> Result<Data> {
        self.load(self.0.spks.as_str())
    }

    fn recipes(&self) -> Recipes {
        self.0.recipes.clone()
    }
}

//! The folder that holds what a session saved: npy and npz files, loaded and replaced whole.
//!
//! Invariants: no file outside of the session's folder is read, written or removed, wherever links
//! lead; a file is replaced by a complete one or not at all; nothing in a file is run.

mod upkeep;

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use stook::npy::{ObjectArray, npy_header_of};
use stook::pickle::Form;
use stook::sparse::{Packing, Sparse};
use stook::{Array, File};
use stook::{InTheWay, Storage, storage_of};
use stook_core::file::place::{
    PlaceKind, canonical, create_folders, draft_of, is_link, kind_of, publish, remove,
};
use stook_core::file::{FileIo, LocalFile, TempFile, resolve, sync_dir, write_atomic};
use stook_core::{ArraySpec, Durability, Error, Limits, NodePath, OpenOptions, Result, Values};

use crate::checksums::{CHECKSUMS_NAME, Keeper, hash_of, hash_of_file};
use crate::data::Data;
use crate::name::OneName;
use crate::packed::{Lay, Packed, write_npy};
use crate::recipe::LoadingRecipe;

/// What the folder is called, and was once.
pub(crate) const FOLDERS: [&str; 2] = ["onedata", "oneData"];

/// What kind of file something is saved as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// An npy file: an array, or a recipe or other objects.
    #[default]
    Npy,
    /// An npz archive: a sparse matrix.
    Npz,
}

impl FileKind {
    /// What the file's name ends in.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Npy => ".npy",
            Self::Npz => ".npz",
        }
    }
}

/// A file of the folder.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OneFile {
    /// Its kind.
    pub kind: FileKind,
    /// Its name, without what that ends in.
    pub name: OneName,
}

impl OneFile {
    /// The npy file of a name.
    #[must_use]
    pub fn npy(name: OneName) -> Self {
        Self { kind: FileKind::Npy, name }
    }

    /// The npz file of a name.
    #[must_use]
    pub fn npz(name: OneName) -> Self {
        Self { kind: FileKind::Npz, name }
    }

    /// The file that is called so.
    ///
    /// # Errors
    /// `InvalidInput` for a name that ends otherwise, or that is none.
    pub fn parse(file_name: &str) -> Result<Self> {
        for kind in [FileKind::Npy, FileKind::Npz] {
            if let Some(name) = file_name.strip_suffix(kind.suffix()) {
                return Ok(Self { kind, name: name.parse()? });
            }
        }
        let name = file_name.escape_debug();
        Err(Error::invalid(format!("`{name}`: a onedata file ends in .npy or .npz")))
    }
}

impl fmt::Display for OneFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, self.kind.suffix())
    }
}

/// The saved files of one session.
#[derive(Clone, Debug)]
pub struct OneData {
    data_path: PathBuf,
    folder: PathBuf,
    limits: Limits,
    memory_map: bool,
    durability: Durability,
    packing: Packing,
    makes_checksums: bool,
    /// Where all lies in one file.
    packed: Option<Packed>,
}

impl OneData {
    /// The files of the session whose folder is `data_path`. They lie in `onedata`, or `oneData` where
    /// there is only that; neither need be there. Where there is no such folder and a Zarr or HDF5 file
    /// of its name, such as `701.h5` for `701`, they lie in that.
    ///
    /// # Errors
    /// `InvalidInput` if there are two such files, `ReadOnly` without permission to look, `Io`.
    pub fn at(data_path: impl Into<PathBuf>) -> Result<Self> {
        let data_path = data_path.into();
        let [new, old] = FOLDERS.map(|folder| data_path.join(folder));
        let is_new = kind_of(&new)?.is_some();
        let is_old = !is_new && kind_of(&old)? == Some(PlaceKind::Folder);
        let is_folder = is_new || is_old || kind_of(&data_path)?.is_some();
        let packed = if is_folder { None } else { Packed::in_place_of(&data_path)? };
        let folder = if is_old { old } else { new };
        let (limits, durability) = (Limits::default(), Durability::Flush);
        let packing = Packing::default();
        Ok(Self {
            data_path,
            folder,
            limits,
            memory_map: true,
            durability,
            packing,
            makes_checksums: false,
            packed,
        })
    }

    /// What is saved in the Zarr or HDF5 file at `path`, which need not be there: a name that ends in
    /// `.zarr`, `.h5`, `.hdf5` or `.zip`. There are no checksums of it.
    ///
    /// # Errors
    /// `InvalidInput` for another name.
    pub fn in_file(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let packed = Packed::at(&path).ok_or_else(|| {
            Error::invalid("expected a name that ends in .zarr, .h5, .hdf5 or .zip").at_file(&path)
        })?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(Self { packed: Some(packed), ..Self::at(folder)? })
    }

    /// Whether all lies in one Zarr or HDF5 file.
    #[must_use]
    pub fn is_in_file(&self) -> bool {
        self.packed.is_some()
    }

    /// Saves all that is saved in `source` here; returns what. Nothing is lost: recipes and other
    /// objects keep their bytes, arrays their type, byte order and order of axes.
    ///
    /// # Errors
    /// `Unsupported` naming a type of elements that the format has not, and those of loading and
    /// saving; some may have been saved then.
    pub fn copy_from(&self, source: &Self) -> Result<Vec<OneFile>> {
        let files = source.files()?;
        for file in &files {
            let copied = match source.load_held(file)? {
                Data::Array(array) => self.save_array(&file.name, &array, source.is_in_file()),
                Data::Sparse(matrix) => self.save_sparse(&file.name, &matrix),
                Data::Objects(objects) => self.save_objects(&file.name, &objects),
                other => Err(other.unfit("what is saved")),
            };
            copied.map_err(|error| error.within(format_args!("`{file}`")))?;
        }
        Ok(files)
    }

    /// Loads `file`, an array in its file.
    pub(crate) fn load_held(&self, file: &OneFile) -> Result<Data> {
        match &self.packed {
            Some(packed) => packed.load_held(file, &self.options()),
            None => self.load(file),
        }
    }

    fn save_array(&self, name: &OneName, array: &Array, is_packed: bool) -> Result<()> {
        let lay = if is_packed { Packed::lay_of(array)? } else { Lay::of(&array.spec()) };
        if let Some(packed) = &self.packed {
            return packed.save_array(name, array, lay, self.durability);
        }
        let file = OneFile::npy(name.clone());
        self.publish_draft(&file, |draft| write_npy(draft, array, lay))
    }

    /// The same whose files lie in `folder`: one in the session's folder, or another, out of which
    /// no file leads then. A name of a Zarr or HDF5 file is one, as of [`OneData::in_file`].
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self.packed = Packed::at(&self.folder);
        if self.packed.is_some() {
            return self;
        }
        if !self.folder.starts_with(&self.data_path) {
            self.data_path.clone_from(&self.folder);
        }
        self
    }

    /// The same with other limits of what a file may ask for.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same, reading files instead of mapping them into memory. A mapped file must not be
    /// truncated by another program (`numpy.save` does that to files it overwrites) while its array
    /// is in use; saves of this crate never do that.
    #[must_use]
    pub fn without_memory_map(mut self) -> Self {
        self.memory_map = false;
        self
    }

    /// The same whose saves are as durable as that; [`Durability::Flush`] unless told.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// The same whose sparse matrices are saved so; [`Packing::Stored`] unless told.
    #[must_use]
    pub fn packing(mut self, packing: Packing) -> Self {
        self.packing = packing;
        self
    }

    /// The same whose saves make checksums, in a file that `sha256sum -c` reads. Where there is one,
    /// every save keeps it true.
    #[must_use]
    pub fn with_checksums(mut self) -> Self {
        self.makes_checksums = true;
        self
    }

    /// The folder of the session.
    #[must_use]
    pub fn data_path(&self) -> &Path {
        &self.data_path
    }

    /// The folder of the files, or the file that all lies in.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.packed.as_ref().map_or(&self.folder, Packed::path)
    }

    /// What a file may ask for.
    #[must_use]
    pub fn file_limits(&self) -> &Limits {
        &self.limits
    }

    /// Where `file` lies, or would.
    #[must_use]
    pub fn path_of(&self, file: &OneFile) -> PathBuf {
        if let Some(packed) = &self.packed {
            return packed.path().to_path_buf();
        }
        self.folder.join(file.to_string())
    }

    /// The files that are there: npy first, each kind by name. What has no name of a onedata file is
    /// passed over, as are folders.
    ///
    /// # Errors
    /// `Io`, `InvalidInput` if the folder is a link out of the session's.
    pub fn files(&self) -> Result<Vec<OneFile>> {
        if let Some(packed) = &self.packed {
            return packed.files(&self.options());
        }
        if self.confine(&self.folder)?.is_none() {
            return Ok(Vec::new());
        }
        let cannot = |error| Error::io("cannot list", error).at_file(&self.folder);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            let file = entry.file_name().to_str().and_then(|name| OneFile::parse(name).ok());
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            files.extend(file.filter(|_| !is_folder));
        }
        files.sort();
        Ok(files)
    }

    /// Whether `file` is there.
    ///
    /// # Errors
    /// `Io`, `InvalidInput` if it is a link out of the session's folder.
    pub fn has(&self, file: &OneFile) -> Result<bool> {
        if let Some(packed) = &self.packed {
            return packed.has(file, &self.options());
        }
        Ok(self.confine(&self.path_of(file))?.is_some())
    }

    /// Loads `file` as it is: a recipe is not followed.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` if it is a link out of the session's folder, `Corrupt`,
    /// `Unsupported` naming what it would run, `LimitExceeded`, `Io`.
    pub fn load(&self, file: &OneFile) -> Result<Data> {
        if let Some(packed) = &self.packed {
            return packed.load(file, &self.options());
        }
        self.load_at(&self.path_of(file), file.kind)
    }

    /// Loads a file that lies anywhere in the session's folder.
    ///
    /// # Errors
    /// As [`OneData::load`].
    pub fn load_at(&self, path: &Path, kind: FileKind) -> Result<Data> {
        if self.confine(path)?.is_none() {
            return Err(Error::not_found("there is no such file").at_file(path));
        }
        match kind {
            FileKind::Npy => {
                if let Some(objects) = ObjectArray::open(path, &self.limits)? {
                    return Ok(Data::Objects(objects.into()));
                }
                File::open_with(path, &self.options())?.array("/").map(Data::Array)
            }
            FileKind::Npz => {
                if storage_of(path)? != Storage::Npz {
                    return Err(Error::corrupt("expected an npz archive").at_file(path));
                }
                let file = File::open_with(path, &self.options())?;
                let matrix = Sparse::read(file.container().as_ref(), &NodePath::root())?;
                Ok(Data::Sparse(matrix.into()))
            }
        }
    }

    fn options(&self) -> OpenOptions {
        let mut options = OpenOptions::read();
        options.limits = self.limits.clone();
        options.memory_map = self.memory_map;
        options
    }

    /// Loads columns `range` of the sparse matrix `file` as a matrix of these alone. Where it is not
    /// deflated, the others are not read.
    ///
    /// # Errors
    /// As [`OneData::load`]; `InvalidInput` for columns beyond the matrix, `Unsupported` for a matrix
    /// that does not lie by columns.
    pub fn load_columns(&self, file: &OneFile, range: Range<u64>) -> Result<Sparse> {
        let path = self.path_of(file);
        if let Some(packed) = &self.packed {
            return packed.load_columns(file, range, &self.options());
        }
        if self.confine(&path)?.is_none() {
            return Err(Error::not_found("there is no such file").at_file(path));
        }
        let archive = File::open_with(&path, &self.options())?;
        let container = archive.container();
        let matrix = Sparse::read_range(container.as_ref(), &NodePath::root(), range)?;
        match matrix.format() {
            "csc" => Ok(matrix),
            found => {
                let what = format!("expected a matrix by columns (csc), found {found}");
                Err(Error::unsupported(what).at_file(path))
            }
        }
    }

    /// Saves an array whose items lie in `items` as `spec` says (byte order, order of axes).
    ///
    /// # Errors
    /// `Unsupported` for a dtype that numpy has not, `InvalidInput` for a link out of the session's
    /// folder, `ReadOnly`, `Io`. What was saved under the name is as it was then.
    pub fn save_items(&self, name: &OneName, spec: &ArraySpec, items: &[u8]) -> Result<()> {
        let header = npy_header_of(spec)?;
        if let Some(packed) = &self.packed {
            return packed.save_items(name, spec, &[&header, items], self.durability);
        }
        self.replace(&OneFile::npy(name.clone()), &[&header, items])
    }

    /// Saves an array.
    ///
    /// # Errors
    /// As [`OneData::save_items`].
    pub fn save(&self, name: &OneName, values: &Values) -> Result<()> {
        let spec = ArraySpec::new(values.dtype().clone(), values.shape());
        self.save_items(name, &spec, values.items())
    }

    /// Saves objects, in bytes that every numpy reads.
    ///
    /// # Errors
    /// As [`OneData::save_items`]; `Unsupported` for objects that are not written.
    pub fn save_objects(&self, name: &OneName, objects: &ObjectArray) -> Result<()> {
        if let Some(packed) = &self.packed {
            return packed.save_objects(name, objects, self.durability);
        }
        self.replace(&OneFile::npy(name.clone()), &[&objects.to_npy(Form::Numpy1)?])
    }

    /// Saves a recipe.
    ///
    /// # Errors
    /// As [`OneData::save_objects`].
    pub fn save_recipe(&self, name: &OneName, recipe: &LoadingRecipe) -> Result<()> {
        self.save_objects(name, &recipe.to_objects()?)
    }

    /// Writes the JSON form of a recipe beside the other; returns where.
    ///
    /// # Errors
    /// As [`OneData::save_items`].
    pub fn save_recipe_json(&self, name: &OneName, recipe: &LoadingRecipe) -> Result<PathBuf> {
        self.expect_folder()?;
        let target = self.target(&format!("{name}.recipe.json"))?;
        write_atomic(&target, recipe.to_json().as_bytes(), self.durability)?;
        Ok(target)
    }

    /// Saves a sparse matrix as an npz archive.
    ///
    /// # Errors
    /// As [`OneData::save_items`].
    pub fn save_sparse(&self, name: &OneName, matrix: &Sparse) -> Result<()> {
        if let Some(packed) = &self.packed {
            return packed.save_sparse(name, matrix, self.durability);
        }
        let file = OneFile::npz(name.clone());
        let write = |draft: &Path| matrix.write_npz(draft, self.packing, Durability::None);
        self.publish_draft(&file, write)
    }

    /// Has `write` write a draft, which then takes the place of `file`.
    fn publish_draft(&self, file: &OneFile, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let target = self.target(&file.to_string())?;
        let draft = draft_of(&target);
        let written = write(&draft).and_then(|()| match self.durability {
            Durability::Fsync => LocalFile::open_read_write(&draft)?.sync(),
            _ => Ok(()),
        });
        let published = written.and_then(|()| {
            let hash = || hash_of_file(&draft);
            let replace = || {
                publish(&draft, &target, InTheWay::Goes)?;
                match (self.durability, target.parent()) {
                    (Durability::Fsync, Some(folder)) => sync_dir(folder),
                    _ => Ok(()),
                }
            };
            self.publish(file, &target, hash, replace)
        });
        if published.is_err() {
            // The first error is the one to tell.
            let _ = remove(&draft);
        }
        published.map_err(|error| error.rename_file(&target))
    }

    /// Removes `file`; false if there was none. Of a link, the link is removed.
    ///
    /// # Errors
    /// `ReadOnly`, `Io`.
    pub fn remove(&self, file: &OneFile) -> Result<bool> {
        if let Some(packed) = &self.packed {
            return packed.remove(file, self.durability);
        }
        if self.confine(&self.folder)?.is_none() || !self.files()?.contains(file) {
            return Ok(false);
        }
        remove(&self.path_of(file))?;
        if let Some(mut keeper) = self.keeper()? {
            keeper.removed(&file.to_string())?;
        }
        Ok(true)
    }

    /// Writes a new file of `parts` in the place of `file`.
    fn replace(&self, file: &OneFile, parts: &[&[u8]]) -> Result<()> {
        let target = self.target(&file.to_string())?;
        let mut temp = TempFile::beside(&target)?;
        temp.prepare(&target, parts.iter().map(|part| part.len() as u64).sum());
        let mut at = 0;
        for part in parts {
            temp.file().write_at(at, part)?;
            at += part.len() as u64;
        }
        let replace = || temp.replace(&target, self.durability);
        self.publish(file, &target, || Ok(hash_of(parts)), replace)
    }

    /// Runs `replace`, which puts a new file in the place of `target`, to which `file` leads, and keeps
    /// the checksums true.
    fn publish(
        &self,
        file: &OneFile,
        target: &Path,
        hash: impl FnOnce() -> Result<String>,
        replace: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let Some(mut keeper) = self.keeper()? else { return replace() };
        let mut names = vec![file.to_string()];
        // What a link leads to has a line of its own.
        let is_beside = target.parent().is_some_and(|parent| parent == resolve(&self.folder));
        let other = target.file_name().and_then(|name| name.to_str()).filter(|_| is_beside);
        names.extend(other.filter(|other| *other != names[0]).map(str::to_owned));
        keeper.replacing(&names, &hash()?, replace)
    }

    /// Who keeps the checksums, where there are some or are to be.
    fn keeper(&self) -> Result<Option<Keeper>> {
        self.confined(CHECKSUMS_NAME)?;
        Keeper::of(&self.folder, self.makes_checksums, self.durability)
    }

    /// Where a file of that name is to be saved, links followed; the folder is there then.
    fn target(&self, file_name: &str) -> Result<PathBuf> {
        if self.confine(&self.folder)?.is_none() {
            create_folders(&self.folder)?;
            self.confine(&self.folder)?;
        }
        self.confined(file_name)
    }

    /// Where a file of that name really lies, or would, in the folder, which was found to be confined.
    fn confined(&self, file_name: &str) -> Result<PathBuf> {
        let path = self.folder.join(file_name);
        // What is no link lies where its name says.
        let real = if is_link(&path) { self.confine(&path)? } else { None };
        Ok(real.unwrap_or(path))
    }

    /// Where `path` really lies, which is in the session's folder; `None` where nothing is.
    pub(crate) fn confine(&self, path: &Path) -> Result<Option<PathBuf>> {
        let Some(found) = canonical(path)? else { return Ok(None) };
        let root = canonical(&self.data_path)?;
        if root.is_some_and(|root| found.starts_with(root)) {
            return Ok(Some(found));
        }
        let error = Error::invalid("this is a link that leads out of the session's folder");
        Err(error
            .with_hint("put the file there, or open the session at the folder it leads to")
            .at_file(path))
    }
}

//! What there is in a tree of sessions: folders that are sessions, and files in them that are named
//! as datasets.
//!
//! Links are not followed out of what they lie in: a session's folder is in the tree, and a file in
//! its session's folder.

use std::path::{Path, PathBuf};

use stook_core::file::LocalFile;
use stook_core::file::place::canonical;
use stook_core::{Error, OpenOptions, Result};

use crate::alf::AlfName;
use crate::name::{SessionDate, SessionName};
use crate::one_data::{FOLDERS, OneFile};
use crate::packed::Packed;

/// Folders nest so deep in a session's at most.
const MAX_DEPTH: usize = 6;

/// A session's folder, or the file that all of it lies in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Below the root.
    pub(super) path: String,
    pub(super) name: SessionName,
    pub(super) is_file: bool,
}

/// A file that is named as a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FoundFile {
    /// Below the session's folder.
    pub(super) path: String,
    /// Its name without what that ends in.
    pub(super) name: String,
    pub(super) real: PathBuf,
    pub(super) len_bytes: u64,
    pub(super) modified: u64,
}

/// The sessions of the tree at `root`, by path: folders `mouse/date` and `mouse/date/id` that have one
/// of saved files, folders `mouse/date/number` as ALF has them, and Zarr and HDF5 files in the place of
/// either, in which something was saved as part of a session. `knows` tells of which paths that is known.
pub(super) fn sessions(root: &Path, knows: &dyn Fn(&str) -> bool) -> Result<Vec<Place>> {
    let mut found = Vec::new();
    for mouse in folders(root)? {
        let below = root.join(&mouse);
        let days = entries(&below)?;
        for (stem, file) in files_of_sessions(&days) {
            let Ok(date) = stem.parse::<SessionDate>() else { continue };
            let path = format!("{mouse}/{file}");
            if let Ok(name) = SessionName::new(&mouse, date, None)
                && (knows(&path) || is_session_file(&below.join(file)))
            {
                found.push(Place { path, name, is_file: true });
            }
        }
        for folder in names_of_folders(&days) {
            let Ok(date) = folder.parse::<SessionDate>() else { continue };
            sessions_of_day(root, (&mouse, &folder, date), knows, &mut found)?;
        }
    }
    found.sort();
    Ok(found)
}

/// Adds the sessions of a day, which is a folder of a mouse.
fn sessions_of_day(
    root: &Path,
    (mouse, folder, date): (&str, &str, SessionDate),
    knows: &dyn Fn(&str) -> bool,
    found: &mut Vec<Place>,
) -> Result<()> {
    let path = format!("{mouse}/{folder}");
    let day = root.join(&path);
    let all = entries(&day)?;
    let inner = names_of_folders(&all);
    if has_data(&inner)
        && let Ok(name) = SessionName::new(mouse, date, None)
    {
        found.push(Place { path: path.clone(), name, is_file: false });
    }
    for id in inner.iter().filter(|id| !FOLDERS.contains(&id.as_str())) {
        if (is_number(id) || has_data(&folders(&day.join(id))?))
            && let Ok(name) = SessionName::new(mouse, date, Some(id))
        {
            found.push(Place { path: format!("{path}/{id}"), name, is_file: false });
        }
    }
    for (id, file) in files_of_sessions(&all) {
        let path = format!("{path}/{file}");
        // What is wrong with a file that is called as ALF calls sessions is told.
        let is_one = is_number(id) || knows(&path) || is_session_file(&day.join(file));
        if is_one && let Ok(name) = SessionName::new(mouse, date, Some(id)) {
            found.push(Place { path, name, is_file: true });
        }
    }
    Ok(())
}

/// The entries that may be Zarr or HDF5 files: what their sessions would be called, and their names.
fn files_of_sessions(entries: &[Entry]) -> impl Iterator<Item = (&str, &str)> {
    let files = entries.iter().filter(|entry| entry.kind != Kind::Link);
    files.filter_map(|entry| Some((Packed::stem(&entry.name)?, entry.name.as_str())))
}

/// Whether something in the file was saved as part of a session. One that cannot be read may be anything.
fn is_session_file(path: &Path) -> bool {
    let options = OpenOptions::read();
    Packed::at(path).is_some_and(|file| file.is_session(&options).unwrap_or(false))
}

fn has_data(folders: &[String]) -> bool {
    FOLDERS.iter().any(|name| folders.iter().any(|folder| folder == name))
}

/// Whether a folder is called as ALF calls the sessions of a day.
pub(crate) fn is_number(name: &str) -> bool {
    (1..=3).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// The datasets in the folder of a session, by path.
pub(super) fn files(session: &Path) -> Result<Vec<FoundFile>> {
    let mut found = Vec::new();
    let mut ahead = vec![(String::new(), 0)];
    while let Some((folder, depth)) = ahead.pop() {
        let here = if folder.is_empty() { session.to_path_buf() } else { session.join(&folder) };
        let below = |name: &str| {
            if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
        };
        for entry in entries(&here)? {
            match entry.kind {
                Kind::Folder => {
                    // The folders of other sessions of the day are no part of this one.
                    let is_other = depth == 0 && is_other_session(&here, &entry.name)?;
                    // Neither are the chunks of a Zarr array datasets.
                    let is_zarr = Packed::stem(&entry.name).is_some();
                    if depth + 1 < MAX_DEPTH && !is_other && !is_zarr {
                        ahead.push((below(&entry.name), depth + 1));
                    }
                }
                Kind::File | Kind::Link => {
                    let Some(name) = dataset_name(&folder, &entry.name) else { continue };
                    let path = below(&entry.name);
                    found.extend(look_at(session, &entry, here.join(&entry.name), (path, name))?);
                }
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Whether the folder `name` in `folder`, that of a day without ids, is a session of its own.
fn is_other_session(folder: &Path, name: &str) -> Result<bool> {
    let is_day = folder.file_name().and_then(|name| name.to_str());
    let is_day = is_day.is_some_and(|name| name.parse::<SessionDate>().is_ok());
    if !is_day || FOLDERS.contains(&name) {
        return Ok(false);
    }
    Ok(is_number(name) || has_data(&folders(&folder.join(name))?))
}

/// The name of the dataset in a file that is called so, without what that ends in.
fn dataset_name(folder: &str, file: &str) -> Option<String> {
    if FOLDERS.contains(&folder) {
        return OneFile::parse(file).ok().map(|file| file.name.to_string());
    }
    let name = AlfName::parse(file)?;
    let len = file.len().checked_sub(name.extension.len() + 1)?;
    file.get(..len).map(str::to_owned)
}

fn look_at(
    session: &Path,
    entry: &Entry,
    at: PathBuf,
    (path, name): (String, String),
) -> Result<Option<FoundFile>> {
    let real = if entry.kind == Kind::Link {
        match canonical(&at)? {
            Some(real) if canonical(session)?.is_some_and(|folder| real.starts_with(folder)) => {
                real
            }
            _ => return Ok(None),
        }
    } else {
        at
    };
    // Only files are opened: a pipe would wait for somebody to write to it.
    let Ok(metadata) = real.metadata() else { return Ok(None) };
    if !metadata.is_file() {
        return Ok(None);
    }
    let stamp = LocalFile::stamp_of(&metadata);
    let (len_bytes, modified) = (stamp.len_bytes, stamp.modified);
    Ok(Some(FoundFile { path, name, real, len_bytes, modified }))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Folder,
    File,
    Link,
}

struct Entry {
    name: String,
    kind: Kind,
}

/// What is in a folder and can be named; nothing if it is gone by now.
fn entries(folder: &Path) -> Result<Vec<Entry>> {
    let cannot = |error| Error::io("cannot list", error).at_file(folder);
    let list = match std::fs::read_dir(folder) {
        Ok(list) => list,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(cannot(error)),
    };
    let mut found = Vec::new();
    for entry in list {
        let entry = entry.map_err(cannot)?;
        let (Ok(name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) else {
            continue;
        };
        let kind = match kind {
            kind if kind.is_dir() => Kind::Folder,
            kind if kind.is_symlink() => Kind::Link,
            kind if kind.is_file() => Kind::File,
            // A pipe would wait for somebody to write to it.
            _ => continue,
        };
        if !name.starts_with('.') {
            found.push(Entry { name, kind });
        }
    }
    Ok(found)
}

/// The folders in a folder, links aside, by name.
fn folders(folder: &Path) -> Result<Vec<String>> {
    Ok(names_of_folders(&entries(folder)?))
}

/// The folders among entries, by name; those of Zarr are files here.
fn names_of_folders(entries: &[Entry]) -> Vec<String> {
    let folders = entries.iter().filter(|entry| entry.kind == Kind::Folder);
    let folders = folders.filter(|entry| Packed::stem(&entry.name).is_none());
    let mut names: Vec<_> = folders.map(|entry| entry.name.clone()).collect();
    names.sort();
    names
}

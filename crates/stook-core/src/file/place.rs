//! Places in the file system as wholes: files and folders found, published and removed.
#![allow(clippy::disallowed_methods, reason = "this is the seam to the operating system's files")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{dir_of, temp_name};
use crate::error::{Error, Result};

/// What there is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// What there is at `path`; `None` where there is nothing.
///
/// # Errors
/// `ReadOnly` without permission, `Io`.
pub fn kind_of(path: &Path) -> Result<Option<PlaceKind>> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(Some(PlaceKind::Folder)),
        Ok(_) => Ok(Some(PlaceKind::File)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("cannot look at the path", error).at_file(path)),
    }
}

/// Whether `path` names a symbolic link, wherever that leads.
#[must_use]
pub fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
}

/// The one path, without links, of what there is at `path`; `None` where there is nothing.
///
/// # Errors
/// `Io`, for example without permission to look.
pub fn canonical(path: &Path) -> Result<Option<PathBuf>> {
    match fs::canonicalize(path) {
        Ok(found) => Ok(Some(found)),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        Err(error) => Err(Error::io("cannot look at the path", error).at_file(path)),
    }
}

/// Makes the folder at `path` and those above it; they may be there.
///
/// # Errors
/// `ReadOnly` without permission, `Io`.
pub fn create_folders(path: &Path) -> Result<()> {
    fs::create_dir_all(path)
        .map_err(|error| Error::io("cannot create the folder", error).at_file(path))
}

/// The path of something new beside `target`, to be [`publish`]ed when it is whole. Its name
/// ends as the target's does, because some formats are told by it.
#[must_use]
pub fn draft_of(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    dir_of(target).join(format!("{}-{name}", temp_name()))
}

/// Whether what is in the way stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InTheWay {
    /// It stays, and what was to take its place is an error.
    #[default]
    Stays,
    /// It goes once the new is whole.
    Goes,
}

/// Moves `draft` to `target`: readers find the old or the new, whole.
///
/// # Errors
/// `AlreadyExists` if something is in the way that stays, `ReadOnly`, `Io`; the draft is left.
pub fn publish(draft: &Path, target: &Path, in_the_way: InTheWay) -> Result<()> {
    let failed = |error| Error::io("cannot put the new file in place", error).at_file(target);
    let old = kind_of(target)?;
    if old.is_some() && in_the_way == InTheWay::Stays {
        return Err(exists(target));
    }
    let new = kind_of(draft)?;
    // What lets a file be read lets nobody into a folder.
    if old.is_some()
        && old == new
        && let Ok(metadata) = fs::metadata(target)
    {
        // Who may read the old may read the new; a file system without permissions is no reason
        // to fail.
        let _ = fs::set_permissions(draft, metadata.permissions());
    }
    let both_files = old == Some(PlaceKind::File) && new == Some(PlaceKind::File);
    if old.is_none() || both_files {
        return fs::rename(draft, target).map_err(failed);
    }
    if exchange(draft, target) {
        return remove(draft);
    }
    // Folders are not replaced by a rename: the old one steps aside first, and comes back if the
    // new one cannot take its place.
    let aside = draft_of(target);
    fs::rename(target, &aside).map_err(failed)?;
    if let Err(error) = fs::rename(draft, target) {
        // The first error is the one to tell.
        let _ = fs::rename(&aside, target);
        return Err(failed(error));
    }
    remove(&aside)
}

/// Has two places change their names at once, so that there is no moment without either; false where
/// the system cannot.
fn exchange(a: &Path, b: &Path) -> bool {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).is_ok()
    }
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    {
        let _ = (a, b);
        false
    }
}

/// The error of something that is in the way.
#[must_use]
pub fn exists(target: &Path) -> Error {
    Error::already_exists("the target exists already").at_file(target)
}

/// Removes a file, or a folder and all in it; nothing there is no error.
///
/// # Errors
/// `ReadOnly`, `Io`.
pub fn remove(path: &Path) -> Result<()> {
    let removed = match kind_of(path)? {
        None => return Ok(()),
        Some(PlaceKind::File) => fs::remove_file(path),
        Some(PlaceKind::Folder) => fs::remove_dir_all(path),
    };
    removed.map_err(|error| Error::io("cannot remove", error).at_file(path))
}

/// Removes a folder that was made for something that did not come to be, if it is empty.
pub fn remove_empty(path: &Path) {
    // What else is there stays, and nothing there is no error.
    let _ = fs::remove_dir(path);
}

/// Whether nothing at all is in the folder at `path`, hidden or not.
///
/// # Errors
/// `Io`.
pub fn is_empty_folder(path: &Path) -> Result<bool> {
    let mut found =
        fs::read_dir(path).map_err(|error| Error::io("cannot list", error).at_file(path))?;
    Ok(found.next().is_none())
}

/// The bytes of a file, or of all files in a folder.
///
/// # Errors
/// `NotFound`, `ReadOnly` without permission, `Io`.
pub fn len_bytes(path: &Path) -> Result<u64> {
    let failed = |error| Error::io("cannot measure", error).at_file(path);
    let mut ahead = vec![path.to_path_buf()];
    let mut sum = 0_u64;
    while let Some(next) = ahead.pop() {
        let found = fs::metadata(&next).map_err(failed)?;
        if !found.is_dir() {
            sum = sum.saturating_add(found.len());
            continue;
        }
        for entry in fs::read_dir(&next).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // Links are not followed: they may lead around in a circle.
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() || kind.is_file() {
                ahead.push(entry.path());
            }
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_takes_the_place_of_a_folder_or_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("x.zarr");
        for round in 0..3 {
            let draft = draft_of(&target);
            fs::create_dir(&draft).unwrap();
            fs::write(draft.join("a"), [round]).unwrap();
            if round > 0 {
                assert!(publish(&draft, &target, InTheWay::Stays).is_err());
            }
            publish(&draft, &target, InTheWay::Goes).unwrap();
            assert_eq!(fs::read(target.join("a")).unwrap(), [round]);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
            assert_eq!(len_bytes(dir.path()).unwrap(), 1);
        }
        remove(&target).unwrap();
        assert_eq!(kind_of(&target).unwrap(), None);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_stay_with_what_is_of_their_kind() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (target, draft) = (dir.path().join("x"), dir.path().join("draft"));
        fs::write(&target, b"old").unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&draft, b"new").unwrap();
        publish(&draft, &target, InTheWay::Goes).unwrap();
        assert_eq!(mode(&target), 0o600);
        fs::create_dir(&draft).unwrap();
        let of_folder = mode(&draft);
        publish(&draft, &target, InTheWay::Goes).unwrap();
        assert_eq!(mode(&target), of_folder);
    }
}

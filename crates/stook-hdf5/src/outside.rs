//! Other files that a file leads to: where they are, and whether they may be opened.
//!
//! Invariant: the library opens no file that was not found here first. It looks for a file in
//! several places; all of them are looked at here, in its order, and the first that is there must
//! be allowed.

use std::path::{Component, Path, PathBuf};

use stook_core::container::Outside;
use stook_core::file::place;
use stook_core::{Error, Result};

/// The folders around a file.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// The folder of the path by which the file was opened.
    folder: PathBuf,
    /// The folder of the file itself, where that path was a link.
    real_folder: PathBuf,
    /// The folder that other files must lie below; `None` for no such rule.
    root: Option<PathBuf>,
    pub(crate) outside: Outside,
}

impl Surroundings {
    /// Those of the file at `path`, which is there.
    ///
    /// # Errors
    /// `NotFound` where there is no such folder as `outside` names, `Io`.
    pub(crate) fn of(path: &Path, outside: &Outside) -> Result<Self> {
        let missing = |path: &Path| Error::not_found("no such file or folder").at_file(path);
        let real = place::canonical(path)?.ok_or_else(|| missing(path))?;
        let parent = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let folder = place::canonical(parent)?.ok_or_else(|| missing(parent))?;
        let real_folder = real.parent().unwrap_or(&real).to_path_buf();
        let root = match outside {
            Outside::Refused => Some(folder.clone()),
            Outside::Below(root) => Some(place::canonical(root)?.ok_or_else(|| missing(root))?),
            Outside::Followed => None,
        };
        Ok(Self { folder, real_folder, root, outside: outside.clone() })
    }

    /// Those of another file, at `path`, to which these lead: what is allowed stays the same.
    ///
    /// # Errors
    /// `NotFound`, `Io`.
    pub(crate) fn beside(&self, path: &Path) -> Result<Self> {
        Ok(Self { root: self.root.clone(), ..Self::of(path, &self.outside)? })
    }

    /// Where `name`, which the file gives, leads; `None` if nothing is there. `what` says what it
    /// is to the file.
    ///
    /// `variable` is the one of the environment in which the library is told more folders.
    ///
    /// # Errors
    /// `Unsupported` where it leads out of what is allowed, `Io`.
    pub(crate) fn find(&self, name: &str, what: &str, variable: &str) -> Result<Option<PathBuf>> {
        let path = Path::new(name);
        let relative = if path.is_absolute() {
            if let Some(found) = place::canonical(path)? {
                return self.allow(found, path, what).map(Some);
            }
            Path::new(path.file_name().unwrap_or_default())
        } else {
            path
        };
        for folder in self.folders(variable) {
            if let Some(found) = place::canonical(&folder.join(relative))? {
                return self.allow(found, path, what).map(Some);
            }
        }
        // Nothing there: whether there is may not be found out from outside either.
        self.allow(plain(&self.folder.join(path)), path, what)?;
        Ok(None)
    }

    /// The folders in which the library looks for a relative name, in its order.
    fn folders(&self, variable: &str) -> Vec<PathBuf> {
        let told = std::env::var_os(variable);
        let told =
            told.iter().flat_map(std::env::split_paths).filter(|p| !p.as_os_str().is_empty());
        let mut folders: Vec<PathBuf> = told.collect();
        folders.push(self.folder.clone());
        folders.push(PathBuf::from("."));
        folders.push(self.real_folder.clone());
        folders
    }

    fn allow(&self, found: PathBuf, name: &Path, what: &str) -> Result<PathBuf> {
        match &self.root {
            Some(root) if !found.starts_with(root) => {
                let (name, root) = (name.display(), root.display());
                let message = format!("{what} `{name}` lies outside of the folder `{root}`");
                Err(Error::unsupported(message).with_hint(
                    "if you trust the file, allow the folder of both, or any, when it is opened \
                     (`--outside`, `outside=`)",
                ))
            }
            _ => Ok(found),
        }
    }
}

/// `path` without `.` and `..`, as far as that can be told without looking.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "tests make files")]

    use stook_core::ErrorKind;

    use super::*;

    #[test]
    fn only_files_below_the_root_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("inner");
        std::fs::create_dir_all(inner.join("sub")).unwrap();
        for name in ["outer.h5", "inner/a.h5", "inner/sub/b.h5"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let of = |outside| Surroundings::of(&inner.join("a.h5"), &outside).unwrap();
        let refused = of(Outside::Refused);
        let find = |s: &Surroundings, name: &str| s.find(name, "source", "STOOK_NO_SUCH_VARIABLE");
        let outer = dir.path().join("outer.h5");
        let outer = outer.to_str().unwrap();
        assert!(find(&refused, "sub/b.h5").unwrap().unwrap().ends_with("inner/sub/b.h5"));
        assert!(find(&refused, "sub/../a.h5").unwrap().is_some());
        assert_eq!(find(&refused, "missing.h5").unwrap(), None);
        // The last name of a path that is no more is looked for beside the file.
        assert!(find(&refused, "/no/such/folder/a.h5").unwrap().is_some());
        for name in ["../outer.h5", outer, "../missing.h5", "/no/such/file.h5", "/etc/passwd"] {
            let error = find(&refused, name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.message().contains(name) && error.hint().is_some(), "{error}");
        }
        let below = of(Outside::Below(dir.path().to_path_buf()));
        assert!(find(&below, "../outer.h5").unwrap().is_some());
        assert!(find(&below, "/etc/passwd").is_err());
        let followed = of(Outside::Followed);
        assert!(find(&followed, outer).unwrap().is_some());
        assert_eq!(find(&followed, "../missing.h5").unwrap(), None);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outer, inner.join("link.h5")).unwrap();
            assert!(find(&refused, "link.h5").is_err());
            assert!(find(&below, "link.h5").is_ok());
        }
    }
}

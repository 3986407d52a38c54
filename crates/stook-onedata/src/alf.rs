//! The names of ALF, `object.attribute.extension`, on files of sessions: what is saved in a session is
//! listed and loaded by them, and a tree is told to ONE-api.
//!
//! The names are those of <https://int-brain-lab.github.io/ONE/alf_intro.html>; every name of a
//! onedata file of two words and more is one.

mod categories;
mod export;

use std::collections::BTreeMap;
use stook_core::{Error, Result};

pub use export::{Exported, export_tables};

use crate::catalogue::session_files;
use crate::data::Data;
use crate::one_data::{OneData, OneFile};
use crate::session::{LoadOptions, SessionData};

/// The parts of a file's name in ALF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlfName {
    /// Whose name it is, where the file begins with `_namespace_`.
    pub namespace: Option<String>,
    /// The table.
    pub object: String,
    /// Its column.
    pub attribute: String,
    /// The clock that its times are of, if not the common one.
    pub timescale: Option<String>,
    /// Further parts.
    pub extra: Option<String>,
    /// What the file's name ends in, without the dot.
    pub extension: String,
}

impl AlfName {
    /// The parts of `file_name`; `None` if it is no name of ALF.
    #[must_use]
    pub fn parse(file_name: &str) -> Option<Self> {
        let parts: Vec<&str> = file_name.split('.').collect();
        let [first, second, extra @ .., extension] = parts.as_slice() else { return None };
        let is_word = |text: &str| !text.is_empty() && text.chars().all(is_word_char);
        let (namespace, object) = split_object(first);
        let (attribute, timescale) = split_attribute(second)?;
        let is_extra = |text: &&&str| text.chars().all(|c| is_word_char(c) || c == '-');
        let are_fine = is_word(object) && is_word(extension) && extra.iter().all(|e| is_extra(&e));
        let extra = extra.join(".");
        are_fine.then(|| Self {
            namespace: namespace.map(str::to_owned),
            object: object.to_owned(),
            attribute: attribute.to_owned(),
            timescale: timescale.map(str::to_owned),
            extra: Some(extra).filter(|extra| !extra.is_empty()),
            extension: (*extension).to_owned(),
        })
    }

    /// What the attribute is called among those of its object: with the timescale.
    #[must_use]
    pub fn key(&self) -> String {
        match &self.timescale {
            Some(timescale) => format!("{}_{timescale}", self.attribute),
            None => self.attribute.clone(),
        }
    }
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The namespace of `_namespace_object`, and the object.
fn split_object(text: &str) -> (Option<&str>, &str) {
    let Some(rest) = text.strip_prefix('_') else { return (None, text) };
    match rest.split_once('_') {
        Some((namespace, object))
            if !namespace.is_empty()
                && !object.is_empty()
                && namespace.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            (Some(namespace), object)
        }
        _ => (None, rest),
    }
}

/// The attribute, and the timescale behind it. `stimOn_times` and `trial_intervals` are attributes.
fn split_attribute(text: &str) -> Option<(&str, Option<&str>)> {
    // A namespace of the attribute's own is part of it.
    let start = match text.strip_prefix('_').and_then(|rest| rest.split_once('_')) {
        Some((namespace, _)) => {
            let is_one =
                !namespace.is_empty() && namespace.bytes().all(|byte| byte.is_ascii_lowercase());
            if is_one { namespace.len() + 2 } else { return None }
        }
        None => 0,
    };
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric();
    let n = text.bytes().skip(start).take_while(is_letter).count();
    if n == 0 {
        return None;
    }
    let mut end = start + n;
    for suffix in ["_times", "_intervals"] {
        let rest = text.get(end..)?.strip_prefix(suffix);
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_')) {
            end += suffix.len();
            break;
        }
    }
    let (attribute, rest) = text.split_at_checked(end)?;
    match rest.strip_prefix('_') {
        None if rest.is_empty() => Some((attribute, None)),
        Some(scale) if !scale.is_empty() && scale.chars().all(is_word_char) => {
            Some((attribute, Some(scale)))
        }
        _ => None,
    }
}

/// Which datasets of a session are meant; all, unless told. Patterns have `*` for any text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatasetFilter {
    /// The folder below the session's, such as `onedata`.
    pub collection: Option<String>,
    /// The file's name.
    pub file_name: Option<String>,
}

impl DatasetFilter {
    /// Whether the dataset at a path below the session's folder is meant.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        let is_like =
            |pattern: &Option<String>, text| pattern.as_deref().is_none_or(|p| matches(p, text));
        is_like(&self.collection, folder) && is_like(&self.file_name, file)
    }
}

/// The datasets of a session, as paths below its folder with `/` between the parts: the files of its
/// onedata folder, and those elsewhere that are named as ALF does. Of a session in one file, their names
/// in it.
///
/// # Errors
/// `Io`.
pub fn list_datasets(session: &OneData, filter: &DatasetFilter) -> Result<Vec<String>> {
    let mut paths = session_files(session)?;
    paths.retain(|path| filter.matches(path));
    Ok(paths)
}

/// Whether `text` is like `pattern`, in which `*` stands for any text.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    Glob::new(pattern).matches(text)
}

/// A text with any text where it had an asterisk.
struct Glob(Vec<String>);

impl Glob {
    fn new(text: &str) -> Self {
        Self(text.split('*').map(str::to_owned).collect())
    }

    fn matches(&self, text: &str) -> bool {
        let [first, rest @ ..] = self.0.as_slice() else { return text.is_empty() };
        let Some(mut text) = text.strip_prefix(first.as_str()) else { return false };
        let Some((last, between)) = rest.split_last() else { return text.is_empty() };
        for part in between {
            match text.find(part.as_str()) {
                Some(at) => text = text.get(at + part.len()..).unwrap_or_default(),
                None => return false,
            }
        }
        text.ends_with(last.as_str())
    }
}

/// All attributes of an object of a session, by what they are called: recipes are followed.
/// `collection` is the folder they lie in, that of onedata unless told.
///
/// # Errors
/// `NotFound` if there is no such object, `InvalidInput` if two files are the same attribute,
/// `Unsupported` naming a file that is neither npy nor npz, and those of loading.
pub fn load_object<S: SessionData + ?Sized>(
    session: &S,
    object: &str,
    collection: Option<&str>,
) -> Result<BTreeMap<String, Data>> {
    let data = session.one_data();
    let own = match data.path().file_name() {
        Some(name) if !data.is_in_file() => name.to_string_lossy().into_owned(),
        _ => String::new(),
    };
    let collection = collection.unwrap_or(&own);
    let mut found = BTreeMap::new();
    for path in session_files(data)? {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
        let Some(name) = AlfName::parse(file).filter(|name| name.object == object) else {
            continue;
        };
        if folder != collection {
            continue;
        }
        let loaded = match (OneFile::parse(file), folder == own) {
            (Ok(one), true) => {
                let options = LoadOptions { kind: one.kind, ..LoadOptions::default() };
                session.load_with(one.name.as_str(), options)?
            }
            (Ok(one), false) => data.load_at(&data.data_path().join(&path), one.kind)?,
            (Err(_), _) => {
                let what = format!("`{path}` is neither npy nor npz");
                return Err(Error::unsupported(what).at_file(data.data_path()));
            }
        };
        if found.insert(name.key(), loaded).is_some() {
            let what = format!("object `{object}` has attribute `{}` in two files", name.key());
            return Err(Error::invalid(what).at_file(data.data_path().join(folder)));
        }
    }
    if found.is_empty() {
        let object = object.escape_debug();
        let what = format!("there is no object `{object}` in `{}`", collection.escape_debug());
        return Err(Error::not_found(what).at_file(data.data_path()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_as_one_api_does() {
        for (file, parts) in [
            ("mpci.times.npy", "|mpci|times|||npy"),
            ("mpci.roiActivityF.npz", "|mpci|roiActivityF|||npz"),
            ("_ibl_trials.stimOn_times.npy", "ibl|trials|stimOn_times|||npy"),
            ("spikes.times_ephysClock.raw.npy", "|spikes|times|ephysClock|raw|npy"),
            ("trials.intervals_bpod.csv", "|trials|intervals|bpod||csv"),
            ("a.b_intervals_c.d.e-1.tsv", "|a|b_intervals|c|d.e-1|tsv"),
            ("x.times_times.npy", "|x|times_times|||npy"),
        ] {
            let name = AlfName::parse(file).unwrap();
            let text = |part: &Option<String>| part.clone().unwrap_or_default();
            let found = [
                text(&name.namespace),
                name.object.clone(),
                name.attribute.clone(),
                text(&name.timescale),
                text(&name.extra),
                name.extension.clone(),
            ];
            assert_eq!(found.join("|"), parts, "{file}");
        }
        for file in ["F.npy", "a..npy", ".a.npy", "a b.c.npy", "a.b c.npy", "a.b.", "a._b.npy", ""]
        {
            assert_eq!(AlfName::parse(file), None, "{file}");
        }
    }

    #[test]
    fn asterisks_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("mpci.*", "mpci.times.npy", true),
            ("*.npy", "mpci.times.npy", true),
            ("m*t*s*", "mpci.times.npy", true),
            ("mpci", "mpci.times", false),
            ("a*a", "a", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}

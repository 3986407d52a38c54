//! Reading the central directory of an archive that is not trusted.
//!
//! What is refused: encrypted and multi-disk archives, names that leave the archive, entries
//! that overlap one another or the directory (bombs), and directories over the limits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::record::{
    Central, END_LEN, END_SIGNATURE, END64_LEN, END64_SIGNATURE, End, FLAG_UTF8, LOCAL_LEN,
    LOCATOR64_LEN, LOCATOR64_SIGNATURE, Reader,
};
use super::state::Entry;
use crate::error::{Error, Result};
use crate::file::{FileIo, is_temp_name};
use crate::limits::Limits;
use crate::store::check_key;

/// The end record may be followed by a comment of so many bytes.
const MAX_COMMENT_LEN: usize = 0xffff;

/// What the central directory lists.
pub(super) struct Directory {
    /// The entries by name.
    pub(super) entries: BTreeMap<String, Arc<Entry>>,
    /// Names that end in a slash, without it.
    pub(super) folders: BTreeSet<String>,
    /// Where the directory begins.
    pub(super) start: u64,
}

/// Reads the directory of `file`.
pub(super) fn read_directory(file: &dyn FileIo, limits: &Limits) -> Result<Directory> {
    let file_len = file.len_bytes()?;
    let (end, end_at) = find_end(file, file_len)?;
    let cut = || Error::corrupt("zip directory ends before its last entry");
    // Bytes may stand before the archive (a program that unpacks itself); offsets do not know.
    let start = end_at.checked_sub(end.len_bytes).ok_or_else(cut)?;
    let shift = start.checked_sub(end.offset).ok_or_else(|| {
        let offset = end.offset;
        Error::corrupt(format!("zip directory at {offset} overlaps the records behind it"))
    })?;
    let mut bytes = vec![0; limits.metadata(end.len_bytes)?];
    file.read_exact_at(start, &mut bytes)?;

    let (mut entries, mut folders) = (BTreeMap::new(), BTreeSet::new());
    let mut spans = Vec::new();
    let mut reader = Reader(&bytes);
    let mut n_entries = 0_u64;
    while !reader.0.is_empty() {
        let (mut central, name) = Central::parse(&mut reader)?.ok_or_else(cut)?;
        n_entries += 1;
        if n_entries > limits.n_nodes {
            return Err(Error::limit(format!("zip archive of over {} entries", limits.n_nodes)));
        }
        let overflow = || Error::corrupt("zip entry overflows the file");
        central.offset = central.offset.checked_add(shift).ok_or_else(overflow)?;
        let head = (LOCAL_LEN + name.len()) as u64;
        let data_end = central.offset.checked_add(head);
        let data_end = data_end.and_then(|at| at.checked_add(central.compressed_len));
        spans.push((central.offset, data_end.ok_or_else(overflow)?));
        let text = decode_name(name, central.flags);
        if text.split('/').any(is_temp_name) {
            continue;
        }
        check_key(text.strip_suffix('/').unwrap_or(&text))
            .map_err(|error| Error::corrupt("zip entry has an unsafe name").with_source(error))?;
        if let Some(folder) = text.strip_suffix('/') {
            folders.insert(folder.to_owned());
            continue;
        }
        let raw_name = (text.as_bytes() != name).then(|| name.into());
        // Of entries of one name the last counts: that is how archives are appended to.
        entries.insert(text, Arc::new(Entry::new(central, raw_name)));
    }
    if n_entries != end.n_entries {
        let expected = end.n_entries;
        return Err(Error::corrupt(format!(
            "zip directory: expected {expected} entries, found {n_entries}"
        )));
    }
    check_spans(spans, start)?;
    Ok(Directory { entries, folders, start })
}

fn check_spans(mut spans: Vec<(u64, u64)>, directory: u64) -> Result<()> {
    spans.sort_unstable();
    let starts = spans.iter().skip(1).map(|&(start, _)| start).chain([directory]);
    for (&(start, end), next) in spans.iter().zip(starts) {
        if end > next {
            return Err(Error::corrupt(format!(
                "zip entry at {start} overlaps what begins at {next}: expected to end there, found {end}"
            )));
        }
    }
    Ok(())
}

/// The end record, and where the directory's records end.
fn find_end(file: &dyn FileIo, file_len: u64) -> Result<(End, u64)> {
    let window = (END_LEN + MAX_COMMENT_LEN + LOCATOR64_LEN) as u64;
    let tail_at = file_len.saturating_sub(window);
    let mut tail = vec![0; usize::try_from(file_len - tail_at).unwrap_or(0)];
    file.read_exact_at(tail_at, &mut tail)?;
    let no_end = || Error::corrupt("zip archive has no end record").with_hint("was it cut short?");
    let last = tail.len().checked_sub(END_LEN).ok_or_else(no_end)?;
    let found = (0..=last).rev().find_map(|at| {
        let mut record = Reader(tail.get(at..)?);
        let signature = record.u32()?;
        if signature != END_SIGNATURE {
            return None;
        }
        let disks = [record.u16()?, record.u16()?];
        let counts = [record.u16()?, record.u16()?];
        let (len_bytes, offset) = (record.u32()?, record.u32()?);
        let comment_len = usize::from(record.u16()?);
        let end =
            End { n_entries: counts[1].into(), len_bytes: len_bytes.into(), offset: offset.into() };
        let is_one =
            disks.iter().all(|&disk| matches!(disk, 0 | u16::MAX)) && counts[0] == counts[1];
        (record.0.len() == comment_len).then_some((at, end, is_one))
    });
    let (at, end, is_one) = found.ok_or_else(no_end)?;
    if !is_one {
        return Err(Error::unsupported("zip archive of several disks is not supported"));
    }
    let end_at = tail_at + at as u64;
    let locator = at.checked_sub(LOCATOR64_LEN).and_then(|start| tail.get(start..at));
    match locator.and_then(parse_locator) {
        Some(offset) => widen(file, end, offset, end_at - LOCATOR64_LEN as u64),
        None => Ok((end, end_at)),
    }
}

fn parse_locator(bytes: &[u8]) -> Option<u64> {
    let mut record = Reader(bytes);
    if record.u32()? != LOCATOR64_SIGNATURE {
        return None;
    }
    record.u32()?;
    record.u64()
}

/// Takes what does not fit the end record from the 64-bit one, which the locator places at
/// `offset` and which ends at `locator_at` at the latest.
fn widen(file: &dyn FileIo, mut end: End, offset: u64, locator_at: u64) -> Result<(End, u64)> {
    let broken = || Error::corrupt("zip archive has a broken 64-bit end record");
    let mut bytes = [0; END64_LEN];
    // Bytes before the archive shift the record; then it lies directly before its locator.
    let candidates = [Some(offset), locator_at.checked_sub(END64_LEN as u64)];
    for at in candidates.into_iter().flatten() {
        if at.checked_add(END64_LEN as u64).is_none_or(|end| end > locator_at) {
            continue;
        }
        file.read_exact_at(at, &mut bytes)?;
        let mut record = Reader(&bytes);
        if record.u32() != Some(END64_SIGNATURE) {
            continue;
        }
        let numbers = (|| {
            record.take(28)?;
            Some([record.u64()?, record.u64()?, record.u64()?])
        })();
        let [n_entries, len_bytes, directory] = numbers.ok_or_else(broken)?;
        let is_full = |narrow: u64, mark: u64| narrow == mark;
        if is_full(end.n_entries, u16::MAX.into()) {
            end.n_entries = n_entries;
        }
        if is_full(end.len_bytes, u32::MAX.into()) {
            end.len_bytes = len_bytes;
        }
        if is_full(end.offset, u32::MAX.into()) {
            end.offset = directory;
        }
        return Ok((end, at));
    }
    Err(broken())
}

/// A name as text: UTF-8 where the flag says so or it happens to be, else code page 437.
fn decode_name(name: &[u8], flags: u16) -> String {
    match std::str::from_utf8(name) {
        Ok(text) => text.to_owned(),
        Err(_) if flags & FLAG_UTF8 != 0 => String::from_utf8_lossy(name).into_owned(),
        Err(_) => name.iter().map(|&byte| from_cp437(byte)).collect(),
    }
}

fn from_cp437(byte: u8) -> char {
    const UPPER: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
    match byte.checked_sub(128) {
        None => char::from(byte),
        Some(at) => UPPER.chars().nth(at.into()).unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_names_are_code_page_437() {
        assert_eq!(decode_name(b"caf\x82", 0), "café");
        assert_eq!(decode_name("é".as_bytes(), 0), "é");
        assert_eq!(from_cp437(255), '\u{a0}');
        assert_eq!(from_cp437(128), 'Ç');
    }

    #[test]
    fn overlapping_entries_are_refused() {
        check_spans(vec![(10, 20), (0, 10)], 20).unwrap();
        for (spans, directory) in
            [(vec![(0, 10), (5, 15)], 20), (vec![(0, 10), (0, 10)], 20), (vec![(0, 21)], 20)]
        {
            assert!(check_spans(spans, directory).is_err());
        }
    }
}

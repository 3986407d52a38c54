//! HDF5 files whose writer commits with `Fsync` until the power goes: what it had written since the
//! last sync is dropped, reordered, torn. h5py judges what is left, where `STOOK_TEST_PYTHON` names a
//! Python that has it. `STOOK_TORTURE=N` asks for N cuts in the place of a few.
#![allow(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
#![allow(clippy::disallowed_methods, reason = "tests make files as a power cut leaves them")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use stook_core::codec::CodecSpec;
use stook_core::container::{Container, Durability, OpenOptions, WholeArray};
use stook_core::file::{FaultyFile, FileIo};
use stook_core::{Array, ArraySpec, AttributeEdits, ChunkGrid, DType, NodePath, Values};

use super::trace::{self, Event, Of};
use crate::{CreateOptions, Hdf5File, Readers};

/// Cuts where nobody asks for more.
const N_CUTS: u64 = 24;
/// Cuts of one run of a writer.
const CUTS_PER_RUN: u64 = 12;
const N_COMMITS: u64 = 14;
const LEN: u64 = 60;

/// Splitmix64: the same run for the same seed.
fn random(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn node(path: &str) -> NodePath {
    NodePath::parse(path).unwrap()
}

fn spec(codecs: Vec<CodecSpec>) -> ArraySpec {
    let mut spec = ArraySpec::new(DType::Float64, vec![0, LEN]);
    spec.grid = ChunkGrid::regular(vec![5, LEN]).unwrap();
    spec.max_shape = Some(vec![None, Some(LEN)]);
    spec.codecs = codecs;
    spec
}

/// Rows in two arrays, nodes that come and go, attributes: a commit each, of which those that are
/// synced are noted.
fn write(path: &Path, seed: u64) {
    // Every third run as others may follow it.
    let is_swmr = seed % 3 == 2;
    let readers = if is_swmr { Readers::V110 } else { Readers::V18 };
    let mut file =
        Hdf5File::create(path, &CreateOptions { readers, ..CreateOptions::default() }).unwrap();
    file.create_array(&node("/plain"), &spec(Vec::new())).unwrap();
    file.create_array(&node("/zipped"), &spec(vec![CodecSpec::Zlib { level: 4 }])).unwrap();
    file.commit(Durability::Fsync).unwrap();
    trace::note(path, Event::Note(0));
    if is_swmr {
        file.start_swmr().unwrap();
    }
    for row in 0..N_COMMITS {
        for name in ["/plain", "/zipped"] {
            let array = Array::new(file.open_array(&node(name)).unwrap(), path, node(name));
            let items: Vec<u8> =
                (0..LEN).flat_map(|i| ((row * 1000 + i) as f64).to_ne_bytes()).collect();
            let values = Values::new(DType::Float64, vec![1, LEN], items, Vec::new()).unwrap();
            array.append(&values, 0).unwrap();
        }
        let choice = random(seed * 100 + row);
        if !is_swmr {
            let name = format!("/n{}", choice % 3);
            match file.kind(&node(&name)).unwrap() {
                Some(_) => file.remove(&node(&name)).unwrap(),
                None => file.create_group(&node(&name)).unwrap(),
            }
            make_whole(&file, row, choice % 40);
            let text = "x".repeat((choice % 300) as usize);
            let edits = AttributeEdits::new().set("text", Values::text(&text));
            file.edit_attributes(&NodePath::root(), &edits).unwrap();
        }
        if choice.is_multiple_of(4) {
            file.commit(Durability::Flush).unwrap();
        } else {
            file.commit(Durability::Fsync).unwrap();
            trace::note(path, Event::Note(row + 1));
        }
        if choice.is_multiple_of(5) && !is_swmr {
            drop(file);
            file = Hdf5File::open(path, &OpenOptions::read_write()).unwrap();
        }
    }
}

/// `n` small arrays that are made in one step each: `w{row}_{at}`, which holds both numbers; of each other
/// row in a group of their own.
fn make_whole(file: &Hdf5File, row: u64, n: u64) {
    let group = if row.is_multiple_of(2) { String::new() } else { format!("/g{row}") };
    if !group.is_empty() {
        file.create_group(&node(&group)).unwrap();
    }
    for at in 0..n {
        let items: Vec<u8> = [row, at].iter().flat_map(|n| (*n as f64).to_ne_bytes()).collect();
        let note = Values::zeroed(DType::Int32, vec![5]).unwrap();
        let whole = WholeArray {
            dtype: &DType::Float64,
            shape: &[2],
            items: &items,
            attributes: &AttributeEdits::new().set("note", note),
        };
        assert!(file.create_whole(&node(&format!("{group}/w{row}_{at}")), &whole).unwrap());
    }
}

/// The disk at one of the ways in which it may be found after the first `n` events, and the number
/// that was noted last.
fn after_power_cut(events: &[Event], seed: u64) -> (Vec<u8>, Option<Vec<u8>>, Option<u64>) {
    let file = FaultyFile::new(Vec::new());
    // Which journal has the name: those since the folder was synced may.
    let mut journals: Vec<Option<Arc<FaultyFile>>> = vec![None];
    let mut noted = None;
    for event in events {
        let journal = || journals.last().cloned().flatten();
        match event {
            Event::Write(Of::File, at, bytes) => file.write_at(*at, bytes).unwrap(),
            Event::SetLen(Of::File, len) => file.set_len(*len).unwrap(),
            Event::Sync(Of::File) => file.sync().unwrap(),
            Event::Write(Of::Journal, at, bytes) => {
                journal().unwrap().write_at(*at, bytes).unwrap()
            }
            Event::SetLen(Of::Journal, len) => journal().unwrap().set_len(*len).unwrap(),
            Event::Sync(Of::Journal) => journal().unwrap().sync().unwrap(),
            Event::JournalCreated => journals.push(Some(Arc::new(file.beside(Vec::new())))),
            Event::JournalRemoved => journals.push(None),
            Event::NamesSynced => drop(journals.drain(..journals.len() - 1)),
            Event::Note(number) => noted = Some(*number),
        }
    }
    let named = random(seed + 5) as usize % journals.len();
    let journal = journals[named].as_ref().map(|journal| journal.after_power_cut(seed / 2));
    (file.after_power_cut(seed), journal.map(of_other_boot), noted)
}

/// The journal of a start of the operating system that is over.
fn of_other_boot(mut journal: Vec<u8>) -> Vec<u8> {
    if let Some((head, checksum)) =
        journal.get_mut(..96).and_then(|header| header.split_last_chunk_mut::<4>())
        && crc32c::crc32c(head).to_le_bytes() == *checksum
    {
        head[48..64].fill(0xaa);
        *checksum = crc32c::crc32c(head).to_le_bytes();
    }
    journal
}

/// h5py in a process of its own: each file has all rows that it must have, and they are right.
fn judge(files: &[(PathBuf, u64)]) {
    let Some(python) = std::env::var_os("STOOK_TEST_PYTHON") else { return };
    let list: Vec<String> =
        files.iter().map(|(path, n)| format!("({:?}, {n})", path.display().to_string())).collect();
    let script = format!(
        "import h5py\nimport numpy as np\n\
         for path, synced in [{}]:\n    \
         with h5py.File(path) as f:\n        \
         n = len(f['plain'])\n        \
         assert n == len(f['zipped']) and n >= synced, (path, n, synced)\n        \
         rows = np.arange(n)[:, None] * 1000.0 + np.arange({LEN})\n        \
         assert (f['plain'][:] == rows).all() and (f['zipped'][:] == rows).all(), path\n        \
         dict(f.attrs)\n        \
         f.visititems(lambda name, node: dict(node.attrs) and None)\n        \
         names = []\n        \
         f.visit(names.append)\n        \
         for name in names:\n            \
         last = name.rpartition('/')[2]\n            \
         if last.startswith('w'):\n                \
         assert f[name][:].tolist() == [float(n) for n in last[1:].split('_')], (path, name)\n                \
         assert not f[name].attrs['note'].any(), (path, name)\n",
        list.join(", ")
    );
    let output = Command::new(python).arg("-c").arg(script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_power_cut_loses_no_row_that_was_synced() {
    let n_cuts: u64 =
        std::env::var("STOOK_TORTURE").ok().and_then(|n| n.parse().ok()).unwrap_or(N_CUTS);
    let dir = tempfile::tempdir().unwrap();
    let dir = stook_core::file::resolve(dir.path());
    let mut n_recovered = 0;
    for run in 0..n_cuts.div_ceil(CUTS_PER_RUN) {
        let path = dir.join(format!("{run}.h5"));
        let events = trace::start(&path);
        write(&path, run);
        let events = std::mem::take(&mut *events.lock().unwrap());
        let mut files = Vec::new();
        for cut in 0..CUTS_PER_RUN {
            let seed = random(run * 1000 + cut);
            let n = seed as usize % events.len();
            let (bytes, journal, noted) = after_power_cut(&events[..n], seed / 7);
            // Until something was synced there may be nothing.
            let Some(noted) = noted else { continue };
            let path = dir.join(format!("{run}-{cut}.h5"));
            std::fs::write(&path, bytes).unwrap();
            if let Some(journal) = journal {
                std::fs::write(super::journal_of(&path), journal).unwrap();
                n_recovered += 1;
            }
            let what = format!("run {run}, power cut {cut} after {n} of {} events", events.len());
            // A reader sees what a writer recovers.
            let seen = Hdf5File::open(&path, &OpenOptions::read())
                .and_then(|file| Ok(file.open_array(&node("/plain"))?.spec().shape()[0]));
            let file = Hdf5File::open(&path, &OpenOptions::read_write());
            let file = file.unwrap_or_else(|error| panic!("{what}: {error}"));
            let n_rows = file.open_array(&node("/zipped")).unwrap().spec().shape()[0];
            assert!(n_rows >= noted, "{what}: {n_rows} rows of {noted}");
            assert_eq!(seen.unwrap_or_else(|error| panic!("{what}: {error}")), n_rows, "{what}");
            drop(file);
            files.push((path, noted));
        }
        judge(&files);
        for (path, _) in files {
            std::fs::remove_file(path).unwrap();
        }
    }
    println!("{n_cuts} power cuts, {n_recovered} with a journal");
}

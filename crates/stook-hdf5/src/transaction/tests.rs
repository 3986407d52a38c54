//! Random writers on a disk that fails, against a model that keeps whole files.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use stook_core::container::Durability;
use stook_core::file::{Fault, FaultyFile, FileIo, Stamp};
use stook_core::{ErrorKind, Result};

use super::Home;
use super::recovery::{Contents, Look};
use super::snapshot::{Around, Mark, Snapshot};
use super::writer::{Bounds, Bytes, TxFile};

const BOOT: [u8; 16] = [1; 16];
const OTHER_BOOT: [u8; 16] = [2; 16];

/// A disk with a file and its journal, where an empty journal is none.
#[derive(Clone, Debug)]
struct TestDisk {
    file: Arc<FaultyFile>,
    journal: Arc<FaultyFile>,
    watchers: Arc<Mutex<Vec<Watcher>>>,
    /// Where the reader before found its commit.
    mark: Arc<Mutex<Option<Mark>>>,
}

/// A reader and what it must see.
#[derive(Debug)]
struct Watcher {
    snapshot: Snapshot,
    expected: Vec<u8>,
}

/// A file on whose changes all readers look at it, before and after.
#[derive(Debug)]
struct Watched {
    inner: Arc<FaultyFile>,
    disk: TestDisk,
}

impl TestDisk {
    fn new(file: Vec<u8>, journal: Vec<u8>) -> Self {
        let file = Arc::new(FaultyFile::new(file));
        let journal = Arc::new(file.beside(journal));
        Self { file, journal, watchers: Arc::default(), mark: Arc::default() }
    }

    fn with_fault(self, fault: Option<(u64, Fault)>) -> Self {
        let Some((at, fault)) = fault else { return self };
        let file = FaultyFile::new(self.file.contents()).with_fault(at, fault);
        let journal = Arc::new(file.beside(self.journal.contents()));
        let file = Arc::new(file);
        Self { file, journal, watchers: Arc::default(), mark: Arc::default() }
    }

    fn watched(&self, inner: &Arc<FaultyFile>) -> Arc<dyn FileIo> {
        Arc::new(Watched { inner: Arc::clone(inner), disk: self.clone() })
    }

    /// The file as a writer opens it, recovered first.
    fn open(&self, boot: [u8; 16]) -> Result<TxFile> {
        if let Some(contents) = Contents::read(&*self.file, &*self.journal, (boot, Look::Whole))? {
            contents.recover(&*self.file, &*self.journal, boot)?;
        } else if self.journal.len_bytes()? > 0 {
            // What a power cut left of the first bytes of one.
            self.journal.set_len(0)?;
            self.journal.sync()?;
        }
        let bounds = Bounds { budget_len_bytes: 3 * 4096, journal_len_bytes: 60_000 };
        let (file, home) = (self.watched(&self.file), Box::new(self.clone()));
        if self.file.len_bytes()? == 0 {
            return Ok(TxFile::create(file, home, boot, bounds));
        }
        TxFile::open(file, home, boot, bounds)
    }

    /// What a reader sees that opens the file now.
    fn snapshot(&self, boot: [u8; 16]) -> Result<Snapshot> {
        let open = |mark| Snapshot::open(self.file.clone(), Box::new(self.clone()), (boot, mark));
        let mut mark = self.mark.lock().unwrap();
        let snapshot = open(*mark)?;
        if mark.is_some() && *mark != snapshot.mark() {
            assert_eq!(open(None)?.version(), snapshot.version());
        }
        *mark = snapshot.mark();
        Ok(snapshot)
    }

    fn check_watchers(&self) {
        let mut watchers = self.watchers.lock().unwrap();
        watchers.retain(|watcher| {
            let mut found = vec![0; watcher.expected.len()];
            match watcher.snapshot.read_at(0, &mut found) {
                Ok(_) => {
                    assert!(found == watcher.expected, "a reader sees another commit");
                    true
                }
                // Its commit is no more, or the disk does not answer.
                Err(error) => {
                    assert!(matches!(error.kind(), ErrorKind::Locked | ErrorKind::Io), "{error}");
                    false
                }
            }
        });
    }
}

impl Home for TestDisk {
    fn create_journal(&self) -> Result<Arc<dyn FileIo>> {
        Ok(self.watched(&self.journal))
    }

    fn journal_is_ready(&self) -> Result<()> {
        Ok(())
    }

    fn sync_names(&self) -> Result<()> {
        Ok(())
    }

    fn stamp(&self) -> Result<Stamp> {
        let bytes = self.file.contents();
        Ok(Stamp { len_bytes: bytes.len() as u64, modified: crc32c::crc32c(&bytes).into() })
    }

    fn remove_journal(&self) -> Result<()> {
        self.journal.set_len(0)?;
        // The next one is another file: what is left of this never mixes with it.
        self.journal.sync()
    }
}

impl Around for TestDisk {
    fn stamp(&self) -> Result<Stamp> {
        Home::stamp(self)
    }

    fn journal(&self) -> Result<Option<Arc<dyn FileIo>>> {
        let is_there = self.journal.len_bytes()? > 0;
        Ok(is_there.then(|| Arc::clone(&self.journal) as Arc<dyn FileIo>))
    }

    fn is_written(&self) -> bool {
        false
    }
}

impl FileIo for Watched {
    fn path(&self) -> &std::path::Path {
        self.inner.path()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize> {
        self.inner.read_at(offset, out)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.disk.check_watchers();
        let written = self.inner.write_at(offset, bytes);
        self.disk.check_watchers();
        written
    }

    fn len_bytes(&self) -> Result<u64> {
        self.inner.len_bytes()
    }

    fn set_len(&self, len_bytes: u64) -> Result<()> {
        let set = self.inner.set_len(len_bytes);
        self.disk.check_watchers();
        set
    }

    fn sync(&self) -> Result<()> {
        self.inner.sync()
    }
}

#[derive(Clone, Debug)]
enum Op {
    Write { at: usize, len: usize, byte: u8, is_metadata: bool },
    SetLen(usize),
    Commit(Durability),
    Reopen,
    Watch,
    KeepOrder,
    Fill(bool),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (0_usize..30_000, 1_usize..6000, any::<u8>(), any::<bool>())
            .prop_map(|(at, len, byte, is_metadata)| Op::Write { at, len, byte, is_metadata }),
        6 => (0_usize..20_000, 1_usize..60, any::<u8>(), any::<bool>())
            .prop_map(|(at, len, byte, is_metadata)| Op::Write { at, len, byte, is_metadata }),
        1 => (0_usize..36_000).prop_map(Op::SetLen),
        5 => Just(Op::Commit(Durability::Flush)),
        3 => Just(Op::Commit(Durability::Fsync)),
        1 => Just(Op::Reopen),
        2 => Just(Op::Watch),
        1 => Just(Op::KeepOrder),
    ]
}

/// What a writer did and what of it was acknowledged.
#[derive(Debug, Default)]
struct Model {
    current: Vec<u8>,
    /// The file at each commit; those from `is_acknowledged` on were tried.
    commits: Vec<Vec<u8>>,
    /// The number of the last commit that was acknowledged, and synced.
    acknowledged: Option<usize>,
    synced: Option<usize>,
}

impl Model {
    fn of(bytes: Vec<u8>) -> Self {
        let is_there = !bytes.is_empty();
        Self {
            commits: if is_there { vec![bytes.clone()] } else { Vec::new() },
            current: bytes,
            acknowledged: is_there.then_some(0),
            synced: is_there.then_some(0),
        }
    }

    fn floor(&self) -> usize {
        self.acknowledged.map_or(0, |at| self.commits[at].len())
    }

    fn write(&mut self, at: usize, len: usize, byte: u8) -> Vec<u8> {
        let bytes: Vec<u8> = (0..len).map(|i| byte.wrapping_add(i as u8)).collect();
        if self.current.len() < at + len {
            self.current.resize(at + len, 0);
        }
        self.current[at..at + len].copy_from_slice(&bytes);
        bytes
    }

    fn acknowledge(&mut self, durability: Durability) {
        self.acknowledged = self.commits.len().checked_sub(1);
        if durability == Durability::Fsync {
            self.synced = self.acknowledged;
        }
    }

    /// That `found` begins with one of the commits from `first` on.
    fn expect(&self, found: &[u8], first: Option<usize>, what: &str) {
        let Some(first) = first else { return };
        let is_one = self.commits[first..].iter().any(|c| found.get(..c.len()) == Some(&c[..]));
        assert!(is_one, "{what}: the file is at none of its last commits");
    }
}

/// A run of `ops`; it ends at the first error if that `is_last`, else each operation is tried
/// again until it succeeds. Whether it came to the end.
fn run(disk: &TestDisk, model: &mut Model, ops: &[Op], is_last: bool) -> bool {
    let Ok(mut file) = disk.open(BOOT) else { return false };
    for op in ops {
        for attempt in 0.. {
            let done = step(disk, model, &mut file, op);
            if done.is_ok() {
                break;
            }
            // A file that could not be closed is left to recovery.
            if is_last || attempt > 3 || matches!(op, Op::Reopen) {
                return false;
            }
            disk.file.set_capacity(None);
        }
        let mut found = vec![0; model.current.len() + 1];
        let Ok(n) = file.read_at(0, &mut found) else { return false };
        assert!(n == model.current.len() && found[..n] == model.current, "after {op:?}");
    }
    true
}

fn step(disk: &TestDisk, model: &mut Model, file: &mut TxFile, op: &Op) -> Result<()> {
    match *op {
        Op::Write { at, len, byte, is_metadata } => {
            let bytes = model.write(at, len, byte);
            let at = at as u64;
            match (is_metadata, byte % 2) {
                (true, _) => file.write_waiting(at, &bytes, Bytes::Metadata),
                (false, 0) => file.write_waiting(at, &bytes, Bytes::Elements),
                (false, _) => file.write_at(at, &bytes),
            }
        }
        Op::SetLen(len) => {
            file.set_len(len as u64)?;
            model.current.resize(file.len_bytes()? as usize, 0);
            assert!(len <= model.current.len() && model.floor() <= model.current.len());
            Ok(())
        }
        Op::Commit(durability) => {
            if model.commits.last() != Some(&model.current) {
                model.commits.push(model.current.clone());
            }
            file.commit(durability)?;
            model.acknowledge(durability);
            Ok(())
        }
        Op::Reopen => {
            model.commits.push(model.current.clone());
            file.close(None)?;
            model.acknowledge(Durability::Flush);
            *file = disk.open(BOOT)?;
            Ok(())
        }
        Op::Watch => {
            let snapshot = disk.snapshot(BOOT)?;
            if let Some(expected) = model.acknowledged.map(|at| model.commits[at].clone()) {
                let mut watchers = disk.watchers.lock().unwrap();
                if watchers.len() < 4 {
                    watchers.push(Watcher { snapshot, expected });
                }
            }
            disk.check_watchers();
            Ok(())
        }
        Op::KeepOrder => {
            if model.commits.last() != Some(&model.current) {
                model.commits.push(model.current.clone());
            }
            file.keep_order()?;
            model.acknowledge(Durability::Flush);
            Ok(())
        }
        Op::Fill(is_full) => {
            let len = (disk.file.contents().len() + disk.journal.contents().len()) + 100;
            disk.file.set_capacity(is_full.then_some(len));
            Ok(())
        }
    }
}

/// What a new process finds on `disk`: as a reader, and after the recovery of a writer.
fn recovered(disk: &TestDisk, boot: [u8; 16]) -> (Vec<u8>, Vec<u8>) {
    let mut seen = vec![0; disk.file.contents().len() + 8192];
    let snapshot = disk.snapshot(boot).unwrap();
    // A file that was never synced may be shorter than its journal says.
    let n = snapshot.read_at(0, &mut seen).unwrap_or(0);
    seen.truncate(n);
    let file = disk.open(boot).unwrap();
    file.close(None).unwrap();
    assert!(disk.journal.contents().is_empty());
    (seen, disk.file.contents())
}

fn base() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        (1_usize..25_000).prop_map(|len| (0..len).map(|i| (i / 7) as u8).collect()),
    ]
}

/// As many as `PROPTEST_CASES` asks for, else a few; `cargo xtask torture` asks for thousands.
fn cases() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let is_asked = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig {
        cases: if is_asked { asked.cases } else { 300 },
        failure_persistence: None,
        max_shrink_iters: 300,
        ..asked
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_writer_reads_what_it_wrote_and_readers_see_their_commit(
        base in base(), ops in prop::collection::vec(op(), 1..40),
    ) {
        let disk = TestDisk::new(base.clone(), Vec::new());
        let mut model = Model::of(base);
        prop_assert!(run(&disk, &mut model, &ops, true));
        disk.check_watchers();
    }

    #[test]
    fn a_killed_writer_loses_nothing_that_was_acknowledged(
        base in base(), ops in prop::collection::vec(op(), 1..30), at in 0_u64..200,
        is_torn in any::<bool>(),
    ) {
        let fault = if is_torn { Fault::Short } else { Fault::PowerCut };
        let disk = TestDisk::new(base.clone(), Vec::new()).with_fault(Some((at, fault)));
        let mut model = Model::of(base);
        run(&disk, &mut model, &ops, true);
        let after = TestDisk::new(disk.file.contents(), disk.journal.contents());
        let (seen, found) = recovered(&after, BOOT);
        model.expect(&seen, model.acknowledged, "reader");
        model.expect(&found, model.acknowledged, "writer");
    }

    #[test]
    fn a_power_cut_loses_nothing_that_was_synced(
        base in base(), ops in prop::collection::vec(op(), 1..30), at in 0_u64..200,
        seed in 0_u64..1000,
    ) {
        let disk = TestDisk::new(base.clone(), Vec::new()).with_fault(Some((at, Fault::PowerCut)));
        let mut model = Model::of(base);
        run(&disk, &mut model, &ops, true);
        let (file, journal) = (disk.file.after_power_cut(seed), disk.journal.after_power_cut(seed / 2));
        let after = TestDisk::new(file, journal);
        let (seen, found) = recovered(&after, OTHER_BOOT);
        model.expect(&seen, model.synced, "reader");
        model.expect(&found, model.synced, "writer");
        // A power cut while it was recovered.
        let again = TestDisk::new(disk.file.after_power_cut(seed), disk.journal.after_power_cut(seed / 2))
            .with_fault(Some((at % 6, Fault::PowerCut)));
        let _ = again.open(OTHER_BOOT);
        let after = TestDisk::new(again.file.after_power_cut(seed + 1), again.journal.after_power_cut(seed + 2));
        let (_, found) = recovered(&after, [3; 16]);
        model.expect(&found, model.synced, "writer after a second cut");
    }

    #[test]
    fn what_fails_may_be_tried_again(
        base in base(), ops in prop::collection::vec(op(), 1..30), at in 0_u64..200,
        is_short in any::<bool>(),
    ) {
        let fault = if is_short { Fault::Short } else { Fault::Fail };
        let disk = TestDisk::new(base.clone(), Vec::new()).with_fault(Some((at, fault)));
        let mut model = Model::of(base);
        run(&disk, &mut model, &ops, false);
        let after = TestDisk::new(disk.file.contents(), disk.journal.contents());
        let (_, found) = recovered(&after, BOOT);
        model.expect(&found, model.acknowledged, "writer");
    }

    #[test]
    fn a_full_disk_loses_nothing_and_room_makes_it_work_again(
        base in base(), ops in prop::collection::vec(op(), 1..30), full_at in 0_usize..30,
    ) {
        let disk = TestDisk::new(base.clone(), Vec::new());
        let mut model = Model::of(base);
        let mut ops = ops;
        ops.insert(full_at.min(ops.len()), Op::Fill(true));
        // Killed where the disk is full.
        let full = TestDisk::new(disk.file.contents(), Vec::new());
        run(&full, &mut model, &ops, true);
        let after = TestDisk::new(full.file.contents(), full.journal.contents());
        model.expect(&recovered(&after, BOOT).1, model.acknowledged, "killed");
        // Going on when there is room.
        let mut model = Model::of(disk.file.contents());
        run(&disk, &mut model, &ops, false);
        let after = TestDisk::new(disk.file.contents(), disk.journal.contents());
        model.expect(&recovered(&after, BOOT).1, model.acknowledged, "went on");
    }
}

#[test]
fn a_file_that_somebody_else_changed_is_left_alone() {
    let disk = TestDisk::new(vec![7; 9000], Vec::new());
    let file = disk.open(BOOT).unwrap();
    file.write_at(5000, b"changed").unwrap();
    file.commit(Durability::Flush).unwrap();
    let after = TestDisk::new(disk.file.contents(), disk.journal.contents());
    after.file.write_at(5001, b"X").unwrap();
    let before = after.file.contents();
    let error = after.open(BOOT).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.message().contains("at byte 5001"), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("stook recover --discard")));
    assert_eq!(after.file.contents(), before);
}

#[test]
fn a_commit_of_nothing_writes_nothing() {
    let disk = TestDisk::new(vec![7; 9000], Vec::new());
    let file = disk.open(BOOT).unwrap();
    file.write_at(5000, b"changed").unwrap();
    file.commit(Durability::Fsync).unwrap();
    let n = disk.file.n_changes();
    file.commit(Durability::Fsync).unwrap();
    file.write_at(5000, b"changed").unwrap();
    file.commit(Durability::Flush).unwrap();
    assert_eq!(disk.file.n_changes(), n);
}

/// A structure of two numbers: one that is referred to, and behind it in order of writing, and
/// before it in the file, one that refers to it.
#[test]
fn whoever_looks_at_any_time_finds_metadata_in_order() {
    const CHILD: u64 = 20_000;
    const PARENT: u64 = 100;
    let number = |bytes: &[u8], at: u64| bytes[at as usize];
    for at in 0.. {
        let disk = TestDisk::new(vec![0; 30_000], Vec::new());
        let file = disk.open(BOOT).unwrap();
        file.keep_order().unwrap();
        let planned = disk.file.n_changes() + at;
        disk.file.set_fault(planned, Fault::Fail);
        for n in [2, 4, 6] {
            // Elements behind and before both, on the same pages, and a parent that comes twice.
            let written = [(CHILD + 50, n, false), (CHILD, n, true), (PARENT, n, true)]
                .into_iter()
                .chain([(PARENT + 30, n, false), (CHILD, n + 1, true), (PARENT, n + 1, true)])
                .try_for_each(|(at, byte, is_metadata)| match is_metadata {
                    true => file.write_waiting(at, &[byte], Bytes::Metadata),
                    false => file.write_at(at, &[byte]),
                })
                .and_then(|()| file.commit(Durability::Flush));
            let bytes = disk.file.contents();
            assert!(number(&bytes, PARENT) <= number(&bytes, CHILD), "operation {at}");
            if number(&bytes, PARENT) >= n {
                assert_eq!((number(&bytes, CHILD + 50), number(&bytes, PARENT + 30)), (n, n));
            }
            // What the operating system has failed to sync is not tried again.
            if written.is_err() && file.commit(Durability::Flush).is_err() {
                break;
            }
            let bytes = disk.file.contents();
            assert_eq!((number(&bytes, PARENT), number(&bytes, CHILD)), (n + 1, n + 1));
        }
        if disk.file.n_changes() < planned {
            return;
        }
    }
}

#[test]
fn whoever_opens_the_file_at_any_time_finds_how_far_it_goes() {
    const PARENT: u64 = 100;
    // Of version 3 with addresses of eight bytes; what is asked of it here is the last byte.
    let superblock = |n: u8| {
        let mut bytes = b"\x89HDF\r\n\x1a\n\x03\x08\x08\0".to_vec();
        bytes.resize(48, n);
        bytes
    };
    for at in 0.. {
        let disk = TestDisk::new(superblock(0), Vec::new());
        let file = disk.open(BOOT).unwrap();
        file.write_at(PARENT, &[0; 100]).unwrap();
        file.commit(Durability::Flush).unwrap();
        file.keep_order().unwrap();
        let planned = disk.file.n_changes() + at;
        disk.file.set_fault(planned, Fault::Fail);
        for n in [2, 4, 6] {
            let written = [(0, superblock(n - 1)), (PARENT, vec![n]), (0, superblock(n))]
                .into_iter()
                .try_for_each(|(at, bytes)| file.write_waiting(at, &bytes, Bytes::Metadata))
                .and_then(|()| file.commit(Durability::Flush));
            let bytes = disk.file.contents();
            assert!(bytes[47] >= bytes[PARENT as usize], "operation {at}");
            if written.is_err() && file.commit(Durability::Flush).is_err() {
                break;
            }
            let bytes = disk.file.contents();
            assert_eq!((bytes[47], bytes[PARENT as usize]), (n, n));
        }
        if disk.file.n_changes() < planned {
            return;
        }
    }
}

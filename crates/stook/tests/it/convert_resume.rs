//! Conversions that end early and go on.

use std::path::{Path, PathBuf};

use stook::{
    ConvertOptions, DType, Error, ErrorKind, File, Progress, Report, Selection, Unfinished,
    compare, convert,
};

const SIDE: u64 = 2048;

struct Folder(tempfile::TempDir);

impl Folder {
    /// With `a.h5` and `a.zarr`: two arrays of 8 MiB, one of them contiguous in HDF5, and more.
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let file = File::create(folder.path("a.h5")).unwrap();
        let root = file.root_group().unwrap();
        let elements: Vec<u16> = (0..SIDE * SIDE).map(|i| (i % 60_000) as u16).collect();
        let codec = stook::CodecSpec::Zlib { level: 1 };
        let x = root.array("x").dtype(DType::UInt16).shape([SIDE, SIDE]).chunks([64, 512]);
        let x = x.codecs([codec]).create().unwrap();
        x.write_elements(&Selection::All, &[SIDE, SIDE], &elements).unwrap();
        let y = root.array("y").dtype(DType::UInt16).shape([SIDE, SIDE]).create().unwrap();
        y.write_elements(&Selection::All, &[SIDE, SIDE], &elements).unwrap();
        root.set_attribute("title", serde_json::json!("two")).unwrap();
        file.commit().unwrap();
        drop((file, root, x, y));
        convert(folder.path("a.h5"), folder.path("a.zarr"), &mut ConvertOptions::default())
            .unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Converts until `most` bytes are done, at most.
    fn run(
        &self,
        from: &str,
        to: &str,
        unfinished: Unfinished,
        most: u64,
    ) -> Result<Report, Error> {
        let mut progress = |progress: &Progress| match progress.done_len_bytes >= most {
            true => Err(Error::new(ErrorKind::Io, "enough")),
            false => Ok(()),
        };
        let mut options = ConvertOptions {
            unfinished,
            memory_len_bytes: 12 << 20,
            progress: Some(&mut progress),
            ..ConvertOptions::default()
        };
        convert(self.path(from), self.path(to), &mut options)
    }

    fn differences(&self, a: &str, b: &str) -> Vec<String> {
        let open = |name: &str| File::open(self.path(name)).unwrap().root().unwrap();
        let found = compare(&open(a), &open(b), 64 << 20, 10).unwrap();
        found.into_iter().map(|found| format!("{}: {}", found.node, found.what)).collect()
    }

    fn left(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with('.')).collect()
    }
}

fn with_hint(error: &Error, folder: &Folder) -> String {
    let text = format!("{}\nhint: {}", error.message(), error.hint().unwrap_or("none"));
    text.replace(&folder.0.path().display().to_string(), "DIR")
}

#[test]
fn what_was_done_is_not_done_again() {
    let folder = Folder::new();
    for (from, to) in
        [("a.h5", "b.zarr"), ("a.zarr", "c.h5"), ("a.h5", "d.h5"), ("a.zarr", "e.zarr")]
    {
        let mut done = 0;
        for most in [2 << 20, 7 << 20, 11 << 20] {
            let error = folder.run(from, to, Unfinished::Resumes, most).unwrap_err();
            assert_eq!(error.message(), "enough");
            assert!(error.hint().unwrap().contains("--resume"));
            assert!(!folder.path(to).exists());
            done = most;
        }
        let report = folder.run(from, to, Unfinished::Resumes, u64::MAX).unwrap();
        assert!(report.resumed_len_bytes >= done - (3 << 20), "{from} {to}: {report:?}");
        assert_eq!(report.len_bytes, 16 << 20);
        assert_eq!(folder.differences(from, to), Vec::<String>::new());
        assert_eq!(folder.left(), Vec::<String>::new());
    }
}

#[test]
fn nothing_is_left_unless_it_is_to_be_resumed() {
    let folder = Folder::new();
    for to in ["b.zarr", "b.h5", "b.zarr.zip", "b.npz"] {
        folder.run("a.h5", to, Unfinished::Stays, 3 << 20).unwrap_err();
        assert_eq!(folder.left(), Vec::<String>::new());
    }
    folder.run("a.h5", "b.zarr.zip", Unfinished::Resumes, 3 << 20).unwrap_err();
    assert_eq!(folder.left(), Vec::<String>::new());
}

#[test]
fn an_unfinished_conversion_is_told_and_stays() {
    let folder = Folder::new();
    folder.run("a.h5", "b.zarr", Unfinished::Resumes, 3 << 20).unwrap_err();
    let error = folder.run("a.h5", "b.zarr", Unfinished::Stays, u64::MAX).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    // How much was done depends on what the threads had in hand.
    let told = with_hint(&error, &folder);
    let (before, done) = told.split_once(", with ").unwrap();
    let (done, after) = done.split_once(" MiB done").unwrap();
    assert!((3..=16).contains(&done.parse::<u32>().unwrap()), "{told}");
    insta::assert_snapshot!(format!("{before}, with N MiB done{after}"), @"
    an unfinished conversion of `DIR/a.h5` to this file is there, with N MiB done
    hint: go on with it (`--resume`), or begin anew (`--restart`)
    ");
    assert_eq!(folder.left().len(), 1);
    let other = folder.run("a.zarr", "b.zarr", Unfinished::Resumes, u64::MAX).unwrap_err();
    insta::assert_snapshot!(with_hint(&other, &folder), @"
    the unfinished conversion is of another source, `DIR/a.h5`
    hint: begin anew (`--restart`)
    ");
    let mut options = ConvertOptions {
        unfinished: Unfinished::Resumes,
        chunks: vec!["64,64".parse().unwrap()],
        ..ConvertOptions::default()
    };
    let error = convert(folder.path("a.h5"), folder.path("b.zarr"), &mut options).unwrap_err();
    insta::assert_snapshot!(with_hint(&error, &folder), @"
    the unfinished conversion was begun with other options, or by another version
    hint: begin anew (`--restart`)
    ");
    let file = File::open_read_write(folder.path("a.h5")).unwrap();
    file.root_group().unwrap().set_attribute("new", serde_json::json!(1)).unwrap();
    file.commit().unwrap();
    drop(file);
    let error = folder.run("a.h5", "b.zarr", Unfinished::Resumes, u64::MAX).unwrap_err();
    assert!(error.message().starts_with("the source has changed since"), "{error}");
    assert_eq!(folder.left().len(), 1);
    let report = folder.run("a.h5", "b.zarr", Unfinished::Goes, u64::MAX).unwrap();
    assert_eq!(report.resumed_len_bytes, 0);
    assert_eq!(folder.differences("a.h5", "b.zarr"), Vec::<String>::new());
    assert_eq!(folder.left(), Vec::<String>::new());
}

/// The files of an unfinished conversion.
fn unfinished(folder: &Folder, to: &str) -> PathBuf {
    folder.path(&format!(".stook-tmp-part-{to}"))
}

#[test]
fn a_broken_draft_is_made_anew() {
    let folder = Folder::new();
    for cut in [0_u64, 5000, 3 << 20] {
        folder.run("a.h5", "b.h5", Unfinished::Resumes, 7 << 20).unwrap_err();
        let draft = unfinished(&folder, "b.h5").join("0-b.h5");
        let bytes = std::fs::read(&draft).unwrap();
        std::fs::write(&draft, &bytes[..bytes.len().min(cut as usize)]).unwrap();
        folder.run("a.h5", "b.h5", Unfinished::Resumes, u64::MAX).unwrap();
        assert_eq!(folder.differences("a.h5", "b.h5"), Vec::<String>::new(), "{cut}");
        std::fs::remove_file(folder.path("b.h5")).unwrap();
    }
    // Chunks that have changed are told by their hash.
    folder.run("a.h5", "b.h5", Unfinished::Resumes, 7 << 20).unwrap_err();
    let draft = unfinished(&folder, "b.h5").join("0-b.h5");
    let mut bytes = std::fs::read(&draft).unwrap();
    let half = bytes.len() / 2;
    for byte in bytes[half..].iter_mut().step_by(997) {
        *byte ^= 0x40;
    }
    std::fs::write(&draft, &bytes).unwrap();
    folder.run("a.h5", "b.h5", Unfinished::Resumes, u64::MAX).unwrap();
    assert_eq!(folder.differences("a.h5", "b.h5"), Vec::<String>::new());
}

#[test]
fn what_an_ended_process_was_writing_is_removed() {
    let folder = Folder::new();
    folder.run("a.h5", "b.zarr", Unfinished::Resumes, 7 << 20).unwrap_err();
    let draft = unfinished(&folder, "b.zarr").join("0-b.zarr");
    std::fs::write(draft.join("x/.stook-tmp-1-2-3"), b"half a chunk").unwrap();
    folder.run("a.h5", "b.zarr", Unfinished::Resumes, u64::MAX).unwrap();
    assert!(!Path::new(&folder.path("b.zarr/x/.stook-tmp-1-2-3")).exists());
    assert_eq!(folder.differences("a.h5", "b.zarr"), Vec::<String>::new());
}

#[test]
fn a_draft_that_nothing_was_recorded_of_is_made_anew() {
    let folder = Folder::new();
    for to in ["b.zarr", "b.h5"] {
        folder.run("a.h5", to, Unfinished::Resumes, 0).unwrap_err();
        assert_eq!(folder.left().len(), 1);
        let report = folder.run("a.h5", to, Unfinished::Resumes, u64::MAX).unwrap();
        assert_eq!(report.resumed_len_bytes, 0);
        assert_eq!(folder.differences("a.h5", to), Vec::<String>::new());
    }
}

#[test]
fn a_journal_without_its_draft_is_no_claim() {
    let folder = Folder::new();
    for to in ["b.zarr", "b.h5"] {
        folder.run("a.h5", to, Unfinished::Resumes, 7 << 20).unwrap_err();
        let draft = unfinished(&folder, to).join(format!("0-{to}"));
        if draft.is_dir() { std::fs::remove_dir_all(draft) } else { std::fs::remove_file(draft) }
            .unwrap();
        let report = folder.run("a.h5", to, Unfinished::Resumes, u64::MAX).unwrap();
        assert_eq!(report.resumed_len_bytes, 0);
        assert_eq!(folder.differences("a.h5", to), Vec::<String>::new());
    }
}

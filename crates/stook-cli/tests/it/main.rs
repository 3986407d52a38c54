//! The command, as a shell runs it: what it prints, its exit status, and that what fails changes
//! nothing.
#![allow(clippy::disallowed_methods, reason = "the tests make and damage files")]
#![allow(clippy::unwrap_used, reason = "in tests, also outside the functions that are marked so")]

mod bad_input;
mod cat;
mod check;
mod convert;
mod convert_large;
mod convert_layout;
mod diff;
mod edit;
mod live;
mod loom;
mod onedata;
mod pipe;
mod recover;
mod session;
mod show;
mod stats;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use stook::{DType, File, Selection, Values};

/// An empty folder in which commands run, so that they name files without it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With `small.zarr`: a group, arrays of several dtypes, attributes.
    fn with_small() -> Self {
        let folder = Self::new();
        make_small(&folder.path("small.zarr"));
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A copy of a sample of the project.
    fn sample(&self, name: &str) {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
        std::fs::copy(samples.join(name), self.path(name)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stook"));
        command.args(arguments).current_dir(self.0.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().unwrap();
        Run {
            status: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: without_times(&String::from_utf8(output.stderr).unwrap()),
        }
    }

    /// Every file in the folder with its bytes.
    fn content(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut content = BTreeMap::new();
        let mut ahead = vec![self.0.path().to_path_buf()];
        while let Some(next) = ahead.pop() {
            if next.is_dir() {
                ahead.extend(std::fs::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()));
                content.insert(next, Vec::new());
            } else {
                let bytes = std::fs::read(&next).unwrap();
                content.insert(next, bytes);
            }
        }
        content
    }

    /// Runs what must fail and change nothing.
    fn fails(&self, arguments: &[&str]) -> Run {
        let before = self.content();
        let run = self.run(arguments);
        assert_ne!(run.status, Some(0), "{run}");
        assert_eq!(run.out, "");
        assert!(self.content() == before, "the folder has changed: {:?}", self.content().keys());
        run
    }
}

/// What a command did.
struct Run {
    status: Option<i32>,
    out: String,
    err: String,
}

impl Run {
    fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self}");
        self
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.unwrap_or(-1);
        write!(f, "{}{}exit {status}", self.out, self.err)
    }
}

/// `text` without what differs from run to run: times, rates, and sizes on disk.
fn without_times(text: &str) -> String {
    let line = |line: &str| match line.find(" in ") {
        Some(from) if line.contains("/s), on disk ") => format!("{} in …", &line[..from]),
        _ => line.to_owned(),
    };
    text.lines().map(|l| line(l) + "\n").collect()
}

fn make_small(path: &Path) {
    let file = File::create(path).unwrap();
    let root = file.root_group().unwrap();
    root.set_attribute("title", serde_json::json!("a small tree")).unwrap();
    let group = root.create_group("run").unwrap();
    let image = group.array("image").dtype(DType::Int32).shape([4, 6]).chunks([2, 3]);
    let image = image.dimension_names(["y", "x"]).attribute("unit", serde_json::json!("counts"));
    let image = image.create().unwrap();
    let counts: Vec<i32> = (0..24).map(|i| i * i - 50).collect();
    image.write_elements(&Selection::All, &[4, 6], &counts).unwrap();
    let names = group.array("names").dtype(DType::string()).shape([3]).create().unwrap();
    let texts = Values::from_strings(vec![3], &["B cell", "T\tcell", ""]).unwrap();
    names.write(&Selection::All, &texts).unwrap();
    let cube = group.array("cube").dtype(DType::Float32).shape([2, 2, 2]).create().unwrap();
    let floats = [0.1_f32, 1.0, -2.5, f32::NAN, 1e-9, 3e20, f32::INFINITY, 0.0];
    cube.write_elements(&Selection::All, &[2, 2, 2], &floats).unwrap();
    root.array("answer").dtype(DType::UInt8).create().unwrap();
    file.array("answer").unwrap().write_elements(&Selection::All, &[], &[42_u8]).unwrap();
    file.commit().unwrap();
}

//! `cargo xtask demo`: a real file goes from HDF5 to Zarr and back, and nothing changes.
//!
//! The command `stook` rereads what it wrote and compares (`--verify`). Then libraries that are not
//! ours (h5py and zarr-python) read the three files and compare once more.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::process::{self, Attempt as _, Hint as _, Result};
use crate::report::{self, Report};
use crate::setup::{self, Cargo, Environment, Role, Workspace};

/// See samples/README.md.
const SAMPLE: &str = "samples/pbmc68k_reduced.h5ad";

/// Compares the files with libraries that are not ours.
const PEERS: &str = "xtask/peers.py";

/// Shows the sample, converts it twice, verifies and says what to type next.
pub(crate) fn run(workspace: &Workspace) -> ExitCode {
    let mut report =
        Report::new("stook demo: 700 blood cells (10x Genomics, from scanpy), HDF5 → Zarr → HDF5");
    let peers = workspace.environment_in_background(Role::Demo);
    let demo =
        report.step("cmake from PyPI", || workspace.environment(Role::Build)).and_then(|build| {
            report.step("build the command `stook` (some minutes the first time)", || {
                Demo::build(workspace, &build)
            })
        });
    // Long done: pip is faster than the compiler.
    let peers = setup::join(peers);
    let Some(demo) = demo else { return report.finish() };
    if steps(&mut report, &demo).is_some() {
        verify_with_peers(&mut report, workspace, &demo, peers);
    }
    let is_clean = report.is_clean();
    let code = report.finish();
    if is_clean {
        demo.say_what_is_next();
    }
    code
}

fn steps(report: &mut Report, demo: &Demo) -> Option<()> {
    report.step("show the HDF5 file", || demo.stook(&["tree", SAMPLE]))?;
    report.step("convert HDF5 → Zarr, reread, compare", || {
        demo.stook(&["convert", "--verify", SAMPLE, &demo.zarr])
    })?;
    report.step("convert Zarr → HDF5, reread, compare", || {
        demo.stook(&["convert", "--verify", &demo.zarr, &demo.back])
    })
}

fn verify_with_peers(
    report: &mut Report,
    workspace: &Workspace,
    demo: &Demo,
    peers: Result<Environment>,
) {
    let name = "read all three with h5py and zarr-python, compare";
    let peers = match peers {
        Ok(peers) => peers,
        Err(failure) => {
            report::print_failure(&failure);
            return report.skip(name, "h5py and zarr-python are not installed");
        }
    };
    report.noted_step(name, || {
        let mut command = Command::new(peers.python());
        command.arg(workspace.path(PEERS)).args([SAMPLE, &demo.zarr, &demo.back]);
        let said = process::capture(command.current_dir(workspace.path("")))?;
        print!("{said}");
        Ok(((), said.lines().next_back().unwrap_or_default().to_owned()))
    });
}

/// The command that was built, and where it writes.
struct Demo {
    root: PathBuf,
    program: PathBuf,
    shown_program: String,
    zarr: String,
    back: String,
}

impl Demo {
    /// Builds `stook` in the development profile: its dependencies are optimised there as well,
    /// it compiles sooner, and `cargo xtask test` uses all of it again.
    fn build(workspace: &Workspace, build: &Environment) -> Result<Self> {
        let cargo = Cargo::new(workspace, build)?;
        process::show(&mut cargo.command([
            "build",
            "--locked",
            "--package",
            "stook-cli",
            "--bin",
            "stook",
        ]))
        .hint("if no C compiler was found: on Debian and Ubuntu, apt install build-essential")?;
        let program =
            workspace.target("debug/stook").with_extension(std::env::consts::EXE_EXTENSION);
        let folder = workspace.target("demo");
        empty(&folder)?;
        let shown = |name: &str| workspace.shown(&folder.join(name));
        Ok(Self {
            root: workspace.path(""),
            shown_program: workspace.shown(&program),
            program,
            zarr: shown("pbmc68k_reduced.zarr"),
            back: shown("pbmc68k_reduced.h5"),
        })
    }

    fn stook(&self, arguments: &[&str]) -> Result<()> {
        println!("{}", report::dim(&format!("$ stook {}", arguments.join(" "))));
        process::show(Command::new(&self.program).args(arguments).current_dir(&self.root))
    }

    fn say_what_is_next(&self) {
        let program = &self.shown_program;
        println!("\nEqual after both conversions. What to type next:");
        for (command, what) in [
            (format!("{program} tree {}", self.zarr), "the same tree, now as Zarr"),
            (format!("{program} convert YOUR.h5 YOUR.zarr"), "a file of yours"),
            (format!("{program} --help"), "all that the command does"),
            ("cargo xtask wheel".to_owned(), "the Python package"),
            ("cargo xtask test".to_owned(), "every test"),
        ] {
            println!("  {}\n      {}", report::bold(&command), report::dim(what));
        }
    }
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).attempt(|| format!("cannot remove {folder:?}"))?;
    }
    fs::create_dir_all(folder).attempt(|| format!("cannot create {folder:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_and_the_peers_are_shipped() {
        let workspace = Workspace::load().unwrap();
        assert!(workspace.path(SAMPLE).exists());
        assert!(workspace.path(PEERS).exists());
    }

    #[test]
    fn a_second_demo_starts_from_an_empty_folder() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("demo");
        empty(&folder).unwrap();
        fs::write(folder.join("old"), "").unwrap();
        empty(&folder).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
}

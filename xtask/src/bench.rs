//! `cargo xtask bench`: the release build against other libraries, in one environment.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::process::{self, Hint as _, Result};
use crate::report::Report;
use crate::setup::{self, Cargo, Environment, Role, Workspace};
use crate::wheel::{self, Profile};

/// The benchmarks; they take the arguments of the command.
const PROGRAM: &str = "python/bench/run.py";

/// The Rust libraries that are compared, in a package outside the workspace.
const RUST_WORKERS: &str = "bench/Cargo.toml";

/// Builds the release wheel and the Rust workers, and runs the benchmarks beside the peers.
pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> ExitCode {
    let mut report = Report::new("stook bench");
    let peers = workspace.environment_in_background(Role::Bench);
    let build = report.step("cmake and maturin from PyPI", || workspace.environment(Role::Build));
    let built = build.and_then(|build| {
        let workers = report.step("Rust workers", || rust_workers(workspace, &build))?;
        let wheel =
            report.step("release wheel", || wheel::build(workspace, &build, Profile::Release))?;
        Some((workers, wheel))
    });
    let peers = report.step("peers from PyPI", || setup::join(peers));
    let newest = newest_peers(&mut report, workspace);
    let apart = peers_apart(&mut report, workspace, arguments);
    if let (Some((workers, wheel)), Some(peers)) = (built, peers) {
        report.step("install the wheel", || wheel::install(&peers, &wheel)).and_then(|()| {
            report.step("benchmarks", || {
                let mut command = Command::new(peers.python());
                command.arg(workspace.path(PROGRAM));
                command.arg("--rust-workers").arg(workers);
                if let Some(newest) = newest {
                    command.arg("--newest-python").arg(newest.python());
                }
                if let Some((option, peer)) = apart {
                    command.arg(option).arg(peer.python());
                }
                command.arg("--folder").arg(workspace.target("bench/data")).args(arguments);
                process::show(command.current_dir(workspace.path("")))
                    .hint("cargo xtask bench -- --help lists the options")
            })
        });
    }
    report.finish()
}

/// The environment of the newest zarr-python, where there is a Python for it.
fn newest_peers(report: &mut Report, workspace: &Workspace) -> Option<Environment> {
    let name = "the newest zarr-python from PyPI";
    if !setup::has_python(Role::Newest) {
        report.skip(name, "no Python is new enough; STOOK_NEWEST_PYTHON names one");
        return None;
    }
    report.step(name, || workspace.environment(Role::Newest))
}

/// Peers that live apart: what asks for a comparison with them, their role, what their step is called, and
/// the option that names their Python.
const APART: [(&str, Role, &str, &str); 2] = [
    ("--loom", Role::Loompy, "loompy from PyPI", "--loompy-python"),
    ("--labelled", Role::Larray, "larray from PyPI", "--larray-python"),
];

/// The environment of peers that live apart, where they are compared with.
fn peers_apart(
    report: &mut Report,
    workspace: &Workspace,
    arguments: &[OsString],
) -> Option<(&'static str, Environment)> {
    let asked = APART.iter().find(|apart| arguments.iter().any(|argument| argument == apart.0));
    let (_, role, step, option) = *asked?;
    report.step(step, || workspace.environment(role)).map(|peer| (option, peer))
}

/// Builds the Rust workers and returns the folder of their programs.
fn rust_workers(workspace: &Workspace, build: &Environment) -> Result<PathBuf> {
    // Not `--locked`: its lock file follows the manifests of the workspace by itself. The target
    // folder is the workspace's, so that what the wheel needs, too, is compiled once.
    let mut command = Cargo::new(workspace, build)?.command(["build", "--release"]);
    command.arg("--manifest-path").arg(workspace.path(RUST_WORKERS));
    command.arg("--target-dir").arg(workspace.target(""));
    process::show(&mut command)?;
    Ok(workspace.target("release"))
}

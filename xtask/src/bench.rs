//! `cargo xtask bench`: the release wheel against other libraries, in one environment.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use crate::process::{self, Hint as _};
use crate::report::Report;
use crate::setup::{self, Role, Workspace};
use crate::wheel::{self, Profile};

/// The benchmarks; they take the arguments of the command.
const PROGRAM: &str = "python/bench/run.py";

/// Builds the release wheel, installs it beside the peers and runs the benchmarks.
pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> ExitCode {
    let mut report = Report::new("stook bench");
    let peers = workspace.environment_in_background(Role::Bench);
    let wheel = report
        .step("cmake and maturin from PyPI", || workspace.environment(Role::Build))
        .and_then(|build| {
            report.step("release wheel", || wheel::build(workspace, &build, Profile::Release))
        });
    let peers = report.step("peers from PyPI", || setup::join(peers));
    if let (Some(wheel), Some(peers)) = (wheel, peers) {
        report.step("install the wheel", || wheel::install(&peers, &wheel)).and_then(|()| {
            report.step("benchmarks", || {
                let mut command = Command::new(peers.python());
                command.arg(workspace.path(PROGRAM)).args(arguments);
                process::show(command.current_dir(workspace.path("")))
                    .hint("cargo xtask bench -- --help lists the workloads")
            })
        });
    }
    report.finish()
}

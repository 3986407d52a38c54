//! `cargo xtask test`: every test there is, from an empty target folder.
//!
//! The steps share one profile and one target folder, so that each crate is compiled once. While
//! the compiler works, pip installs what the tests compare with. A step that fails does not stop
//! those that do not need it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::ValueEnum;

use crate::process::{self, Hint as _};
use crate::report::Report;
use crate::setup::{self, Cargo, Environment, Role, Workspace};
use crate::wheel::{self, Profile};

/// A side of the project whose tests can run alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Side {
    /// The crates: unit and integration tests, documentation examples, layers
    Rust,
    /// The package: a fresh wheel, pytest, stubs
    Python,
}

/// Features that are not among the defaults, and are tested and looked through.
pub(crate) const FEATURES: [&str; 2] = ["--features", "stook-loom/arrow"];

/// Tells the Python tests which wheel to install in a fresh environment.
const TEST_WHEEL_VARIABLE: &str = "STOOK_TEST_WHEEL";

/// Peers that ask for versions of their own, in environments of their own: what the step that makes
/// one is called, and the variable that tells the Python tests which Python it is.
const APART: [(Role, &str, &str); 4] = [
    (Role::Loompy, "loompy and anndata from PyPI", "STOOK_LOOMPY_PYTHON"),
    (Role::Larray, "larray and pandas 2 from PyPI", "STOOK_LARRAY_PYTHON"),
    (Role::LarrayPandas3, "larray and pandas 3 from PyPI", "STOOK_LARRAY_PANDAS3_PYTHON"),
    (Role::One, "ONE-api from PyPI", "STOOK_ONE_PYTHON"),
];

/// What a step of tests may take: several times what it does.
const LIMIT: Duration = Duration::from_mins(20);

/// The step that runs the tests that other projects have of Zarr, about four minutes.
const SUITES: &str = "Zarr tests of other projects";

/// The stubs' exceptions, if there are any.
const STUB_ALLOWLIST: &str = "python/tests/stubtest-allowlist.txt";

/// Runs the tests of both sides, or of one.
pub(crate) fn run(workspace: &Workspace, only: Option<Side>) -> ExitCode {
    let mut report = Report::new("stook test");
    let is_wanted = |side| only.is_none_or(|only| only == side);
    let peers = workspace.environment_in_background(Role::Test);
    let apart = is_wanted(Side::Python)
        .then(|| APART.map(|(role, ..)| workspace.environment_in_background(role)));
    let build = report.step("cmake and maturin from PyPI", || workspace.environment(Role::Build));
    let compiled = build.as_ref().filter(|_| is_wanted(Side::Rust)).and_then(|build| {
        report.step("compile the Rust tests", || {
            let cargo = Cargo::new(workspace, build)?;
            let mut command = cargo.command(["test", "--locked", "--workspace", "--no-run"]);
            process::show(command.args(FEATURES)).hint(
                "if no C compiler was found: on Debian and Ubuntu, apt install build-essential",
            )
        })
    });
    let peers = report.step("peers and test tools from PyPI", || setup::join(peers));
    if let Some(build) = &build {
        if is_wanted(Side::Rust) {
            rust(&mut report, workspace, build, compiled.and(peers.as_ref()));
        }
        if let Some(apart) = apart {
            let apart: Vec<_> = APART
                .iter()
                .zip(apart)
                .filter_map(|(&(role, step, variable), handle)| {
                    let environment = report.step(step, || setup::join(handle))?;
                    Some((role, variable, environment))
                })
                .collect();
            python(&mut report, workspace, build, (peers.as_ref(), &apart));
        }
    }
    report.finish()
}

fn rust(
    report: &mut Report,
    workspace: &Workspace,
    build: &Environment,
    peers: Option<&Environment>,
) {
    let name = "Rust tests and documentation examples";
    let Some(peers) = peers else { return report.skip(name, "an earlier step failed") };
    report.step(name, || {
        let cargo = Cargo::new(workspace, build)?.with_test_environment(peers);
        let mut command = cargo.command(["test", "--locked", "--workspace", "--no-fail-fast"]);
        process::show_within(LIMIT, command.args(FEATURES))
    });
}

fn python(
    report: &mut Report,
    workspace: &Workspace,
    build: &Environment,
    (peers, apart): (Option<&Environment>, &[(Role, &str, Environment)]),
) {
    let wheel = report.step("development wheel", || wheel::build(workspace, build, Profile::Dev));
    let installed = match (wheel, peers) {
        (Some(wheel), Some(peers)) => report
            .step("install the wheel", || wheel::install(peers, &wheel))
            .map(|()| (peers, wheel)),
        _ => {
            report.skip("install the wheel", "an earlier step failed");
            None
        }
    };
    let Some((peers, wheel)) = installed else {
        report.skip("Python tests", "the package is not installed");
        report.skip(SUITES, "the package is not installed");
        return report.skip("Python stubs", "the package is not installed");
    };
    report.step("Python tests", || {
        let mut command = pytest(workspace, peers, &wheel);
        for (role, variable, environment) in apart {
            if *role == Role::Loompy {
                // anndata runs on the package there, too.
                wheel::install(environment, &wheel)?;
            }
            command.env(variable, environment.python());
        }
        process::show_within(LIMIT, &mut command)
    });
    report.step(SUITES, || process::show_within(LIMIT, &mut suites(workspace, peers)));
    report.step("Python stubs", || process::show(&mut stubtest(workspace, peers)));
}

fn pytest(workspace: &Workspace, peers: &Environment, wheel: &Path) -> Command {
    let mut command = Command::new(peers.python());
    command.args(["-m", "pytest", "-c"]).arg(workspace.path("python/pytest.ini"));
    command.arg(workspace.path("python/tests"));
    // They install it anew where there is nothing but numpy, too.
    command.env(TEST_WHEEL_VARIABLE, wheel);
    // The tests see the installed package, never the folder they are started from.
    command.arg("--import-mode=importlib").current_dir(workspace.target(""));
    command
}

fn suites(workspace: &Workspace, peers: &Environment) -> Command {
    let mut command = Command::new(peers.python());
    command.arg(workspace.path("python/suites/run.py")).current_dir(workspace.target(""));
    command
}

fn stubtest(workspace: &Workspace, peers: &Environment) -> Command {
    let mut command = Command::new(peers.python());
    command.args(["-m", "mypy.stubtest", "stook", "--concise"]).current_dir(workspace.target(""));
    let allowlist: PathBuf = workspace.path(STUB_ALLOWLIST);
    if allowlist.exists() {
        command.arg("--allowlist").arg(allowlist);
    }
    command
}

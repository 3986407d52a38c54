//! `cargo xtask fuzz`: the targets of crates/stook-fuzz under libFuzzer.
//!
//! cargo-fuzz is compiled into `target/xtask/cargo-fuzz` by the first run; the corpora that runs
//! gather lie in `target/fuzz/corpus`, and an input that breaks a target in
//! `target/fuzz/artifacts`, each below the target's name. `cargo test -p stook-fuzz` needs none of
//! this and runs a bounded number of mutants on any compiler.

use std::fs;
use std::process::ExitCode;

use crate::process::{self, Attempt as _, Failure, Hint as _, Result};
use crate::report::Report;
use crate::setup::{Cargo, Role, Workspace};

/// What libFuzzer may use before a run counts as a failure: far more than `Limits` allow.
const MEMORY_MB: u32 = 1024;
/// Seconds that one input may take.
const TIMEOUT_SECONDS: u32 = 30;
/// Targets whose library in C forgets a few hundred bytes when it gives up.
const LEAKS_OF_OTHERS: [&str; 1] = ["hdf5"];
const CARGO_FUZZ: &str = "0.13.2";

/// Runs `wanted` targets, or all, for some seconds each; one that fails does not stop the others.
pub(crate) fn run(workspace: &Workspace, seconds: u32, wanted: &[String]) -> ExitCode {
    let mut report = Report::new("stook fuzz");
    let cargo = report
        .step("cmake from PyPI", || Cargo::new(workspace, &workspace.environment(Role::Build)?));
    let targets = report.step("targets", || targets(workspace, wanted));
    let (Some(cargo), Some(targets)) = (cargo, targets) else { return report.finish() };
    let tool = workspace.target("xtask/cargo-fuzz");
    let installed = report.step("cargo-fuzz", || {
        if tool.join("bin").exists() {
            return Ok(());
        }
        let version = ["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ, "--root"];
        process::show(cargo.command(version).arg(&tool))
    });
    if installed.is_none() {
        return report.finish();
    }
    for target in targets {
        report.step(&format!("{target}, {seconds} s"), || {
            let corpus = workspace.target(&format!("fuzz/corpus/{target}"));
            let artifacts = workspace.target(&format!("fuzz/artifacts/{target}"));
            for folder in [&corpus, &artifacts] {
                fs::create_dir_all(folder).attempt(|| format!("create {}", folder.display()))?;
            }
            let seeds = ["run", "--quiet", "--package", "stook-fuzz", "--", target.as_str()];
            process::show(cargo.command(seeds).arg(&corpus))?;
            let mut command = cargo.prepared(&tool.join("bin/cargo-fuzz"));
            command.env("RUSTUP_TOOLCHAIN", "nightly").current_dir(workspace.path("fuzz"));
            command
                .args(["run", "--fuzz-dir", ".", "--target-dir"])
                .arg(workspace.target("fuzz/build"));
            command.arg(&target).arg(&corpus).arg("--");
            command.arg(format!("-max_total_time={seconds}"));
            command.arg(format!("-rss_limit_mb={MEMORY_MB}"));
            command.arg(format!("-timeout={TIMEOUT_SECONDS}"));
            command.arg(format!("-artifact_prefix={}/", artifacts.display()));
            command.args(["-max_len=65536", "-print_final_stats=1"]);
            if LEAKS_OF_OTHERS.contains(&target.as_str()) {
                command.arg("-detect_leaks=0");
            }
            process::show(&mut command).hint(
                "an input that breaks the target lies in target/fuzz/artifacts; \
                 a nightly compiler comes with `rustup toolchain install nightly`",
            )
        });
    }
    report.finish()
}

/// The names of `wanted` targets, all where none is named.
fn targets(workspace: &Workspace, wanted: &[String]) -> Result<Vec<String>> {
    let folder = workspace.path("fuzz/fuzz_targets");
    let entries = fs::read_dir(&folder).attempt(|| format!("list {}", folder.display()))?;
    let names = entries
        .flatten()
        .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".rs")?.to_owned()));
    let mut names: Vec<String> = names.collect();
    names.sort();
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(name)) {
        let known = names.join(", ");
        return Err(Failure::new(format!("there is no target `{unknown}`")).with_hint(known));
    }
    names.retain(|name| wanted.is_empty() || wanted.contains(name));
    Ok(names)
}

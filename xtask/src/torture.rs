//! `cargo xtask torture`: the tests that kill writers and cut the power, far more often than
//! `cargo xtask test` does.
//!
//! Killed writers append to HDF5 files with and without gzip, make, rename and remove nodes, and
//! commit each row or every ten, also while h5py may follow (SWMR); h5py judges what is left. Power
//! cuts drop, reorder and tear what was not synced: of files of bytes against a model, and of whole
//! HDF5 files that h5py judges. Disks that are full are files with a capacity.

use std::process::ExitCode;

use crate::process;
use crate::report::Report;
use crate::setup::{Cargo, Role, Workspace};

/// Kills `kills` writers, cuts the power of as many, and tries `cases` sequences of commits and
/// crashes a property.
pub(crate) fn run(workspace: &Workspace, kills: u32, cases: u32) -> ExitCode {
    let mut report = Report::new("stook torture");
    let build = report.step("cmake from PyPI", || workspace.environment(Role::Build));
    let peers = report.step("h5py from PyPI", || workspace.environment(Role::Test));
    let (Some(build), Some(peers)) = (build, peers) else { return report.finish() };
    report.step(&format!("power cuts, kills and full disks, {cases} cases a property"), || {
        let cargo = Cargo::new(workspace, &build)?;
        let mut command = cargo.command(["test", "--locked", "-p", "stook-hdf5", "--lib"]);
        command.arg("transaction::").env("PROPTEST_CASES", cases.to_string());
        process::show(&mut command)
    });
    report.step(&format!("{kills} killed writers"), || {
        let cargo = Cargo::new(workspace, &build)?.with_test_environment(&peers);
        let mut command = cargo.command(["test", "--locked", "-p", "stook-hdf5", "--test", "it"]);
        command.args(["--", "transactions::", "swmr::", "--nocapture"]);
        command.env("STOOK_TORTURE", kills.to_string());
        process::show(&mut command)
    });
    report.step(&format!("{kills} power cuts of HDF5 files"), || {
        let cargo = Cargo::new(workspace, &build)?.with_test_environment(&peers);
        let mut command = cargo.command(["test", "--locked", "-p", "stook-hdf5", "--lib"]);
        command.args(["place::power_cuts", "--", "--nocapture"]);
        command.env("STOOK_TORTURE", kills.to_string());
        process::show(&mut command)
    });
    report.finish()
}

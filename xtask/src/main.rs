//! `cargo xtask`: the commands of a developer, each of which sets up what it needs.
//!
//! A machine with Rust, a C compiler and Python 3.11 is enough. What else a command needs (cmake,
//! maturin, the Python packages that the tests compare with) is installed by it, from PyPI at
//! pinned versions, into virtual environments below `target/xtask/`. Nothing outside the target
//! folder is changed.
//!
//! This crate depends on no other crate of the workspace, so that each command starts at once.
#![allow(clippy::print_stdout, reason = "a command that talks to a developer")]
#![allow(clippy::disallowed_methods, reason = "no scientific data passes through here")]

mod bench;
mod check;
mod demo;
mod fuzz;
mod layers;
mod process;
mod report;
mod setup;
mod test;
mod torture;
mod wheel;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Develop stook")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Convert a real file HDF5 → Zarr → HDF5, read it back and show that nothing changed
    Demo,
    /// Run every test: Rust, documentation examples, the Python package, its stubs
    Test {
        /// Run the tests of one side only
        #[arg(long, value_enum)]
        only: Option<test::Side>,
    },
    /// Check format, lints, documentation, layers, licences and sources
    Check,
    /// Compare speed and memory with other libraries
    Bench {
        /// Arguments for python/bench/run.py
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Give random bytes to every parser and decoder, under libFuzzer (needs a nightly compiler)
    Fuzz {
        /// Seconds for each target
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// These targets only
        targets: Vec<String>,
    },
    /// Kill writers, cut the power and fill disks, many times, and look what is left
    Torture {
        /// Writers that are killed, each twice
        #[arg(long, default_value_t = 500)]
        kills: u32,
        /// Sequences of commits and crashes for each property
        #[arg(long, default_value_t = 6000)]
        cases: u32,
    },
    /// Build the release wheel of the Python package into target/wheels
    Wheel,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let workspace = match setup::Workspace::load() {
        Ok(workspace) => workspace,
        Err(failure) => {
            report::print_failure(&failure);
            return ExitCode::FAILURE;
        }
    };
    match cli.command {
        Command::Demo => demo::run(&workspace),
        Command::Test { only } => test::run(&workspace, only),
        Command::Check => check::run(&workspace),
        Command::Bench { arguments } => bench::run(&workspace, &arguments),
        Command::Fuzz { seconds, targets } => fuzz::run(&workspace, seconds, &targets),
        Command::Torture { kills, cases } => torture::run(&workspace, kills, cases),
        Command::Wheel => wheel::run(&workspace),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn bench_forwards_what_looks_like_an_option() {
        let cli = Cli::try_parse_from(["xtask", "bench", "--quick", "-n", "3"]).unwrap();
        let Command::Bench { arguments } = cli.command else { panic!("expected bench") };
        assert_eq!(arguments, ["--quick", "-n", "3"]);
    }
}

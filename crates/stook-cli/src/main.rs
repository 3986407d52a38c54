//! The command `stook`: a face on the library of that name. Data goes to the standard output,
//! messages to the standard error; what is printed is made here, what is done is done there.

mod cat;
mod cli;
mod convert;
mod describe;
mod error;
mod find;
mod info;
mod interrupt;
mod output;
mod tree;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::error::Failure;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(cli.command.wants_json()),
    }
}

fn run(command: &Command) -> Result<(), Failure> {
    if command.writes() {
        interrupt::install();
    }
    let mut out = Output::stdout();
    match command {
        Command::Tree(args) => tree::run(args, &mut out)?,
        Command::Info(args) => info::run(args, &mut out)?,
        Command::Cat(args) => cat::run(args, &mut out)?,
        Command::Convert(args) => convert::run(args, &mut out)?,
    }
    Ok(out.finish()?)
}

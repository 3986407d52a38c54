//! The command `stook`: a face on the library of that name. Data goes to the standard output,
//! messages to the standard error; what is printed is made here, what is done is done there.

mod attr;
mod cat;
mod check;
mod cli;
mod convert;
mod describe;
mod diff;
mod edit;
mod error;
mod find;
mod info;
mod interrupt;
mod live;
mod loom;
mod monitor;
mod numbers;
mod onedata;
mod output;
mod pickled;
mod progress;
mod recover;
mod repack;
mod selection;
mod session;
mod tail;
mod time;
mod told;
mod tree;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::cli::{Cli, Command};
use crate::error::Failure;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(&cli.command),
    }
}

fn run(command: &Command) -> Result<(), Failure> {
    if command.writes() {
        interrupt::install();
    }
    let mut out = Output::stdout();
    let done = match command {
        Command::Tree(args) => tree::run(args, &mut out),
        Command::Info(args) => info::run(args, &mut out),
        Command::Cat(args) => cat::run(args, &mut out),
        Command::Tail(args) => tail::run(args, &mut out),
        Command::Monitor(args) => monitor::run(args, &mut out),
        Command::Convert(args) => convert::run(args, &mut out),
        Command::Repack(args) => repack::run(args, &mut out),
        Command::Diff(args) => diff::run(args, &mut out),
        Command::Check(args) => check::run(args, &mut out),
        Command::Attr(args) => attr::run(args, &mut out),
        Command::Rm(args) => edit::rm(args, &mut out),
        Command::Mv(args) => edit::mv(args, &mut out),
        Command::Ln(args) => edit::ln(args, &mut out),
        Command::Recover(args) => recover::run(args, &mut out),
        Command::Loom(args) => loom::run(args, &mut out),
        Command::Session(args) => session::run(args, &mut out),
        Command::Onedata(args) => onedata::run(args, &mut out),
        Command::Completions(args) => {
            clap_complete::generate(args.shell, &mut Cli::command(), "stook", &mut out);
            Ok(())
        }
        Command::CheckWorker(args) => return check::work(args),
    };
    // What was found before a failure is wanted, too.
    let finished = out.finish();
    done?;
    Ok(finished?)
}

//! `stook-fuzz TARGET FOLDER`: writes the seeds of a target, a file each, for libFuzzer.
#![expect(clippy::disallowed_methods, reason = "a tool of developers")]

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [target, folder] = arguments.as_slice() else {
        eprintln!("usage: stook-fuzz TARGET FOLDER");
        return ExitCode::from(2);
    };
    let write = |(at, seed): (usize, &Vec<u8>)| {
        std::fs::write(Path::new(folder).join(format!("seed-{at:03}")), seed)
    };
    match stook_fuzz::seeds(target).iter().enumerate().try_for_each(write) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{folder}: {error}");
            ExitCode::FAILURE
        }
    }
}

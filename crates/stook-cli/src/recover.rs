//! `stook recover`: what a writer that was interrupted left of an HDF5 file.

use serde_json::json;
use stook::{Error, ErrorKind, Recovery, Remedy, recover};

use crate::cli::RecoverArgs;
use crate::error::Failure;
use crate::output::{Output, counted, human_bytes};

pub(crate) fn run(args: &RecoverArgs, out: &mut Output) -> Result<(), Failure> {
    let remedy = match (args.look, args.discard) {
        (true, _) => Remedy::Look,
        (_, true) => Remedy::Discard,
        _ => Remedy::Apply,
    };
    let found = recover(&args.file, remedy).map_err(|error| explained(args, error))?;
    if args.json {
        let found = found.as_ref().map(|found| {
            json!({
                "journal": found.journal.display().to_string(),
                "commits": found.n_commits,
                "dropped": found.n_dropped,
                "bytes": found.len_bytes,
                "torn": found.is_torn,
                "marked": found.is_marked,
                "written": found.is_written,
            })
        });
        let action = match remedy {
            _ if found.is_none() => "none",
            Remedy::Apply => "applied",
            Remedy::Discard => "discarded",
            Remedy::Look => "none",
        };
        out.json(
            &json!({"file": args.file.display().to_string(), "found": found, "action": action}),
        )?;
        return Ok(());
    }
    match found {
        None => out.line("nothing to recover: no writer was interrupted")?,
        Some(found) => say(&found, remedy, out)?,
    }
    Ok(())
}

/// What the library finds wrong, with what is to be done about it.
fn explained(args: &RecoverArgs, error: Error) -> Error {
    let is_folder = args.file.is_dir();
    match error.kind() {
        _ if is_folder => Error::unsupported("a folder is no HDF5 file")
            .with_hint("nothing is to be recovered in Zarr: each key is replaced as a whole")
            .at_file(&args.file),
        ErrorKind::NotFound => Error::not_found("no such file or folder").at_file(&args.file),
        ErrorKind::Locked => {
            error.with_hint("its writer is at work: nothing is to be recovered until it has ended")
        }
        _ => error,
    }
}

fn say(found: &Recovery, remedy: Remedy, out: &mut Output) -> Result<(), Failure> {
    if found.len_bytes > 0 {
        let (commits, bytes) = (counted(found.n_commits, "commit"), human_bytes(found.len_bytes));
        let done = match remedy {
            Remedy::Apply => ", now in the file",
            Remedy::Discard => ", given up",
            Remedy::Look => "",
        };
        out.line(&format!("{}: {commits} in {bytes}{done}", found.journal.display()))?;
    }
    if found.is_written {
        out.line("its writer is at work: nothing is to be recovered")?;
        return Ok(());
    }
    if found.n_dropped > 0 {
        let dropped = counted(found.n_dropped, "later commit");
        out.line(&format!("{dropped} had not reached the disk when the power went"))?;
    }
    if found.is_torn {
        out.line("the last commit was never finished, and does not count")?;
    }
    if found.is_marked {
        let done = if remedy == Remedy::Look { "" } else { ": the mark is removed" };
        out.line(&format!("the file was marked as being written{done}"))?;
    }
    Ok(())
}

//! How the command fails: what it prints, and its exit status.

use std::error::Error as _;
use std::io::{self, ErrorKind as IoKind, Write};
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use crate::cli::Command;
use crate::interrupt;
use crate::output::{Ink, Paint};

/// Why the command ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The library failed.
    Stook(stook::Error),
    /// The standard output could not be written.
    Write(io::Error),
    /// Something else is wrong, and has been said.
    Said,
    /// Two trees differ, and it has been said in what.
    Differs,
}

impl From<stook::Error> for Failure {
    fn from(error: stook::Error) -> Self {
        Self::Stook(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

impl Failure {
    /// Says what went wrong, on the standard error, and returns the exit status.
    pub(crate) fn report(&self, command: &Command) -> ExitCode {
        let as_json = command.wants_json();
        if let Some(status) = interrupt::status() {
            say("interrupted");
            return status;
        }
        match self {
            // Who reads our output has seen enough, as with `| head`.
            Self::Write(error) if error.kind() == IoKind::BrokenPipe => return ExitCode::SUCCESS,
            Self::Write(error) => {
                say(&format!("error: cannot write to the standard output: {error}"));
            }
            Self::Stook(error) if as_json => say(&to_json(error).to_string()),
            Self::Stook(error) => say(&to_text(error, &Paint::stderr())),
            Self::Said => {}
            Self::Differs => return ExitCode::FAILURE,
        }
        // As of diff and cmp: 1 is a difference, 2 is trouble.
        if matches!(command, Command::Diff(_)) { ExitCode::from(2) } else { ExitCode::FAILURE }
    }
}

/// Prints a line to the standard error. That this fails is nothing that could be said anywhere.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

fn to_text(error: &stook::Error, paint: &Paint) -> String {
    let mut text = format!("{} {error}", paint.ink(Ink::Error, "error:"));
    for cause in causes(error) {
        text.push_str(&format!("\n  caused by: {cause}"));
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("\n{} {hint}", paint.ink(Ink::Name, "hint:")));
    }
    text
}

fn causes(error: &stook::Error) -> Vec<String> {
    std::iter::successors(error.source(), |&cause| cause.source())
        .map(ToString::to_string)
        .collect()
}

fn to_json(error: &stook::Error) -> Value {
    let at = error.location();
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            fields.insert(name.to_owned(), value);
        }
    };
    put("kind", error.kind().as_str().into());
    put("message", error.message().into());
    put("file", at.file.as_ref().map(|file| file.to_string_lossy().into_owned()).into());
    put("node", at.node.as_ref().map(ToString::to_string).into());
    put("chunk", at.chunk.clone().into());
    let causes = causes(error);
    put("causes", if causes.is_empty() { Value::Null } else { causes.into() });
    put("hint", error.hint().into());
    json!({ "error": fields })
}

#[cfg(test)]
mod tests {
    use super::*;
    use stook::{Error, NodePath};

    fn error() -> Error {
        Error::corrupt("expected 512 bytes, found 498")
            .with_source(io::Error::other("inner"))
            .at_chunk(&[0, 3])
            .at_node(&NodePath::parse("/a").unwrap())
            .at_file("x.zarr")
            .with_hint("copy it again")
    }

    #[test]
    fn text_names_the_place_the_cause_and_the_remedy() {
        insta::assert_snapshot!(to_text(&error(), &Paint::plain()), @"
        error: `x.zarr`: node `/a`: chunk [0, 3]: expected 512 bytes, found 498
          caused by: inner
        hint: copy it again
        ");
    }

    #[test]
    fn json_has_a_field_for_each_part() {
        insta::assert_snapshot!(to_json(&error()), @r#"{"error":{"kind":"corrupt","message":"expected 512 bytes, found 498","file":"x.zarr","node":"/a","chunk":[0,3],"causes":["inner"],"hint":"copy it again"}}"#);
    }
}

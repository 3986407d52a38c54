//! Running other programs: shown live or captured, without standard input, with errors that say
//! which command failed, what it printed and what to do about it.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Between two looks at whether a command has ended.
const PAUSE: Duration = Duration::from_millis(50);

/// How many lines of a captured output a failure shows.
const SHOWN_LINES: usize = 60;

/// Why a step did not succeed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What went wrong, for a person; may have several lines.
    pub(crate) message: String,
    /// A known remedy.
    pub(crate) hint: Option<String>,
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Adds a remedy to an error.
pub(crate) trait Hint<T> {
    fn hint(self, hint: &str) -> Result<T>;
}

impl<T> Hint<T> for Result<T> {
    fn hint(self, hint: &str) -> Result<T> {
        self.map_err(|failure| failure.with_hint(hint))
    }
}

/// Names what was attempted when an operating system call fails.
pub(crate) trait Attempt<T> {
    fn attempt(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Attempt<T> for std::io::Result<T> {
    fn attempt(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Failure::new(format!("{}: {error}", what())))
    }
}

/// Runs a command whose output the developer sees as it comes.
pub(crate) fn show(command: &mut Command) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .attempt(|| format!("`{}` did not start", line_of(command)))?;
    succeeded(status, &line_of(command))
}

fn succeeded(status: ExitStatus, line: &str) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("`{line}` ended with {status}")))
}

/// Runs a command as [`show`] does; where nobody is there to interrupt it, it is killed with all
/// that it started once `limit` is over, so that what hangs is seen to.
pub(crate) fn show_within(limit: Duration, command: &mut Command) -> Result<()> {
    if std::io::stdin().is_terminal() || cfg!(not(unix)) {
        return show(command);
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let line = line_of(command);
    let mut child =
        command.stdin(Stdio::null()).spawn().attempt(|| format!("`{line}` did not start"))?;
    let since = Instant::now();
    loop {
        match child.try_wait().attempt(|| format!("cannot wait for `{line}`"))? {
            Some(status) => return succeeded(status, &line),
            None if since.elapsed() < limit => std::thread::sleep(PAUSE),
            None => break,
        }
    }
    let group = format!("-{}", child.id());
    capture(Command::new("kill").args(["-KILL", "--", &group]))?;
    let _ = child.wait();
    let message = format!("`{line}` did not end within {} minutes", limit.as_secs() / 60);
    Err(Failure::new(message).with_hint("the last lines above name what it was at"))
}

/// Runs a command and returns what it wrote to standard output; its output is seen only if it
/// fails.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .attempt(|| format!("`{}` did not start", line_of(command)))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        return Ok(stdout.into_owned());
    }
    let mut message = format!("`{}` ended with {}", line_of(command), output.status);
    let stderr = String::from_utf8_lossy(&output.stderr);
    for line in last_lines(&format!("{stdout}{stderr}"), SHOWN_LINES) {
        let _ = write!(message, "\n    {line}");
    }
    Err(Failure::new(message))
}

fn last_lines(text: &str, n_lines: usize) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(n_lines)..].to_vec()
}

/// The command as a person would type it, without the folder of the program.
pub(crate) fn line_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let mut line = name.to_string_lossy().into_owned();
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        if argument.contains(' ') || argument.is_empty() {
            let _ = write!(line, " '{argument}'");
        } else {
            let _ = write!(line, " {argument}");
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_quotes_arguments_with_spaces() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["test", "a b", ""]);
        assert_eq!(line_of(&command), "cargo test 'a b' ''");
    }

    #[test]
    fn a_program_that_is_missing_is_named() {
        let failure = capture(&mut Command::new("no-such-program-of-stook")).unwrap_err();
        assert!(
            failure.message.contains("`no-such-program-of-stook` did not start"),
            "{failure:?}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_failure_carries_what_was_printed() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let message = capture(&mut command).unwrap_err().message;
        assert!(message.contains("exit status: 3"), "{message}");
        assert!(message.contains("\n    out\n    err"), "{message}");
    }

    #[cfg(unix)]
    #[test]
    fn what_hangs_is_killed_with_its_children() {
        if std::io::stdin().is_terminal() {
            return;
        }
        let mut quick = Command::new("true");
        assert!(show_within(Duration::from_secs(60), &mut quick).is_ok());
        let mut slow = Command::new("sh");
        slow.args(["-c", "sleep 600 & wait"]);
        let failure = show_within(Duration::from_millis(1), &mut slow).unwrap_err();
        assert!(failure.message.contains("did not end within 0 minutes"), "{failure:?}");
    }

    #[test]
    fn only_the_end_of_a_long_output_is_shown() {
        assert_eq!(last_lines("a\n\nb\nc\n", 2), ["b", "c"]);
        assert_eq!(last_lines("a\n", 2), ["a"]);
    }
}

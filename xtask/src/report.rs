//! The report of a command: a heading for each step, and at the end a table of what ran, how long
//! it took and how it ended.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::process::{Failure, Result};

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Passed,
    Failed,
    Skipped,
}

#[derive(Debug)]
struct Step {
    name: String,
    took: Duration,
    ending: Ending,
    /// What the step found, or why it was skipped.
    note: String,
}

/// The steps of one command, in the order in which they ran.
#[derive(Debug)]
pub(crate) struct Report {
    steps: Vec<Step>,
    started: Instant,
}

impl Report {
    /// Opens a report with a line that says what the command does.
    pub(crate) fn new(title: &str) -> Self {
        println!("{}", bold(title));
        Self { steps: Vec::new(), started: Instant::now() }
    }

    /// Runs a step; `None` says that it failed, which is printed and remembered.
    pub(crate) fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Option<T> {
        self.noted_step(name, || work().map(|value| (value, String::new())))
    }

    /// Runs a step that returns a note for the table beside its value.
    pub(crate) fn noted_step<T>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<(T, String)>,
    ) -> Option<T> {
        println!("\n{} {}", cyan("==>"), bold(name));
        let started = Instant::now();
        let (value, ending, note) = match work() {
            Ok((value, note)) => (Some(value), Ending::Passed, note),
            Err(failure) => {
                print_failure(&failure);
                (None, Ending::Failed, String::new())
            }
        };
        self.steps.push(Step { name: name.to_owned(), took: started.elapsed(), ending, note });
        value
    }

    /// Records a step that was not run, and why.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        println!("\n{} {} {}", cyan("==>"), bold(name), dim(&format!("skipped: {why}")));
        self.steps.push(Step {
            name: name.to_owned(),
            took: Duration::ZERO,
            ending: Ending::Skipped,
            note: why.to_owned(),
        });
    }

    /// Whether no step has failed so far.
    pub(crate) fn is_clean(&self) -> bool {
        self.steps.iter().all(|step| step.ending != Ending::Failed)
    }

    /// Prints the table; the exit code says whether every step passed.
    pub(crate) fn finish(self) -> ExitCode {
        print!("\n{}", table(&self.steps));
        println!("\n{} (in {})", self.summary(), duration(self.started.elapsed()));
        println!("{}", counts(&self.steps));
        if self.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn summary(&self) -> String {
        let failed: Vec<&str> = self
            .steps
            .iter()
            .filter(|step| step.ending == Ending::Failed)
            .map(|step| step.name.as_str())
            .collect();
        if failed.is_empty() {
            green("everything passed")
        } else {
            red(&format!("failed: {}", failed.join(", ")))
        }
    }
}

/// Prints why a step failed, and the remedy if one is known.
pub(crate) fn print_failure(failure: &Failure) {
    println!("{} {}", red("error:"), failure.message);
    if let Some(hint) = &failure.hint {
        println!("{} {hint}", cyan("hint:"));
    }
}

fn counts(steps: &[Step]) -> String {
    let count = |ending| steps.iter().filter(|step| step.ending == ending).count();
    let mut line =
        format!("steps: {} passed, {} failed", count(Ending::Passed), count(Ending::Failed));
    if count(Ending::Skipped) > 0 {
        let _ = write!(line, ", {} skipped", count(Ending::Skipped));
    }
    line
}

fn table(steps: &[Step]) -> String {
    let width = steps.iter().map(|step| step.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for step in steps {
        let padding = " ".repeat(width - step.name.chars().count());
        let took = match step.ending {
            Ending::Skipped => "-".to_owned(),
            Ending::Passed | Ending::Failed => duration(step.took),
        };
        let ending = match step.ending {
            Ending::Passed => green("ok"),
            Ending::Failed => red("FAILED"),
            Ending::Skipped => dim("skipped"),
        };
        let _ = write!(text, "  {}{padding}  {took:>9}  {ending}", step.name);
        if !step.note.is_empty() {
            let _ = write!(text, "  {}", dim(&step.note));
        }
        text.push('\n');
    }
    text
}

/// A duration in the unit a person would say it in.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1e3)
    } else if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        let whole = duration.as_secs();
        format!("{} m {:02} s", whole / 60, whole % 60)
    }
}

/// Bold text on a terminal; plain text elsewhere.
pub(crate) fn bold(text: &str) -> String {
    paint("1", text)
}

/// Dim text on a terminal; plain text elsewhere.
pub(crate) fn dim(text: &str) -> String {
    paint("2", text)
}

fn red(text: &str) -> String {
    paint("1;31", text)
}

fn green(text: &str) -> String {
    paint("32", text)
}

fn cyan(text: &str) -> String {
    paint("36", text)
}

fn paint(code: &str, text: &str) -> String {
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || !std::io::stdout().is_terminal();
    if is_plain { text.to_owned() } else { format!("\x1b[{code}m{text}\x1b[0m") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, seconds: f64, ending: Ending, note: &str) -> Step {
        Step {
            name: name.to_owned(),
            took: Duration::from_secs_f64(seconds),
            ending,
            note: note.to_owned(),
        }
    }

    #[test]
    fn durations_read_as_a_person_says_them() {
        assert_eq!(duration(Duration::from_millis(12)), "12 ms");
        assert_eq!(duration(Duration::from_millis(1_250)), "1.2 s");
        assert_eq!(duration(Duration::from_secs(61)), "1 m 01 s");
    }

    #[test]
    fn counts_name_skipped_steps_only_if_there_are_any() {
        let mut steps =
            vec![step("a", 1.0, Ending::Passed, ""), step("b", 1.0, Ending::Failed, "")];
        assert_eq!(counts(&steps), "steps: 1 passed, 1 failed");
        steps.push(step("c", 0.0, Ending::Skipped, "no wheel"));
        assert_eq!(counts(&steps), "steps: 1 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn table_columns_line_up() {
        let steps = [
            step("→ zarr", 0.5, Ending::Passed, "31 arrays"),
            step("a longer name", 0.0, Ending::Skipped, "why"),
        ];
        let text: Vec<String> = table(&steps).lines().map(str::to_owned).collect();
        assert_eq!(text[0], "  → zarr            500 ms  ok  31 arrays");
        assert_eq!(text[1], "  a longer name          -  skipped  why");
    }

    #[test]
    fn a_failed_step_makes_the_report_fail() {
        let mut report = Report::new("a report");
        assert_eq!(report.step("works", || Ok(3)), Some(3));
        assert!(report.is_clean());
        assert_eq!(report.step("fails", || Err::<(), _>(Failure::new("no"))), None);
        assert!(!report.is_clean());
        assert!(report.summary().contains("failed: fails"));
    }
}

//! Reads requests from standard input until it ends.

use std::io::{BufRead as _, Write as _};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::task::{Prepared, Result, Task};
use crate::timing::{peak_len_bytes, sample};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    /// Sets the task up and runs it once.
    Prepare(Box<Task>),
    /// Times it for about so many seconds.
    Measure(f64),
}

/// Serves requests with the library that `prepare` speaks for.
///
/// # Errors
/// Only where standard input or output break; a task that fails is an answer.
pub fn serve(name: &str, prepare: fn(Task) -> Result<Prepared>) -> Result<()> {
    let mut ready = None;
    let mut out = std::io::stdout().lock();
    let hello = json!({"library": name, "peak_len_bytes": peak_len_bytes()});
    writeln!(out, "{hello}")?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        let answer = answer(&line?, prepare, &mut ready)
            .unwrap_or_else(|error| json!({"error": error.to_string()}));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(
    line: &str,
    prepare: fn(Task) -> Result<Prepared>,
    ready: &mut Option<Prepared>,
) -> Result<Value> {
    match serde_json::from_str(line)? {
        Request::Prepare(task) => {
            *ready = None;
            let mut prepared = prepare(*task)?;
            if let Some(reset) = &mut prepared.reset {
                reset()?;
            }
            let digest = (prepared.run)()?.digest();
            *ready = Some(prepared);
            Ok(json!({"digest": digest}))
        }
        Request::Measure(seconds) => {
            let prepared = ready.as_mut().ok_or("nothing is prepared")?;
            let samples = sample(prepared, seconds)?;
            Ok(json!({"samples": samples, "peak_len_bytes": peak_len_bytes()}))
        }
    }
}

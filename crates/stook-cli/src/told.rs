//! What a command of several actions has to say, as lines for people and as JSON.

use serde_json::Value;

use crate::error::Failure;
use crate::output::Output;

/// What an action found.
pub(crate) struct Told {
    lines: Vec<String>,
    json: Value,
    /// What the command ends with, where something is not as it should be.
    failure: Option<Failure>,
}

impl Told {
    pub(crate) fn new(lines: Vec<String>, json: Value) -> Self {
        Self { lines, json, failure: None }
    }

    /// The same, and the command fails if `is_wrong`.
    pub(crate) fn failing_if(mut self, is_wrong: bool, failure: Failure) -> Self {
        self.failure = is_wrong.then_some(failure);
        self
    }

    /// Says it, and gives the failure back.
    pub(crate) fn say(self, is_json: bool, out: &mut Output) -> Result<(), Failure> {
        if is_json {
            out.json(&self.json)?;
        } else {
            self.lines.iter().try_for_each(|line| out.line(line))?;
        }
        self.failure.map_or(Ok(()), Err)
    }
}

//! Whether the target of a conversion holds what its source does.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use stook::{Difference, File, Node, NodePath, Report, Result, compare};

use crate::cli::ConvertArgs;
use crate::error::say;
use crate::output::{Ink, Paint, table};

/// More differences than this tell no more.
const MOST_DIFFERENCES: usize = 20;

/// What a comparison found.
pub(super) struct Verdict {
    /// Differences that the report has named already.
    n_reported: usize,
    /// All others.
    pub(super) differences: Vec<Difference>,
}

/// Reads both sides again and compares them.
pub(super) fn verify(args: &ConvertArgs, report: &Report) -> Result<Verdict> {
    let is_hidden = args.course.quiet || args.course.json;
    let target =
        if is_hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let spinner = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {msg:.dim}") {
        spinner.set_style(style);
    }
    spinner.set_message("comparing the target with the source");
    spinner.enable_steady_tick(Duration::from_millis(100));
    let verdict = compared(args, report);
    spinner.finish_and_clear();
    verdict
}

fn compared(args: &ConvertArgs, report: &Report) -> Result<Verdict> {
    let source = args.reach.open(&args.source)?.node(&args.node)?;
    let target = File::open(&args.target)?;
    let mut there = target.root()?;
    if let (Node::Array(_), Node::Group(group)) = (&source, &there) {
        // Where roots must be groups, an array has become their child.
        there = group.node("data")?;
    }
    // Those that are known must not use up the room for those that are not.
    let most = MOST_DIFFERENCES + report.losses.len() + report.left_out.len();
    let mut found = compare(&source, &there, args.course.memory, most)?;
    let n_found = found.len();
    found.retain(|difference| !is_reported(args, report, difference));
    Ok(Verdict { n_reported: n_found - found.len(), differences: found })
}

/// Whether the report has said already that the target lacks this.
fn is_reported(args: &ConvertArgs, report: &Report, difference: &Difference) -> bool {
    let start = args.node.trim_matches('/');
    let Ok(node) = NodePath::parse(&format!("{start}/{}", difference.node)) else { return false };
    let attribute =
        difference.what.strip_prefix("attribute `").and_then(|rest| rest.split('`').next());
    match attribute {
        Some(name) => report
            .losses
            .iter()
            .any(|loss| loss.node == node && loss.loss.what == format!("attribute {name}")),
        None => {
            let is_left_out = report.left_out.iter().any(|lost| node.starts_with(&lost.node));
            let is_name = report
                .losses
                .iter()
                .any(|lost| lost.loss.what.starts_with("link to") && node.starts_with(&lost.node));
            is_left_out || is_name || !is_taken(args, &difference.node)
        }
    }
}

/// Whether the node at `path`, as seen from where the conversion began, was to be copied at all.
fn is_taken(args: &ConvertArgs, path: &NodePath) -> bool {
    let is_included = args.include.is_empty() || args.include.iter().any(|p| p.matches_above(path));
    is_included && !args.exclude.iter().any(|pattern| pattern.matches_above(path))
}

pub(super) fn said(args: &ConvertArgs, verdict: &Verdict) {
    let paint = Paint::stderr();
    let differences = &verdict.differences;
    if differences.is_empty() {
        let but = if verdict.n_reported == 0 { "" } else { " but for what is listed above" };
        if !args.course.quiet {
            say(&format!("{} equal{but}", paint.ink(Ink::Good, "verified:")));
        }
        return;
    }
    say(&format!("{} source (here) and target (there) differ:", paint.ink(Ink::Error, "error:")));
    let rows: Vec<Vec<String>> = differences
        .iter()
        .map(|difference| vec![difference.node.to_string(), difference.what.clone()])
        .collect();
    for line in table(&rows) {
        say(&format!("  {line}"));
    }
    if differences.len() >= MOST_DIFFERENCES {
        say("  … and perhaps more");
    }
}

/// The differences as JSON.
pub(super) fn as_json(verdict: &Verdict) -> Value {
    let one = |found: &Difference| json!({ "node": found.node.as_str(), "what": found.what });
    verdict.differences.iter().map(one).collect()
}

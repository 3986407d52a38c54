//! What a conversion did, in words and as JSON.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};
use stook::{NodeLoss, Report};

use crate::error::say;
use crate::output::{Ink, Paint, counted, cut, human_bytes, table};

/// What is longer is cut in the table of losses.
const LOSS_MOST: usize = 60;

/// What a conversion did, and what it took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done<'d> {
    pub(crate) report: &'d Report,
    pub(crate) took: Duration,
    /// Bytes on disk of the source and of what was made.
    pub(crate) on_disk: (u64, u64),
}

/// Says it on the standard error: a line, what became of an earlier attempt, what was lost.
pub(crate) fn say_all(done: Done<'_>, verb: &str) {
    let Done { report, took, on_disk: (before, after) } = done;
    // What was there already says nothing about how fast this went.
    let copied = report.len_bytes.saturating_sub(report.resumed_len_bytes);
    let rate = copied as f64 / took.as_secs_f64().max(1e-6);
    let paint = Paint::stderr();
    let counts = [
        (report.n_groups, "group"),
        (report.n_arrays, "array"),
        (report.n_attributes, "attribute"),
        (report.n_links, "link"),
    ];
    let counts = counts.into_iter().filter(|(n, _)| *n > 0);
    let counts: Vec<String> = counts.map(|(n, what)| counted(n, what)).collect();
    let resumed = match report.resumed_len_bytes {
        0 => String::new(),
        len => format!(", of which {} were there", human_bytes(len)),
    };
    for note in &report.notes {
        say(&format!("{} {note}", paint.ink(Ink::Name, "note:")));
    }
    say(&format!(
        "{} {}: {}{resumed} in {} ({}/s), on disk {} → {}",
        paint.ink(Ink::Good, verb),
        counts.join(", "),
        human_bytes(report.len_bytes),
        seconds(took),
        human_bytes(rate as u64),
        human_bytes(before),
        human_bytes(after),
    ));
    losses(report);
}

fn seconds(took: Duration) -> String {
    let seconds = took.as_secs_f64();
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1e3) } else { format!("{seconds:.1} s") }
}

/// What the target does not hold as the source does, aligned; what many nodes have in common on
/// one line.
fn losses(report: &Report) {
    let paint = Paint::stderr();
    let left_out: Vec<Vec<String>> = report.left_out.iter().map(left_out_row).collect();
    let all = [("not kept as it was:", loss_rows(&report.losses)), ("left out:", left_out)];
    for (heading, rows) in all.into_iter().filter(|(_, rows)| !rows.is_empty()) {
        say(&paint.ink(Ink::Name, heading));
        for line in table(&rows) {
            say(&format!("  {line}"));
        }
    }
}

fn left_out_row(left_out: &NodeLoss) -> Vec<String> {
    let becomes = &left_out.loss.becomes;
    let why = becomes.strip_prefix("left out: ").unwrap_or(becomes);
    vec![left_out.node.to_string(), why.to_owned()]
}

fn loss_rows(losses: &[NodeLoss]) -> Vec<Vec<String>> {
    let mut alike: Vec<(&NodeLoss, u64)> = Vec::new();
    let mut places = HashMap::new();
    for loss in losses {
        let place = *places.entry((&loss.loss.what, &loss.loss.becomes)).or_insert(alike.len());
        match alike.get_mut(place) {
            Some((_, n_more)) => *n_more += 1,
            None => alike.push((loss, 0)),
        }
    }
    let row = |(loss, n_more): &(&NodeLoss, u64)| {
        let more = if *n_more > 0 { format!(" and {n_more} more") } else { String::new() };
        let what = cut(&loss.loss.what, LOSS_MOST).into_owned();
        vec![format!("{}{more}", loss.node), what, format!("→ {}", loss.loss.becomes)]
    };
    alike.iter().map(row).collect()
}

/// The same as JSON, with the paths of `source` and `target`.
pub(crate) fn as_json(done: Done<'_>, source: &Path, target: &Path) -> Map<String, Value> {
    let Done { report, took, on_disk: (before, after) } = done;
    let losses = |losses: &[NodeLoss]| -> Value {
        let one = |at: &NodeLoss| json!({ "node": at.node.as_str(), "what": at.loss.what, "becomes": at.loss.becomes });
        losses.iter().map(one).collect()
    };
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("source", source.to_string_lossy().into());
    put("target", target.to_string_lossy().into());
    put("n_groups", report.n_groups.into());
    put("n_arrays", report.n_arrays.into());
    put("n_attributes", report.n_attributes.into());
    put("n_links", report.n_links.into());
    put("size", report.len_bytes.into());
    put("resumed_size", report.resumed_len_bytes.into());
    put("size_on_disk", json!({ "source": before, "target": after }));
    put("seconds", took.as_secs_f64().into());
    put("losses", losses(&report.losses));
    put("left_out", losses(&report.left_out));
    put("notes", json!(report.notes));
    fields
}

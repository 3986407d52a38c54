//! `stook convert`: a tree into another format, with progress, a report and a check.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use stook::{
    ConvertOptions, Difference, Durability, Engine, EngineConfig, ErrorKind, File, InTheWay, Node,
    NodeLoss, NodePath, Progress, Report, Result, Storage, compare, convert,
};

use crate::cli::{ConvertArgs, FormatArg};
use crate::error::{Failure, say};
use crate::find;
use crate::interrupt;
use crate::output::{Ink, Output, Paint, counted, cut, human_bytes, table};

/// More differences than this tell no more.
const MOST_DIFFERENCES: usize = 20;
/// What is longer is cut in the table of losses.
const LOSS_MOST: usize = 60;

pub(crate) fn run(args: &ConvertArgs, out: &mut Output) -> Result<(), Failure> {
    let bar = bar(args);
    let started = Instant::now();
    let report = copy(args, &bar);
    bar.finish_and_clear();
    let report = report?;
    let took = started.elapsed();
    if !args.quiet && !args.json {
        summary(args, &report, took)?;
        losses(&report);
    }
    let verdict = if args.verify { Some(verify(args, &report)?) } else { None };
    if args.json {
        out.json(&as_json(args, &report, took, verdict.as_ref())?)?;
    } else if let Some(verdict) = &verdict {
        said(args, verdict);
    }
    match verdict {
        Some(verdict) if !verdict.differences.is_empty() => {
            // The report is data, and is wanted whole.
            std::io::Write::flush(out)?;
            Err(Failure::Said)
        }
        _ => Ok(()),
    }
}

fn copy(args: &ConvertArgs, bar: &ProgressBar) -> Result<Report> {
    let mut config = EngineConfig::default().threads(args.threads);
    config.memory_len_bytes = usize::try_from(args.memory).unwrap_or(usize::MAX);
    let mut progress = |progress: &Progress| {
        bar.set_length(progress.total_len_bytes);
        bar.set_position(progress.done_len_bytes);
        bar.set_message(progress.node.to_string());
        interrupt::check()
    };
    let mut options = ConvertOptions {
        node: NodePath::parse(&args.node)?,
        format: args.format.map(Into::into),
        in_the_way: if args.overwrite { InTheWay::Goes } else { InTheWay::Stays },
        leave_out: args.leave_out,
        memory_len_bytes: args.memory,
        durability: if args.fsync { Durability::Fsync } else { Durability::Flush },
        engine: Some(Engine::new(config)),
        progress: Some(&mut progress),
        ..ConvertOptions::default()
    };
    convert(&args.source, &args.target, &mut options).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            error.with_hint("choose another name, or replace it with `--overwrite`")
        }
        ErrorKind::Unsupported if is_npy(args) => {
            error.with_hint("an npy file holds one array: choose it with `--node`, or make an .npz")
        }
        ErrorKind::NotFound => find::with_names(&args.source, error),
        _ => error,
    })
}

fn is_npy(args: &ConvertArgs) -> bool {
    match args.format {
        Some(format) => format == FormatArg::Npy,
        None => Storage::from_name(&args.target) == Some(Storage::Npy),
    }
}

fn draw_target(args: &ConvertArgs) -> ProgressDrawTarget {
    match args.quiet || args.json {
        true => ProgressDrawTarget::hidden(),
        false => ProgressDrawTarget::stderr(),
    }
}

/// A progress bar, which shows itself on terminals only.
fn bar(args: &ConvertArgs) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), draw_target(args));
    let template = "{bar:30.cyan/dim} {percent:>3} %  {bytes}/{total_bytes}  {bytes_per_sec}  {eta}  {msg:.dim}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar
}

fn summary(args: &ConvertArgs, report: &Report, took: Duration) -> Result<()> {
    let (before, after) = (stook::len_bytes(&args.source)?, stook::len_bytes(&args.target)?);
    let rate = report.len_bytes as f64 / took.as_secs_f64().max(1e-6);
    let paint = Paint::stderr();
    let counts = [
        (report.n_groups, "group"),
        (report.n_arrays, "array"),
        (report.n_attributes, "attribute"),
    ];
    let counts = counts.into_iter().filter(|(n, _)| *n > 0);
    let counts: Vec<String> = counts.map(|(n, what)| counted(n, what)).collect();
    say(&format!(
        "{} {}: {} in {} ({}/s), on disk {} → {}",
        paint.ink(Ink::Good, "converted"),
        counts.join(", "),
        human_bytes(report.len_bytes),
        seconds(took),
        human_bytes(rate as u64),
        human_bytes(before),
        human_bytes(after),
    ));
    Ok(())
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

/// What a comparison found.
struct Verdict {
    /// Differences that the report has named already.
    n_reported: usize,
    /// All others.
    differences: Vec<Difference>,
}

/// Reads both sides again and compares them.
fn verify(args: &ConvertArgs, report: &Report) -> Result<Verdict> {
    let spinner = ProgressBar::with_draw_target(None, draw_target(args));
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
    let source = File::open(&args.source)?.node(&args.node)?;
    let target = File::open(&args.target)?;
    let mut there = target.root()?;
    if let (Node::Array(_), Node::Group(group)) = (&source, &there) {
        // Where roots must be groups, an array has become their child.
        there = group.node("data")?;
    }
    // Those that are known must not use up the room for those that are not.
    let most = MOST_DIFFERENCES + report.losses.len() + report.left_out.len();
    let mut found = compare(&source, &there, args.memory, most)?;
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
        None => report.left_out.iter().any(|left_out| node.starts_with(&left_out.node)),
    }
}

fn said(args: &ConvertArgs, verdict: &Verdict) {
    let paint = Paint::stderr();
    let differences = &verdict.differences;
    if differences.is_empty() {
        let but = if verdict.n_reported == 0 { "" } else { " but for what is listed above" };
        if !args.quiet {
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

fn as_json(
    args: &ConvertArgs,
    report: &Report,
    took: Duration,
    verdict: Option<&Verdict>,
) -> Result<Value> {
    let losses = |losses: &[NodeLoss]| -> Value {
        let one = |at: &NodeLoss| json!({ "node": at.node.as_str(), "what": at.loss.what, "becomes": at.loss.becomes });
        losses.iter().map(one).collect()
    };
    let mut value = json!({
        "source": args.source.to_string_lossy(),
        "target": args.target.to_string_lossy(),
        "n_groups": report.n_groups,
        "n_arrays": report.n_arrays,
        "n_attributes": report.n_attributes,
        "size": report.len_bytes,
        "size_on_disk": { "source": stook::len_bytes(&args.source)?, "target": stook::len_bytes(&args.target)? },
        "seconds": took.as_secs_f64(),
        "losses": losses(&report.losses),
        "left_out": losses(&report.left_out),
    });
    if let (Some(verdict), Some(fields)) = (verdict, value.as_object_mut()) {
        let one = |found: &Difference| json!({ "node": found.node.as_str(), "what": found.what });
        fields.insert("differences".to_owned(), verdict.differences.iter().map(one).collect());
    }
    Ok(value)
}

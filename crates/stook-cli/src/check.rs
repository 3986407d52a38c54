//! `stook check`: reads all of a file and says what is wrong with it.
//!
//! A file that is not trusted is read by a worker: this very program, started again, within
//! limits. It tells what it does and finds, a line of JSON each; what ends it becomes a finding
//! about the node it was at, and another worker reads the rest.

mod limits;
mod wire;
mod worker;

use std::path::Path;

use indicatif::ProgressBar;
use serde_json::{Value, json};
use stook::NodePath;
use stook::check::{CheckEvent, CheckOptions, CheckReport, Finding, Severity, check};

use crate::cli::CheckArgs;
use crate::error::Failure;
use crate::output::{Ink, Output, Paint, counted, human_bytes, width};
use crate::progress;

pub(crate) use worker::work;

pub(crate) fn run(args: &CheckArgs, out: &mut Output) -> Result<(), Failure> {
    let mut documents = Vec::new();
    let mut n_bad = 0_u64;
    for path in &args.files {
        let bar = progress::bar(args.json);
        let report = if args.trusted {
            in_process(path, args, &bar)
        } else {
            worker::watch(path, args, &bar)
        };
        bar.finish_and_clear();
        n_bad += u64::from(report.count(Severity::Error) > 0);
        if args.json {
            documents.push(as_json(path, &report));
        } else if !args.quiet || !report.findings.is_empty() {
            write(path, &report, out)?;
        }
    }
    if args.json {
        out.json(&json!({ "files": documents }))?;
    }
    if n_bad > 0 { Err(Failure::Said) } else { Ok(()) }
}

/// Reads the file here.
fn in_process(path: &Path, args: &CheckArgs, bar: &ProgressBar) -> CheckReport {
    let root = NodePath::root();
    let failed = |error: &stook::Error| CheckReport {
        findings: vec![Finding::of_error(error.location().node.as_ref().unwrap_or(&root), error)],
        ..CheckReport::default()
    };
    let file = match args.reach.open(path) {
        Ok(file) => file.with_engine(args.means.engine()),
        Err(error) => return failed(&error),
    };
    let mut on_event = |event: &CheckEvent<'_>| {
        match event {
            CheckEvent::Node(node) => bar.set_message(node.to_string()),
            CheckEvent::Bytes { done, total } => {
                bar.set_length(*total);
                bar.set_position(*done);
            }
            _ => {}
        }
        Ok(())
    };
    let mut options = CheckOptions {
        memory_len_bytes: args.means.memory,
        on_event: Some(&mut on_event),
        ..CheckOptions::default()
    };
    check(&file, &mut options).unwrap_or_else(|error| failed(&error))
}

/// The line of the file and those of its findings.
fn write(path: &Path, report: &CheckReport, out: &mut Output) -> Result<(), Failure> {
    let paint = out.paint;
    let (n_errors, n_warnings) = (report.count(Severity::Error), report.count(Severity::Warning));
    let verdict = match (n_errors, n_warnings) {
        (0, 0) => paint.ink(Ink::Good, "ok").into_owned(),
        (0, n) => format!("{}, {}", paint.ink(Ink::Good, "ok"), counted(n, "warning")),
        (n, 0) => paint.ink(Ink::Error, &counted(n, "error")).into_owned(),
        (n, m) => {
            let errors = counted(n, "error");
            format!("{}, {}", paint.ink(Ink::Error, &errors), counted(m, "warning"))
        }
    };
    let name = path.to_string_lossy();
    let name = paint.ink(Ink::Name, &name).into_owned();
    let looked = looked_at(report);
    let looked = paint.ink(Ink::Faint, &looked).into_owned();
    out.line(format!("{name}: {verdict}  {looked}").trim_end())?;
    let name_of = |finding: &Finding| match &finding.chunk {
        Some(chunk) => format!("{} {chunk:?}", finding.node),
        None => finding.node.to_string(),
    };
    let names: Vec<String> = report.findings.iter().map(name_of).collect();
    let widest = names.iter().map(|name| width(name)).max().unwrap_or(0).min(40);
    for (finding, name) in report.findings.iter().zip(&names) {
        let label = label(finding.severity, &paint);
        let padding = " ".repeat(widest.saturating_sub(width(name)));
        let message = crate::describe::one_line(&finding.message);
        out.line(&format!("  {label}  {name}{padding}  {message}"))?;
    }
    Ok(())
}

fn label(severity: Severity, paint: &Paint) -> String {
    match severity {
        Severity::Error => paint.ink(Ink::Error, "error  ").into_owned(),
        Severity::Warning => paint.ink(Ink::DType, "warning").into_owned(),
    }
}

fn looked_at(report: &CheckReport) -> String {
    let counts = [
        (report.n_groups, "group"),
        (report.n_arrays, "array"),
        (report.n_chunks, "chunk"),
        (report.n_attributes, "attribute"),
        (report.n_links, "link"),
    ];
    let counts = counts.into_iter().filter(|(n, _)| *n > 0);
    let mut counts: Vec<String> = counts.map(|(n, what)| counted(n, what)).collect();
    if report.len_bytes > 0 {
        counts.push(human_bytes(report.len_bytes));
    }
    counts.join(", ")
}

fn as_json(path: &Path, report: &CheckReport) -> Value {
    json!({
        "file": path.to_string_lossy(),
        "ok": report.count(Severity::Error) == 0,
        "n_errors": report.count(Severity::Error),
        "n_warnings": report.count(Severity::Warning),
        "n_groups": report.n_groups,
        "n_arrays": report.n_arrays,
        "n_chunks": report.n_chunks,
        "n_attributes": report.n_attributes,
        "n_links": report.n_links,
        "size": report.len_bytes,
        "findings": report.findings.iter().map(wire::finding_json).collect::<Vec<_>>(),
    })
}

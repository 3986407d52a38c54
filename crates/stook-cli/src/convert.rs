//! `stook convert`: a tree into another format, with progress, a report and a check.

mod course;
mod report;
mod verify;

use std::path::Path;
use std::time::Instant;

use serde_json::Value;
use stook::{
    ConvertOptions, Durability, Engine, EngineConfig, Error, ErrorKind, InTheWay, NodePath,
    Progress, Report, Result, Storage, Unfinished, convert,
};

use crate::cli::{ConvertArgs, CourseArgs, FormatArg, LayoutArgs, LossyArg};
use crate::error::Failure;
use crate::find;
use crate::output::Output;
pub(crate) use course::Course;
pub(crate) use report::{Done, as_json, say_all};

pub(crate) fn run(args: &ConvertArgs, out: &mut Output) -> Result<(), Failure> {
    let mut course = Course::new(&args.course);
    let started = Instant::now();
    let report = copy(args, &mut course);
    course.end();
    let report = report?;
    let took = started.elapsed();
    let on_disk = (stook::len_bytes(&args.source)?, stook::len_bytes(&args.target)?);
    let done = Done { report: &report, took, on_disk };
    if !args.course.quiet && !args.course.json {
        say_all(done, "converted");
    }
    let verdict = if args.verify { Some(verify::verify(args, &report)?) } else { None };
    if args.course.json {
        let mut fields = as_json(done, &args.source, &args.target);
        if let Some(verdict) = &verdict {
            fields.insert("differences".to_owned(), verify::as_json(verdict));
        }
        out.json(&Value::Object(fields))?;
    } else if let Some(verdict) = &verdict {
        verify::said(args, verdict);
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

fn copy(args: &ConvertArgs, course: &mut Course) -> Result<Report> {
    let mut progress = |progress: &Progress| course.show(progress);
    let mut options = ConvertOptions {
        node: NodePath::parse(&args.node)?,
        format: args.format.map(Into::into),
        in_the_way: if args.overwrite { InTheWay::Goes } else { InTheWay::Stays },
        leave_out: args.leave_out,
        include: args.include.clone(),
        exclude: args.exclude.clone(),
        select: args.select.clone(),
        links: args.links.into(),
        outside: args.reach.outside(),
        consolidate: args.consolidate,
        progress: Some(&mut progress),
        ..options_of(&args.layout, &args.course)
    };
    convert(&args.source, &args.target, &mut options).map_err(|error| match error.kind() {
        _ if is_session(&args.source) => {
            error.with_hint("a session's folder is converted by `stook onedata convert`")
        }
        ErrorKind::AlreadyExists if !args.overwrite && !is_about_resuming(&error) => {
            error.with_hint("choose another name, or replace it with `--overwrite`")
        }
        ErrorKind::Unsupported if is_npy(args) => {
            error.with_hint("an npy file holds one array: choose it with `--node`, or make an .npz")
        }
        ErrorKind::NotFound => find::with_names(&args.source, error),
        _ => error,
    })
}

/// Whether there is what a session saved in the folder at `path`.
fn is_session(path: &Path) -> bool {
    ["onedata", "oneData"].iter().any(|folder| path.join(folder).is_dir() || path.ends_with(folder))
}

fn is_about_resuming(error: &Error) -> bool {
    error.hint().is_some_and(|hint| hint.contains("--resume"))
}

/// What both ways to make a file are asked for alike.
pub(crate) fn options_of<'o>(layout: &LayoutArgs, course: &CourseArgs) -> ConvertOptions<'o> {
    let mut config = EngineConfig::default().threads(course.threads);
    config.memory_len_bytes = usize::try_from(course.memory).unwrap_or(usize::MAX);
    let rounding = layout.lossy.iter().filter_map(|lossy| match lossy {
        LossyArg::Round(rule) => Some(rule.clone()),
        LossyArg::Any => None,
    });
    ConvertOptions {
        chunks: layout.chunks.clone(),
        shards: layout.shards.clone(),
        codecs: layout.codec.clone(),
        dtypes: layout.dtype.clone(),
        lossy: layout.lossy.contains(&LossyArg::Any),
        rounding: rounding.collect(),
        unfinished: match (course.resume, course.restart) {
            (true, _) => Unfinished::Resumes,
            (false, true) => Unfinished::Goes,
            (false, false) => Unfinished::Stays,
        },
        memory_len_bytes: course.memory,
        durability: if course.fsync { Durability::Fsync } else { Durability::Flush },
        engine: Some(Engine::new(config)),
        ..ConvertOptions::default()
    }
}

fn is_npy(args: &ConvertArgs) -> bool {
    match args.format {
        Some(format) => format == FormatArg::Npy,
        None => Storage::from_name(&args.target) == Some(Storage::Npy),
    }
}

//! `stook repack`: a file written anew in its own format.

use std::time::Instant;

use serde_json::Value;
use stook::{ConvertOptions, Progress, Result, repack};

use crate::cli::RepackArgs;
use crate::convert::{Course, Done, as_json, options_of, say_all};
use crate::error::Failure;
use crate::output::Output;

pub(crate) fn run(args: &RepackArgs, out: &mut Output) -> Result<(), Failure> {
    let mut course = Course::new(&args.course);
    let started = Instant::now();
    let mut progress = |progress: &Progress| course.show(progress);
    let mut options =
        ConvertOptions { progress: Some(&mut progress), ..options_of(&args.layout, &args.course) };
    let repacked = repack(&args.file, &mut options);
    drop(options);
    course.end();
    let repacked = repacked?;
    let done = Done {
        report: &repacked.report,
        took: started.elapsed(),
        on_disk: (repacked.before_len_bytes, repacked.after_len_bytes),
    };
    if args.course.json {
        out.json(&Value::Object(as_json(done, &args.file, &args.file)))?;
    } else if !args.course.quiet {
        say_all(done, "repacked");
    }
    Ok(())
}

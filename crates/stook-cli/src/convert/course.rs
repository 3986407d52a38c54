//! How far a conversion is: a bar where a terminal shows it, lines where that is asked for.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use stook::{Progress, Result};

use crate::cli::{CourseArgs, When};
use crate::error::say;
use crate::interrupt;
use crate::output::human_bytes;
use crate::progress;

/// How often a line says how far it is.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// What shows how far a conversion is.
pub(crate) struct Course {
    bar: ProgressBar,
    has_lines: bool,
    begun: Instant,
    said: Instant,
}

impl Course {
    pub(crate) fn new(args: &CourseArgs) -> Self {
        let is_quiet = args.quiet || args.progress == When::Never;
        let is_hidden = is_quiet || (args.json && args.progress == When::Auto);
        let bar = progress::bar(is_hidden);
        let has_lines = args.progress == When::Always && !is_quiet && bar.is_hidden();
        let now = Instant::now();
        Self { bar, has_lines, begun: now, said: now }
    }

    /// Shows `progress`; fails once the command is interrupted.
    pub(crate) fn show(&mut self, progress: &Progress) -> Result<()> {
        let (done, total) = (progress.done_len_bytes, progress.total_len_bytes);
        self.bar.set_length(total);
        self.bar.set_position(done);
        self.bar.set_message(progress.node.to_string());
        if self.has_lines && self.said.elapsed() >= LINE_EVERY {
            self.said = Instant::now();
            say(&self.line(progress));
        }
        interrupt::check()
    }

    fn line(&self, progress: &Progress) -> String {
        let (done, total) = (progress.done_len_bytes, progress.total_len_bytes);
        let copied = done.saturating_sub(progress.resumed_len_bytes);
        let rate = copied as f64 / self.begun.elapsed().as_secs_f64().max(1e-6);
        let left = total.saturating_sub(done) as f64 / rate.max(1.0);
        let percent = u128::from(done) * 100 / u128::from(total.max(1));
        format!(
            "{percent:>3} %  {} of {}  {}/s  {left:.0} s left  {}",
            human_bytes(done),
            human_bytes(total),
            human_bytes(rate as u64),
            progress.node
        )
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

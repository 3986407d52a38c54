//! The bar that says how far a command is: on the standard error, and on terminals only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar of bytes.
pub(crate) fn bar(is_hidden: bool) -> ProgressBar {
    let template = "{bar:30.cyan/dim} {percent:>3} %  {bytes}/{total_bytes}  {bytes_per_sec}  {eta}  {msg:.dim}";
    of(template, is_hidden)
}

/// A bar of elements.
pub(crate) fn elements(is_hidden: bool) -> ProgressBar {
    let template =
        "{spinner} {bar:30.cyan/dim} {percent:>3} %  {human_pos}/{human_len} elements  {eta}";
    of(template, is_hidden)
}

/// A bar of what is counted.
pub(crate) fn counted(is_hidden: bool, what: &str) -> ProgressBar {
    of(&format!("{{bar:30.cyan/dim}} {{pos}}/{{len}} {what}  {{eta}}"), is_hidden)
}

fn of(template: &str, is_hidden: bool) -> ProgressBar {
    let target =
        if is_hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(0), target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar
}

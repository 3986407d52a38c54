//! `stook session`: sessions of labelled objects listed, shown, compared and converted.

use std::path::Path;
use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::{Value, json};
use stook::Error;
use stook_labelled::session::{
    ArrayDiff, DiffOptions, ItemDiff, Listed, LoadOptions, SaveOptions, SummaryTemplate,
    TableLayout, Tolerance,
};
use stook_labelled::{Axis, Item, Label, Session};

use crate::cli::{SessionAction, SessionArgs};
use crate::error::Failure;
use crate::interrupt;
use crate::output::{Output, table};
use crate::told::Told;

pub(crate) fn run(args: &SessionArgs, out: &mut Output) -> Result<(), Failure> {
    if args.action.writes() {
        stook::gate::install_hook(interrupt::check);
    }
    let turning = if args.json { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    turning.enable_steady_tick(Duration::from_millis(120));
    let told = tell(&args.action);
    turning.finish_and_clear();
    told?.say(args.json, out)
}

fn tell(action: &SessionAction) -> stook::Result<Told> {
    match action {
        SessionAction::Ls { file } => list(file),
        SessionAction::Show { file, names, rows } => show(file, names, *rows),
        SessionAction::Diff { left, right, rtol, atol, cells } => {
            let tolerance = Tolerance { relative: *rtol, absolute: *atol, nans_equal: true };
            diff(left, right, &DiffOptions { tolerance, n_cells: *cells })
        }
        SessionAction::Convert { source, target, sidecar, narrow, from_narrow, force } => {
            let layout = |is_narrow| {
                if is_narrow { TableLayout::Narrow } else { TableLayout::Wide }
            };
            let load = LoadOptions::default().with_layout(layout(*from_narrow));
            let save = SaveOptions::default().with_sidecar(*sidecar).with_layout(layout(*narrow));
            convert(source, target, (&load, &save), *force)
        }
        SessionAction::Summary { file } => {
            let session = Session::from_file(file)?;
            let text = session.summary(&SummaryTemplate::default());
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            Ok(Told::new(lines.clone(), json!({ "summary": lines })))
        }
    }
}

fn axis_words(at: usize, axis: &Axis) -> String {
    let star = if axis.is_wildcard() { "*" } else { "" };
    let name = axis.name().map_or_else(|| format!("{{{at}}}"), ToString::to_string);
    format!("{name}{star}[{}]", axis.len())
}

fn list(file: &Path) -> stook::Result<Told> {
    let session = Session::open(file)?;
    let (mut rows, mut objects) = (Vec::new(), Vec::new());
    for name in session.names()? {
        let listed = match session.describe(&name) {
            Ok(listed) => listed,
            Err(error) if error.kind() == stook::ErrorKind::Unsupported => {
                rows.push(vec![name.clone(), "?".to_owned(), error.message().to_owned()]);
                objects.push(json!({ "name": name, "why_not": error.message() }));
                continue;
            }
            Err(error) => return Err(error),
        };
        let kind = listed.type_name();
        let words = match &listed {
            Listed::Array { axes, dtype } => {
                let axes: Vec<String> =
                    axes.iter().enumerate().map(|(at, axis)| axis_words(at, axis)).collect();
                let dtype = dtype.to_string();
                objects.push(json!({ "name": name, "kind": kind, "axes": axes, "dtype": dtype }));
                vec![axes.join(" "), dtype]
            }
            Listed::Item(item) => {
                let words = words_of(item);
                objects.push(json!({ "name": name, "kind": kind, "value": words }));
                vec![words]
            }
            _ => Vec::new(),
        };
        rows.push([vec![name, kind.to_owned()], words].concat());
    }
    let metadata: Vec<Value> =
        session.metadata()?.iter().map(|(name, value)| json!([name, value.to_string()])).collect();
    let json = json!({ "items": objects, "metadata": metadata });
    Ok(Told::new(table(&rows), json))
}

/// An object in a line.
fn words_of(item: &Item) -> String {
    let session: Session = [("", item.clone())].into_iter().collect();
    let line = session.summary(&SummaryTemplate::default());
    line.trim_start_matches(": ").to_owned()
}

fn show(file: &Path, names: &[String], n_rows: usize) -> stook::Result<Told> {
    let session = Session::open(file)?;
    let names = if names.is_empty() { session.names()? } else { names.to_vec() };
    let (mut lines, mut objects) = (Vec::new(), serde_json::Map::new());
    for name in names {
        let item = session.get(&name)?;
        match &item {
            Item::Array(array, _) => {
                lines.push(format!("{name}: {}", words_of(&item)));
                let rows = array.to_rows(n_rows)?;
                lines.extend(table(&rows));
                objects.insert(name, json!(rows));
            }
            other => {
                lines.push(format!("{name}: {}", words_of(other)));
                objects.insert(name, json!(words_of(other)));
            }
        }
    }
    Ok(Told::new(lines, Value::Object(objects)))
}

fn convert(
    source: &Path,
    target: &Path,
    (load, save): (&LoadOptions, &SaveOptions),
    force: bool,
) -> stook::Result<Told> {
    let is_there = stook_labelled::session::exists(target)?;
    if is_there && !force {
        let error = Error::already_exists("something is there").at_file(target);
        return Err(error.with_hint("--force replaces it"));
    }
    let mut session = Session::new();
    let loaded = session.load(source, load)?;
    let saved = session.save(target, save)?;
    let mut lines = vec![format!("{} objects saved", saved.saved.len())];
    let lost = loaded.not_loaded.iter().chain(&saved.not_saved);
    lines.extend(lost.clone().map(|lost| format!("not kept: {lost}")));
    lines.extend(saved.changed.iter().map(|lost| format!("changed: {lost}")));
    let lost: Vec<Value> = lost.map(|lost| json!([lost.name, lost.why])).collect();
    let json = json!({ "saved": saved.saved, "not_kept": lost });
    Ok(Told::new(lines, json))
}

fn diff(left: &Path, right: &Path, options: &DiffOptions) -> stook::Result<Told> {
    let (a, b) = (Session::from_file(left)?, Session::from_file(right)?);
    let report = a.diff(&b, options)?;
    let (mut lines, mut items) = (Vec::new(), Vec::new());
    for (name, left, right) in &report.metadata {
        let words = |value: &Option<stook_labelled::Scalar>| {
            value.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string)
        };
        lines.push(format!("metadata {name}: {} | {}", words(left), words(right)));
        items.push(json!({ "metadata": name, "left": words(left), "right": words(right) }));
    }
    for (name, found) in &report.items {
        match found {
            ItemDiff::OnlyLeft => lines.push(format!("{name}: only on the left")),
            ItemDiff::OnlyRight => lines.push(format!("{name}: only on the right")),
            ItemDiff::Kind { left, right } => lines.push(format!("{name}: {left} | {right}")),
            ItemDiff::Value { left, right } => lines.push(format!("{name}: {left} | {right}")),
            ItemDiff::Array(diff) => array_lines(name, diff, &mut lines),
            _ => lines.push(format!("{name}: differs")),
        }
        items.push(item_json(name, found));
    }
    let differs = !report.is_empty();
    Ok(Told::new(lines, json!({ "differs": differs, "items": items }))
        .failing_if(differs, Failure::Differs))
}

fn labels_words(labels: &[Label]) -> String {
    const SHOWN: usize = 8;
    let mut words: Vec<String> = labels.iter().take(SHOWN).map(ToString::to_string).collect();
    if labels.len() > SHOWN {
        words.push(format!("… ({})", labels.len()));
    }
    words.join(" ")
}

fn array_lines(name: &str, diff: &ArrayDiff, lines: &mut Vec<String>) {
    if let Some((left, right)) = &diff.dtypes {
        lines.push(format!("{name}: types {left} | {right}"));
    }
    for (side, axes) in [("left", &diff.axes_only_left), ("right", &diff.axes_only_right)] {
        if !axes.is_empty() {
            lines.push(format!("{name}: axes only on the {side}: {}", axes.join(" ")));
        }
    }
    for (side, missing) in [("left", &diff.labels_only_left), ("right", &diff.labels_only_right)] {
        for (axis, labels) in missing {
            let labels = labels_words(labels);
            lines.push(format!("{name}: {axis}: labels only on the {side}: {labels}"));
        }
    }
    for axis in &diff.reordered {
        lines.push(format!("{name}: {axis}: labels in another order"));
    }
    if diff.n_different > 0 {
        lines.push(format!(
            "{name}: {} of {} cells differ, by {:e} at most, relatively {:e}",
            diff.n_different, diff.n_compared, diff.max_absolute, diff.max_relative
        ));
    }
    let rows: Vec<Vec<String>> = diff
        .cells
        .iter()
        .map(|cell| {
            let labels = cell.labels.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            vec![format!("  [{labels}]"), cell.left.clone(), cell.right.clone()]
        })
        .collect();
    lines.extend(table(&rows));
}

fn item_json(name: &str, found: &ItemDiff) -> Value {
    match found {
        ItemDiff::OnlyLeft => json!({ "name": name, "only": "left" }),
        ItemDiff::OnlyRight => json!({ "name": name, "only": "right" }),
        ItemDiff::Kind { left, right } => json!({ "name": name, "kinds": [left, right] }),
        ItemDiff::Value { left, right } => json!({ "name": name, "left": left, "right": right }),
        ItemDiff::Array(diff) => {
            let missing = |parts: &[(String, Vec<Label>)]| -> Vec<Value> {
                let words = |labels: &[Label]| -> Vec<String> {
                    labels.iter().map(ToString::to_string).collect()
                };
                parts.iter().map(|(axis, labels)| json!([axis, words(labels)])).collect()
            };
            let cells: Vec<Value> = diff
                .cells
                .iter()
                .map(|cell| {
                    let labels: Vec<String> = cell.labels.iter().map(ToString::to_string).collect();
                    json!({ "labels": labels, "left": cell.left, "right": cell.right })
                })
                .collect();
            json!({
                "name": name,
                "axes_only": [diff.axes_only_left, diff.axes_only_right],
                "labels_only": [missing(&diff.labels_only_left), missing(&diff.labels_only_right)],
                "compared": diff.n_compared,
                "different": diff.n_different,
                "max_absolute": diff.max_absolute,
                "max_relative": diff.max_relative,
                "cells": cells,
            })
        }
        _ => json!({ "name": name }),
    }
}

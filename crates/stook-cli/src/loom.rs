//! `stook loom`: looms looked at, mended, cut, joined, sorted, made and converted.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::{Value, json};
use stook::{AxisSelection, Error, InTheWay, Selection, Values};
use stook_loom::anndata::{AnnDataOptions, MatrixLayout, from_loom, to_loom};
use stook_loom::fused::{Aggregate, Groups, aggregate};
use stook_loom::import::{self, ImportOptions, Replaces, Star, Tsv};
use stook_loom::matrix::Picked;
use stook_loom::progress::Progress;
use stook_loom::validate::{Level, validate};
use stook_loom::{AddLoom, Axis, Combine, Loom, SidecarState, combine};

use crate::cli::{AxisArg, LayoutOfMatrix, LoomAction, LoomArgs};
use crate::error::Failure;
use crate::interrupt;
use crate::output::{Output, counted, human_bytes};
use crate::progress;
use crate::told::Told;

pub(crate) fn run(args: &LoomArgs, out: &mut Output) -> Result<(), Failure> {
    if args.action.writes() {
        stook::gate::install_hook(interrupt::check);
    }
    let bar = BAR.get_or_init(|| progress::elements(args.json));
    bar.enable_steady_tick(Duration::from_millis(120));
    stook_loom::progress::install_hook(show);
    let told = tell(&args.action);
    bar.finish_and_clear();
    told?.say(args.json, out)
}

/// The bar of this command: the hook of the library has nothing else to know it by.
static BAR: OnceLock<ProgressBar> = OnceLock::new();

fn show(progress: Progress) {
    if let Some(bar) = BAR.get() {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    }
}

fn tell(action: &LoomAction) -> stook::Result<Told> {
    match action {
        LoomAction::Info { file } => info(file),
        LoomAction::Validate { file, conventions } => check(file, *conventions),
        LoomAction::Repair { file } => repair(file),
        LoomAction::Subset { file, target, rows, columns, force } => {
            subset(file, target, [rows.as_deref(), columns.as_deref()], *force)
        }
        LoomAction::Merge { files, output, key, force } => {
            let add = AddLoom { key: key.clone(), ..AddLoom::default() };
            let in_the_way = if *force { InTheWay::Goes } else { InTheWay::Stays };
            made(&combine(files, output, &Combine { add, in_the_way, ..Combine::default() })?)
        }
        LoomAction::Aggregate { file, target, by, with, layer, force } => {
            groups(file, target, [by, with, layer], *force)
        }
        LoomAction::Permute { file, axis, by, descending } => permute(file, *axis, by, *descending),
        LoomAction::Compact { file } => compact(file),
        LoomAction::Sidecar { file, drop: true, .. } => drop_sidecar(file),
        LoomAction::Sidecar { file, layers, .. } => make_sidecar(file, layers),
        LoomAction::Export { file, target, layer, force } => export(file, target, layer, *force),
        LoomAction::Import { source, target, genome, sample, transposed, force } => {
            let options = ImportOptions { genome: genome.clone(), ..importing(*force) };
            made(&import(source, target, (sample, *transposed), &options)?)
        }
        LoomAction::Convert { source, target, layout, force } => {
            convert(source, target, *layout, *force)
        }
    }
}

fn info(path: &Path) -> stook::Result<Told> {
    let loom = Loom::open(path)?;
    let shape = loom.shape()?;
    let mut lines = vec![
        format!("{}: a loom of version {}", path.display(), loom.version()?),
        format!("{}, {}", counted(shape[0], "row"), counted(shape[1], "column")),
    ];
    let mut layers = Vec::new();
    for name in loom.layer_names()? {
        let array = loom.layer_array(&name)?;
        let len = array.source().len_stored_bytes().unwrap_or(0);
        let shown = if name.is_empty() { "main matrix" } else { &name };
        let sidecar = match loom.sidecar_state(&name) {
            Ok(SidecarState::Valid { .. }) => Some("valid"),
            Ok(SidecarState::Stale) => Some("stale"),
            _ => None,
        };
        let beside = sidecar.map_or(String::new(), |state| format!(", {state} in the sidecar"));
        let stored = human_bytes(len);
        lines.push(format!("layer  {shown}: {}, {stored} stored{beside}", array.dtype()));
        let dtype = array.dtype().to_string();
        layers.push(json!({"name": name, "dtype": dtype, "bytes": len, "sidecar": sidecar}));
    }
    let mut axes = Vec::new();
    for (axis, word) in [(Axis::Rows, "row"), (Axis::Columns, "column")] {
        let mut attributes = Vec::new();
        for name in loom.attributes(axis).names()? {
            let (dtype, shape) = loom.attributes(axis).kind(&name)?;
            lines.push(format!("{word}  {name}: {dtype} {shape:?}"));
            attributes.push(json!({"name": name, "dtype": dtype.to_string(), "shape": shape}));
        }
        let graphs = loom.graphs(axis).names()?;
        graphs.iter().for_each(|name| lines.push(format!("{word} graph  {name}")));
        axes.push(json!({"attributes": attributes, "graphs": graphs}));
    }
    let of_file = loom.file_attributes().names()?;
    lines.push(format!("file  {}", of_file.join(", ")));
    let [rows, columns] = <[Value; 2]>::try_from(axes).unwrap_or_default();
    let json = json!({
        "file": path.display().to_string(), "version": loom.version()?.to_string(),
        "shape": shape, "layers": layers, "rows": rows, "columns": columns, "attrs": of_file,
    });
    Ok(Told::new(lines, json))
}

fn check(path: &Path, conventions: bool) -> stook::Result<Told> {
    let level = if conventions { Level::Conventions } else { Level::Specification };
    let report = validate(path, level)?;
    let mut lines = report.summary.clone();
    lines.extend(report.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines.extend(report.errors.iter().map(|error| format!("error: {error}")));
    let version = &report.version;
    lines.push(if report.is_valid() {
        format!("valid: version {version}")
    } else {
        format!("not as version {version} has it: `stook loom repair` may mend it")
    });
    let json = json!({
        "file": path.display().to_string(), "version": version, "valid": report.is_valid(),
        "errors": report.errors, "warnings": report.warnings, "summary": report.summary,
    });
    Ok(Told::new(lines, json).failing_if(!report.is_valid(), Failure::Said))
}

fn repair(path: &Path) -> stook::Result<Told> {
    let repaired = Loom::open_read_write(path)?.repair()?;
    let mut lines = repaired.changes.clone();
    if lines.is_empty() {
        lines.push("nothing to repair".to_owned());
    }
    let json = json!({"file": path.display().to_string(), "changes": repaired.changes});
    Ok(Told::new(lines, json))
}

/// What was made.
fn made(loom: &Loom) -> stook::Result<Told> {
    let (path, shape) = (loom.path().display().to_string(), loom.shape()?);
    let (rows, columns) = (counted(shape[0], "row"), counted(shape[1], "column"));
    let lines = vec![format!("{path}: {rows}, {columns}")];
    Ok(Told::new(lines, json!({"file": path, "shape": shape})))
}

/// The selection of one axis: a slice, or positions.
fn axis_selection(text: Option<&str>) -> stook::Result<AxisSelection> {
    let Some(text) = text else { return Ok(AxisSelection::ALL) };
    if text.contains(',') {
        let position = |word: &str| {
            let word = word.trim();
            word.parse().map_err(|_| Error::invalid(format!("`{word}` is no position")))
        };
        return text
            .split(',')
            .map(position)
            .collect::<stook::Result<_>>()
            .map(AxisSelection::List);
    }
    match Selection::parse(text)? {
        Selection::Axes(axes) => match axes.into_iter().next() {
            // An axis stays an axis.
            Some(AxisSelection::Index(at)) => Ok(AxisSelection::List(vec![at])),
            Some(axis) => Ok(axis),
            None => Ok(AxisSelection::ALL),
        },
        _ => Ok(AxisSelection::ALL),
    }
}

fn subset(
    path: &Path,
    target: &Path,
    picks: [Option<&str>; 2],
    force: bool,
) -> stook::Result<Told> {
    let [rows, columns] = picks.map(axis_selection);
    let (rows, columns) = (rows?, columns?);
    let loom = Loom::open(path)?;
    made(&loom.subset(target, [&rows, &columns], |builder| {
        if force { builder.replace() } else { builder }
    })?)
}

/// The values of an attribute as text, and in an order that numbers have.
fn sortable(values: &Values) -> stook::Result<Vec<(u64, String)>> {
    let is_text = values.text_at(0).is_ok() || values.is_empty();
    if is_text {
        return (0..values.len()).map(|at| Ok((0, values.text_at(at)?))).collect();
    }
    let numbers = stook_loom::matrix::Numbers::of_values(values)?.cast(&stook::DType::Float64)?;
    let numbers = <f64 as stook_loom::matrix::Variant>::of(&numbers).unwrap_or_default();
    let key = |number: &f64| {
        // The order of floating-point numbers as that of whole ones.
        let bits = number.to_bits();
        if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
    };
    Ok(numbers.iter().map(|number| (key(number), number.to_string())).collect())
}

fn groups(
    path: &Path,
    target: &Path,
    [by, with, layer]: [&String; 3],
    force: bool,
) -> stook::Result<Told> {
    let with = Aggregate::parse(with)?;
    let loom = Loom::open(path)?;
    let values = loom.attributes(Axis::Columns).get(by)?;
    let (groups, labels) = Groups::of(&sortable(&values)?);
    let array = loom.layer_array(layer)?;
    let options = loom.fused_options(layer)?;
    let found = aggregate(&array, Axis::Columns, Picked::default(), &groups, with, &options)?;
    let names: Vec<String> = labels.into_iter().map(|(_, label)| label).collect();
    let names = Values::from_strings(vec![names.len() as u64], &names)?;
    let sizes: Vec<i64> = groups.lens().iter().map(|&len| len as i64).collect();
    let sizes = stook_loom::numbers(vec![sizes.len() as u64], &sizes)?;
    let builder = Loom::builder(target)
        .layer("", &found)
        .attributes(Axis::Rows, loom.attributes(Axis::Rows).all()?)
        .attribute(Axis::Columns, by, names)
        .attribute(Axis::Columns, "NCells", sizes);
    made(&if force { builder.replace() } else { builder }.create()?)
}

fn permute(path: &Path, axis: AxisArg, by: &str, descending: bool) -> stook::Result<Told> {
    let axis = match axis {
        AxisArg::Rows => Axis::Rows,
        AxisArg::Columns => Axis::Columns,
    };
    let loom = Loom::open_read_write(path)?;
    let keys = sortable(&loom.attributes(axis).get(by)?)?;
    let mut order: Vec<u64> = (0..keys.len() as u64).collect();
    let key = |at: &u64| keys.get(*at as usize);
    order.sort_by(|a, b| if descending { key(b).cmp(&key(a)) } else { key(a).cmp(&key(b)) });
    loom.permute(axis, &order)?;
    made(&loom)
}

fn compact(path: &Path) -> stook::Result<Told> {
    let done = Loom::open_read_write(path)?.compact()?;
    let (before, after) = (done.before_len_bytes, done.after_len_bytes);
    let lines = vec![format!("{} before, {} now", human_bytes(before), human_bytes(after))];
    let json = json!({"file": path.display().to_string(), "before": before, "after": after});
    Ok(Told::new(lines, json))
}

fn make_sidecar(path: &Path, layers: &[String]) -> stook::Result<Told> {
    let loom = Loom::open(path)?;
    let mut layers: Vec<&str> = layers.iter().map(String::as_str).collect();
    if layers.is_empty() {
        layers.push("");
    }
    let made = loom.make_sidecar(&layers)?.display().to_string();
    let mut lines = Vec::new();
    let mut of_layers = Vec::new();
    for layer in layers {
        let SidecarState::Valid { n_elements } = loom.sidecar_state(layer)? else { continue };
        let shown = if layer.is_empty() { "main matrix" } else { layer };
        lines
            .push(format!("{made}: {shown}, {} that are not zero", counted(n_elements, "element")));
        of_layers.push(json!({"name": layer, "elements": n_elements}));
    }
    Ok(Told::new(lines, json!({"file": made, "layers": of_layers})))
}

fn drop_sidecar(path: &Path) -> stook::Result<Told> {
    let is_dropped = Loom::open(path)?.drop_sidecar()?;
    let line = if is_dropped { "deleted" } else { "there is none" };
    let json = json!({"file": path.display().to_string(), "dropped": is_dropped});
    Ok(Told::new(vec![line.to_owned()], json))
}

fn export(path: &Path, target: &Path, layer: &str, force: bool) -> stook::Result<Told> {
    let in_the_way = if force { InTheWay::Goes } else { InTheWay::Stays };
    Loom::open(path)?.export(target, layer, in_the_way)?;
    let target = target.display().to_string();
    Ok(Told::new(vec![target.clone()], json!({"file": target})))
}

fn importing(force: bool) -> ImportOptions {
    let replaces = if force { Replaces::WhatIsThere } else { Replaces::Nothing };
    ImportOptions { replaces, ..ImportOptions::default() }
}

fn extension(path: &Path) -> String {
    let name = path.to_string_lossy().to_lowercase();
    let name = name.trim_end_matches(".gz");
    name.rsplit_once('.').map_or(String::new(), |(_, extension)| extension.to_owned())
}

/// Makes a loom of whatever `source` is.
fn import(
    source: &Path,
    target: &Path,
    (sample, transposed): (&str, bool),
    options: &ImportOptions,
) -> stook::Result<Loom> {
    let prefix = if sample.is_empty() { String::new() } else { format!("{sample}:") };
    let is_matrix = |folder: &Path| {
        ["matrix.mtx", "matrix.mtx.gz"].iter().any(|name| folder.join(name).is_file())
    };
    match extension(source).as_str() {
        "h5ad" | "zarr" => return to_loom(source, target, options),
        "h5" => return import::ten_x_h5(source, target, options),
        "tsv" | "csv" | "txt" | "tab" => {
            let turned = import::Orientation::Transposed;
            let orientation = if transposed { turned } else { import::Orientation::Same };
            let table = Tsv { prefix, orientation, ..Tsv::new(source) };
            return import::tsv(target, &table, options);
        }
        _ => {}
    }
    if is_matrix(source) {
        return import::ten_x_folder(source, target, &prefix, options);
    }
    if source.join("Solo.out").is_dir() || source.join("Velocyto").is_dir() {
        let star = Star { sample: sample.to_owned(), ..Star::default() };
        return import::star(source, target, &star, options);
    }
    let outs = source.join("outs");
    for name in ["filtered_feature_bc_matrix", "filtered_gene_bc_matrices"] {
        let folder = outs.join(name);
        let folder = match &options.genome {
            Some(genome) if !is_matrix(&folder) => folder.join(genome),
            _ => folder,
        };
        if is_matrix(&folder) {
            return import::ten_x_folder(folder, target, &prefix, options);
        }
    }
    let what = "expected an `.h5`, `.h5ad`, `.zarr`, `.tsv` or `.csv`, or a folder of 10x, \
                cellranger or STARsolo";
    Err(Error::unsupported(what).at_file(source))
}

fn convert(
    source: &Path,
    target: &Path,
    layout: LayoutOfMatrix,
    force: bool,
) -> stook::Result<Told> {
    let is_anndata = |path: &PathBuf| matches!(extension(path).as_str(), "h5ad" | "zarr");
    let (from, to) = (source.to_path_buf(), target.to_path_buf());
    if extension(&to) == "loom" && is_anndata(&from) {
        return made(&to_loom(source, target, &importing(force))?);
    }
    if extension(&to) == "loom" {
        return subset(source, target, [None, None], force);
    }
    let layout = match layout {
        LayoutOfMatrix::Sparse => MatrixLayout::Sparse,
        LayoutOfMatrix::Dense => MatrixLayout::Dense,
    };
    let replaces = importing(force).replaces;
    let loom = Loom::open(source)?;
    let left_out = from_loom(&loom, target, &AnnDataOptions { layout, replaces, format: None })?;
    let mut lines: Vec<String> = left_out
        .iter()
        .map(|name| format!("warning: `{name}` was kept and fits no more: left out"))
        .collect();
    lines.push(format!("{}: AnnData of {}", target.display(), source.display()));
    let json = json!({"file": target.display().to_string(), "left_out": left_out});
    Ok(Told::new(lines, json))
}

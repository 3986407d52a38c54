//! `stook onedata`: the saved files of an experiment's sessions, and the catalogue of a tree of them.

mod shown;

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};
use stook::sparse::{Packing, Sparse};
use stook::{Durability, Error, ErrorKind, File, Limits, Selection};
use stook_onedata::alf::export_tables;
use stook_onedata::catalogue::{
    Condition, DatasetRecord, Hashes, IndexOptions, Quality, QualityFilter, SessionRecord,
};
use stook_onedata::{
    Catalogue, Data, FileKind, FileState, Loading, LoadingRecipe, OneData, OneFile, OneName,
    Recipes,
};

use crate::cli::{OneDataAction, OneDataArgs};
use crate::error::Failure;
use crate::interrupt;
use crate::output::{Output, counted, human_bytes, table};
use crate::progress;
use crate::told::Told;

/// Older temporary files were left by a saver that was killed.
const LEFT_AFTER: Duration = Duration::from_secs(3600);

pub(crate) fn run(args: &OneDataArgs, out: &mut Output) -> Result<(), Failure> {
    if args.action.writes() {
        stook::gate::install_hook(interrupt::check);
    }
    tell(&args.action, args.json)?.say(args.json, out)
}

fn tell(action: &OneDataAction, is_json: bool) -> stook::Result<Told> {
    match action {
        OneDataAction::Ls { session, pattern } => ls(session, pattern.as_deref()),
        OneDataAction::Load { session, name, sparse, columns, output } => {
            let kind = if *sparse { FileKind::Npz } else { FileKind::Npy };
            let data = load(&at(session)?, name, kind, columns.as_deref())?;
            match output {
                Some(output) => write(&data, output),
                None => shown::tell(name, &data).map(|(lines, json)| Told::new(lines, json)),
            }
        }
        OneDataAction::Recipe { session, name, loader, source, transform, argument, beside } => {
            let (data, name) = (at(session)?, name.parse()?);
            let Some(loader) = loader else { return show_recipe(&data, &name) };
            let mut recipe = LoadingRecipe::new(loader, source.clone().unwrap_or_default());
            recipe.source.clone_from(source);
            recipe.transforms.clone_from(transform);
            recipe.arguments = pairs(argument)?;
            save_recipe(&data, &name, &recipe, *beside)
        }
        OneDataAction::Verify { folders, make, sweep } => verify(folders, (*make, *sweep), is_json),
        OneDataAction::Convert { source, target, force } => convert(source, target, *force),
        OneDataAction::Index { root, hash } => index(root, *hash, is_json),
        OneDataAction::Query { root, conditions, datasets, qc, judged } => {
            let at_most = qc.as_deref().map_or(Ok(Quality::Critical), str::parse)?;
            let quality = datasets.then_some(QualityFilter { at_most, is_set: *judged });
            query(root, conditions, quality)
        }
        OneDataAction::Tag { root, session, tags, remove, set, qc } => {
            let catalogue = Catalogue::open(root)?;
            judge(&catalogue, session, qc)?;
            tag(&catalogue, session, (tags, remove), &pairs(set)?)
        }
        OneDataAction::Export { root, to } => export(root, to.as_deref()),
    }
}

/// The session in a folder, which may also be given by that of its files, or the file that all lies in.
fn at(folder: &Path) -> stook::Result<OneData> {
    if folder.exists()
        && let Ok(packed) = OneData::in_file(folder)
    {
        return Ok(packed);
    }
    if !folder.is_dir() {
        return Err(Error::not_found("there is no folder of a session").at_file(folder));
    }
    let is_inner = folder.file_name().is_some_and(|name| name == "onedata" || name == "oneData");
    match folder.parent().filter(|_| is_inner) {
        Some(session) => Ok(OneData::at(session)?.folder(folder)),
        None => OneData::at(folder),
    }
}

fn convert(source: &Path, target: &Path, force: bool) -> stook::Result<Told> {
    let source = at(source)?;
    let new = OneData::in_file(target).or_else(|_| OneData::at(target))?;
    if !force && !new.files()?.is_empty() {
        let error = Error::already_exists("something is saved there").at_file(new.path());
        return Err(error.with_hint("--force replaces what has the same name"));
    }
    let files = new.copy_from(&source)?;
    let (path, n) = (new.path().display().to_string(), files.len() as u64);
    let names: Vec<String> = files.iter().map(ToString::to_string).collect();
    let lines = vec![format!("{path}: {}", counted(n, "dataset"))];
    Ok(Told::new(lines, json!({"file": path, "datasets": names})))
}

fn ls(session: &Path, pattern: Option<&str>) -> stook::Result<Told> {
    let data = at(session)?;
    let mut found = stook_onedata::catalogue::datasets_of(&data)?;
    if let Some(pattern) = pattern {
        found.retain(|data| stook_onedata::alf::matches(pattern, &data.name));
    }
    Ok(Told::new(dataset_table(&found), found.iter().map(DatasetRecord::to_json).collect()))
}

fn dataset_table(datasets: &[DatasetRecord]) -> Vec<String> {
    let row = |data: &DatasetRecord| {
        let shape = data.shape.as_ref().map(|shape| format!("{shape:?}"));
        let quality = Some(data.quality).filter(|quality| *quality != Quality::NotSet);
        vec![
            data.path.clone(),
            data.kind.as_str().to_owned(),
            data.dtype.clone().unwrap_or_default(),
            shape.unwrap_or_default(),
            human_bytes(data.len_bytes),
            quality.map(Quality::as_str).unwrap_or_default().to_owned(),
            data.problem.as_ref().map(|problem| format!("wrong: {problem}")).unwrap_or_default(),
        ]
    };
    table(&datasets.iter().map(row).collect::<Vec<_>>())
}

fn load(data: &OneData, name: &str, kind: FileKind, columns: Option<&str>) -> stook::Result<Data> {
    let file = OneFile { kind, name: name.parse()? };
    if let Some(columns) = columns {
        return data.load_columns(&file, range(columns)?).map(|part| Data::Sparse(part.into()));
    }
    let loaded = data.load(&file).map_err(|error| {
        let other = OneFile { kind: FileKind::Npz, name: file.name.clone() };
        let is_sparse = kind == FileKind::Npy && data.has(&other).unwrap_or(false);
        match error.kind() {
            ErrorKind::NotFound if is_sparse => error.with_hint("it is a sparse matrix: --sparse"),
            ErrorKind::NotFound => error.with_hint("`stook onedata ls` lists what is there"),
            _ => error,
        }
    })?;
    let Data::Objects(objects) = loaded else { return Ok(loaded) };
    match LoadingRecipe::of_objects(&objects)? {
        Some(recipe) => Recipes::standard().follow(&Loading::new(data), &recipe),
        None => Ok(Data::Objects(objects)),
    }
}

fn range(text: &str) -> stook::Result<Range<u64>> {
    let wrong = || Error::invalid(format!("`{text}` is no range of columns, such as 0:100"));
    let (start, stop) = text.split_once(':').ok_or_else(wrong)?;
    let start = if start.is_empty() { 0 } else { start.parse().map_err(|_| wrong())? };
    Ok(start..stop.parse().map_err(|_| wrong())?)
}

fn write(data: &Data, target: &Path) -> stook::Result<Told> {
    if let Data::Sparse(matrix) = data {
        write_sparse(matrix, target)?;
    } else {
        let values = data.values(&Limits::default())?;
        let file = File::create_array(target)?;
        let array = file.dtype(values.dtype().clone()).shape(values.shape().to_vec()).create()?;
        array.write(&Selection::All, &values)?;
        array.file().commit()?;
    }
    let shown = target.display().to_string();
    let line = format!("{shown}: {} {:?}", data.kind(), data.shape());
    Ok(Told::new(vec![line], json!({"file": shown, "kind": data.kind(), "shape": data.shape()})))
}

fn write_sparse(matrix: &Sparse, target: &Path) -> stook::Result<()> {
    matrix.write_npz(target, Packing::Deflated, Durability::Flush)
}

fn show_recipe(data: &OneData, name: &OneName) -> stook::Result<Told> {
    let file = OneFile::npy(name.clone());
    let recipe = match data.load(&file)? {
        Data::Objects(objects) => LoadingRecipe::of_objects(&objects)?,
        _ => None,
    };
    let recipe = recipe.ok_or_else(|| {
        Error::invalid("expected a recipe, found something else").at_file(data.path_of(&file))
    })?;
    Ok(told_recipe(&recipe))
}

fn told_recipe(recipe: &LoadingRecipe) -> Told {
    let json: Value = serde_json::from_str(&recipe.to_json()).unwrap_or_default();
    let rows = [
        ("loader", recipe.loader.clone()),
        ("source", recipe.source.clone().unwrap_or_else(|| "none".to_owned())),
        ("transforms", recipe.transforms.join(", ")),
        ("arguments", Value::Object(recipe.arguments.clone()).to_string()),
    ];
    let rows = rows.map(|(label, value)| vec![label.to_owned(), value]);
    Told::new(table(&rows), json)
}

fn save_recipe(
    data: &OneData,
    name: &OneName,
    recipe: &LoadingRecipe,
    beside: bool,
) -> stook::Result<Told> {
    data.save_recipe(name, recipe)?;
    if beside {
        data.save_recipe_json(name, recipe)?;
    }
    Ok(told_recipe(recipe))
}

/// Names and values: JSON, or text where they are none.
fn pairs(texts: &[String]) -> stook::Result<Map<String, Value>> {
    let pair = |text: &String| {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            Error::invalid(format!("expected NAME=VALUE, found `{}`", text.escape_debug()))
        })?;
        Ok((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
    };
    texts.iter().map(pair).collect()
}

fn verify(
    folders: &[std::path::PathBuf],
    (make, sweep): (bool, bool),
    is_json: bool,
) -> stook::Result<Told> {
    let (mut lines, mut all) = (Vec::new(), Vec::new());
    let (mut n_right, mut is_wrong) = (0, false);
    for data in sessions_in(folders)? {
        let swept = if sweep { data.sweep(LEFT_AFTER)? } else { Vec::new() };
        lines.extend(swept.iter().map(|name| format!("removed  {name}")));
        if make {
            data.sum_up()?;
        }
        let shown = data.path().display().to_string();
        let bar = progress::counted(is_json, "files");
        let found = data.verify(&|n_done, n| {
            bar.set_length(n);
            bar.set_position(n_done);
        });
        bar.finish_and_clear();
        let states = match found {
            Ok(states) => states,
            Err(error) if error.kind() == ErrorKind::NotFound => readable(&data)?,
            Err(error) => return Err(error),
        };
        for (name, state) in &states {
            n_right += u64::from(*state == FileState::Right);
            if *state != FileState::Right {
                lines.push(format!("{}  {shown}/{name}", state.as_str()));
                is_wrong |= *state != FileState::Unlisted;
            }
        }
        let states: Map<String, Value> =
            states.into_iter().map(|(name, state)| (name, state.as_str().into())).collect();
        all.push(json!({"folder": shown, "files": states, "removed": swept}));
    }
    lines.push(format!("{} as they should be", counted(n_right, "file")));
    Ok(Told::new(lines, all.into()).failing_if(is_wrong, Failure::Said))
}

/// Whether each file can be read: a folder without checksums says no more.
fn readable(data: &OneData) -> stook::Result<Vec<(String, FileState)>> {
    let state = |file: OneFile| {
        let is_right = data.load(&file).is_ok();
        (file.to_string(), if is_right { FileState::Right } else { FileState::Changed })
    };
    Ok(data.files()?.into_iter().map(state).collect())
}

/// The sessions that the folders are, or that the catalogues in them know.
fn sessions_in(folders: &[std::path::PathBuf]) -> stook::Result<Vec<OneData>> {
    let mut found = Vec::new();
    for folder in folders {
        match Catalogue::open(folder) {
            Ok(catalogue) => {
                for session in catalogue.sessions(&[])? {
                    found.push(catalogue.one_data(&session)?);
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => found.push(at(folder)?),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn index(root: &Path, hash: bool, is_json: bool) -> stook::Result<Told> {
    let catalogue = Catalogue::require(root)?;
    let bar = progress::counted(is_json, "sessions");
    let progress = |at: stook_onedata::catalogue::IndexProgress| {
        bar.set_length(at.n_sessions);
        bar.set_position(at.n_done);
    };
    let hashes = if hash { Hashes::Made } else { Hashes::Kept };
    let report = catalogue.index(&IndexOptions { hashes, progress: Some(&progress) });
    bar.finish_and_clear();
    let report = report?;
    let mut lines: Vec<String> =
        report.problems.iter().map(|(path, problem)| format!("wrong  {path}: {problem}")).collect();
    lines.push(format!(
        "{}: {}, {}; {} read, {} gone",
        catalogue.path().display(),
        counted(report.n_sessions, "session"),
        counted(report.n_datasets, "dataset"),
        report.n_read,
        counted(report.n_gone, "session"),
    ));
    let json = json!({
        "file": catalogue.path().display().to_string(), "n_sessions": report.n_sessions,
        "n_datasets": report.n_datasets, "n_read": report.n_read, "n_gone": report.n_gone,
        "problems": report.problems,
    });
    Ok(Told::new(lines, json))
}

/// Sessions that meet conditions; with datasets of a quality, where that is asked for.
fn query(
    root: &Path,
    conditions: &[String],
    quality: Option<QualityFilter>,
) -> stook::Result<Told> {
    let catalogue = Catalogue::open(root)?;
    let conditions = conditions.iter().map(|text| Condition::parse(text));
    let found = catalogue.sessions(&conditions.collect::<stook::Result<Vec<_>>>()?)?;
    let Some(quality) = quality else {
        let json = found.iter().map(SessionRecord::to_json).collect();
        return Ok(Told::new(session_table(&found), json));
    };
    let (mut lines, mut json) = (Vec::new(), Vec::new());
    for session in &found {
        let mut datasets = catalogue.datasets(session)?;
        datasets.retain(|data| quality.matches(data.quality));
        lines.push(session.path.clone());
        lines.extend(dataset_table(&datasets).iter().map(|line| format!("  {line}")));
        let mut one = session.to_json();
        if let Value::Object(members) = &mut one {
            let datasets = datasets.iter().map(DatasetRecord::to_json).collect();
            members.insert("datasets".to_owned(), datasets);
        }
        json.push(one);
    }
    Ok(Told::new(lines, json.into()))
}

fn session_table(sessions: &[SessionRecord]) -> Vec<String> {
    let row = |session: &SessionRecord| {
        let fields = session.fields.iter().map(|(name, value)| match value {
            Value::String(text) => format!("{name}={text}"),
            other => format!("{name}={other}"),
        });
        vec![
            session.path.clone(),
            counted(session.n_datasets, "dataset"),
            human_bytes(session.len_bytes),
            session.tags.join(", "),
            fields.collect::<Vec<_>>().join(", "),
        ]
    };
    table(&sessions.iter().map(row).collect::<Vec<_>>())
}

/// Says how good datasets of a session are.
fn judge(catalogue: &Catalogue, session: &str, told: &[String]) -> stook::Result<()> {
    for text in told {
        let (dataset, quality) = text.rsplit_once('=').ok_or_else(|| {
            Error::invalid(format!("expected DATASET=QUALITY, found `{}`", text.escape_debug()))
        })?;
        catalogue.set_quality(session, dataset, quality.parse()?)?;
    }
    Ok(())
}

fn tag(
    catalogue: &Catalogue,
    session: &str,
    (tags, remove): (&[String], &[String]),
    set: &Map<String, Value>,
) -> stook::Result<Told> {
    for tag in tags {
        catalogue.tag(session, tag)?;
    }
    for tag in remove {
        catalogue.untag(session, tag)?;
    }
    for (name, value) in set {
        catalogue.set_field(session, name, value)?;
    }
    let session = catalogue.session(session)?;
    Ok(Told::new(session_table(std::slice::from_ref(&session)), session.to_json()))
}

fn export(root: &Path, to: Option<&Path>) -> stook::Result<Told> {
    let catalogue = Catalogue::open(root)?;
    let done = export_tables(&catalogue, to.unwrap_or(catalogue.root()))?;
    let mut lines: Vec<String> =
        done.left_out.iter().map(|path| format!("left out  {path}")).collect();
    for (path, n, what) in
        [(&done.sessions, done.n_sessions, "session"), (&done.datasets, done.n_datasets, "dataset")]
    {
        lines.push(format!("{}: {}", path.display(), counted(n, what)));
    }
    let json = json!({
        "sessions": done.sessions.display().to_string(), "n_sessions": done.n_sessions,
        "datasets": done.datasets.display().to_string(), "n_datasets": done.n_datasets,
        "left_out": done.left_out,
    });
    Ok(Told::new(lines, json))
}

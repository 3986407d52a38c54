//! Conversion from any format to any other.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use stook::{
    Chain, ConvertOptions, Cut, DType, Error, InTheWay, Links, NodeLoss, NodePath, Pattern,
    Progress, Report, Rounding, Rule, Selection, Unfinished,
};

use crate::enter::{attach, enter, raise};
use crate::tree::{format_of, outside_of};

/// Copies a tree as the dict `options` says; returns what was done, by name.
#[pyfunction]
pub(crate) fn convert<'py>(
    py: Python<'py>,
    source: PathBuf,
    target: PathBuf,
    options: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyDict>> {
    let get = |name: &str| Ok::<_, PyErr>(options.get_item(name)?.filter(|value| !value.is_none()));
    let flag = |name: &str| get(name)?.map_or(Ok(false), |value| value.is_truthy());
    let format = match get("format")? {
        Some(name) => Some(format_of(py, &name.extract::<String>()?)?),
        None => None,
    };
    let node = get("node")?.map_or(Ok("/".to_owned()), |node| node.extract::<String>())?;
    let node = NodePath::parse(&node).map_err(|error| raise(py, &error))?;
    let callback = get("progress")?.map(Bound::unbind);
    let in_the_way = if flag("overwrite")? { InTheWay::Goes } else { InTheWay::Stays };
    let memory: Option<u64> = get("memory")?.map(|memory| memory.extract()).transpose()?;
    let outside = outside_of(get("outside")?.map(|folder| folder.extract()).transpose()?);
    let rules = Rules { options };
    let unfinished = if flag("resume")? { Unfinished::Resumes } else { Unfinished::Stays };
    let (leave_out, lossy) = (flag("leave_out")?, flag("lossy")?);
    let (consolidate, links) = (flag("consolidate")?, rules.links()?);
    let (include, exclude) = (rules.patterns("include")?, rules.patterns("exclude")?);
    let select = rules.get("select", Selection::parse)?;
    let chunks = rules.get("chunks", str::parse::<Cut>)?;
    let shards = rules.get("shards", str::parse::<Cut>)?;
    let codecs = rules.get("codecs", str::parse::<Chain>)?;
    let dtypes = rules.get("dtypes", str::parse::<DType>)?;
    let rounding = rules.get("rounding", str::parse::<Rounding>)?;
    let done = enter(py, || {
        let mut progress =
            |progress: &Progress| attach(|py| report(py, callback.as_ref(), progress));
        let mut settings = ConvertOptions {
            node,
            format,
            in_the_way,
            unfinished,
            leave_out,
            include,
            exclude,
            select,
            chunks,
            shards,
            codecs,
            dtypes,
            lossy,
            rounding,
            links,
            consolidate,
            outside,
            progress: Some(&mut progress),
            ..ConvertOptions::default()
        };
        settings.memory_len_bytes = memory.unwrap_or(settings.memory_len_bytes);
        stook::convert(&source, &target, &mut settings)
    })?;
    to_python(py, &done)
}

/// What a conversion did, by name.
fn to_python<'py>(py: Python<'py>, done: &Report) -> PyResult<Bound<'py, PyDict>> {
    let losses = |losses: &[NodeLoss]| -> Vec<(String, String, String)> {
        losses
            .iter()
            .map(|at| (at.node.to_string(), at.loss.what.clone(), at.loss.becomes.clone()))
            .collect()
    };
    let found = PyDict::new(py);
    found.set_item("n_groups", done.n_groups)?;
    found.set_item("n_arrays", done.n_arrays)?;
    found.set_item("n_attributes", done.n_attributes)?;
    found.set_item("n_links", done.n_links)?;
    found.set_item("len_bytes", done.len_bytes)?;
    found.set_item("resumed_len_bytes", done.resumed_len_bytes)?;
    found.set_item("losses", losses(&done.losses))?;
    found.set_item("left_out", losses(&done.left_out))?;
    found.set_item("notes", &done.notes)?;
    Ok(found)
}

/// Options that are lists of a pattern, or none, and a value.
struct Rules<'a, 'py> {
    options: &'a Bound<'py, PyDict>,
}

impl Rules<'_, '_> {
    fn get<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> stook::Result<T>,
    ) -> PyResult<Vec<Rule<T>>> {
        let Some(pairs) = self.options.get_item(name)? else { return Ok(Vec::new()) };
        let py = pairs.py();
        let rules = pairs.try_iter()?.map(|pair| {
            let (pattern, value): (Option<String>, String) = pair?.extract()?;
            let rule = parse(&value).and_then(|value| match pattern {
                Some(pattern) => Rule::of(&pattern, value),
                None => Ok(Rule::all(value)),
            });
            rule.map_err(|error| raise(py, &error.within(name)))
        });
        rules.collect()
    }

    fn patterns(&self, name: &str) -> PyResult<Vec<Pattern>> {
        let Some(texts) = self.options.get_item(name)? else { return Ok(Vec::new()) };
        let py = texts.py();
        let patterns = texts
            .try_iter()?
            .map(|text| text?.extract::<String>()?.parse().map_err(|error| raise(py, &error)));
        patterns.collect()
    }

    fn links(&self) -> PyResult<Links> {
        let py = self.options.py();
        let name = self.options.get_item("links")?;
        match name.map(|name| name.extract::<String>()).transpose()?.as_deref() {
            None | Some("keep") => Ok(Links::Keep),
            Some("follow") => Ok(Links::Follow),
            Some("skip") => Ok(Links::Skip),
            Some(other) => {
                let error = Error::invalid(format!("links: `{other}` is not known"));
                Err(raise(py, &error.with_hint("one of keep, follow, skip")))
            }
        }
    }
}

/// Lets Ctrl-C end the conversion, and tells the caller how far it is.
fn report(py: Python<'_>, callback: Option<&Py<PyAny>>, progress: &Progress) -> PyResult<()> {
    py.check_signals()?;
    if let Some(callback) = callback {
        let node = progress.node.as_str();
        callback.call1(py, (node, progress.done_len_bytes, progress.total_len_bytes))?;
    }
    Ok(())
}

//! `stook info`: all about a file or one of its nodes.

mod stats;

use serde_json::{Map, Value};
use stook::{Array, ErrorKind, File, Group, Link, Node, NodeKind, NodePath, Result, walk};

use crate::cli::InfoArgs;
use crate::describe;
use crate::error::Failure;
use crate::find;
use crate::output::{Output, counted, human_bytes, human_count};
use crate::selection;

pub(crate) fn run(args: &InfoArgs, out: &mut Output) -> Result<(), Failure> {
    let file = args.reach.open(&args.file)?.with_engine(args.means.engine());
    let mut elements = None;
    let about = match &args.node {
        None if args.stats => return stats::of_file(&file, args, out),
        None => of_file(&file)?,
        Some(node) => match find::node(&file, node)? {
            Node::Array(array) => {
                let mut about = of_array(&array)?;
                if args.stats {
                    let selection = selection::parse(&file, &args.selection)?.of_items()?;
                    let found = stats::of_array(&array, selection, args)?;
                    about.put("stats", stats::fields_json(&found));
                    elements = Some(found);
                }
                about
            }
            Node::Group(_) if args.stats => {
                Err(stook::Error::invalid("expected an array, found a group")
                    .at_node(&NodePath::parse(node)?)
                    .at_file(file.path())
                    .with_hint("leave out the node to see all arrays of the file"))?
            }
            Node::Group(group) => of_group(&group)?,
            other => {
                Err(stook::Error::unsupported("the node is of no known kind").at_node(other.path()))?
            }
        },
    };
    if args.json {
        out.json(&Value::Object(about.json))?;
    } else {
        out.fields(&about.fields)?;
    }
    match elements {
        Some(found) if !args.json => stats::write(&found, out),
        _ => Ok(()),
    }
}

/// The same in words and as JSON.
#[derive(Default)]
struct About {
    fields: Vec<(String, String)>,
    json: Map<String, Value>,
}

impl About {
    fn say(&mut self, label: &str, text: impl Into<String>) {
        self.fields.push((label.to_owned(), text.into()));
    }

    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.json.insert(name.to_owned(), value.into());
    }

    /// The attributes, a line each below a heading.
    fn attributes(&mut self, attributes: &stook::Attributes) -> Result<()> {
        self.put("attributes", describe::attributes_json(attributes)?);
        if attributes.is_empty() {
            return Ok(());
        }
        self.say("attributes", "");
        for (name, value) in attributes.iter() {
            self.say(&format!("  {}", describe::one_line(name)), describe::attribute_brief(value)?);
        }
        Ok(())
    }
}

fn exact_bytes(len: u64) -> String {
    if len < 1024 {
        human_bytes(len)
    } else {
        format!("{} ({} bytes)", human_bytes(len), human_count(len))
    }
}

fn of_file(file: &File) -> Result<About> {
    let mut about = About::default();
    // Behind a URL, each thousand keys would be a request.
    let is_remote = stook::is_url(&file.path().to_string_lossy());
    let on_disk = if is_remote { None } else { Some(stook::len_bytes(file.path())?) };
    let (mut n_groups, mut n_arrays, mut n_links, mut len_bytes) = (0_u64, 0_u64, 0_u64, 0_u64);
    walk(file, &NodePath::root(), &mut |visit| {
        if visit.child.link != Link::Hard {
            n_links += 1;
        } else if visit.seen_at.is_none() {
            match visit.child.kind {
                Some(NodeKind::Group) => n_groups += 1,
                Some(NodeKind::Array) => {
                    n_arrays += 1;
                    // One that cannot be opened is counted, its size is not known.
                    if let Ok(array) = file.array(visit.path.as_str()) {
                        len_bytes = len_bytes.saturating_add(array.spec().n_bytes());
                    }
                }
                _ => {}
            }
        }
        Ok(true)
    })?;
    about.say("file", file.path().to_string_lossy());
    about.say("format", file.format().to_string());
    if let Some(len) = on_disk {
        about.say("on disk", exact_bytes(len));
    }
    about.say("in memory", exact_bytes(len_bytes));
    about.say("holds", format!("{}, {}", counted(n_groups, "group"), counted(n_arrays, "array")));
    if n_links > 0 {
        about.say("links", human_count(n_links));
    }
    about.put("file", file.path().to_string_lossy());
    about.put("format", file.format().to_string());
    about.put("size_on_disk", on_disk);
    about.put("size", len_bytes);
    about.put("n_groups", n_groups);
    about.put("n_arrays", n_arrays);
    about.put("n_links", n_links);
    about.attributes(&file.root()?.attributes()?)?;
    Ok(about)
}

fn of_group(group: &Group) -> Result<About> {
    let mut about = About::default();
    let children = group.children()?;
    let count = |kind| children.iter().filter(|child| child.kind == Some(kind)).count() as u64;
    let (n_groups, n_arrays) = (count(NodeKind::Group), count(NodeKind::Array));
    about.say("node", group.path().to_string());
    about.say("kind", "group");
    about.say("holds", format!("{}, {}", counted(n_groups, "group"), counted(n_arrays, "array")));
    about.put("path", group.path().to_string());
    about.put("kind", "group");
    about.put("children", children.into_iter().map(|child| child.name).collect::<Vec<_>>());
    about.attributes(&group.attributes()?)?;
    Ok(about)
}

fn of_array(array: &Array) -> Result<About> {
    let mut about = About::default();
    let spec = array.spec();
    about.say("node", array.path().to_string());
    about.say("kind", "array");
    about.say("dtype", dtype_lines(&spec.dtype));
    about.say("shape", describe::shape(&spec));
    if let Some(dimensions) = describe::dimensions(&spec) {
        about.say("dimensions", dimensions);
    }
    if let Some(max_shape) = spec.max_shape.as_ref().filter(|max| {
        max.iter().ne(spec.shape().iter().map(|&n| Some(n)).collect::<Vec<_>>().iter())
    }) {
        let lengths: Vec<String> = max_shape
            .iter()
            .map(|len| len.map_or("any".to_owned(), |len| len.to_string()))
            .collect();
        about.say("may grow to", lengths.join(" × "));
    }
    layout(&mut about, &spec);
    if let Some(fill) = &spec.fill_value {
        about.say("fill value", stook::json::of_values(fill)?.to_string());
    }
    about.put("path", array.path().to_string());
    about.put("kind", "array");
    about.json.extend(describe::spec_json(&spec)?);
    sizes(&mut about, array)?;
    about.attributes(&array.attributes()?)?;
    Ok(about)
}

/// The dtype; of a struct, a line for each member.
fn dtype_lines(dtype: &stook::DType) -> String {
    match dtype {
        stook::DType::Struct(r#struct) => {
            let rows: Vec<Vec<String>> = r#struct
                .fields
                .iter()
                .map(|field| vec![field.name.clone(), field.dtype.to_string()])
                .collect();
            format!(
                "struct of {} bytes\n  {}",
                r#struct.size,
                crate::output::table(&rows).join("\n  ")
            )
        }
        other => other.to_string(),
    }
}

fn layout(about: &mut About, spec: &stook::ArraySpec) {
    if spec.contiguous {
        about.say("layout", "contiguous");
    } else {
        about.say("chunks", describe::grid(&spec.grid));
    }
    if let Some(shards) = &spec.shards {
        about.say("shards", describe::grid(shards));
    }
    let codecs = describe::codecs(spec);
    about.say("codecs", if codecs.is_empty() { "none".to_owned() } else { codecs.join(" + ") });
}

/// Sizes in memory and stored, as far as the format can tell.
fn sizes(about: &mut About, array: &Array) -> Result<()> {
    let spec = array.spec();
    let payload = if spec.dtype.has_heap() { ", without the payload of its items" } else { "" };
    about.say("in memory", format!("{}{payload}", exact_bytes(spec.n_bytes())));
    if let Some(stored) = told(array.source().len_stored_bytes())? {
        let ratio = spec.n_bytes() as f64 / stored as f64;
        let ratio = if stored == 0 || spec.dtype.has_heap() {
            String::new()
        } else {
            format!(", ratio {ratio:.1}")
        };
        about.say("stored", format!("{}{ratio}", exact_bytes(stored)));
        about.put("size_stored", stored);
    }
    if spec.contiguous {
        return Ok(());
    }
    if let Some(n) = told(array.source().n_stored())? {
        let of = spec
            .write_grid()
            .counts(spec.shape())
            .iter()
            .fold(1_u64, |n, &count| n.saturating_mul(count));
        let what = if spec.shards.is_some() { "shards stored" } else { "chunks stored" };
        about.say(what, format!("{} of {}", human_count(n), human_count(of)));
        about.put("n_stored", n);
        about.put("n_chunks", of);
    }
    Ok(())
}

/// `None` where the format cannot tell.
fn told(found: Result<u64>) -> Result<Option<u64>> {
    match found {
        Ok(n) => Ok(Some(n)),
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(None),
        Err(error) => Err(error),
    }
}

//! Conversion: a tree, or part of one, from any format to any other.

use std::path::Path;
use std::sync::Arc;

use stook_core::file::place::{InTheWay, PlaceKind, exists, kind_of};
use stook_core::{
    AttributeEdits, Attributes, Durability, Engine, Error, ErrorKind, Format, Limits, Link, Loss,
    NodeKind, NodePath, OpenOptions, Result,
};

use crate::array::Array;
use crate::copy;
use crate::file::{CreateOptions, Draft, File, Node, storage_for};
use crate::walk::{Visit, walk};

/// What is called while a conversion goes on.
pub type OnProgress<'a> = &'a mut dyn FnMut(&Progress) -> Result<()>;

/// How a conversion is done.
pub struct ConvertOptions<'a> {
    /// The node of the source that becomes the root of the target (default: the root).
    pub node: NodePath,
    /// The target's format; by its name where it is not said.
    pub format: Option<Format>,
    /// What happens to what is at the target. It goes only when the new file is whole.
    pub in_the_way: InTheWay,
    /// Whether nodes that the target cannot hold at all may be left out; if not, they are an
    /// error before the target is there.
    pub leave_out: bool,
    /// Bytes that the conversion may hold, about (default 256 MiB).
    pub memory_len_bytes: u64,
    /// How safely the target is put away.
    pub durability: Durability,
    /// What the source may ask for.
    pub limits: Limits,
    /// What moves the data; the engine of all files where it is not said.
    pub engine: Option<Arc<Engine>>,
    /// Called now and then; an error that it returns ends the conversion.
    pub progress: Option<OnProgress<'a>>,
}

impl Default for ConvertOptions<'_> {
    fn default() -> Self {
        Self {
            node: NodePath::root(),
            format: None,
            in_the_way: InTheWay::Stays,
            leave_out: false,
            memory_len_bytes: 256 << 20,
            durability: Durability::Flush,
            limits: Limits::default(),
            engine: None,
            progress: None,
        }
    }
}

/// How far a conversion is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The node at work.
    pub node: NodePath,
    /// Bytes of items copied.
    pub done_len_bytes: u64,
    /// Bytes of items in all.
    pub total_len_bytes: u64,
}

/// Something at a node that the target does not hold as the source does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeLoss {
    /// The node, in the source.
    pub node: NodePath,
    /// What, and what becomes of it.
    pub loss: Loss,
}

/// What a conversion did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Groups made.
    pub n_groups: u64,
    /// Arrays copied.
    pub n_arrays: u64,
    /// Attributes copied.
    pub n_attributes: u64,
    /// Bytes of items copied.
    pub len_bytes: u64,
    /// What the target does not hold as the source does.
    pub losses: Vec<NodeLoss>,
    /// Nodes that the target does not hold at all.
    pub left_out: Vec<NodeLoss>,
}

/// Copies `source` to `target`. The target is there whole or, after an error, not at all.
///
/// # Errors
/// `NotFound`, `AlreadyExists`, `Unsupported` for a node that the target cannot hold, `Corrupt`,
/// `ReadOnly`, `Io`.
pub fn convert(
    source: impl AsRef<Path>,
    target: impl AsRef<Path>,
    options: &mut ConvertOptions<'_>,
) -> Result<Report> {
    let target = target.as_ref();
    if options.in_the_way == InTheWay::Stays && kind_of(target)?.is_some() {
        return Err(exists(target).with_hint("choose another name, or allow it to be overwritten"));
    }
    expect_folder_of(target)?;
    let open = OpenOptions { limits: options.limits.clone(), ..OpenOptions::read() };
    let engine = options.engine.clone().unwrap_or_else(Engine::global);
    let source = File::open_with(source, &open)?.with_engine(Arc::clone(&engine));
    let storage = storage_for(target, options.format)?;
    let draft = Draft::new(target);
    let create = CreateOptions {
        format: options.format,
        limits: options.limits.clone(),
        ..CreateOptions::default()
    };
    let named = |error: Error| {
        if error.location().file.as_deref() == Some(&draft.path) {
            error.rename_file(target)
        } else {
            error
        }
    };
    let report = (|| {
        let file = File::make(&draft.path, storage, &create)?.with_engine(engine);
        let report = Conversion::new(&source, &file, options)?.run()?;
        if report.n_groups + report.n_arrays == 0 {
            return Err(
                Error::unsupported("the target can hold no node of the source").at_file(target)
            );
        }
        file.commit_with(options.durability)?;
        Ok(report)
    })()
    .map_err(named)?;
    draft.publish(target, options.in_the_way)?;
    Ok(report)
}

/// A mistyped folder must not come to be.
fn expect_folder_of(target: &Path) -> Result<()> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.map(kind_of).transpose()? {
        None | Some(Some(PlaceKind::Folder)) => Ok(()),
        Some(_) => {
            Err(Error::not_found("the folder that it shall be in does not exist").at_file(target))
        }
    }
}

/// A node of the source, as a first look found it.
struct Item {
    visit: Visit,
    to: NodePath,
    array: Option<Array>,
    /// Why the array, which is well, cannot be opened.
    unsupported: Option<Error>,
}

struct Conversion<'c, 'o> {
    source: &'c File,
    target: &'c File,
    options: &'c mut ConvertOptions<'o>,
    items: Vec<Item>,
    report: Report,
    progress: Progress,
}

impl<'c, 'o> Conversion<'c, 'o> {
    /// Looks at all nodes first, so that what cannot be held is said before anything is copied.
    fn new(
        source: &'c File,
        target: &'c File,
        options: &'c mut ConvertOptions<'o>,
    ) -> Result<Self> {
        let mut items = Vec::new();
        let mut progress = Progress::default();
        let start = options.node.clone();
        walk(source, &start, &mut |visit| {
            let is_array =
                visit.child.kind == Some(NodeKind::Array) && visit.child.link == Link::Hard;
            let is_read = is_array && visit.seen_at.is_none();
            let opened = is_read.then(|| source.node_at(visit.path.clone())).transpose();
            let (array, unsupported) = match opened {
                Ok(Some(Node::Array(array))) => (Some(array), None),
                Ok(_) => (None, None),
                Err(error) if error.kind() == ErrorKind::Unsupported => (None, Some(error)),
                Err(error) => return Err(error),
            };
            let len = array.as_ref().map_or(0, |array| array.spec().n_bytes());
            progress.total_len_bytes = progress.total_len_bytes.saturating_add(len);
            let to = relative(&visit.path, &start)?;
            items.push(Item { visit: visit.clone(), to, array, unsupported });
            Ok(true)
        })?;
        Ok(Self { source, target, options, items, report: Report::default(), progress })
    }

    fn run(mut self) -> Result<Report> {
        for mut item in std::mem::take(&mut self.items) {
            self.progress.node = item.visit.path.clone();
            self.tick(0)?;
            let done = item.unsupported.take().map_or_else(|| self.node(&item), Err);
            match done {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Unsupported && self.options.leave_out => {
                    self.leave_out(&item, error.message());
                }
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    return Err(error.with_hint(
                        "choose another format, or leave such nodes out (`--leave-out`, `leave_out=True`)",
                    ));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.report)
    }

    fn leave_out(&mut self, item: &Item, why: &str) {
        let loss = Loss::new("node", format!("left out: {why}"));
        self.report.left_out.push(NodeLoss { node: item.visit.path.clone(), loss });
    }

    fn tick(&mut self, len_bytes: u64) -> Result<()> {
        self.progress.done_len_bytes = self.progress.done_len_bytes.saturating_add(len_bytes);
        match &mut self.options.progress {
            Some(progress) => progress(&self.progress),
            None => Ok(()),
        }
    }

    fn lose(&mut self, node: &NodePath, losses: Vec<Loss>) {
        self.report
            .losses
            .extend(losses.into_iter().map(|loss| NodeLoss { node: node.clone(), loss }));
    }

    fn node(&mut self, item: &Item) -> Result<()> {
        let visit = &item.visit;
        if let (Link::Hard, Some(seen)) = (&visit.child.link, &visit.seen_at) {
            let target = relative(seen, &self.options.node)?.to_string();
            return self.link(item, &Link::Soft(target));
        }
        match (&visit.child.link, visit.child.kind, &item.array) {
            (Link::Hard, Some(NodeKind::Group), _) => self.group(item),
            (Link::Hard, _, Some(array)) => self.array(item, array),
            (Link::Hard, Some(NodeKind::NamedType), _) => {
                // It holds no data, and the arrays of the type are copied with it.
                self.lose(&visit.path, vec![Loss::new("named type", "nothing")]);
                Ok(())
            }
            (Link::Hard, _, _) => {
                Err(Error::unsupported("the node is neither a group nor an array")
                    .at_node(&visit.path))
            }
            (link, _, _) => match self.retarget(link) {
                Some(link) => self.link(item, &link),
                None => {
                    self.lose_link(item, link);
                    Ok(())
                }
            },
        }
    }

    fn link(&mut self, item: &Item, link: &Link) -> Result<()> {
        let container = self.target.container();
        match container.create_link(&item.to, link) {
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                // The data it leads to is copied where it lies, or lies in another file.
                self.lose_link(item, link);
                Ok(())
            }
            other => other,
        }
    }

    fn lose_link(&mut self, item: &Item, link: &Link) {
        let what = match link {
            Link::Soft(target) => format!("link to {target}"),
            Link::External { file, target } => format!("link to {target} in {file}"),
            _ => "link".to_owned(),
        };
        self.lose(&item.visit.path, vec![Loss::new(what, "nothing")]);
    }

    /// Where a link of the source leads in the target; `None` where it leads out of the part
    /// that is converted.
    fn retarget(&self, link: &Link) -> Option<Link> {
        let start = &self.options.node;
        match link {
            Link::Soft(target) if target.starts_with('/') && !start.is_root() => {
                let target = NodePath::parse(target).ok().filter(|path| path.starts_with(start))?;
                relative(&target, start).ok().map(|path| Link::Soft(path.to_string()))
            }
            other => Some(other.clone()),
        }
    }

    fn group(&mut self, item: &Item) -> Result<()> {
        let container = self.target.container();
        let has_root = item.to.is_root() && container.kind(&item.to)?.is_some();
        if !has_root {
            container.create_group(&item.to)?;
        }
        self.report.n_groups += 1;
        let attributes = self.source.container().attributes(&item.visit.path)?;
        self.attributes(item, &item.to, attributes)
    }

    fn array(&mut self, item: &Item, array: &Array) -> Result<()> {
        let path = &item.visit.path;
        let container = self.target.container();
        let named = |error: Error| error.at_node(path).at_file(array.file().path());
        let adapted = container.adapt_array(&array.spec()).map_err(named)?;
        let mut to = item.to.clone();
        let mut losses = adapted.losses;
        if to.is_root() && container.kind(&to)?.is_some() {
            // Some formats have a group for their root, always.
            to = NodePath::parse("data")?;
            losses.push(Loss::new("an array as the root", "`/data`"));
        }
        let source = container.create_array(&to, &adapted.value).map_err(|e| e.at_node(path))?;
        let made = Array::new(self.target.clone(), to.clone(), source);
        let budget = self.options.memory_len_bytes;
        let copied = copy::elements(array, &made, budget, &mut |len| self.tick(len));
        if let Err(error) = copied {
            if error.kind() == ErrorKind::Unsupported {
                container.remove(&to)?;
            }
            return Err(error);
        }
        self.report.n_arrays += 1;
        self.report.len_bytes = self.report.len_bytes.saturating_add(array.spec().n_bytes());
        self.lose(path, losses);
        let attributes = array.attributes()?;
        self.attributes(item, &to, attributes)
    }

    fn attributes(&mut self, item: &Item, to: &NodePath, attributes: Attributes) -> Result<()> {
        if attributes.is_empty() {
            return Ok(());
        }
        let container = self.target.container();
        let mut edits = AttributeEdits::new();
        let mut losses = Vec::new();
        for (name, value) in attributes {
            match container.adapt_attribute(&name, &value) {
                Ok(adapted) => {
                    losses.extend(adapted.losses);
                    edits = edits.set(name, adapted.value);
                }
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    losses.push(Loss::new(
                        format!("attribute {name}"),
                        format!("nothing: {}", error.message()),
                    ));
                }
                Err(error) => return Err(error.at_node(&item.visit.path)),
            }
        }
        self.report.n_attributes += edits.changes.len() as u64;
        self.lose(&item.visit.path, losses);
        match container.edit_attributes(to, &edits) {
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                self.report.n_attributes -= edits.changes.len() as u64;
                let lost = edits
                    .changes
                    .iter()
                    .map(|(name, _)| Loss::new(format!("attribute {name}"), "nothing"));
                self.lose(&item.visit.path, lost.collect());
                Ok(())
            }
            other => other,
        }
    }
}

/// The path of `node` as seen from `start`.
fn relative(node: &NodePath, start: &NodePath) -> Result<NodePath> {
    if start.is_root() {
        return Ok(node.clone());
    }
    NodePath::parse(node.as_str().strip_prefix(start.as_str()).unwrap_or(node.as_str()))
}

//! A first look at the source: what goes where, before anything is copied.

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

use stook_core::file::place::canonical;
use stook_core::{
    Child, Error, ErrorKind, Format, Link, Loss, NodeKind, NodePath, OpenOptions, Outside, Result,
};

use super::{ConvertOptions, Links, NodeLoss};
use crate::array::Array;
use crate::file::{File, Node};

const CIRCLE: &str = "nothing: it leads in a circle";
/// Links followed on the way to one node; more lead in a circle.
const MOST_FOLLOWED: usize = 16;
/// Documents of Zarr, whose names no node can have.
const RESERVED: [&str; 5] = ["zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata"];

/// A node of the source and where it goes.
#[derive(Debug)]
pub(super) struct Item {
    /// The file it is in: the source, or one that a link leads to.
    pub(super) file: File,
    /// Where it is there.
    pub(super) from: NodePath,
    /// Where it goes.
    pub(super) to: NodePath,
    pub(super) what: What,
}

/// What is made of a node.
#[derive(Debug)]
pub(super) enum What {
    Group,
    Array(Box<Array>),
    /// One that cannot be opened though it is well.
    Unsupported(Error),
    Link(Link),
    /// A further name of what goes there.
    Same(NodePath),
    NamedType,
    Other,
}

/// All nodes, groups before what is in them.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) items: Vec<Item>,
    pub(super) losses: Vec<NodeLoss>,
}

/// A name that is still to be looked at.
struct Ahead {
    file: File,
    from: NodePath,
    to: NodePath,
    child: Child,
    n_followed: usize,
}

/// A group whose names come next.
struct Inside {
    file: File,
    from: NodePath,
    n_followed: usize,
}

struct Look<'l, 'o> {
    options: &'l ConvertOptions<'o>,
    format: Format,
    source: &'l File,
    plan: Plan,
    /// What is lost, by where it would go.
    lost: Vec<(NodePath, NodeLoss)>,
    /// Where nodes with several names were met first, by file and identity.
    seen: HashMap<(PathBuf, u64), NodePath>,
    others: HashMap<PathBuf, File>,
}

/// Looks at all of `source` that the options take; it goes to a file of `format`.
///
/// # Errors
/// `NotFound`, `Corrupt`, `InvalidInput` for a pattern that nothing matches, `Io`.
pub(super) fn look(source: &File, options: &ConvertOptions<'_>, format: Format) -> Result<Plan> {
    let mut look = Look {
        options,
        format,
        source,
        plan: Plan::default(),
        lost: Vec::new(),
        seen: HashMap::new(),
        others: HashMap::new(),
    };
    look.all()?;
    look.prune()
}

impl Look<'_, '_> {
    fn all(&mut self) -> Result<()> {
        let start = self.options.node.clone();
        let Some(kind) = self.source.container().kind(&start)? else {
            let error = Error::not_found("there is no such node");
            return Err(error.at_node(&start).at_file(self.source.path()));
        };
        let name = start.name().to_owned();
        let child =
            Child { name, kind: Some(kind), link: Link::Hard, identity: None, created: None };
        let (file, to) = (self.source.clone(), NodePath::root());
        self.walk(Ahead { file, from: start, to, child, n_followed: 0 })
    }

    /// Notes a node and all that is in it.
    fn walk(&mut self, first: Ahead) -> Result<()> {
        // A stack, not recursion: depth comes from the file.
        let mut ahead = vec![first];
        while let Some(next) = ahead.pop() {
            // Links that are followed may multiply what there is.
            let most = self.options.limits.n_nodes;
            if (self.plan.items.len() + self.lost.len()) as u64 >= most {
                let error = Error::limit(format!("expected at most {most} nodes, found more"));
                return Err(error.at_file(self.source.path()));
            }
            if let Some(group) = self.one(&next)? {
                ahead.extend(self.children(&group, &next.to)?.into_iter().rev());
            }
        }
        Ok(())
    }

    /// Notes one node, and says of which group what is in it comes next.
    fn one(&mut self, next: &Ahead) -> Result<Option<Inside>> {
        if self.options.exclude.iter().any(|pattern| pattern.matches(&next.to)) {
            return Ok(None);
        }
        match &next.child.link {
            Link::Hard => self.hard(next.file.clone(), next.from.clone(), next),
            link => match self.options.links {
                Links::Skip => {
                    self.lose(next, link, "left out");
                    Ok(None)
                }
                Links::Keep => {
                    match self.retarget(link) {
                        Some(link) => self.push(next, next.from.clone(), What::Link(link)),
                        None => self.lose(next, link, "nothing"),
                    }
                    Ok(None)
                }
                Links::Follow => self.follow(next, link),
            },
        }
    }

    /// Notes the node at `from` of `file`, under the name of `next`.
    fn hard(&mut self, file: File, from: NodePath, next: &Ahead) -> Result<Option<Inside>> {
        let kind = match next.child.link {
            Link::Hard => next.child.kind,
            _ => file.container().kind(&from)?,
        };
        let mut n_followed = next.n_followed;
        if let (Link::Hard, Some(identity)) = (&next.child.link, next.child.identity) {
            let key = (file.path().to_path_buf(), identity);
            match self.seen.get(&key).cloned() {
                None => drop(self.seen.insert(key, next.to.clone())),
                // A further name, copied where the target has one name for each node.
                Some(first) if self.options.links == Links::Follow && !self.has_names() => {
                    if next.to.starts_with(&first) || n_followed >= MOST_FOLLOWED {
                        self.lose(next, &Link::Soft(first.to_string()), CIRCLE);
                        return Ok(None);
                    }
                    n_followed += 1;
                }
                Some(first) => {
                    self.push(next, from, What::Same(first));
                    return Ok(None);
                }
            }
        }
        let what = match kind {
            Some(NodeKind::Group) => What::Group,
            Some(NodeKind::NamedType) => What::NamedType,
            Some(NodeKind::Array) => match file.node_at(from.clone()) {
                Ok(Node::Array(array)) => What::Array(Box::new(array)),
                Ok(_) => What::Other,
                Err(error) if error.kind() == ErrorKind::Unsupported => What::Unsupported(error),
                Err(error) => return Err(error),
            },
            _ => What::Other,
        };
        let is_group = matches!(what, What::Group);
        self.plan.items.push(Item {
            file: file.clone(),
            from: from.clone(),
            to: next.to.clone(),
            what,
        });
        Ok(is_group.then_some(Inside { file, from, n_followed }))
    }

    /// Whether a node of the target may have several names.
    fn has_names(&self) -> bool {
        self.format == Format::Hdf5
    }

    fn push(&mut self, next: &Ahead, from: NodePath, what: What) {
        self.plan.items.push(Item { file: next.file.clone(), from, to: next.to.clone(), what });
    }

    fn children(&self, group: &Inside, to: &NodePath) -> Result<Vec<Ahead>> {
        let Inside { file, from, n_followed } = group;
        let children = file.container().children(from)?;
        let names: HashSet<String> = children.iter().map(|child| child.name.clone()).collect();
        let mut below = Vec::with_capacity(children.len());
        for child in children {
            let name = self.name(&child.name, &names);
            // A name that is no path segment (an HDF5 link called `.`) cannot be reached.
            let (Ok(from), Ok(to)) = (from.join(&child.name), to.join(&name)) else { continue };
            below.push(Ahead { file: file.clone(), from, to, child, n_followed: *n_followed });
        }
        Ok(below)
    }

    /// `name`, or where the target has another use for it, one like it that no sibling has.
    fn name(&self, name: &str, siblings: &HashSet<String>) -> String {
        let is_zarr = matches!(self.format, Format::ZarrV2 | Format::ZarrV3);
        let mut name = name.to_owned();
        if is_zarr && RESERVED.contains(&name.as_str()) {
            while siblings.contains(&name) || RESERVED.contains(&name.as_str()) {
                name.push('_');
            }
        }
        name
    }

    /// Where a link of the source leads in the target; `None` where it leads out of the part
    /// that is converted.
    fn retarget(&self, link: &Link) -> Option<Link> {
        let start = &self.options.node;
        match link {
            Link::Soft(target) if target.starts_with('/') && !start.is_root() => {
                let target = NodePath::parse(target).ok().filter(|path| path.starts_with(start))?;
                let below = target.as_str().strip_prefix(start.as_str()).unwrap_or("");
                NodePath::parse(below).ok().map(|path| Link::Soft(path.to_string()))
            }
            other => Some(other.clone()),
        }
    }

    fn follow(&mut self, next: &Ahead, link: &Link) -> Result<Option<Inside>> {
        let Some((file, target)) = self.resolve(next, link)? else {
            self.lose(next, link, "nothing: it leads to nothing that is there");
            return Ok(None);
        };
        let is_above = file.path() == next.file.path() && next.from.starts_with(&target);
        if is_above || next.n_followed >= MOST_FOLLOWED {
            self.lose(next, link, CIRCLE);
            return Ok(None);
        }
        let inside = self.hard(file, target, next)?;
        Ok(inside.map(|inside| Inside { n_followed: next.n_followed + 1, ..inside }))
    }

    /// The file and node that a link leads to.
    fn resolve(&mut self, next: &Ahead, link: &Link) -> Result<Option<(File, NodePath)>> {
        let (file, target) = match link {
            Link::Soft(target) => (Some(next.file.clone()), target),
            Link::External { file, target } => (self.other(&next.file, file)?, target),
            _ => return Ok(None),
        };
        let Some(file) = file else { return Ok(None) };
        let above = match link {
            Link::Soft(target) if !target.starts_with('/') => next.from.parent(),
            _ => None,
        };
        let path = format!("{}/{target}", above.unwrap_or_default().as_str().trim_end_matches('/'));
        let Ok(path) = NodePath::parse(&path) else { return Ok(None) };
        let is_there = file.container().kind(&path)?.is_some();
        Ok(is_there.then_some((file, path)))
    }

    /// The file that an external link names: beside the one with the link or below it, where no
    /// link of the file system leads out of there either, or where the options allow others.
    fn other(&mut self, from: &File, name: &str) -> Result<Option<File>> {
        let is_below = Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        let folder = from.path().parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let path = folder.join(name);
        let root = match &self.options.outside {
            _ if name.is_empty() => return Ok(None),
            Outside::Refused if !is_below => return Ok(None),
            Outside::Refused => canonical(folder)?,
            Outside::Below(root) => canonical(root)?,
            Outside::Followed => Some(PathBuf::new()),
        };
        match (canonical(&path)?, root) {
            (Some(found), Some(root)) if found.starts_with(&root) => {}
            _ => return Ok(None),
        }
        if let Some(file) = self.others.get(&path) {
            return Ok(Some(file.clone()));
        }
        let (limits, outside) = (self.options.limits.clone(), self.options.outside.clone());
        let options = OpenOptions { limits, outside, ..OpenOptions::read() };
        let file = match File::open_with(&path, &options) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        self.others.insert(path, file.clone());
        Ok(Some(file))
    }

    fn lose(&mut self, at: &Ahead, link: &Link, becomes: &str) {
        let loss = Loss::new(text_of(link), becomes);
        self.lost.push((at.to.clone(), NodeLoss { node: at.from.clone(), loss }));
    }

    /// Leaves out what was not asked for.
    fn prune(mut self) -> Result<Plan> {
        let options = self.options;
        for pattern in options.include.iter().chain(&options.exclude) {
            let matches = |item: &Item| pattern.matches(&item.to);
            let is_excluding = options.exclude.contains(pattern);
            if !is_excluding && !self.plan.items.iter().any(matches) {
                let error = Error::not_found(format!("no node matches `{pattern}`"));
                return Err(error.at_file(self.source.path()));
            }
        }
        if options.include.is_empty() {
            return Ok(self.done());
        }
        let mut kept: HashSet<NodePath> = HashSet::from([NodePath::root()]);
        let is_included = |path: &NodePath| options.include.iter().any(|p| p.matches_above(path));
        for item in &self.plan.items {
            if is_included(&item.to) {
                kept.extend(std::iter::successors(Some(item.to.clone()), NodePath::parent));
            }
        }
        self.lost.retain(|(to, _)| is_included(to));
        self.plan.items.retain(|item| kept.contains(&item.to));
        self.find_again(&kept)?;
        Ok(self.done())
    }

    /// Looks once more at nodes whose first name is not kept: another becomes the first.
    fn find_again(&mut self, kept: &HashSet<NodePath>) -> Result<()> {
        let gone = self.seen.iter().filter(|(_, first)| !kept.contains(first));
        let gone: HashMap<NodePath, u64> =
            gone.map(|((_, identity), first)| (first.clone(), *identity)).collect();
        self.seen.retain(|_, first| kept.contains(first));
        for item in std::mem::take(&mut self.plan.items) {
            let identity = match &item.what {
                What::Same(first) => gone.get(first).copied(),
                _ => None,
            };
            if identity.is_none() {
                self.plan.items.push(item);
                continue;
            }
            let Item { file, from, to, .. } = item;
            let (name, kind) = (from.name().to_owned(), file.container().kind(&from)?);
            let child = Child { name, kind, link: Link::Hard, identity, created: None };
            self.walk(Ahead { file, from, to, child, n_followed: 0 })?;
        }
        Ok(())
    }

    fn done(mut self) -> Plan {
        self.plan.losses.extend(self.lost.into_iter().map(|(_, loss)| loss));
        self.plan
    }
}

/// A link in words.
pub(super) fn text_of(link: &Link) -> String {
    match link {
        Link::Soft(target) => format!("link to {target}"),
        Link::External { file, target } => format!("link to {target} in {file}"),
        _ => "link".to_owned(),
    }
}

//! Conversion: a tree, or part of one, from any format to any other.
//!
//! What goes where is found out first ([`plan`]), then each array is given its layout in the
//! target ([`shape`]) and copied by [`crate::copy`]. All is made in a draft beside the target,
//! with a journal of it ([`session`]): the target is there whole or not at all, and work that a
//! crash ended can go on.

mod chain;
mod options;
mod pattern;
mod plan;
mod session;
mod shape;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stook_core::file::place::{InTheWay, PlaceKind, canonical, exists, kind_of, publish, remove};
use stook_core::file::{LocalFile, resolve, sync_dir};
use stook_core::{
    AttributeEdits, Attributes, Container, Durability, Engine, EngineConfig, Error, ErrorKind,
    Format, Link, Loss, NodeKind, NodePath, OpenOptions, Result,
};

use crate::array::Array;
pub use crate::copy::Rounding;
use crate::copy::{Need, Ranges, Target, Watch, Way, copy};
use crate::file::{CreateOptions, File, storage_for};
use crate::format::{self, Storage, consolidate, storage_of};
use crate::remote;
pub use chain::{Chain, ChainLink};
pub use options::{ConvertOptions, Cut, Links, Unfinished};
pub use pattern::{Pattern, Rule};
use plan::{Item, Plan, What, text_of};
use session::{Session, WORTH_A_RECORD};
use shape::Shaper;

/// What is called while a conversion goes on.
pub type OnProgress<'a> = &'a mut dyn FnMut(&Progress) -> Result<()>;

/// How long what was written to an HDF5 file may be with the library only.
const FLUSH_EVERY: Duration = Duration::from_secs(2);

/// How far a conversion is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The node at work.
    pub node: NodePath,
    /// Bytes of items copied, or found to be there already.
    pub done_len_bytes: u64,
    /// Bytes of items in all.
    pub total_len_bytes: u64,
    /// Bytes of items among them that an earlier attempt had copied.
    pub resumed_len_bytes: u64,
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
    /// Links and further names made.
    pub n_links: u64,
    /// Bytes of items copied.
    pub len_bytes: u64,
    /// Bytes of items among them that an earlier attempt had copied.
    pub resumed_len_bytes: u64,
    /// What the target does not hold as the source does.
    pub losses: Vec<NodeLoss>,
    /// Nodes that the target does not hold at all.
    pub left_out: Vec<NodeLoss>,
    /// What became of an earlier attempt.
    pub notes: Vec<String>,
}

/// What a file took before and after it was rewritten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repacked {
    /// What was copied.
    pub report: Report,
    /// Bytes on disk before.
    pub before_len_bytes: u64,
    /// Bytes on disk after.
    pub after_len_bytes: u64,
}

/// Copies `source` to `target`. The target is there whole or, after an error, not at all; after a
/// crash, or an error of a conversion that was to be resumed, what is done lies in a folder beside
/// it, for [`Unfinished::Resumes`] to go on with.
///
/// # Errors
/// `NotFound`, `AlreadyExists` for what is in the way or an unfinished conversion, `InvalidInput`
/// for options that do not fit the source or a number that would change, `Unsupported` for a node
/// that the target cannot hold or a loss that is not allowed, `LimitExceeded` if a chunk needs
/// more memory than there is to use, `Corrupt`, `ReadOnly`, `Locked`, `Io`.
pub fn convert(
    source: impl AsRef<Path>,
    target: impl AsRef<Path>,
    options: &mut ConvertOptions<'_>,
) -> Result<Report> {
    let (source, target) = (source.as_ref(), target.as_ref());
    remote::expect_path(source)?;
    remote::expect_path(target)?;
    if options.in_the_way == InTheWay::Stays && kind_of(target)?.is_some() {
        return Err(exists(target).with_hint("choose another name, or allow it to be overwritten"));
    }
    expect_folder_of(source, target)?;
    expect_replaceable(source, target)?;
    let storage = storage_for(target, options.format)?;
    convert_as(source, target, storage, options)
}

/// Writes the file at `path` anew, as `options` say, and puts the new one in its place when it is
/// whole: without the room that removed nodes have left, with other chunks and codecs, the
/// metadata of a Zarr hierarchy consolidated. `format`, `in_the_way` and `consolidate` of the
/// options do not count.
///
/// # Errors
/// As [`convert`]; `InvalidInput` also if the file has been changed meanwhile, `Unsupported` for an
/// HDF5 file behind a user block.
pub fn repack(path: impl AsRef<Path>, options: &mut ConvertOptions<'_>) -> Result<Repacked> {
    format::expect_replaceable(path.as_ref())?;
    let path = resolve(path.as_ref());
    let storage = storage_of(&path)?;
    if user_block_len(&path, storage)? > 0 {
        let message = "the file begins with a user block, which would be lost";
        let hint = "`stook convert` makes a new file without it";
        return Err(Error::unsupported(message).at_file(&path).with_hint(hint));
    }
    options.format = Some(File::open(&path)?.format());
    options.in_the_way = InTheWay::Goes;
    options.consolidate = matches!(storage, Storage::ZarrFolder | Storage::ZarrZip);
    let before_len_bytes = stook_core::file::place::len_bytes(&path)?;
    let report = convert_as(&path, &path, storage, options)?;
    let after_len_bytes = stook_core::file::place::len_bytes(&path)?;
    Ok(Repacked { report, before_len_bytes, after_len_bytes })
}

fn convert_as(
    source: &Path,
    target: &Path,
    storage: Storage,
    options: &mut ConvertOptions<'_>,
) -> Result<Report> {
    let (limits, outside) = (options.limits.clone(), options.outside.clone());
    let open = OpenOptions { limits, outside, ..OpenOptions::read() };
    let from = File::open_with(source, &open)?;
    let session = Session::begin(source, target, storage, options)?;
    let draft = session.draft();
    let made = make(&from, &draft, storage, options, &session).and_then(|report| {
        session.check_source(source, target)?;
        if options.durability == Durability::Fsync {
            session.sync()?;
        }
        publish(&draft, target, options.in_the_way)?;
        if options.durability == Durability::Fsync {
            sync_dir(folder_of(target))?;
        }
        Ok(report)
    });
    match made {
        Ok(report) => {
            drop(from);
            session.end()?;
            Ok(report)
        }
        Err(error) => {
            let error = match error.location().file.as_deref() == Some(&draft) {
                true => error.rename_file(target),
                false => error,
            };
            Err(session.fail(error))
        }
    }
}

/// Makes the draft.
fn make(
    from: &File,
    draft: &Path,
    storage: Storage,
    options: &mut ConvertOptions<'_>,
    session: &Session,
) -> Result<Report> {
    let create = CreateOptions {
        format: options.format,
        limits: options.limits.clone(),
        readers: options.readers,
        ..CreateOptions::default()
    };
    let to = match open_begun(draft, options, session)? {
        Some(begun) => begun,
        None => File::make(draft, storage, &create)?,
    };
    let plan = plan::look(from, options, to.format())?;
    let durability = options.durability;
    let is_consolidated = options.consolidate;
    let mut report = Conversion::new(&to, plan, options, session)?.run()?;
    let before = user_block_len(from.path(), storage_of(from.path())?)?;
    if before > 0 && to.format() == Format::Hdf5 {
        let loss = Loss::new(format!("user block of {before} bytes"), "nothing");
        report.losses.push(NodeLoss { node: NodePath::root(), loss });
    }
    if report.n_groups + report.n_arrays == 0 {
        return Err(Error::unsupported("the target can hold no node of the source").at_file(draft));
    }
    to.commit_with(durability)?;
    if is_consolidated {
        drop(to);
        consolidate(draft, storage, durability)?;
    }
    Ok(report)
}

/// The draft that an earlier attempt began, if it has a root already.
fn open_begun(
    draft: &Path,
    options: &ConvertOptions<'_>,
    session: &Session,
) -> Result<Option<File>> {
    if !session.is_begun()? {
        return Ok(None);
    }
    let open = OpenOptions { limits: options.limits.clone(), ..OpenOptions::read_write() };
    match File::open_with(draft, &open) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) => {
            remove(draft).map(|()| None)
        }
        other => other.map(Some),
    }
}

/// A mistyped folder must not come to be, nor the target within the source.
fn expect_folder_of(source: &Path, target: &Path) -> Result<()> {
    let folder = folder_of(target);
    if kind_of(folder)? != Some(PlaceKind::Folder) {
        return Err(
            Error::not_found("the folder that it shall be in does not exist").at_file(target)
        );
    }
    let (Ok(source), Ok(folder)) = (std::path::absolute(source), std::path::absolute(folder))
    else {
        return Ok(());
    };
    if folder.starts_with(&source) {
        return Err(Error::invalid("the target lies within the source").at_file(target));
    }
    Ok(())
}

/// Of folders, only a hierarchy is replaced, and none that holds the source: what else lies in
/// a folder of that name would go with it.
fn expect_replaceable(source: &Path, target: &Path) -> Result<()> {
    if kind_of(target)? == Some(PlaceKind::Folder)
        && let (Some(source), Some(folder)) = (canonical(source)?, canonical(target)?)
        && source != folder
        && source.starts_with(&folder)
    {
        return Err(Error::invalid("the source lies within the target").at_file(target));
    }
    format::expect_replaceable(target)
}

/// How much there is in an HDF5 file before what HDF5 knows of (MATLAB says there what it is).
fn user_block_len(path: &Path, storage: Storage) -> Result<u64> {
    if storage != Storage::Hdf5 {
        return Ok(0);
    }
    let file = LocalFile::open(path)?;
    Ok(stook_hdf5::user_block_len(&file)?.unwrap_or(0))
}

/// The folder that `path` is in.
fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

struct Conversion<'c, 'o> {
    target: &'c File,
    plan: Plan,
    options: &'c mut ConvertOptions<'o>,
    session: &'c Session,
    report: Report,
    progress: Progress,
    flushed: Instant,
}

impl<'c, 'o> Conversion<'c, 'o> {
    fn new(
        target: &'c File,
        plan: Plan,
        options: &'c mut ConvertOptions<'o>,
        session: &'c Session,
    ) -> Result<Self> {
        let report = Report {
            losses: plan.losses.clone(),
            notes: session.notes.clone(),
            ..Report::default()
        };
        let n_arrays = plan.items.iter().filter(|item| matches!(item.what, What::Array(_))).count();
        if n_arrays != 1 && Shaper::selects_one(options) {
            let message = format!("the selection is of one array, and there are {n_arrays}");
            return Err(Error::invalid(message)
                .with_hint("name it: `NODE=SELECTION`, or convert it alone with `--node`"));
        }
        let (progress, flushed) = (Progress::default(), Instant::now());
        Ok(Self { target, plan, options, session, report, progress, flushed })
    }

    fn run(mut self) -> Result<Report> {
        let shaped = self.shape_all()?;
        let items = std::mem::take(&mut self.plan.items);
        for (mut item, shaped) in items.into_iter().zip(shaped) {
            self.progress.node = item.from.clone();
            self.tick(0)?;
            let what = std::mem::replace(&mut item.what, What::Other);
            let done = match (what, shaped) {
                (What::Unsupported(error), _) => Err(error),
                (_, Some(Err(error))) => Err(error),
                (What::Array(array), Some(Ok(shaped))) => self.array(&item, &array, shaped),
                (what, _) => self.node(&item, what),
            };
            match done {
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    self.leave_out(&item, error)?
                }
                other => other?,
            }
        }
        self.report.resumed_len_bytes = self.progress.resumed_len_bytes;
        Ok(self.report)
    }

    /// Gives every array its layout, so that what does not fit is said before anything is copied.
    fn shape_all(&mut self) -> Result<Vec<Option<Result<shape::Shaped>>>> {
        let options = &*self.options;
        let mut shaper = Shaper::new(options, self.target.format());
        let mut all = Vec::with_capacity(self.plan.items.len());
        let mut total = 0_u64;
        for item in &self.plan.items {
            let What::Array(array) = &item.what else {
                all.push(None);
                continue;
            };
            let located = |error: Error| error.at_node(&item.from).at_file(item.file.path());
            let shaped = shaper.shape(&item.to, &array.spec(), &**self.target.container());
            match shaped.map_err(located) {
                Ok(shaped) => {
                    total = total.saturating_add(shaped.spec.n_bytes());
                    all.push(Some(Ok(shaped)));
                }
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    if !options.leave_out {
                        return Err(cannot_hold(error));
                    }
                    all.push(Some(Err(error)));
                }
                Err(error) => return Err(error),
            }
        }
        shaper.expect_used()?;
        self.progress.total_len_bytes = total;
        Ok(all)
    }

    fn leave_out(&mut self, item: &Item, error: Error) -> Result<()> {
        if !self.options.leave_out {
            return Err(cannot_hold(error));
        }
        let loss = Loss::new("node", format!("left out: {}", error.message()));
        self.report.left_out.push(NodeLoss { node: item.from.clone(), loss });
        Ok(())
    }

    fn tick(&mut self, len_bytes: u64) -> Result<()> {
        self.progress.done_len_bytes = self.progress.done_len_bytes.saturating_add(len_bytes);
        match &mut self.options.progress {
            Some(progress) => progress(&self.progress),
            None => Ok(()),
        }
    }

    fn lose(&mut self, node: &NodePath, losses: impl IntoIterator<Item = Loss>) {
        let losses = losses.into_iter().map(|loss| NodeLoss { node: node.clone(), loss });
        self.report.losses.extend(losses);
    }

    fn node(&mut self, item: &Item, what: What) -> Result<()> {
        if item.to.name() != item.from.name() && !item.to.is_root() {
            self.lose(&item.from, [Loss::new("name", item.to.name())]);
        }
        match what {
            What::Group => self.group(item),
            What::Link(link) => {
                let made = self.target.container().create_link(&item.to, &link);
                self.linked(item, made, &link)
            }
            What::Same(first) => {
                let container = self.target.container();
                if container.kind(&first)?.is_none() {
                    // What it is a name of was left out, and that has been told.
                    self.lose(&item.from, [Loss::new(format!("link to {first}"), "nothing")]);
                    return Ok(());
                }
                let made = container.create_hard_link(&item.to, &first);
                self.linked(item, made, &Link::Soft(first.to_string()))
            }
            What::NamedType => {
                // It holds no data, and the arrays of the type are copied with it.
                self.lose(&item.from, [Loss::new("named type", "nothing")]);
                Ok(())
            }
            _ => {
                Err(Error::unsupported("the node is neither a group nor an array")
                    .at_node(&item.from))
            }
        }
    }

    fn linked(&mut self, item: &Item, made: Result<()>, link: &Link) -> Result<()> {
        match made {
            Ok(()) => {
                self.report.n_links += 1;
                Ok(())
            }
            // The data it leads to is copied where it lies, or lies in another file.
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                self.lose(&item.from, [Loss::new(text_of(link), "nothing")]);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn group(&mut self, item: &Item) -> Result<()> {
        let container = self.target.container();
        let is_there = item.to.is_root() || self.session.is_begun()?;
        if !is_there || container.kind(&item.to)?.is_none() {
            container.create_group(&item.to)?;
        }
        self.report.n_groups += 1;
        let attributes = item.file.container().attributes(&item.from)?;
        self.attributes(item, &item.to, attributes)
    }

    fn array(&mut self, item: &Item, array: &Array, shaped: shape::Shaped) -> Result<()> {
        let container = Arc::clone(self.target.container());
        let mut to = item.to.clone();
        let mut losses = shaped.losses;
        if item.to.name() != item.from.name() && !item.to.is_root() {
            losses.push(Loss::new("name", item.to.name()));
        }
        if to.is_root() && container.kind(&to)? == Some(NodeKind::Group) {
            // Some formats have a group for their root, always.
            to = NodePath::parse("data")?;
            losses.push(Loss::new("an array as the root", "`/data`"));
        }
        let located = |error: Error| error.at_node(&item.from).at_file(array.file().path());
        let budget = self.session.memory_len_bytes();
        let copies = shaped.change.copies(&array.dtype(), &shaped.spec.dtype);
        let need = Need::new(&array.spec(), &shaped.spec, (budget, copies), self.threads());
        let need = need.map_err(located)?;
        let engine = self.engine(need);
        let made = self.target.clone().with_engine(Arc::clone(&engine));
        let source = self.make_array(&*container, &to, &shaped.spec).map_err(located)?;
        let made = Array::new(made, to.clone(), source);
        let from = array.file().clone().with_engine(engine);
        let from = Array::new(from, item.from.clone(), Arc::clone(array.source()));
        let is_large = shaped.spec.n_bytes() >= WORTH_A_RECORD;
        let is_recorded = self.session.records() && is_large && made.source().values().is_none();
        let target = Target::new(&made, is_recorded);
        let way = Way {
            window: &shaped.window,
            change: &shaped.change,
            block_len_bytes: need.block_len_bytes,
        };
        let mut watching = Watching { conversion: self, node: &to, target: &target };
        if let Err(error) = copy(&from, &target, way, &mut watching) {
            if error.kind() == ErrorKind::Unsupported {
                container.remove(&to)?;
            }
            return Err(located(error));
        }
        self.report.n_arrays += 1;
        self.report.len_bytes = self.report.len_bytes.saturating_add(shaped.spec.n_bytes());
        self.lose(&item.from, losses);
        let attributes = array.attributes()?;
        self.attributes(item, &to, attributes)
    }

    /// The array at `to`, made, or as an earlier attempt made it: one of another form is damage.
    fn make_array(
        &self,
        container: &dyn Container,
        to: &NodePath,
        spec: &stook_core::ArraySpec,
    ) -> Result<Arc<dyn stook_core::ChunkSource>> {
        if self.session.is_begun()? && container.kind(to)? == Some(NodeKind::Array) {
            let (wanted, made) = (container.adapt_array(spec)?.value, container.open_array(to)?);
            let found = made.spec();
            if found.dtype == wanted.dtype
                && found.shape() == wanted.shape()
                && (&found.grid, &found.shards) == (&wanted.grid, &wanted.shards)
            {
                return Ok(made);
            }
            container.remove(to)?;
        }
        container.create_array(to, spec)
    }

    fn threads(&self) -> usize {
        let threads = self.options.engine.as_ref().map_or(0, |engine| engine.config().threads);
        match threads {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            threads => threads,
        }
    }

    /// An engine that keeps to its share of the memory. What it decodes it needs once.
    fn engine(&self, need: Need) -> Arc<Engine> {
        let scratch = usize::try_from(need.scratch_len_bytes).unwrap_or(usize::MAX);
        let limits = self.options.limits.clone();
        let config = EngineConfig::default().threads(need.threads).limits(limits);
        Engine::new(config.memory_len_bytes(scratch).cache_len_bytes(0))
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
                Err(error) => return Err(error.at_node(&item.from)),
            }
        }
        self.report.n_attributes += edits.changes.len() as u64;
        self.lose(&item.from, losses);
        match container.edit_attributes(to, &edits) {
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                self.report.n_attributes -= edits.changes.len() as u64;
                let names = edits.changes.iter().map(|(name, _)| name);
                let lost = names.map(|name| Loss::new(format!("attribute {name}"), "nothing"));
                self.lose(&item.from, lost.collect::<Vec<_>>());
                Ok(())
            }
            other => other,
        }
    }
}

fn cannot_hold(error: Error) -> Error {
    if error.hint().is_some() {
        return error;
    }
    error.with_hint(
        "choose another format, or leave such nodes out (`--leave-out`, `leave_out=True`)",
    )
}

/// One array's copy, watched for the journal and for who waits.
struct Watching<'w, 'c, 'o> {
    conversion: &'w mut Conversion<'c, 'o>,
    node: &'w NodePath,
    target: &'w Target,
}

impl Watch for Watching<'_, '_, '_> {
    fn has(&mut self, number: u64, block: &Ranges) -> Result<bool> {
        match self.target.recording {
            Some(_) => self.conversion.session.has(self.node, number, block, self.target),
            None => Ok(false),
        }
    }

    fn did(&mut self, number: u64, len_bytes: u64, was_there: bool) -> Result<()> {
        let conversion = &mut *self.conversion;
        if was_there {
            let resumed = &mut conversion.progress.resumed_len_bytes;
            *resumed = resumed.saturating_add(len_bytes);
        }
        if let Some(recording) = &self.target.recording {
            let hash = recording.take();
            let is_hdf5 = conversion.target.format() == Format::Hdf5;
            if is_hdf5 && conversion.flushed.elapsed() >= FLUSH_EVERY {
                conversion.target.commit()?;
                conversion.flushed = Instant::now();
            }
            if is_hdf5 || !was_there {
                conversion.session.did(self.node, number, len_bytes, hash)?;
            }
        }
        conversion.tick(len_bytes)
    }
}

//! Whether all of a file can be read: structure, attributes, every chunk, and what values promise.
//!
//! First the tree is walked and each node looked at, then the chunks of every array are read and
//! decoded, with the checksums that their codecs have. What was never written is not read. What is wrong is told, and the rest checked
//! all the same. A file that is made to end or to hang its reader does so here, too: who expects
//! such files runs this in a process of its own, and leaves out the nodes that ended it.

mod elements;
mod stored;
mod tree;

use stook_core::{Error, ErrorKind, NodePath, Result};

use crate::file::File;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is odd, and all can be read: a link that leads nowhere, text that is no text.
    Warning,
    /// Something cannot be read.
    Error,
}

impl Severity {
    /// `warning` or `error`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The node.
    pub node: NodePath,
    /// The chunk, where it is one.
    pub chunk: Option<Vec<u64>>,
    /// Whose fault it is.
    pub kind: ErrorKind,
    /// What is wrong.
    pub message: String,
}

impl Finding {
    /// What an error says, about `node` if it names none itself.
    #[must_use]
    pub fn of_error(node: &NodePath, error: &Error) -> Self {
        let causes = std::iter::successors(std::error::Error::source(error), |&e| e.source());
        let causes: String = causes.map(|cause| format!(": {cause}")).collect();
        Self {
            severity: Severity::Error,
            node: node.clone(),
            chunk: error.location().chunk.clone(),
            kind: error.kind(),
            message: format!("{}{causes}", error.message()),
        }
    }

    fn warning(node: &NodePath, message: String) -> Self {
        Self {
            severity: Severity::Warning,
            node: node.clone(),
            chunk: None,
            kind: ErrorKind::Corrupt,
            message,
        }
    }
}

/// Something that happens during a check.
#[derive(Debug)]
#[non_exhaustive]
pub enum CheckEvent<'e> {
    /// A node is begun.
    Node(&'e NodePath),
    /// So many bytes of items have been read, of so many. The total shrinks as more is known of
    /// what was never written; reading such is not told.
    Bytes {
        /// Read so far.
        done: u64,
        /// In all.
        total: u64,
    },
    /// Something is wrong.
    Finding(&'e Finding),
}

/// Called for each event; an error that it returns ends the check.
pub type OnCheckEvent<'a> = &'a mut dyn FnMut(&CheckEvent<'_>) -> Result<()>;

/// How a file is checked.
pub struct CheckOptions<'a> {
    /// Bytes that it may hold, about (default 256 MiB).
    pub memory_len_bytes: u64,
    /// Findings of one array that are listed; others are counted (default 20).
    pub most_findings: usize,
    /// Nodes that are not looked at, nor what is below them.
    pub leave_out: Vec<NodePath>,
    /// Called now and then.
    pub on_event: Option<OnCheckEvent<'a>>,
}

impl Default for CheckOptions<'_> {
    fn default() -> Self {
        Self {
            memory_len_bytes: 256 << 20,
            most_findings: 20,
            leave_out: Vec::new(),
            on_event: None,
        }
    }
}

/// What a check looked at, and what it found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Groups.
    pub n_groups: u64,
    /// Arrays.
    pub n_arrays: u64,
    /// Links.
    pub n_links: u64,
    /// Attributes.
    pub n_attributes: u64,
    /// Chunks that are stored, shards counted as one; all of an array that cannot tell.
    pub n_chunks: u64,
    /// Bytes of items that were read.
    pub len_bytes: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl CheckReport {
    /// How many findings are so bad.
    #[must_use]
    pub fn count(&self, severity: Severity) -> u64 {
        self.findings.iter().filter(|finding| finding.severity == severity).count() as u64
    }
}

/// Reads all of `file` and says what is wrong with it.
///
/// # Errors
/// What `on_event` returns.
pub fn check(file: &File, options: &mut CheckOptions<'_>) -> Result<CheckReport> {
    let mut checker = Checker { file, options, report: CheckReport::default(), total: 0 };
    let arrays = tree::look(&mut checker)?;
    checker.total = arrays.iter().map(|array| u128::from(array.spec().n_bytes())).sum();
    for array in arrays {
        elements::look(&mut checker, &array)?;
    }
    Ok(checker.report)
}

struct Checker<'c, 'o> {
    file: &'c File,
    options: &'c mut CheckOptions<'o>,
    report: CheckReport,
    /// Bytes of items that there are to be read, as far as is known.
    total: u128,
}

impl Checker<'_, '_> {
    fn tell(&mut self, event: &CheckEvent<'_>) -> Result<()> {
        match &mut self.options.on_event {
            Some(call) => call(event),
            None => Ok(()),
        }
    }

    fn found(&mut self, finding: Finding) -> Result<()> {
        self.tell(&CheckEvent::Finding(&finding))?;
        self.report.findings.push(finding);
        Ok(())
    }

    /// The value; `None` where there is an error, which is noted.
    fn read<T>(&mut self, node: &NodePath, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) => self.found(Finding::of_error(node, &error)).map(|()| None),
        }
    }
}

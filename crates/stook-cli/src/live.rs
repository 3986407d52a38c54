//! A file that another process writes, looked at again and again.
//!
//! This is the only place that knows how to see what a writer has put away since: the file is
//! opened anew. A look that fails is tried again for a while, because a writer that does not
//! commit as a whole may just be at work.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stook::{Array, Engine, File, Link, NodeKind, NodePath, Result, walk};

use crate::cli::{Means, Reach, Until, Watch};

/// How long looks may fail before that is an error.
const PATIENCE: Duration = Duration::from_secs(10);

/// A file that another process writes.
pub(crate) struct Live<'a> {
    path: &'a Path,
    reach: &'a Reach,
    watch: &'a Watch,
    engine: Arc<Engine>,
    begun: Instant,
    /// When the last look went well.
    well: Instant,
}

impl<'a> Live<'a> {
    pub(crate) fn new(path: &'a Path, reach: &'a Reach, watch: &'a Watch, means: &Means) -> Self {
        let now = Instant::now();
        Self { path, reach, watch, engine: means.engine(), begun: now, well: now }
    }

    /// The file as it is now.
    ///
    /// # Errors
    /// As [`File::open`].
    pub(crate) fn open(&self) -> Result<File> {
        Ok(self.reach.open(self.path)?.with_engine(Arc::clone(&self.engine)))
    }

    /// Gives the file as it is now to `look`; `None` where that fails and may go well later.
    ///
    /// # Errors
    /// Those of opening and of `look`, once nothing has gone well for some seconds.
    pub(crate) fn look<T>(&mut self, look: impl FnOnce(&File) -> Result<T>) -> Result<Option<T>> {
        match self.open().and_then(|file| look(&file)) {
            Ok(found) => {
                self.well = Instant::now();
                Ok(Some(found))
            }
            Err(error) if self.well.elapsed() > PATIENCE => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// How long this has been going on.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Waits until it is time to look again; `false` where it is time to end, which is when each
    /// array has at least `n_rows`, or at a time.
    pub(crate) fn wait(&self, n_rows: u64) -> bool {
        match self.watch.until {
            Some(Until::Rows(rows)) if n_rows >= rows => false,
            Some(Until::Time(time)) => {
                let left = time.saturating_sub(self.elapsed());
                std::thread::sleep(self.watch.every.min(left));
                !left.is_zero()
            }
            _ => {
                std::thread::sleep(self.watch.every);
                true
            }
        }
    }
}

/// The arrays below a group whose first axis may grow.
pub(crate) fn growing(file: &File, group: &NodePath) -> Result<Vec<NodePath>> {
    let mut found = Vec::new();
    walk(file, group, &mut |visit| {
        let is_new = visit.child.link == Link::Hard && visit.seen_at.is_none();
        if is_new
            && visit.child.kind == Some(NodeKind::Array)
            && grows(&file.array(visit.path.as_str())?)
        {
            found.push(visit.path.clone());
        }
        Ok(true)
    })?;
    Ok(found)
}

/// Whether the first axis of an array may grow.
pub(crate) fn grows(array: &Array) -> bool {
    let spec = array.spec();
    match (&spec.max_shape, spec.shape().first().copied()) {
        (_, None) => false,
        (None, Some(_)) => !spec.contiguous,
        (Some(max), Some(len)) => max.first().is_some_and(|max| max.is_none_or(|max| max > len)),
    }
}

//! What older versions have elsewhere, moved to its place when a loom is opened for writing.

use stook::{NodePath, Result};

use crate::axis::Axis;
use crate::change::BESIDE;
use crate::loom::Loom;
use crate::state::{LAYERS, State};

/// What is to be done.
#[derive(Debug, Default)]
struct Upgrade {
    moves: Vec<(NodePath, NodePath)>,
    groups: Vec<NodePath>,
    /// What a writer of Zarr left that was stopped.
    rest: Option<NodePath>,
}

impl Upgrade {
    fn of(state: &State) -> Result<Self> {
        let container = state.file.container();
        let is_there = |path: &NodePath| Ok::<_, stook::Error>(container.kind(path)?.is_some());
        let mut upgrade = Self::default();
        for axis in Axis::BOTH {
            let (old, new) = (NodePath::parse(axis.edges())?, NodePath::parse(axis.graphs())?);
            match (is_there(&old)?, is_there(&new)?) {
                (true, false) => upgrade.moves.push((old, new)),
                (false, false) => upgrade.groups.push(new),
                (_, true) => {}
            }
            let attributes = NodePath::parse(axis.attributes())?;
            if !is_there(&attributes)? {
                upgrade.groups.push(attributes);
            }
        }
        let layers = NodePath::parse(LAYERS)?;
        if !is_there(&layers)? {
            upgrade.groups.push(layers);
        }
        let beside = NodePath::parse(BESIDE)?;
        if is_there(&beside)? {
            upgrade.rest = Some(beside);
        }
        Ok(upgrade)
    }
}

/// Brings the groups of `loom` to where its version 3 has them; nothing is written where they are.
pub(crate) fn upgrade(loom: &Loom) -> Result<()> {
    let upgrade = loom.read(Upgrade::of)?;
    if upgrade.moves.is_empty() && upgrade.groups.is_empty() && upgrade.rest.is_none() {
        return Ok(());
    }
    loom.change(|change| {
        for (from, to) in &upgrade.moves {
            change.file().container().rename(from, to)?;
        }
        upgrade.groups.iter().try_for_each(|group| change.require_group(group))?;
        if let Some(rest) = &upgrade.rest {
            change.file().container().remove(rest)?;
        }
        Ok(())
    })
}

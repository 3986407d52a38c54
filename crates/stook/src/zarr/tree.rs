//! A hierarchy as a drawing.

use std::fmt;

use stook_core::{NodeKind, Result};

use crate::file::Node;
use crate::group::Group;

/// A drawing of a hierarchy, to be printed.
#[derive(Clone, Debug)]
pub struct Tree {
    text: String,
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Draws `group` and what is below it, so many levels deep if that is said.
///
/// ```
/// # fn main() -> stook::Result<()> {
/// use stook::zarr;
///
/// let root = zarr::group(zarr::Place::memory()).open()?;
/// zarr::zeros([3, 4]).store(&root).path("a/b").dtype("int8".parse()?).create()?;
/// assert_eq!(zarr::tree(&root, None)?.to_string(), "/\n└── a\n    └── b (3, 4) int8\n");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `Corrupt`, `LimitExceeded`, `Io`.
pub fn tree(group: &Group, level: Option<usize>) -> Result<Tree> {
    let mut text = format!("{}\n", group.path());
    // Groups to be drawn, with what stands before their lines: no recursion into what files say.
    let mut open = vec![(entries(group, level.unwrap_or(usize::MAX))?, String::new())];
    while let Some((nodes, before)) = open.last_mut() {
        let Some((name, node, depth)) = nodes.next() else {
            open.pop();
            continue;
        };
        let is_last = nodes.len() == 0;
        text.push_str(before);
        text.push_str(if is_last { "└── " } else { "├── " });
        text.push_str(&name);
        let below = format!("{before}{}", if is_last { "    " } else { "│   " });
        match node {
            Node::Array(array) => {
                let spec = array.spec();
                text.push_str(&format!(" {} {}", tuple(spec.shape()), spec.dtype));
            }
            Node::Group(group) => open.push((entries(&group, depth)?, below)),
        }
        text.push('\n');
    }
    Ok(Tree { text })
}

/// What is to be drawn of one group.
type Entries = std::vec::IntoIter<(String, Node, usize)>;

/// The nodes in `group`, which may be drawn `depth` levels deep.
fn entries(group: &Group, depth: usize) -> Result<Entries> {
    let mut nodes = Vec::new();
    if let Some(below) = depth.checked_sub(1) {
        for child in group.children()? {
            if matches!(child.kind, Some(NodeKind::Array | NodeKind::Group)) {
                let node = group.node(&child.name)?;
                nodes.push((child.name, node, below));
            }
        }
    }
    Ok(nodes.into_iter())
}

/// A shape as Python prints it.
fn tuple(shape: &[u64]) -> String {
    match shape {
        [only] => format!("({only},)"),
        several => {
            let lengths: Vec<String> = several.iter().map(u64::to_string).collect();
            format!("({})", lengths.join(", "))
        }
    }
}

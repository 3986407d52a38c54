//! The targets, by what they read.

pub(crate) mod codec;
pub(crate) mod file;
pub(crate) mod onedata;
pub(crate) mod text;
pub(crate) mod zarr;

use stook_core::{Array, Container, NodeKind, NodePath, Selection};

/// More nodes than this are not looked at.
const MAX_NODES: usize = 64;

/// Reads all there is in `container`: names, attributes, elements of what is small.
pub(crate) fn read_tree(container: &dyn Container) {
    let mut nodes = vec![NodePath::root()];
    let mut n_seen = 0;
    while let Some(node) = nodes.pop() {
        n_seen += 1;
        if n_seen > MAX_NODES {
            return;
        }
        let _ = container.attributes(&node);
        match container.kind(&node) {
            Ok(Some(NodeKind::Group)) => {
                let children = container.children(&node).unwrap_or_default();
                nodes.extend(children.iter().filter_map(|child| node.join(&child.name).ok()));
            }
            Ok(Some(NodeKind::Array)) => read_array(container, node),
            _ => {}
        }
    }
}

/// Reads an array, or where that is large its first and its last elements.
pub(crate) fn read_array(container: &dyn Container, node: NodePath) {
    let Ok(source) = container.open_array(&node) else { return };
    let spec = source.spec();
    let array = Array::new(source, container.location(), node);
    if spec.n_bytes() <= 1 << 20 && spec.n_elements() <= 1 << 20 {
        let _ = array.read(&Selection::All);
        return;
    }
    for text in ["0", "-1", ":1, ..., :1", "..., -1:"] {
        let Ok(selection) = Selection::parse(text) else { continue };
        let is_small = selection.result_shape(spec.shape(), &spec.grid).is_ok_and(|shape| {
            shape.iter().fold(1_u64, |n, &len| n.saturating_mul(len)) <= 1 << 12
        });
        if is_small {
            let _ = array.read(&selection);
        }
    }
}

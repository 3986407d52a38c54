//! Text that people and documents give: selections, dtypes, paths.

use stook_core::{ChunkGrid, DType, NodePath, Selection};

/// Parses the text as each of them; what is read is printed and read again.
pub(crate) fn all(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(dtype) = text.parse::<DType>() {
        let printed = dtype.to_string();
        assert_eq!(printed.parse::<DType>().ok(), Some(dtype), "{printed}");
    }
    if let Ok(path) = NodePath::parse(text) {
        assert_eq!(NodePath::parse(path.as_str()).ok(), Some(path));
    }
    if let Ok(selection) = Selection::parse(text) {
        for shape in [&[][..], &[0], &[7], &[3, 5], &[u64::MAX, 2], &[2, 3, 4, 5]] {
            let _ = selection.result_shape(shape, &ChunkGrid::whole(shape));
        }
    }
}

//! Files of sessions: what is told of them, recipes, parts of matrices, and conditions on sessions.

use stook_core::{NodePath, OpenOptions};
use stook_npy::sparse::Sparse;
use stook_npy::{ObjectArray, npy_head, sparse_head};
use stook_onedata::LoadingRecipe;
use stook_onedata::alf::AlfName;
use stook_onedata::catalogue::Condition;

use super::file::with_file;
use crate::limits;

/// An npy file that may be a recipe: what is read as one is written and read again.
pub(crate) fn recipe(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(recipe) = LoadingRecipe::of_json(text) {
            assert_eq!(LoadingRecipe::of_json(&recipe.to_json()).ok().as_ref(), Some(&recipe));
        }
        let _ = Condition::parse(text);
        let _ = AlfName::parse(text);
    }
    with_file("npy", data, |path| {
        let _ = npy_head(path, &limits());
        let Ok(Some(objects)) = ObjectArray::open(path, &limits()) else { return };
        let Ok(Some(recipe)) = LoadingRecipe::of_objects(&objects) else { return };
        let again = recipe.to_objects().and_then(|objects| LoadingRecipe::of_objects(&objects));
        if let Ok(again) = again {
            assert_eq!(again, Some(recipe), "it reads as what was written");
        }
    });
}

/// An npz archive that may be a sparse matrix: its head, and each of its columns or rows alone, which
/// are those of the whole.
pub(crate) fn matrix(data: &[u8]) {
    with_file("npz", data, |path| {
        let _ = sparse_head(path, &limits());
        let options = OpenOptions { limits: limits(), ..OpenOptions::read() };
        let Ok(container) = stook_npy::open_npz(path, &options) else { return };
        let root = NodePath::root();
        let whole = Sparse::read(container.as_ref(), &root);
        for range in [0..1, 1..3, 0..u64::MAX] {
            let part = Sparse::read_range(container.as_ref(), &root, range);
            let _ = part.and_then(|part| part.to_dense_columns(&limits()));
        }
        let _ = whole.and_then(|whole| whole.to_dense_columns(&limits()));
    });
}

//! What a file is, from its head.

use std::path::Path;

use stook::npy::{ObjectArray, npy_head, sparse_head};
use stook_core::{Limits, Result};

use super::record::DatasetKind;
use crate::recipe::LoadingRecipe;

/// Longer files of one object are no recipes: these are some hundred bytes.
const MAX_RECIPE_LEN: u64 = 64 << 10;

/// What is known of a file by its head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: DatasetKind,
    pub(super) dtype: Option<String>,
    pub(super) shape: Option<Vec<u64>>,
    pub(super) problem: Option<String>,
}

/// Looks at the file at `path`, of so many bytes. What is wrong with it is told, and is no error.
pub(super) fn inspect(path: &Path, len_bytes: u64, limits: &Limits) -> Head {
    let name = path.to_string_lossy();
    let (kind, found) = if name.ends_with(".npy") {
        (DatasetKind::Array, npy(path, len_bytes, limits))
    } else if name.ends_with(".npz") {
        (DatasetKind::Sparse, npz(path, limits))
    } else {
        return Head { kind: DatasetKind::Other, dtype: None, shape: None, problem: None };
    };
    found.unwrap_or_else(|error| {
        let problem = Some(error.message().to_owned());
        Head { kind, dtype: None, shape: None, problem }
    })
}

fn npy(path: &Path, len_bytes: u64, limits: &Limits) -> Result<Head> {
    let head = npy_head(path, limits)?;
    let is_recipe = || -> Result<bool> {
        let may_be = head.dtype.is_none() && head.shape.is_empty() && len_bytes <= MAX_RECIPE_LEN;
        let objects = if may_be { ObjectArray::open(path, limits)? } else { None };
        Ok(objects
            .is_some_and(|objects| matches!(LoadingRecipe::of_objects(&objects), Ok(Some(_)))))
    };
    let kind = match &head.dtype {
        Some(_) => DatasetKind::Array,
        None if is_recipe()? => DatasetKind::Recipe,
        None => DatasetKind::Objects,
    };
    let dtype = head.dtype.map_or_else(|| "object".to_owned(), |dtype| dtype.to_string());
    Ok(Head { kind, dtype: Some(dtype), shape: Some(head.shape), problem: None })
}

fn npz(path: &Path, limits: &Limits) -> Result<Head> {
    let head = sparse_head(path, limits)?;
    let (dtype, shape) = (Some(head.dtype.to_string()), Some(head.shape.to_vec()));
    Ok(Head { kind: DatasetKind::Sparse, dtype, shape, problem: None })
}

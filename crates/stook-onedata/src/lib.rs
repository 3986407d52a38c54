//! The sessions of an experiment: onedata files (npy and npz), loading recipes and a cache, as
//! vrAnalysis has them.
//!
//! ```
//! use stook_core::{DType, Values};
//! use stook_onedata::{LoadingRecipe, Recipes, Session, SessionData, SessionName};
//!
//! # fn main() -> stook_core::Result<()> {
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! # let root = folder.path();
//! let name = SessionName::new("ATL027", "2024-2-9".parse()?, Some("701"))?;
//! let recipes = Recipes::standard().loader("ones", |_, recipe| {
//!     let n = recipe.source.as_deref().map_or(0, str::len) as u64;
//!     Ok(Values::new(DType::UInt8, vec![n], vec![1; n as usize], vec![])?.into())
//! });
//! let session = Session::with_recipes(root, name, recipes)?;
//!
//! session.save("mpci.times", &Values::new(DType::UInt8, vec![3], vec![1, 2, 3], vec![])?)?;
//! session.save_recipe("mpci.ones", &LoadingRecipe::new("ones", "abcd"))?;
//!
//! assert_eq!(session.load("mpci.times")?.shape(), [3]);
//! assert_eq!(session.load("mpci.ones")?.shape(), [4]);
//! assert!(session.load("../other/mpci.times").is_err());
//! # Ok(())
//! # }
//! ```
//!
//! Invariants:
//! - Nothing in a file is run: objects are read as data, a recipe asks for loaders and transforms by
//!   name, and those come from the program ([`Recipes`]).
//! - Nothing outside of a session's folder is touched, wherever names or links lead.
//! - A save is whole or not at all; what was there before is intact until then.
//! - What the cache gives is what a load would give: the files it was made from are unchanged.
//!
//! docs/formats/onedata.md has the bytes.

pub mod alf;
mod cache;
pub mod catalogue;
mod checksums;
mod data;
mod name;
mod one_data;
mod packed;
mod recipe;
mod recipes;
mod session;
mod suite2p;
mod transpose;

pub use cache::{Cache, Source};
pub use catalogue::Catalogue;
pub use checksums::{CHECKSUMS_NAME, FileState};
pub use data::Data;
pub use name::{OneName, SessionDate, SessionName};
pub use one_data::{FileKind, OneData, OneFile};
pub use recipe::{LoadingRecipe, RECIPE_MARKER};
pub use recipes::{Loading, Recipes};
pub use session::{
    CACHE_LEN_BYTES, Cached, Certainty, LoadOptions, Session, SessionCache, SessionData,
    SessionValues, SparseAs,
};
pub use suite2p::{Center, Planes, Suite2p};
pub use transpose::{transpose, transpose_into};

//! Looms made of what other programs write: 10x Genomics' folders and files, Matrix Market, tables
//! of text, STARsolo.
//!
//! Text is read line by line, and elements go to their tiles as they are read where the file has
//! them in order, as these programs write them. What a file says of itself is held to
//! [`Limits`] before memory is asked for.

mod cellranger;
mod market;
mod matrix_market;
mod star;
mod ten_x;
mod text;
mod tsv;

pub use cellranger::{cellranger, ten_x_folder};
pub use market::{MatrixMarket, Orientation, matrix_market};
pub use matrix_market::Mtx;
pub use star::{CellFilter, Star, star};
pub use ten_x::ten_x_h5;
pub use tsv::{Tsv, tsv};

use stook::{Limits, Result, Values};

use crate::attributes::AttributeMap;
use crate::{Loom, LoomBuilder, LoomOptions};

/// What all imports are told.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Attributes of the new file.
    pub file_attributes: AttributeMap,
    /// The genome, where the input has several or does not say it.
    pub genome: Option<String>,
    /// Whether what is in the way goes.
    pub replaces: Replaces,
    /// How the new loom is opened.
    pub loom: LoomOptions,
    /// What the input may ask for.
    pub limits: Limits,
}

/// Whether a new loom takes the place of what is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Replaces {
    /// What is there stays, and is an error.
    #[default]
    Nothing,
    /// What is there goes, once the new loom is whole.
    WhatIsThere,
}

impl ImportOptions {
    /// Begins a loom with what was asked for.
    pub(crate) fn builder<'a>(&self, path: impl AsRef<std::path::Path>) -> LoomBuilder<'a> {
        let builder = Loom::builder(path).options(self.loom.clone());
        let builder = builder.file_attributes(self.file_attributes.clone());
        match self.replaces {
            Replaces::Nothing => builder,
            Replaces::WhatIsThere => builder.replace(),
        }
    }
}

/// An attribute of text.
fn texts<S: AsRef<str>>(texts: &[S]) -> Result<Values> {
    Values::from_strings(vec![texts.len() as u64], texts)
}

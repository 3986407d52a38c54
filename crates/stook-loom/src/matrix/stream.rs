//! Matrices that are made block by block while they are stored.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use stook::{Array, DType, Error, Result};

use super::Matrix;
use super::store::{TileWriter, WriteOptions, Zeros};
use crate::Axis;
use crate::source::MatrixSource;

/// What gives the next block of a [`Stream`]: `None` behind the last.
pub type NextBlock<'a> = dyn FnMut() -> Result<Option<Matrix<'a>>> + Send + 'a;

/// A matrix whose rows or columns come block by block, each asked for once the one before it is
/// stored. It can be stored once.
pub struct Stream<'a> {
    shape: [u64; 2],
    dtype: DType,
    axis: Axis,
    next: Mutex<Option<Box<NextBlock<'a>>>>,
}

impl fmt::Debug for Stream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shape, dtype, axis, .. } = self;
        write!(f, "Stream({dtype} {shape:?} along {axis:?})")
    }
}

impl<'a> Stream<'a> {
    /// A matrix of `shape` and `dtype` whose blocks, which `next` gives, lie one behind the other
    /// along `axis` and are of any length there.
    #[must_use]
    pub fn new(
        shape: [u64; 2],
        dtype: DType,
        axis: Axis,
        next: impl FnMut() -> Result<Option<Matrix<'a>>> + Send + 'a,
    ) -> Self {
        Self { shape, dtype, axis, next: Mutex::new(Some(Box::new(next))) }
    }
}

impl MatrixSource for Stream<'_> {
    fn shape(&self) -> [u64; 2] {
        self.shape
    }

    fn dtype(&self) -> DType {
        self.dtype.clone()
    }

    fn store(&self, target: &Array, at: [u64; 2]) -> Result<()> {
        let next = self.next.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut next = next.ok_or_else(|| Error::invalid("a stream can be stored once"))?;
        let across = self.axis.other().of(self.shape);
        let across = usize::try_from(across).map_err(|_| Error::limit("a block exceeds memory"))?;
        let options = WriteOptions::new().zeros(Zeros::Skipped);
        let mut writer = TileWriter::new(target, self.axis, at, across, options);
        let (expected, mut found) = (self.axis.of(self.shape), 0);
        while let Some(block) = next()? {
            found += self.axis.of(block.lens()) as u64;
            if found > expected {
                break;
            }
            writer.push(&block)?;
        }
        if found != expected {
            let word = self.axis.word();
            return Err(Error::invalid(format!(
                "a stream of {expected} {word}s: found {found}{}",
                if found > expected { " and more" } else { "" }
            )));
        }
        writer.finish().map(drop)
    }
}

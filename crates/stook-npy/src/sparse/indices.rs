//! Indices of a sparse matrix, which lie in memory as numpy has them.

use std::sync::Arc;

use stook_core::{DType, Error, Result, Values};

/// Numbers that are not negative, of 32 bits where all of them fit that, else of 64, as scipy has them.
/// Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Indices {
    /// `Int32` or `Int64`, along one axis.
    values: Arc<Values>,
    largest: Option<u64>,
}

/// Indices as their bytes in memory.
pub(super) enum Items<'a> {
    Narrow(&'a [[u8; 4]]),
    Wide(&'a [[u8; 8]]),
}

/// Runs the same code for indices of either width.
macro_rules! with_items {
    ($indices:expr, $items:ident => $body:expr) => {
        match $indices.items() {
            $crate::sparse::indices::Items::Narrow($items) => $body,
            $crate::sparse::indices::Items::Wide($items) => $body,
        }
    };
}
pub(super) use with_items;

/// An index as its bytes in memory.
pub(super) trait Index: Copy + Sync {
    fn number(self) -> u64;

    fn place(self) -> usize {
        usize::try_from(self.number()).unwrap_or(usize::MAX)
    }
}

#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
impl Index for [u8; 4] {
    fn number(self) -> u64 {
        u32::from_ne_bytes(self).into()
    }
}

#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
impl Index for [u8; 8] {
    fn number(self) -> u64 {
        u64::from_ne_bytes(self)
    }
}

fn largest_of<T: Index>(items: &[T]) -> Option<u64> {
    items.iter().map(|item| item.number()).max()
}

const LARGEST_NARROW: u64 = i32::MAX.cast_unsigned() as u64;
const LARGEST_WIDE: u64 = i64::MAX.cast_unsigned();

impl Indices {
    /// The integers of `values`, whatever their width. Those of 32 bits stay where they lie.
    ///
    /// # Errors
    /// `InvalidInput` for other than integers along one axis, and for negative ones.
    pub fn new(values: Values) -> Result<Self> {
        if values.shape().len() != 1 {
            let found = values.shape();
            return Err(Error::invalid(format!("expected one axis, found shape {found:?}")));
        }
        let largest = match values.dtype() {
            DType::Int32 => largest_of(values.items().as_chunks::<4>().0),
            DType::Int64 => largest_of(values.items().as_chunks::<8>().0),
            _ => return naturals(&values).map(Self::from),
        };
        let is_wide = *values.dtype() == DType::Int64;
        let limit = if is_wide { LARGEST_WIDE } else { LARGEST_NARROW };
        if largest.is_some_and(|largest| largest > limit) {
            // The slow way has the words for it.
            return naturals(&values).map(Self::from);
        }
        if is_wide && largest.unwrap_or(0) <= LARGEST_NARROW {
            return naturals(&values).map(Self::from);
        }
        Ok(Self { values: values.into(), largest })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.shape().first().map_or(0, |&len| usize::try_from(len).unwrap_or(usize::MAX))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The largest of them; `None` if there are none.
    #[must_use]
    pub fn largest(&self) -> Option<u64> {
        self.largest
    }

    /// The one at a place.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<u64> {
        with_items!(self, items => items.get(at).map(|item| item.number()))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.len()).map_while(|at| self.get(at))
    }

    /// Whether some need 64 bits.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        *self.values.dtype() == DType::Int64
    }

    /// As they lie in memory.
    #[must_use]
    pub fn values(&self) -> &Arc<Values> {
        &self.values
    }

    /// The same as 64 bits each.
    #[must_use]
    pub fn to_wide(&self) -> Arc<Values> {
        if self.is_wide() {
            return Arc::clone(&self.values);
        }
        let items = with_items!(self, items => wide(items.iter().map(|item| item.number())));
        Arc::new(along(DType::Int64, items))
    }

    pub(super) fn items(&self) -> Items<'_> {
        let items = self.values.items();
        if self.is_wide() {
            Items::Wide(items.as_chunks().0)
        } else {
            Items::Narrow(items.as_chunks().0)
        }
    }

    /// Whether each is at least the one before, the first 0.
    pub(super) fn rise_from_zero(&self) -> bool {
        let is_sorted = with_items!(self, items => items.is_sorted_by_key(|item| item.number()));
        is_sorted && self.get(0) == Some(0)
    }
}

fn wide(numbers: impl Iterator<Item = u64>) -> Vec<u8> {
    numbers.flat_map(u64::to_ne_bytes).collect()
}

/// Items along one axis.
fn along(dtype: DType, items: Vec<u8>) -> Values {
    let len = (items.len() / dtype.item_size()) as u64;
    Values::new(dtype, vec![len], items, Vec::new()).expect("as many items as bytes say")
}

impl From<Vec<u64>> for Indices {
    /// What is beyond int64 is in two's complement: no axis is as long.
    fn from(numbers: Vec<u64>) -> Self {
        let largest = numbers.iter().max().copied();
        let narrow: Option<Vec<u32>> = (largest.unwrap_or(0) <= LARGEST_NARROW)
            .then(|| numbers.iter().map_while(|&number| u32::try_from(number).ok()).collect());
        let values = match narrow {
            Some(narrow) => {
                along(DType::Int32, narrow.into_iter().flat_map(u32::to_ne_bytes).collect())
            }
            None => along(DType::Int64, wide(numbers.into_iter())),
        };
        Self { values: values.into(), largest }
    }
}

impl FromIterator<u64> for Indices {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Self {
        numbers.into_iter().collect::<Vec<_>>().into()
    }
}

/// The integers of `values`, whatever their width.
///
/// # Errors
/// `InvalidInput` for what is none, or beyond int64.
pub(super) fn signed(values: &Values) -> Result<Vec<i64>> {
    macro_rules! numbers {
        ($type:ty) => {
            values
                .items()
                .as_chunks()
                .0
                .iter()
                .map(|item| {
                    #[expect(clippy::host_endian_bytes, reason = "items are native-endian")]
                    i64::try_from(<$type>::from_ne_bytes(*item)).ok()
                })
                .collect()
        };
    }
    let numbers: Option<Vec<i64>> = match values.dtype() {
        DType::Int8 => numbers!(i8),
        DType::Int16 => numbers!(i16),
        DType::Int32 => numbers!(i32),
        DType::Int64 => numbers!(i64),
        DType::UInt8 => numbers!(u8),
        DType::UInt16 => numbers!(u16),
        DType::UInt32 => numbers!(u32),
        DType::UInt64 => numbers!(u64),
        other => return Err(Error::invalid(format!("expected integers, found {other}"))),
    };
    numbers.ok_or_else(|| Error::invalid("a number beyond int64"))
}

/// The integers of `values`, none of which may be negative.
///
/// # Errors
/// As [`signed`].
pub(super) fn naturals(values: &Values) -> Result<Vec<u64>> {
    let numbers = signed(values)?.into_iter().map(|number| {
        u64::try_from(number).map_err(|_| Error::invalid(format!("{number} is negative")))
    });
    numbers.collect()
}

/// Numbers as scipy stores indices; negative ones in two's complement.
#[expect(clippy::host_endian_bytes, reason = "items in memory are native-endian")]
#[expect(clippy::cast_possible_truncation, reason = "numbers that need 64 bits come as wide")]
pub(super) fn integers(numbers: &[u64], is_wide: bool) -> Values {
    if is_wide {
        return along(DType::Int64, wide(numbers.iter().copied()));
    }
    let items = numbers.iter().flat_map(|number| (*number as u32).to_ne_bytes());
    along(DType::Int32, items.collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::host_endian_bytes, reason = "items are native-endian")]

    use super::*;

    #[test]
    fn the_narrower_type_is_taken_where_it_will_do() {
        for (numbers, is_wide) in [
            (vec![], false),
            (vec![0, 7, i32::MAX as u64], false),
            (vec![3, 1 << 31], true),
            (vec![1 << 40], true),
        ] {
            let indices = Indices::from(numbers.clone());
            assert_eq!(indices.is_wide(), is_wide);
            assert_eq!(indices.iter().collect::<Vec<_>>(), numbers);
            assert_eq!(indices.largest(), numbers.iter().max().copied());
            let wide = indices.to_wide();
            assert_eq!(*wide.dtype(), DType::Int64);
            assert_eq!(Indices::new(Values::clone(&wide)).unwrap(), indices);
        }
    }

    #[test]
    fn other_than_natural_numbers_are_refused() {
        let of = |dtype: DType, items: &[u8]| Indices::new(along(dtype, items.to_vec()));
        assert_eq!(of(DType::Int8, &[1, 2]).unwrap(), Indices::from(vec![1, 2]));
        for (found, message) in [
            (of(DType::Int32, &(-2_i32).to_ne_bytes()), "-2 is negative"),
            (of(DType::Int64, &(-9_i64).to_ne_bytes()), "-9 is negative"),
            (of(DType::Int16, &(-1_i16).to_ne_bytes()), "-1 is negative"),
            (of(DType::UInt64, &[255; 8]), "a number beyond int64"),
            (of(DType::Float32, &[0; 4]), "expected integers, found float32"),
        ] {
            assert_eq!(found.unwrap_err().message(), message);
        }
        let square = Values::new(DType::Int32, vec![1, 1], vec![0; 4], vec![]).unwrap();
        assert!(Indices::new(square).is_err());
    }
}

//! Where the chunks of an extensible array are, which libhdf5 tells wrong.
//!
//! An extensible array numbers its chunks with the one axis that grows slowest. Where that is not
//! the first axis, `H5Dchunk_iter` (and `H5Dget_chunk_info`, in all releases up to the 2.2.0 that
//! is linked here) splits the number as though the axes were in their own order. That is undone
//! here; a release that splits it right fails the tests below `tests/fixtures/matrix`.

/// The numbering of an extensible array whose first axis is not the one that grows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Swizzle {
    /// The axis without bound.
    growing: usize,
    chunk_shape: Vec<u64>,
    /// Chunks along each axis at its largest; 1 for the growing one.
    counts: Vec<u64>,
    /// The chunks of all axes but the growing one.
    slice: u64,
}

impl Swizzle {
    /// The numbering of chunks of `chunk_shape` in an array that may grow to `max_shape`; `None`
    /// if the library tells it right, or no such array can be.
    pub(crate) fn new(chunk_shape: &[u64], max_shape: &[Option<u64>]) -> Option<Self> {
        let growing = max_shape.iter().position(Option::is_none).filter(|&axis| axis > 0)?;
        let axes = max_shape.iter().zip(chunk_shape);
        let counts: Option<Vec<u64>> = axes
            .map(|(max, &len)| {
                let whole = |max: u64| max.checked_add(len.checked_sub(1)?)?.checked_div(len);
                max.map_or(Some(1), whole)
            })
            .collect();
        let counts = counts?;
        let slice = counts.iter().try_fold(1_u64, |n, &count| n.checked_mul(count))?;
        (slice > 0).then(|| Self { growing, chunk_shape: chunk_shape.to_vec(), counts, slice })
    }

    /// Writes the first element of a chunk to `right` that the library places at `wrong`; `None`
    /// if there can be no such chunk.
    pub(crate) fn undo(&self, wrong: &[u64], right: &mut Vec<u64>) -> Option<()> {
        let mut number = 0_u64;
        for ((&first, &len), &count) in wrong.iter().zip(&self.chunk_shape).zip(&self.counts) {
            number = number.checked_mul(count)?.checked_add(first.checked_div(len)?)?;
        }
        let (along, mut rest) = (number.checked_div(self.slice)?, number.checked_rem(self.slice)?);
        right.clear();
        right.resize(self.counts.len(), 0);
        for (axis, to) in right.iter_mut().enumerate().rev() {
            let (count, len) = (*self.counts.get(axis)?, *self.chunk_shape.get(axis)?);
            let index = if axis == self.growing { along } else { rest.checked_rem(count)? };
            rest = rest.checked_div(count)?;
            *to = index.checked_mul(len)?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What libhdf5 2.0.0 says of an array of (5, 6, 7), and where the chunks are.
    #[test]
    fn chunks_are_where_the_array_has_them() {
        let swizzle = Swizzle::new(&[2, 3, 4], &[Some(8), None, Some(20)]).unwrap();
        let told = [([0, 0, 1], [0, 0, 1]), ([0, 1, 0], [1, 0, 0]), ([0, 2, 1], [2, 0, 1])];
        let further = [([0, 4, 0], [0, 1, 0]), ([0, 5, 1], [1, 1, 1]), ([0, 6, 0], [2, 1, 0])];
        let mut found = Vec::new();
        for (wrong, right) in told.into_iter().chain(further) {
            let wrong = [wrong[0] * 2, wrong[1] * 3, wrong[2] * 4];
            swizzle.undo(&wrong, &mut found).unwrap();
            assert_eq!(found, [right[0] * 2, right[1] * 3, right[2] * 4]);
        }
    }

    #[test]
    fn an_array_that_grows_along_its_first_axis_is_told_right() {
        assert_eq!(Swizzle::new(&[2, 3], &[None, Some(7)]), None);
        assert_eq!(Swizzle::new(&[2, 3], &[Some(4), Some(7)]), None);
        assert_eq!(Swizzle::new(&[2, 3], &[Some(0), None]), None);
    }

    #[test]
    fn numbers_too_large_are_refused() {
        assert_eq!(Swizzle::new(&[1, 1, 1], &[Some(u64::MAX), None, Some(3)]), None);
        let swizzle = Swizzle::new(&[1, 1], &[Some(5), None]).unwrap();
        assert_eq!(swizzle.undo(&[u64::MAX, u64::MAX], &mut Vec::new()), None);
    }
}

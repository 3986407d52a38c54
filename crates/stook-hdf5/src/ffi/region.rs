//! References to regions of datasets, as the path of the dataset and the region in words.
//!
//! A region is a list of boxes, `; ` between them; a box has for each axis `start:stop`,
//! `start:stop:step` or one index, `, ` between them. `...` is the whole, and nothing is nothing.

use std::ffi::CStr;

use hdf5_metno_sys::h5::hsize_t;
use hdf5_metno_sys::h5r::{H5R_DATASET_REGION1, H5Rcreate, H5Rget_name, H5Rget_region};
use hdf5_metno_sys::h5s::{
    H5S_SEL_ALL, H5S_SEL_HYPERSLABS, H5S_SEL_NONE, H5S_SEL_POINTS, H5S_SELECT_OR,
    H5Sget_regular_hyperslab, H5Sget_select_elem_npoints, H5Sget_select_elem_pointlist,
    H5Sget_select_hyper_blocklist, H5Sget_select_hyper_nblocks, H5Sget_select_type,
    H5Sis_regular_hyperslab, H5Sselect_all, H5Sselect_hyperslab, H5Sselect_none,
};

use super::{ChunkCache, Dataset, Failure, File, Id, Result, Space, call, lock, sized_text};

/// Bytes of a stored region reference: the address of a heap and the index in it.
pub(super) const REGION_LEN: usize = 12;
/// The most boxes or points that are put in words.
const MAX_PARTS: u64 = 1 << 20;

impl File {
    /// The path of the dataset that `reference` names, and the region of it; two empty texts if
    /// it names nothing.
    pub(crate) fn region(&self, reference: &[u8; REGION_LEN]) -> Result<(String, String)> {
        let _lock = lock();
        if reference.iter().all(|&byte| byte == 0) {
            return Ok((String::new(), String::new()));
        }
        let from = reference.as_ptr().cast();
        // SAFETY: the library reads as many bytes as a region reference has; `sized_text` keeps
        // buffer and length together.
        let path = sized_text("region reference", |to, len| unsafe {
            H5Rget_name(self.id().raw(), H5R_DATASET_REGION1, from, to, len)
        });
        let Ok(path) = path else { return Ok((String::new(), String::new())) };
        // The library reads as many bytes as a region reference has.
        let space = call!("region", H5Rget_region(self.id().raw(), H5R_DATASET_REGION1, from))?;
        let region = Space::owned(Id::owned(space)).region()?;
        Ok((String::from_utf8_lossy(&path).into_owned(), region))
    }

    /// The reference to `region` of the dataset at `path`.
    pub(crate) fn region_reference(&self, path: &CStr, region: &str) -> Result<[u8; REGION_LEN]> {
        let _lock = lock();
        let space = Dataset::open(self, path, ChunkCache::None)?.space()?;
        space.select_region(region)?;
        let mut reference = [0_u8; REGION_LEN];
        // The library writes as many bytes as a region reference has.
        let to = reference.as_mut_ptr().cast();
        let (file, space) = (self.id().raw(), space.id().raw());
        call!("region", H5Rcreate(to, file, path.as_ptr(), H5R_DATASET_REGION1, space))?;
        Ok(reference)
    }
}

impl Space {
    /// What is selected, in words.
    fn region(&self) -> Result<String> {
        let _lock = lock();
        let id = self.id().raw();
        // SAFETY: the id is valid and the call takes nothing else.
        match unsafe { H5Sget_select_type(id) } {
            H5S_SEL_NONE => Ok(String::new()),
            H5S_SEL_ALL => Ok("...".to_owned()),
            H5S_SEL_POINTS => {
                let n = call!("points", H5Sget_select_elem_npoints(id))?;
                let (n, mut points) = self.numbers(n, 1)?;
                let to = points.as_mut_ptr();
                // The buffer holds `n` points of as many numbers as there are axes.
                call!("points", H5Sget_select_elem_pointlist(id, 0, n, to))?;
                let rank = self.rank()?.max(1);
                let words = points
                    .chunks_exact(rank)
                    .map(|point| point.iter().map(u64::to_string).collect::<Vec<_>>().join(", "));
                Ok(words.collect::<Vec<_>>().join("; "))
            }
            H5S_SEL_HYPERSLABS => self.boxes(),
            _ => Err(Failure::new("region", "a selection of no known kind")),
        }
    }

    /// Room for `n` points, or boxes of `corners` points, and their number.
    fn numbers(&self, n: i64, corners: usize) -> Result<(hsize_t, Vec<hsize_t>)> {
        let n = u64::try_from(n).unwrap_or(0);
        if n > MAX_PARTS {
            let message = format!("a region of {n} parts exceeds the limit of {MAX_PARTS}");
            let kind = stook_core::ErrorKind::LimitExceeded;
            return Err(Failure::new("region", message).of(kind));
        }
        let len = usize::try_from(n).unwrap_or(0) * corners * self.rank()?;
        Ok((n, vec![0; len]))
    }

    fn boxes(&self) -> Result<String> {
        let (id, rank) = (self.id().raw(), self.rank()?);
        if call!("region", H5Sis_regular_hyperslab(id))? > 0 {
            let [mut start, mut stride, mut count, mut block] = [(); 4].map(|()| vec![0; rank]);
            let (to_start, to_stride) = (start.as_mut_ptr(), stride.as_mut_ptr());
            let (to_count, to_block) = (count.as_mut_ptr(), block.as_mut_ptr());
            // All four have as many numbers as there are axes.
            call!("region", H5Sget_regular_hyperslab(id, to_start, to_stride, to_count, to_block))?;
            let axes = start.iter().zip(&stride).zip(count.iter().zip(&block));
            let words: Option<Vec<String>> = axes
                .map(|((&start, &stride), (&count, &block))| {
                    // Blocks that touch, or only one, are one run.
                    if count == 1 || stride == block {
                        return Some(format!(
                            "{start}:{}",
                            start.checked_add(block.checked_mul(count)?)?
                        ));
                    }
                    let last = count.checked_sub(1)?.checked_mul(stride)?;
                    let stop = start.checked_add(last)?.checked_add(1)?;
                    (block == 1).then(|| format!("{start}:{stop}:{stride}"))
                })
                .collect();
            if let Some(words) = words {
                return Ok(words.join(", "));
            }
        }
        let n = call!("region", H5Sget_select_hyper_nblocks(id))?;
        let (n, mut corners) = self.numbers(n, 2)?;
        let to = corners.as_mut_ptr();
        // The buffer holds `n` boxes of two corners.
        call!("region", H5Sget_select_hyper_blocklist(id, 0, n, to))?;
        let boxes = corners.chunks_exact(2 * rank.max(1)).map(|corners| {
            let (first, last) = corners.split_at(rank);
            let axes = first.iter().zip(last);
            let words = axes.map(|(first, last)| format!("{first}:{}", last.saturating_add(1)));
            words.collect::<Vec<_>>().join(", ")
        });
        Ok(boxes.collect::<Vec<_>>().join("; "))
    }

    /// Selects what `region` says.
    fn select_region(&self, region: &str) -> Result<()> {
        let id = self.id().raw();
        if region.trim() == "..." {
            return call!("select", H5Sselect_all(id)).map(drop);
        }
        call!("select", H5Sselect_none(id))?;
        let rank = self.rank()?;
        for part in region.split(';').filter(|part| !part.trim().is_empty()) {
            let axes: Option<Vec<[u64; 3]>> = part.split(',').map(axis).collect();
            let axes = axes.filter(|axes| axes.len() == rank).ok_or_else(|| {
                let message = format!("expected a box of {rank} axes, found `{part}`");
                Failure::new("region", message).of(stook_core::ErrorKind::InvalidInput)
            })?;
            let column = |at: usize| -> Vec<u64> {
                axes.iter().map(|axis| axis.get(at).copied().unwrap_or(0)).collect()
            };
            let (start, stride, count) = (column(0), column(1), column(2));
            let (start, stride, count) = (start.as_ptr(), stride.as_ptr(), count.as_ptr());
            // Each has as many numbers as there are axes.
            let block = std::ptr::null();
            call!("select", H5Sselect_hyperslab(id, H5S_SELECT_OR, start, stride, count, block))?;
        }
        Ok(())
    }
}

/// Start, step and count of one axis of a box.
fn axis(text: &str) -> Option<[u64; 3]> {
    let numbers: Option<Vec<u64>> = text.split(':').map(|n| n.trim().parse().ok()).collect();
    match numbers?[..] {
        [at] => Some([at, 1, 1]),
        [start, stop] if stop > start => Some([start, 1, stop - start]),
        [start, stop, step] if stop > start && step > 0 => {
            Some([start, step, (stop - start).div_ceil(step)])
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::Extent;

    #[test]
    fn a_region_in_words_is_the_same_region_again() {
        let shape = vec![20, 30];
        let max_shape = vec![Some(20), Some(30)];
        let space = Space::new(&Extent::Simple { shape, max_shape }).unwrap();
        for region in ["...", "", "0:2, 3:9", "0:9:2, 3:4", "0:2, 0:2; 5:7, 6:9"] {
            space.select_region(region).unwrap();
            assert_eq!(space.region().unwrap(), region);
        }
        space.select_region("3, 4").unwrap();
        assert_eq!(space.region().unwrap(), "3:4, 4:5");
        for wrong in ["1", "1, 2, 3", "a, b", "3:1, 2", "0:4:0, 1", "-1, 2"] {
            assert!(space.select_region(wrong).is_err(), "{wrong}");
        }
    }
}

//! Memory for results: zeroed by the system, where that costs nothing, and in huge pages.

use crate::element::Element;
use crate::error::{Error, Result};

/// `n` elements of zero.
///
/// # Errors
/// `LimitExceeded` if there is no such memory.
pub fn zeroed<T: Element>(n: usize) -> Result<Vec<T>> {
    // `try_reserve` first, because a failed allocation aborts; `vec!` of zeros then, because the
    // system hands out zeroed pages without touching them.
    let mut probe: Vec<T> = Vec::new();
    probe.try_reserve_exact(n).map_err(|error| {
        let what = format!("{} bytes of memory", n.saturating_mul(size_of::<T>()));
        Error::limit(what).with_source(error)
    })?;
    drop(probe);
    let mut elements = vec![T::default(); n];
    advise_huge(crate::element::as_bytes_mut(&mut elements));
    Ok(elements)
}

/// Asks for huge pages under `bytes` before they are touched: to fill a large result page by page
/// takes longer than to read it.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "madvise is a system call")]
fn advise_huge(bytes: &mut [u8]) {
    const PAGE_LEN_BYTES: usize = 2 << 20;
    let pages = bytes.as_mut_ptr_range();
    let start = pages.start.addr().next_multiple_of(PAGE_LEN_BYTES);
    let end = pages.end.addr() / PAGE_LEN_BYTES * PAGE_LEN_BYTES;
    if start < end {
        let first = pages.start.with_addr(start);
        // SAFETY: whole pages of memory that is borrowed exclusively, and the advice changes
        // nothing of what they hold. It is no error to the caller if it is refused.
        unsafe { libc::madvise(first.cast(), end - start, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn advise_huge(_: &mut [u8]) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_zero_whatever_their_number() {
        for n in [0, 1, 100_000, 5 << 20] {
            let elements = zeroed::<u16>(n).unwrap();
            assert!(elements.len() == n && elements.iter().all(|&element| element == 0), "{n}");
        }
    }

    #[test]
    fn what_no_machine_has_is_an_error() {
        let error = zeroed::<f64>(usize::MAX / 16).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::LimitExceeded);
    }
}

//! The wide registers of processors that have them, for loops over slices.

/// Runs `work` compiled for AVX2 where the processor has it. Nothing else is used of it, so that
/// results are the same everywhere.
#[inline]
pub(super) fn wide<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function is compiled for.
        #[expect(unsafe_code, reason = "which instructions there are is known at run time")]
        return unsafe { with_avx2(work) };
    }
    work()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[expect(unsafe_code, reason = "which instructions there are is known at run time")]
unsafe fn with_avx2<R>(work: impl FnOnce() -> R) -> R {
    work()
}

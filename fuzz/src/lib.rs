//! The fuzz targets of stook as binaries of libFuzzer, a file each in `fuzz_targets`.

pub use libfuzzer_sys;
pub use stook_fuzz::target;

/// Makes a binary of the target of this name.
#[macro_export]
macro_rules! fuzz {
    ($name:literal) => {
        $crate::libfuzzer_sys::fuzz_target!(|data: &[u8]| {
            static TARGET: std::sync::LazyLock<fn(&[u8])> =
                std::sync::LazyLock::new(|| $crate::target($name).expect("it is named so").run);
            TARGET(data);
        });
    };
}

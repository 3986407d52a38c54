//! See the target of this name in crates/stook-fuzz.
#![no_main]

stook_libfuzzer::fuzz!("onedata_matrix");

//! The core's codecs as filters of the library, so that its own paths (values it converts, edge
//! chunks of a shrinking array) read and write what the engine does.

use std::ffi::{CStr, c_int, c_uint, c_void};
use std::panic::catch_unwind;

use hdf5_metno_sys::h5::{H5allocate_memory, H5free_memory, herr_t};
use hdf5_metno_sys::h5z::{H5Z_CLASS_T_VERS, H5Z_FLAG_REVERSE, H5Z_class2_t, H5Zregister};
use stook_core::codec::{self, Codec, Scratch, Stage, Step};
use stook_core::{Error, ErrorKind, Result};

use super::Filter;
use crate::filter::{BITSHUFFLE, BLOSC, BLOSC2, BZIP2, LZ4, LZF, SZIP, ZFP, ZSTD, codec_of};

/// The most that a chunk decodes to: its length is a 32-bit number in the file.
const MAX_LEN_BYTES: usize = u32::MAX as usize;
/// The most that is tried where an encoding does not say how long it decodes to.
const MAX_GUESS_LEN_BYTES: usize = 1 << 30;

unsafe extern "C" {
    /// What `H5Zregister` calls behind its checks. That one refuses the numbers of the library's
    /// own filters even where it was built without them, as it is without szip.
    unsafe fn H5Z_register(class: *const H5Z_class2_t) -> herr_t;
}

/// Registers every filter that the core knows and the library does not.
///
/// The lock of the library is held by the caller, who is just starting it.
pub(super) fn register() {
    let filters: [(c_int, &CStr, Run); 9] = [
        (SZIP, c"szip", run::<SZIP>),
        (BZIP2, c"bzip2", run::<BZIP2>),
        (LZF, c"lzf", run::<LZF>),
        (BLOSC, c"blosc", run::<BLOSC>),
        (LZ4, c"lz4", run::<LZ4>),
        (BITSHUFFLE, c"bitshuffle", run::<BITSHUFFLE>),
        (ZFP, c"zfp", run::<ZFP>),
        (ZSTD, c"zstd", run::<ZSTD>),
        (BLOSC2, c"blosc2", run::<BLOSC2>),
    ];
    for (id, name, run) in filters {
        let class = H5Z_class2_t {
            version: H5Z_CLASS_T_VERS as c_int,
            id,
            encoder_present: 1,
            decoder_present: 1,
            name: name.as_ptr(),
            can_apply: None,
            set_local: None,
            filter: Some(run),
        };
        // SAFETY: the lock is held; the library copies the record and the name lives for ever.
        // Where it fails the library's own paths name the filter when they miss it.
        unsafe {
            match id {
                SZIP => H5Z_register(&raw const class),
                _ => H5Zregister((&raw const class).cast()),
            }
        };
    }
}

type Run = unsafe extern "C" fn(
    c_uint,
    usize,
    *const c_uint,
    usize,
    *mut usize,
    *mut *mut c_void,
) -> usize;

/// Encodes or decodes the `len` bytes at `*buffer`, and puts the result in their place; 0 on
/// failure, which leaves them.
///
/// # Safety
/// Called by the library: `values` are `n_values` numbers, `*buffer` is memory of its allocator
/// with `len` valid bytes.
unsafe extern "C" fn run<const ID: c_int>(
    flags: c_uint,
    n_values: usize,
    values: *const c_uint,
    len: usize,
    capacity: *mut usize,
    buffer: *mut *mut c_void,
) -> usize {
    // SAFETY: as the library promises; `values` may be null if there are none.
    let (values, bytes) = unsafe {
        let values = if n_values == 0 || values.is_null() {
            &[]
        } else {
            std::slice::from_raw_parts(values, n_values)
        };
        (values, std::slice::from_raw_parts((*buffer).cast::<u8>(), len))
    };
    let is_decoding = flags & H5Z_FLAG_REVERSE != 0;
    let Ok(Ok(result)) = catch_unwind(|| convert(ID, values, bytes, is_decoding)) else {
        return 0;
    };
    // SAFETY: the new memory has room for the result; the old is the library's to free, and
    // nobody else holds it.
    unsafe {
        let new = H5allocate_memory(result.len().max(1), 0);
        if new.is_null() {
            return 0;
        }
        std::ptr::copy_nonoverlapping(result.as_ptr(), new.cast::<u8>(), result.len());
        H5free_memory(*buffer);
        *buffer = new;
        *capacity = result.len();
    }
    result.len()
}

fn convert(id: c_int, values: &[c_uint], bytes: &[u8], is_decoding: bool) -> Result<Vec<u8>> {
    let filter = Filter { id, is_optional: false, values: values.to_vec(), name: String::new() };
    let (Step::Codec(codec), _) = codec::build(&codec_of(&filter, 1), &Stage::bytes())? else {
        return Err(Error::unsupported("no byte codec"));
    };
    let mut scratch = Scratch::new();
    if is_decoding {
        return decode(&*codec, bytes, &mut scratch);
    }
    let mut out = Vec::new();
    codec.encode_into(bytes, &mut out, &mut scratch)?;
    Ok(out)
}

/// Decodes to as many bytes as the encoding says, or to as many as there turn out to be.
fn decode(codec: &dyn Codec, bytes: &[u8], scratch: &mut Scratch) -> Result<Vec<u8>> {
    let said = codec.decoded_len(bytes);
    let mut len = match said {
        Some(len) => usize::try_from(len).ok().filter(|&len| len <= MAX_LEN_BYTES),
        None if codec.has_fixed_len() => Some(bytes.len()),
        None => Some(bytes.len().saturating_mul(4).clamp(1 << 16, MAX_GUESS_LEN_BYTES)),
    }
    .ok_or_else(|| Error::corrupt("no plausible decoded length"))?;
    loop {
        let mut out = Vec::new();
        out.try_reserve_exact(len)
            .map_err(|e| Error::limit(format!("{len} bytes of memory")).with_source(e))?;
        out.resize(len, 0);
        match codec.decode_into(bytes, &mut out, scratch) {
            Ok(found) => {
                out.truncate(found);
                return Ok(out);
            }
            // Perhaps there is more than fits: nothing says how much.
            Err(error) if error.kind() != ErrorKind::Corrupt || said.is_some() => {
                return Err(error);
            }
            Err(error) if len >= MAX_GUESS_LEN_BYTES => return Err(error),
            Err(_) => len = len.saturating_mul(4).min(MAX_GUESS_LEN_BYTES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_filter_encodes_it_decodes() {
        let raw: Vec<u8> = (0..4000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        for (id, values) in [
            (LZF, vec![4, 0x0105, 16_000]),
            (BLOSC, vec![2, 2, 4, 16_000, 5, 1, 0]),
            (LZ4, vec![0]),
            (ZSTD, vec![3]),
        ] {
            let encoded = convert(id, &values, &raw, false).unwrap();
            assert!(encoded.len() < raw.len(), "{id}");
            assert_eq!(convert(id, &values, &encoded, true).unwrap(), raw, "{id}");
        }
    }
}

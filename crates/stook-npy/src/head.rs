//! What an npy file or the npz archive of a sparse matrix says of itself, without its elements.

use std::path::Path;

use stook_core::codec::Endian;
use stook_core::file::{FileIo, LocalFile};
use stook_core::store::zip::Archive;
use stook_core::{CodecSpec, DType, Error, ErrorKind, Limits, Mode, Result};

use crate::elements;
use crate::header::Header;

/// Headers are no longer than this, but for those of structs of very many fields.
const HEAD_LEN: usize = 4 << 10;

/// What the header of an npy file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NpyHead {
    /// The type of the elements; `None` where they are objects.
    pub dtype: Option<DType>,
    /// The shape.
    pub shape: Vec<u64>,
}

/// What the archive of a sparse matrix says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SparseHead {
    /// scipy's name of the layout, such as `csc`.
    pub format: String,
    /// The type of the entries.
    pub dtype: DType,
    /// Rows and columns.
    pub shape: [u64; 2],
    /// How many entries are stored.
    pub n_entries: u64,
}

/// Reads the header of the npy file at `path`, and whether the file is as long as that says.
///
/// # Errors
/// `NotFound`, `Corrupt`, `Unsupported`, `LimitExceeded`, `Io`.
pub fn npy_head(path: impl AsRef<Path>, limits: &Limits) -> Result<NpyHead> {
    let file = LocalFile::open(&path)?;
    let read = || {
        let file_len = file.len_bytes()?;
        let mut read = |offset: u64, out: &mut [u8]| file.read_exact_at(offset, out);
        let (header, start) = Header::read(file_len, limits, &mut read)?;
        if !header.is_object() {
            elements::check_len(header.data_len()?, file_len.saturating_sub(start))?;
        }
        Ok(head_of(&header))
    };
    read().map_err(|error: Error| error.at_file(&path))
}

fn head_of(header: &Header) -> NpyHead {
    let dtype = (!header.is_object()).then(|| header.to_spec().dtype);
    NpyHead { dtype, shape: header.shape.clone() }
}

/// Reads the headers of the members of the sparse matrix in the npz archive at `path`.
///
/// # Errors
/// `NotFound`, `Corrupt` if it is no such archive, `Unsupported`, `LimitExceeded`, `Io`.
pub fn sparse_head(path: impl AsRef<Path>, limits: &Limits) -> Result<SparseHead> {
    let archive = Archive::open(&path, Mode::Read, limits)?;
    read_sparse(&archive, limits).map_err(|error| {
        let is_missing = error.kind() == ErrorKind::NotFound;
        let error = if is_missing { not_sparse(error.message()) } else { error };
        error.at_file(&path)
    })
}

fn not_sparse(what: &str) -> Error {
    Error::corrupt(format!("this is no sparse matrix: {what}"))
}

fn read_sparse(archive: &Archive, limits: &Limits) -> Result<SparseHead> {
    let (header, bytes) = member(archive, "format", limits)?;
    let text = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    let format = match header.to_spec().dtype {
        DType::FixedString(_) | DType::Unicode(_) => String::from_utf8(text).ok(),
        _ => None,
    };
    let format = format.ok_or_else(|| not_sparse("`format` is no text"))?;
    let (header, bytes) = member(archive, "shape", limits)?;
    let spec = header.to_spec();
    let is_swap = |codec: &CodecSpec| matches!(codec, CodecSpec::ByteOrder(order) if *order != Endian::NATIVE);
    let is_swapped = spec.codecs.iter().any(is_swap);
    let number = |at: usize| -> Option<u64> {
        let order = |item: &[u8]| -> Vec<u8> {
            if is_swapped { item.iter().rev().copied().collect() } else { item.to_vec() }
        };
        #[expect(clippy::host_endian_bytes, reason = "the other order is swapped")]
        match spec.dtype {
            DType::Int32 => {
                let item = order(bytes.get(at * 4..at * 4 + 4)?);
                u64::try_from(i32::from_ne_bytes(item.try_into().ok()?)).ok()
            }
            DType::Int64 => {
                let item = order(bytes.get(at * 8..at * 8 + 8)?);
                u64::try_from(i64::from_ne_bytes(item.try_into().ok()?)).ok()
            }
            _ => None,
        }
    };
    let shape = match (header.shape.as_slice(), number(0), number(1)) {
        ([2], Some(n_rows), Some(n_columns)) => [n_rows, n_columns],
        _ => return Err(not_sparse("`shape` is not that of a matrix")),
    };
    let (header, _) = member(archive, "data", limits)?;
    let n_entries = header.shape.iter().fold(1_u64, |n, len| n.saturating_mul(*len));
    Ok(SparseHead { format, dtype: header.to_spec().dtype, shape, n_entries })
}

/// The header of a member, and its data as far as that lies near it.
fn member(archive: &Archive, name: &str, limits: &Limits) -> Result<(Header, Vec<u8>)> {
    let name = format!("{name}.npy");
    let info = archive.info(&name);
    let info = info.ok_or_else(|| Error::not_found(format!("`{name}` is missing")))?;
    let mut bytes = vec![0; HEAD_LEN];
    let n = archive.read_head(&name, &mut bytes)?;
    bytes.truncate(n);
    let mut read = |offset: u64, out: &mut [u8]| {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let from = bytes.get(start..start.saturating_add(out.len()));
        let from = from.ok_or_else(|| Error::corrupt(format!("`{name}`: a header too long")))?;
        out.copy_from_slice(from);
        Ok(())
    };
    let (header, start) = Header::read(info.len_bytes, limits, &mut read)?;
    if header.is_object() {
        return Err(not_sparse(&format!("`{name}` has objects")));
    }
    let data = bytes.get(usize::try_from(start).unwrap_or(usize::MAX)..).unwrap_or_default();
    Ok((header, data.to_vec()))
}

//! npy files for who writes and reads them as files: objects as what they are, and headers.

pub use stook_npy::{
    NpyHead, ObjectArray, SparseHead, npy_head, npy_header, npy_header_of, sparse_head,
};

//! Zarr v2 and v3 as a stook container

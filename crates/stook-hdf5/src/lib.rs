//! HDF5 files as a stook container

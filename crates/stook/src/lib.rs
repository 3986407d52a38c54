//! One tree of groups, arrays and attributes over Zarr, HDF5 and NumPy files

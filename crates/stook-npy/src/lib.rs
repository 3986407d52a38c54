//! NumPy npy and npz files as a stook container

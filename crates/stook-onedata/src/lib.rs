//! The sessions of an experiment: onedata files (npy and npz), loading recipes, a cache and a
//! catalogue, as vrAnalysis has them.

"""The functions of the Zarr API: for scripts, and for coroutines."""

"""Data types by the NumPy types they wrap."""

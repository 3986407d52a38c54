"""What scripts ask h5py's low-level module of dataspaces for."""

#: An axis that may grow without bound.
UNLIMITED = 2**64 - 1

__all__ = ["UNLIMITED"]

"""References, under the name that h5py's low-level module has."""

from ._references import Reference, RegionReference

__all__ = ["Reference", "RegionReference"]

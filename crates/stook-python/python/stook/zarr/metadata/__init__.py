"""Metadata of arrays and groups: see ``stook.zarr.core.metadata``."""

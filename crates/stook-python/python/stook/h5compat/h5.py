"""The settings of h5py."""

from __future__ import annotations

from types import SimpleNamespace

_CONFIG = SimpleNamespace(
    track_order=False,
    mpi=False,
    complex_names=("r", "i"),
    bool_names=(b"FALSE", b"TRUE"),
    default_file_mode="r",
    swmr_min_hdf5_version=(1, 9, 178),
    vds_min_hdf5_version=(1, 9, 233),
    ros3=False,
    direct_vfd=False,
    has_native_complex=False,
)


def get_config() -> SimpleNamespace:
    """The settings, of which ``track_order`` counts: whether files and groups that are made keep
    the order of their names where they are not told."""
    return _CONFIG

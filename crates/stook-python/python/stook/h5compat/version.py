"""Which h5py this is like."""

from __future__ import annotations

import sys
from collections import namedtuple

import numpy as np

_Version = namedtuple("_Version", ["major", "minor", "bugfix", "pre", "post", "dev"])

#: The version of h5py whose API this has.
version = "3.16.0"
version_tuple = _Version(3, 16, 0, None, None, None)
api_version = "1.8"
api_version_tuple = (1, 8)
hdf5_version = "2.0.0"
hdf5_version_tuple = (2, 0, 0)
hdf5_built_version_tuple = hdf5_version_tuple

info = f"""\
Summary of the h5py configuration
---------------------------------

h5py    {version} (stook.h5compat)
HDF5    {hdf5_version}
Python  {sys.version}
sys.platform    {sys.platform}
numpy   {np.__version__}
"""

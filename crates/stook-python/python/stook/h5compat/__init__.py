"""h5py's API over one tree of HDF5, Zarr and NumPy files.

``import stook.h5compat as h5py`` runs scripts that were written for h5py, and so does
``python -m stook.compat h5py -- script.py``, without a change of them. docs/deviations.md has what
differs on purpose.

>>> import stook.h5compat as h5py
>>> with h5py.File(getfixture("tmp_path") / "run.h5", "w") as f:
...     trace = f.create_dataset("trace", (0, 4), "f4", maxshape=(None, 4), chunks=(100, 4))
...     trace.resize(1, axis=0)
...     trace[0] = [1, 2, 3, 4]
...     print(trace, trace[0, 1:3])
<HDF5 dataset "trace": shape (1, 4), type "<f4"> [2. 3.]
"""

from . import filters, h5, h5r, h5s, h5t, version
from ._attributes import AttributeManager
from ._base import Empty, HLObject
from ._dataset import Dataset
from ._datatype import Datatype
from ._dtypes import (
    check_complex_dtype,
    check_dtype,
    check_enum_dtype,
    check_opaque_dtype,
    check_ref_dtype,
    check_string_dtype,
    check_vlen_dtype,
    complex_compat_dtype,
    enum_dtype,
    opaque_dtype,
    ref_dtype,
    regionref_dtype,
    special_dtype,
    string_dtype,
    vlen_dtype,
)
from ._file import File, is_hdf5
from ._group import Group
from ._links import ExternalLink, HardLink, SoftLink
from ._references import Reference, RegionReference
from ._selection import MultiBlockSlice
from ._virtual import VirtualLayout, VirtualSource
from .h5 import get_config
from .h5s import UNLIMITED
from .version import version as __version__

__all__ = [
    "UNLIMITED",
    "AttributeManager",
    "Dataset",
    "Datatype",
    "Empty",
    "ExternalLink",
    "File",
    "Group",
    "HLObject",
    "HardLink",
    "MultiBlockSlice",
    "Reference",
    "RegionReference",
    "SoftLink",
    "VirtualLayout",
    "VirtualSource",
    "__version__",
    "check_complex_dtype",
    "check_dtype",
    "check_enum_dtype",
    "check_opaque_dtype",
    "check_ref_dtype",
    "check_string_dtype",
    "check_vlen_dtype",
    "complex_compat_dtype",
    "enum_dtype",
    "filters",
    "get_config",
    "h5",
    "h5r",
    "h5s",
    "h5t",
    "is_hdf5",
    "opaque_dtype",
    "ref_dtype",
    "regionref_dtype",
    "special_dtype",
    "string_dtype",
    "version",
    "vlen_dtype",
]

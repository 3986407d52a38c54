"""One tree of groups, arrays and attributes over Zarr, HDF5 and NumPy files.

>>> folder = getfixture("tmp_path")
>>> with stook.create(folder / "run.zarr") as f:
...     image = f.create_array("camera/image", np.arange(12).reshape(3, 4), chunks=(1, 4))
...     image.attrs["unit"] = "count"
>>> report = stook.convert(folder / "run.zarr", folder / "run.h5")
>>> with stook.open(folder / "run.h5") as f:
...     print(f["camera/image"][1, ::2], f["camera/image"].attrs["unit"])
[4 6] count
"""

from importlib import import_module
from typing import TYPE_CHECKING

from . import _fork as _fork

if TYPE_CHECKING:
    from . import codecs
    from ._array import Array, Indexer
    from ._attributes import Attributes, Empty
    from ._chunks import Info
    from ._convert import Loss, Report, convert
    from ._dtypes import (
        check_enum_dtype,
        check_string_dtype,
        check_vlen_dtype,
        enum_dtype,
        string_dtype,
        vlen_dtype,
    )
    from ._errors import (
        AlreadyExistsError,
        DTypeError,
        Error,
        FormatError,
        InvalidInputError,
        IoError,
        LimitError,
        LockedError,
        MissingFileError,
        NotFoundError,
        ReadOnlyError,
        SelectionError,
        UnsupportedError,
    )
    from ._group import Group
    from ._open import create, open, require
    from ._reports import (
        Cell,
        CheckReport,
        Difference,
        DiffReport,
        Finding,
        Stats,
        check,
        diff,
    )
    from ._views import Fields, View

#: Where what is here comes from. It is imported when it is asked for: the packages beside this
#: one need little of it.
_HOMES = {
    "_array": ("Array", "Indexer"),
    "_attributes": ("Attributes", "Empty"),
    "_chunks": ("Info",),
    "_convert": ("Loss", "Report", "convert"),
    "_dtypes": (
        "check_enum_dtype", "check_string_dtype", "check_vlen_dtype", "enum_dtype",
        "string_dtype", "vlen_dtype",
    ),
    "_errors": (
        "AlreadyExistsError", "DTypeError", "Error", "FormatError",
        "InvalidInputError", "IoError", "LimitError", "LockedError",
        "MissingFileError", "NotFoundError", "ReadOnlyError", "SelectionError",
        "UnsupportedError",
    ),
    "_group": ("Group",),
    "_open": ("create", "open", "require"),
    "_reports": (
        "Cell", "CheckReport", "Difference", "DiffReport", "Finding", "Stats", "check",
        "diff",
    ),
    "_views": ("Fields", "View"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


if not TYPE_CHECKING:

    def __getattr__(name):
        if name == "codecs":
            return import_module(".codecs", __name__)
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f".{home}", __name__), name)
        globals()[name] = found
        return found

    def __dir__():
        return sorted({*globals(), *__all__})


__all__ = [
    "AlreadyExistsError",
    "Array",
    "Attributes",
    "Cell",
    "CheckReport",
    "DTypeError",
    "DiffReport",
    "Difference",
    "Empty",
    "Error",
    "Fields",
    "Finding",
    "FormatError",
    "Group",
    "Indexer",
    "Info",
    "InvalidInputError",
    "IoError",
    "LimitError",
    "LockedError",
    "Loss",
    "MissingFileError",
    "NotFoundError",
    "ReadOnlyError",
    "Report",
    "SelectionError",
    "Stats",
    "UnsupportedError",
    "View",
    "check",
    "check_enum_dtype",
    "check_string_dtype",
    "check_vlen_dtype",
    "codecs",
    "convert",
    "create",
    "diff",
    "enum_dtype",
    "open",
    "require",
    "string_dtype",
    "vlen_dtype",
]

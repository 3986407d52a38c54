"""Which classes of data types there are, and which of them is for what."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .common import DataTypeValidationError
from .wrapper import TBaseDType, ZDType

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from ..common import ZarrFormat

__all__ = ["DataTypeRegistry"]

# Names come from files: there is no end of them.
_MOST_REMEMBERED = 1000


@dataclass(frozen=True, kw_only=True)
class DataTypeRegistry:
    """Classes of data types by their names of version 3."""

    contents: dict[str, type[ZDType[Any, Any]]] = field(default_factory=dict, init=False)
    _lazy_load_list: list[EntryPoint] = field(default_factory=list, init=False)
    # Types that were found, by what was asked for; empty again when the classes change.
    _found: dict[Any, ZDType[Any, Any]] = field(default_factory=dict, init=False, repr=False)

    def _lazy_load(self) -> None:
        for entry in self._lazy_load_list:
            loaded = entry.load()
            self.register(loaded._zarr_v3_name, loaded)
        self._lazy_load_list.clear()

    def register(self, key: str, cls: type[ZDType[Any, Any]]) -> None:
        """Add a class, or put it in the place of the one of that name."""
        self.contents[key] = cls
        self._found.clear()

    def unregister(self, key: str) -> None:
        """Take a class away; KeyError if there is none of that name."""
        if key not in self.contents:
            raise KeyError(f"Data type '{key}' not found in registry.")
        del self.contents[key]
        self._found.clear()

    def get(self, key: str) -> type[ZDType[Any, Any]]:
        """The class of that name; KeyError if there is none."""
        return self.contents[key]

    def match_dtype(self, dtype: TBaseDType) -> ZDType[Any, Any]:
        """The data type for a NumPy type.

        Raises
        ------
        ValueError
            If no class is for it, or more than one.
        """
        if dtype == np.dtype("O"):
            raise ValueError(
                f"Zarr data type resolution from {dtype} failed. "
                'Attempted to resolve a zarr data type from a numpy "Object" data type, which is '
                "ambiguous, as multiple zarr data types can be represented by the numpy "
                '"Object" data type. '
                "In this case you should construct your array by providing a specific Zarr data "
                'type. For a list of Zarr data types that are compatible with the numpy "Object"'
                "data type, see https://github.com/zarr-developers/zarr-python/issues/3117"
            )
        self._lazy_load()
        asked = (len(self.contents), dtype)
        if (known := self._found.get(asked)) is not None:
            return known
        matched: list[ZDType[Any, Any]] = []
        for candidate in self.contents.values():
            if _is_own(candidate) and not candidate._check_native_dtype(dtype):
                continue
            with contextlib.suppress(DataTypeValidationError):
                matched.append(candidate.from_native_dtype(dtype))
        if len(matched) > 1:
            raise ValueError(
                f"Zarr data type resolution from {dtype} failed. "
                f"Multiple data type wrappers found that match dtype '{dtype}': {matched}. "
                "You should unregister one of these data types, or avoid Zarr data type "
                "inference entirely by providing a specific Zarr data type when creating your "
                "array.For more information, see "
                "https://github.com/zarr-developers/zarr-python/issues/3117"
            )
        if not matched:
            raise ValueError(f"No Zarr data type found that matches dtype '{dtype!r}'")
        self._remember(asked, matched[0])
        return matched[0]

    def _remember(self, asked: Any, found: ZDType[Any, Any]) -> None:
        if len(self._found) < _MOST_REMEMBERED:
            self._found[asked] = found

    def match_json(self, data: Any, *, zarr_format: ZarrFormat) -> ZDType[Any, Any]:
        """The data type of a document.

        Raises
        ------
        ValueError
            If no class is for it.
        """
        self._lazy_load()
        asked = _hashable(data, zarr_format, len(self.contents))
        if asked is not None and (known := self._found.get(asked)) is not None:
            return known
        for candidate in self.contents.values():
            if _is_own(candidate) and not _may_be(candidate, data, zarr_format):
                continue
            with contextlib.suppress(DataTypeValidationError):
                found = candidate.from_json(data, zarr_format=zarr_format)
                if asked is not None:
                    self._remember(asked, found)
                return found
        raise ValueError(f"No Zarr data type found that matches {data!r}")


def _hashable(data: Any, zarr_format: ZarrFormat, n_classes: int) -> Any:
    """A key for a name of either version; None for forms that are not just a name."""
    if isinstance(data, str):
        return zarr_format, n_classes, data
    if zarr_format == 2 and isinstance(data, dict) and len(data) == 2:
        name, codec = data.get("name"), data.get("object_codec_id", "")
        if isinstance(name, str) and isinstance(codec, str | None):
            return zarr_format, n_classes, name, codec
    return None


def _is_own(cls: type[ZDType[Any, Any]]) -> bool:
    """Whether a class is of this package. Asking others costs an exception each."""
    return cls.__module__.startswith(f"{__package__}.npy.")


def _may_be(cls: type[ZDType[Any, Any]], data: Any, zarr_format: ZarrFormat) -> bool:
    """Whether a name may be that of a class; only the class knows if it is."""
    if isinstance(data, str):
        return data in (cls._zarr_v3_name, "bytes")
    names: tuple[str, ...] | None = getattr(cls, "_zarr_v2_names", None)
    if zarr_format == 3 or names is None or not isinstance(data, dict):
        return True
    name = data.get("name")
    return isinstance(name, str) and name.startswith(names)

"""Records with named fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from ...common import NamedConfig
from ..common import (
    DTypeConfig_V2,
    HasItemSize,
    StructuredName_V2,
    check_dtype_spec_v2,
    check_structured_dtype_name_v2,
    v3_unstable_dtype_warning,
)
from ..wrapper import TBaseDType, ZDType, bad_format, reject_json, reject_native, reject_scalar
from .common import bytes_from_json, bytes_to_json, check_json_str

if TYPE_CHECKING:
    from ...common import ZarrFormat

__all__ = ["Structured"]


class StructuredJSON_V2(DTypeConfig_V2[StructuredName_V2, None]):
    """The type in documents of version 2."""


class StructuredJSON_V3(NamedConfig[Literal["structured"], dict[str, Any]]):
    """The type in documents of version 3."""


@dataclass(frozen=True, kw_only=True)
class Structured(ZDType[np.dtypes.VoidDType, np.void], HasItemSize):
    """NumPy's ``V`` with fields. Fields lie one after another, without gaps."""

    dtype_cls = np.dtypes.VoidDType
    _zarr_v3_name: ClassVar[str] = "structured"
    fields: tuple[tuple[str, ZDType[Any, Any]], ...]

    def __post_init__(self) -> None:
        if len(self.fields) < 1:
            raise ValueError(f"must have at least one field. Got {self.fields!r}")

    @classmethod
    def _check_native_dtype(cls, dtype: TBaseDType) -> bool:
        return isinstance(dtype, cls.dtype_cls) and dtype.fields is not None

    @classmethod
    def from_native_dtype(cls, dtype: TBaseDType) -> Self:
        from .. import get_data_type_from_native_dtype

        if not cls._check_native_dtype(dtype) or dtype.fields is None:
            reject_native(cls, dtype)
        return cls(
            fields=tuple(
                (name, get_data_type_from_native_dtype(field[0]))
                for name, field in dtype.fields.items()
            )
        )

    def to_native_dtype(self) -> Any:
        return np.dtype([(name, field.to_native_dtype()) for name, field in self.fields])

    @classmethod
    def _from_json_v2(cls, data: Any) -> Self:
        from .. import get_data_type_from_json

        if (
            not check_dtype_spec_v2(data)
            or isinstance(data["name"], str)
            or not check_structured_dtype_name_v2(data["name"])
            or data["object_codec_id"] is not None
        ):
            reject_json(cls, data, "a JSON array of arrays")
        # No field may hold objects: a document names one codec of objects for the whole array.
        return cls(
            fields=tuple(
                (
                    name,
                    get_data_type_from_json(
                        {"name": field, "object_codec_id": None}, zarr_format=2
                    ),
                )
                for name, field in data["name"]
            )
        )

    @classmethod
    def _from_json_v3(cls, data: Any) -> Self:
        from .. import get_data_type_from_json

        if (
            not isinstance(data, dict)
            or set(data) != {"name", "configuration"}
            or data["name"] not in (cls._zarr_v3_name, "struct")
            or not isinstance(data["configuration"], dict)
            or set(data["configuration"]) != {"fields"}
        ):
            reject_json(cls, data, f"a JSON object with the key {cls._zarr_v3_name!r}")
        return cls(
            fields=tuple(
                (name, get_data_type_from_json(field, zarr_format=3))
                for name, field in map(_field_of_json, data["configuration"]["fields"])
            )
        )

    def to_json(self, zarr_format: ZarrFormat) -> Any:
        if zarr_format == 2:
            fields = [[name, field.to_json(2)["name"]] for name, field in self.fields]
            return {"name": fields, "object_codec_id": None}
        if zarr_format == 3:
            v3_unstable_dtype_warning(self)
            fields = [[name, field.to_json(3)] for name, field in self.fields]
            return {"name": self._zarr_v3_name, "configuration": {"fields": fields}}
        raise bad_format(zarr_format)

    def _check_scalar(self, data: object) -> bool:
        return isinstance(data, bytes | list | tuple | int | np.void)

    def cast_scalar(self, data: Any) -> np.void:
        if not self._check_scalar(data):
            reject_scalar(self, data)
        native = self.to_native_dtype()
        if isinstance(data, bytes):
            return np.frombuffer(data, dtype=native)[0]
        item = tuple(data) if isinstance(data, list | tuple) else data
        return np.array([item], dtype=native)[0]

    def default_scalar(self) -> np.void:
        return self.cast_scalar(0)

    def to_json_scalar(self, data: object, *, zarr_format: ZarrFormat) -> str:
        return bytes_to_json(self.cast_scalar(data).tobytes(), zarr_format)

    def from_json_scalar(self, data: Any, *, zarr_format: ZarrFormat) -> np.void:
        if check_json_str(data):
            as_bytes = bytes_from_json(data, zarr_format=zarr_format)
            return np.frombuffer(as_bytes, dtype=self.to_native_dtype())[0]
        raise TypeError(f"Invalid type: {data}. Expected a string.")

    @property
    def item_size(self) -> int:
        return int(self.to_native_dtype().itemsize)


def _field_of_json(field: Any) -> tuple[str, Any]:
    """A pair, or the object with ``name`` and ``data_type`` that newer versions write."""
    if isinstance(field, dict) and set(field) == {"name", "data_type"}:
        return field["name"], field["data_type"]
    name, kind = field
    return name, kind

"""Truth values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..common import HasItemSize
from .common import NamedDType

if TYPE_CHECKING:
    from ...common import ZarrFormat

__all__ = ["Bool"]


@dataclass(frozen=True, kw_only=True)
class Bool(NamedDType[np.dtypes.BoolDType, np.bool_], HasItemSize):
    """``bool``: a byte an item."""

    dtype_cls = np.dtypes.BoolDType
    _zarr_v3_name: ClassVar[str] = "bool"
    _zarr_v2_name: ClassVar[str] = "|b1"
    _zarr_v2_names: ClassVar[tuple[str, ...]] = ("|b1",)

    def _check_scalar(self, data: object) -> bool:
        return True

    def _cast_scalar_unchecked(self, data: Any) -> np.bool_:
        return np.bool_(data)

    def to_json_scalar(self, data: object, *, zarr_format: ZarrFormat) -> bool:
        return bool(data)

    def from_json_scalar(self, data: Any, *, zarr_format: ZarrFormat) -> np.bool_:
        return np.bool_(data)

"""The base of data types: a NumPy type together with its forms in documents.

A script adds a type of its own by a subclass that it registers in ``data_type_registry``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, Self, TypeAlias, TypeVar

import numpy as np

from .common import DataTypeValidationError

if TYPE_CHECKING:
    from ..common import ZarrFormat

__all__ = ["TBaseDType", "TBaseScalar", "ZDType"]

TBaseScalar: TypeAlias = np.generic | str | bytes
TBaseDType: TypeAlias = np.dtype[Any]
TScalar_co = TypeVar("TScalar_co", bound=TBaseScalar, covariant=True)
TDType_co = TypeVar("TDType_co", bound=TBaseDType, covariant=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class ZDType(ABC, Generic[TDType_co, TScalar_co]):
    """A data type of Zarr arrays."""

    # A class of NumPy types; type checkers take some of them for functions that never return.
    dtype_cls: ClassVar[Any]
    _zarr_v3_name: ClassVar[str]

    @classmethod
    def _check_native_dtype(cls, dtype: TBaseDType) -> bool:
        """Whether this class is for ``dtype``."""
        return type(dtype) is cls.dtype_cls

    @classmethod
    @abstractmethod
    def from_native_dtype(cls, dtype: TBaseDType) -> Self:
        """The data type for a NumPy type; DataTypeValidationError if that is of another class."""

    @abstractmethod
    def to_native_dtype(self) -> TDType_co:
        """The NumPy type."""

    @classmethod
    @abstractmethod
    def _from_json_v2(cls, data: Any) -> Self: ...

    @classmethod
    @abstractmethod
    def _from_json_v3(cls, data: Any) -> Self: ...

    @classmethod
    def from_json(cls, data: Any, *, zarr_format: ZarrFormat) -> Self:
        """The data type of a document; DataTypeValidationError if that has another one.

        Parameters
        ----------
        data
            For version 3 what stands under ``data_type``; for version 2 a dict of ``name`` and
            ``object_codec_id``.
        """
        if zarr_format == 2:
            return cls._from_json_v2(data)
        if zarr_format == 3:
            return cls._from_json_v3(data)
        raise bad_format(zarr_format)

    @abstractmethod
    def to_json(self, zarr_format: ZarrFormat) -> Any:
        """What :meth:`from_json` takes."""

    @abstractmethod
    def _check_scalar(self, data: object) -> bool: ...

    @abstractmethod
    def cast_scalar(self, data: object) -> TScalar_co:
        """``data`` as a value of this type; TypeError if that makes no sense."""

    @abstractmethod
    def default_scalar(self) -> TScalar_co:
        """What fills an array where nobody says."""

    @abstractmethod
    def from_json_scalar(self, data: Any, *, zarr_format: ZarrFormat) -> TScalar_co:
        """The value of a fill value of a document."""

    @abstractmethod
    def to_json_scalar(self, data: object, *, zarr_format: ZarrFormat) -> Any:
        """A value as the fill value of a document."""


def bad_format(zarr_format: object) -> ValueError:
    """The error for a version that is neither 2 nor 3."""
    return ValueError(f"zarr_format must be 2 or 3, got {zarr_format}")


def reject_native(cls: type[ZDType[Any, Any]], dtype: object) -> NoReturn:
    """Raise what says that a NumPy type is not that of a class."""
    raise DataTypeValidationError(
        f"Invalid data type: {dtype}. Expected an instance of {cls.dtype_cls}"
    )


def reject_json(cls: type[Any], data: object, expected: str) -> NoReturn:
    """Raise what says that a JSON form is not that of a class."""
    raise DataTypeValidationError(
        f"Invalid JSON representation of {cls.__name__}. Got {data!r}, expected {expected}"
    )


def reject_scalar(dtype: object, data: object) -> NoReturn:
    """Raise what says that a value is none of a type."""
    raise TypeError(
        f"Cannot convert object {data!r} with type {type(data)} to a scalar compatible with the "
        f"data type {dtype}."
    )


def scalar_failed_type_check_msg(cls_instance: ZDType[Any, Any], bad_scalar: object) -> str:
    """The message for a value that cannot be cast without loss."""
    return (
        f"The value {bad_scalar!r} failed a type check. "
        f"It cannot be safely cast to a scalar compatible with {cls_instance}. "
        f"Consult the documentation for {cls_instance} to determine the possible values that can "
        "be cast to scalars of the wrapped data type."
    )

"""What makes a file larger or smaller: its arguments in the form that the native half takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._errors import InvalidInputError
from ._matrices import Native, native_matrix
from ._selecting import positions
from .attribute_manager import AttributeManager
from .layer_manager import LayerManager
from .normalize import is_sparse, normalize_attr_values

if TYPE_CHECKING:
    from .._stook import Loom

#: Matrices and attributes by their names.
Layers = dict[str, tuple[Native, tuple[int, int]]]
Attributes = dict[str, np.ndarray]


def native_layers(layers: Any) -> Layers:
    """Layers in any form: a matrix, a dict, a manager.

    Raises
    ------
    InvalidInputError
        If it is none of these.
    """
    if isinstance(layers, LayerManager):
        return {name: native_matrix(layer._whole()) for name, layer in layers.items()}
    if isinstance(layers, dict) and not is_sparse(layers):
        return {name: native_matrix(layer) for name, layer in layers.items()}
    if isinstance(layers, (str, bytes)) or layers is None:
        raise InvalidInputError("Invalid type for layers argument")
    return {"": native_matrix(layers)}


def native_attributes(attributes: Any) -> Attributes:
    """Attributes of an axis in any form: a dict, a manager, a frame of pandas."""
    if attributes is None:
        return {}
    if isinstance(attributes, AttributeManager):
        attributes = dict(attributes.items())
    elif hasattr(attributes, "columns") and hasattr(attributes, "index"):
        attributes = {str(name): attributes[name] for name in attributes.columns}
    found = {}
    for name, values in attributes.items():
        normal = normalize_attr_values(values, use_object_strings=True)
        if np.ndim(normal) == 0:
            raise InvalidInputError(f"Attribute {name!r} must have a value for each item, not one")
        found[str(name)] = normal
    return found


def native_fill_values(fill_values: Any) -> Any:
    """Values to fill with: ``None``, ``"auto"``, or scalars by their names."""
    if fill_values is None or (isinstance(fill_values, str) and fill_values == "auto"):
        return fill_values
    if not hasattr(fill_values, "items"):
        raise InvalidInputError(f"fill_values: a dict or 'auto', not {fill_values!r}")
    found = {}
    for name, value in fill_values.items():
        normal = np.asarray(normalize_attr_values(value, use_object_strings=True))
        found[str(name)] = normal.reshape(1) if normal.ndim == 0 else normal
    return found


def add_columns(
    ds: Any, native: Loom, layers: Any, attributes: tuple[Any, Any], fill_values: Any
) -> None:
    """``LoomConnection.add_columns``."""
    matrices = native_layers(layers)
    columns, rows = attributes
    shape = _common_shape(matrices, ds, 0)
    new = native_attributes(columns)
    for name, values in new.items():
        if len(values) != shape[1]:
            raise InvalidInputError(
                f"Each column attribute must have exactly {shape[1]} values, but {name} had"
                f" {len(values)}"
            )
    if rows is None and 0 in native.shape:
        raise InvalidInputError(
            "row_attrs must be provided when adding to an empty (new) Loom file"
        )
    of_rows = native_attributes(rows) if 0 in native.shape else {}
    parts = {name: matrix for name, (matrix, _) in matrices.items()}
    native.add(1, (parts, new, of_rows, native_fill_values(fill_values)))
    ds._forget()


def add_rows(
    ds: Any, native: Loom, layers: Any, attributes: tuple[Any, Any], fill_values: Any
) -> None:
    """``LoomConnection.add_rows``."""
    matrices = native_layers(layers)
    rows, columns = attributes
    shape = _common_shape(matrices, ds, 1)
    new = native_attributes(rows)
    for name, values in new.items():
        if len(values) != shape[0]:
            raise InvalidInputError(
                f"Each row attribute must have exactly {shape[0]} values, but {name} had"
                f" {len(values)}"
            )
    of_columns = native_attributes(columns) if 0 in native.shape else {}
    parts = {name: matrix for name, (matrix, _) in matrices.items()}
    native.add(0, (parts, new, of_columns, native_fill_values(fill_values)))
    ds._forget()


def _common_shape(matrices: Layers, ds: Any, axis: int) -> tuple[int, int]:
    """The shape that all matrices have, of which that along ``axis`` is the file's.

    Raises
    ------
    InvalidInputError
        If they differ, or a layer is not in the file.
    """
    word = ("rows", "columns")[axis]
    other = ("rows", "columns")[1 - axis]
    found: tuple[int, int] | None = None
    for name, (_, shape) in matrices.items():
        if 0 not in ds._native.shape:
            if name not in ds.layers:
                raise InvalidInputError(f"Layer {name} does not exist in the target loom file")
            if shape[axis] != ds.shape[axis]:
                raise InvalidInputError(
                    f"Layer {name} has {shape[axis]} {word} but file has {ds.shape[axis]}"
                )
        if found is not None and shape != found:
            raise InvalidInputError(
                f"Layer {name} has {shape[1 - axis]} {other} but the first layer had"
                f" {found[1 - axis]}"
            )
        found = shape
    if found is None:
        raise InvalidInputError("there are no layers to add")
    return found


def ordering(items: Any, length: int) -> np.ndarray:
    """An order of an axis.

    Raises
    ------
    InvalidInputError
        If it has another length than the axis.
    """
    found = positions(items, length)
    if len(found) != length:
        raise InvalidInputError(f"an order of {length} items, not {len(found)}")
    return found


def keep(ds: Any, native: Loom, rows: Any, columns: Any) -> None:
    """``LoomConnection.keep``."""
    n_rows, n_columns = ds.shape
    native.keep(
        None if rows is None else positions(rows, n_rows),
        None if columns is None else positions(columns, n_columns),
    )
    ds._forget()


def delete(ds: Any, native: Loom, rows: Any, columns: Any) -> None:
    """``LoomConnection.delete``."""
    left: list[Any] = []
    for items, length in zip((rows, columns), ds.shape, strict=True):
        if items is None:
            left.append(None)
            continue
        mask = np.ones(length, bool)
        mask[positions(items, length)] = False
        left.append(np.flatnonzero(mask))
    keep(ds, native, *left)

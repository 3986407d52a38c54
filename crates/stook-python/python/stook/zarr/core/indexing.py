"""What the five kinds of an index mean: zarr's rules, turned into selections of the engine.

An :class:`Indexer` is checked against the array's shape when it is made, so that what is wrong with
it is said in zarr's words and by zarr's exceptions; the engine then reads or writes it in one call.
"""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from types import EllipsisType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import (
    BoundsCheckError,
    NegativeStepError,
    VindexInvalidSelectionError,
)

if TYPE_CHECKING:
    from typing import Literal

    from .array import Array, AsyncArray

#: Names of fields of structs, in the order in which they are wanted.
Fields: TypeAlias = str | list[str] | tuple[str, ...]
BasicSelector: TypeAlias = int | slice | EllipsisType
BasicSelection: TypeAlias = BasicSelector | tuple[BasicSelector, ...]
CoordinateSelection: TypeAlias = Any
MaskSelection: TypeAlias = npt.NDArray[np.bool_]
OrthogonalSelection: TypeAlias = Any
Selection: TypeAlias = Any
SelectionWithFields: TypeAlias = Any
Selector: TypeAlias = Any

_ALL = slice(None)


@dataclass(frozen=True, slots=True)
class Indexer:
    """A selection as the engine takes it: its kind and parts, and the shape of what it gives."""

    kind: Literal["axes", "points"]
    parts: tuple[Any, ...]
    shape: tuple[int, ...]
    #: Whether an item alone is a scalar of numpy, not an array without axes.
    is_scalar: bool = False

    @property
    def drop_axes(self) -> tuple[int, ...]:
        """Axes that are to go after a read: the engine gives none that does not belong."""
        return ()


# What things are.


def is_integer(x: Any) -> bool:
    """Whether ``x`` is one integer; a bool is none."""
    return isinstance(x, numbers.Integral) and type(x) is not bool


def is_bool(x: Any) -> bool:
    """Whether ``x`` is one bool."""
    return type(x) in (bool, np.bool_)


def is_integer_list(x: Any) -> bool:
    """Whether ``x`` is a list of integers, and not empty."""
    return isinstance(x, list) and len(x) > 0 and all(map(is_integer, x))


def is_bool_list(x: Any) -> bool:
    """Whether ``x`` is a list of bools, and not empty."""
    return isinstance(x, list) and len(x) > 0 and all(map(is_bool, x))


def is_integer_array(x: Any, ndim: int | None = None) -> bool:
    """Whether ``x`` is an array of integers, of so many axes."""
    if np.isscalar(x) or not hasattr(x, "shape") or not hasattr(x, "dtype"):
        return False
    return _kind(x) in "ui" and (ndim is None or len(x.shape) == ndim)


def is_bool_array(x: Any, ndim: int | None = None) -> bool:
    """Whether ``x`` is an array of bools, of so many axes."""
    if not hasattr(x, "shape") or not hasattr(x, "dtype"):
        return False
    return _kind(x) == "b" and (ndim is None or len(x.shape) == ndim)


def _kind(x: Any) -> str:
    return str(getattr(x.dtype, "kind", "-"))


def is_int_or_bool_iterable(x: Any) -> bool:
    """Whether ``x`` is a list or an array of integers or bools."""
    return is_integer_list(x) or is_integer_array(x) or is_bool_array(x) or is_bool_list(x)


def is_scalar(value: Any, dtype: np.dtype[Any]) -> bool:
    """Whether ``value`` is one item of an array of ``dtype``."""
    if np.isscalar(value) or (hasattr(value, "shape") and value.shape == ()):
        return True
    return isinstance(value, tuple) and dtype.names is not None and len(value) == len(dtype.names)


def is_pure_fancy_indexing(selection: Any, ndim: int) -> bool:
    """Whether numpy would take ``selection`` as points or as a mask, with no slice in it."""
    if is_bool_array(selection):
        return True
    if ndim == 1 and (
        is_integer_list(selection) or is_integer_array(selection) or is_bool_list(selection)
    ):
        return True
    if not isinstance(selection, tuple) or len(selection) != ndim:
        return False
    lists = [is_integer_list(part) or is_integer_array(part) for part in selection]
    return any(lists) and all(
        is_list or is_integer(part) for part, is_list in zip(selection, lists, strict=True)
    )


def is_pure_orthogonal_indexing(selection: Any, ndim: int) -> bool:
    """Whether each axis is selected on its own, with at most one list where there are slices."""
    if not ndim:
        return False
    parts = selection if isinstance(selection, tuple) else (selection,)
    n_lists = sum(map(is_int_or_bool_iterable, parts))
    if len(parts) == ndim and n_lists == ndim:
        return True
    return (
        len(parts) <= ndim
        and n_lists <= 1
        and all(isinstance(part, (int, slice)) or is_int_or_bool_iterable(part) for part in parts)
    )


# Selections with their axes written out.


def ensure_tuple(v: Any) -> tuple[Any, ...]:
    """``v``, in a tuple if it is none."""
    return v if isinstance(v, tuple) else (v,)


def replace_lists(selection: tuple[Any, ...]) -> tuple[Any, ...]:
    """The selection with lists as arrays."""
    return tuple(np.asarray(part) if isinstance(part, list) else part for part in selection)


def replace_ellipsis(selection: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """The selection with one entry for each axis."""
    parts = ensure_tuple(selection)
    at = [i for i, part in enumerate(parts) if part is Ellipsis]
    if len(at) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    if at:
        missing = max(len(shape) - (len(parts) - 1), 0)
        parts = parts[: at[0]] + (_ALL,) * missing + parts[at[0] + 1 :]
    if len(parts) > len(shape):
        raise IndexError(f"too many indices for array; expected {len(shape)}, got {len(parts)}")
    return parts + (_ALL,) * (len(shape) - len(parts))


def normalize_integer_selection(dim_sel: int, dim_len: int) -> int:
    """An index as one from the front.

    Raises
    ------
    BoundsCheckError
        If the axis has no such item.
    """
    at = int(dim_sel)
    if not -dim_len <= at < dim_len:
        raise _out_of_bounds(dim_len)
    return at % dim_len


def _out_of_bounds(dim_len: int) -> BoundsCheckError:
    return BoundsCheckError(f"index out of bounds for dimension with length {dim_len}")


def _slice(part: slice, dim_len: int) -> tuple[slice, int]:
    """A slice in bounds, and how many items it selects."""
    start, stop, step = part.indices(dim_len)
    if step < 1:
        raise NegativeStepError("only slices with step >= 1 are supported.")
    n = len(range(start, stop, step))
    return slice(start, stop if n else start, step), n


def _integers(part: Any, dim_len: int) -> npt.NDArray[np.int64]:
    """Indices from the front, of any number of axes."""
    found = np.asarray(part)
    if found.dtype.kind == "u" and found.size and found.max() > np.iinfo(np.int64).max:
        raise _out_of_bounds(dim_len)
    found = found.astype(np.int64)
    if found.size and (found.min() < -dim_len or found.max() >= dim_len):
        raise _out_of_bounds(dim_len)
    found[found < 0] += dim_len
    return found


def basic_indexer(selection: Any, shape: tuple[int, ...]) -> Indexer:
    """Integers and slices."""
    parts: list[Any] = []
    lengths: list[int] = []
    for part, length in zip(replace_ellipsis(selection, shape), shape, strict=True):
        if is_integer(part):
            parts.append(normalize_integer_selection(part, length))
        elif isinstance(part, slice):
            cut, n = _slice(part, length)
            parts.append(cut)
            lengths.append(n)
        else:
            raise IndexError(
                "unsupported selection item for basic indexing; "
                f"expected integer or slice, got {type(part)!r}"
            )
    return Indexer("axes", tuple(parts), tuple(lengths), is_scalar=not lengths)


def orthogonal_indexer(selection: Any, shape: tuple[int, ...]) -> Indexer:
    """Integers, slices, lists and masks, each axis on its own."""
    parts: list[Any] = []
    lengths: list[int] = []
    entries = replace_lists(replace_ellipsis(selection, shape))
    for part, length in zip(entries, shape, strict=True):
        if is_integer(part):
            parts.append(normalize_integer_selection(part, length))
            continue
        cut: Any
        if isinstance(part, slice):
            cut, n = _slice(part, length)
        elif is_integer_array(part):
            if len(part.shape) != 1:
                raise IndexError(
                    "integer arrays in an orthogonal selection must be 1-dimensional only"
                )
            cut = _integers(part, length)
            n = len(cut)
        elif is_bool_array(part):
            cut, n = _mask_of_axis(part, length)
        else:
            raise IndexError(
                "unsupported selection item for orthogonal indexing; expected integer, slice, "
                f"integer array or Boolean array, got {type(part)!r}"
            )
        parts.append(cut)
        lengths.append(n)
    return Indexer("axes", tuple(parts), tuple(lengths))


def _mask_of_axis(part: Any, length: int) -> tuple[npt.NDArray[np.bool_], int]:
    if len(part.shape) != 1:
        raise IndexError("Boolean arrays in an orthogonal selection must be 1-dimensional only")
    if part.shape[0] != length:
        raise IndexError(
            "Boolean array has the wrong length for dimension; "
            f"expected {length}, got {part.shape[0]}"
        )
    mask = np.ascontiguousarray(part, np.bool_)
    return mask, int(np.count_nonzero(mask))


def is_coordinate_selection(selection: Any, shape: tuple[int, ...]) -> bool:
    """Whether there are integers for each axis."""
    return (
        isinstance(selection, tuple)
        and len(selection) == len(shape)
        and all(is_integer(part) or is_integer_array(part) for part in selection)
    )


def is_mask_selection(selection: Any, shape: tuple[int, ...]) -> bool:
    """Whether it is one mask with the shape of the array."""
    return (
        isinstance(selection, tuple)
        and len(selection) == 1
        and is_bool_array(selection[0])
        and tuple(selection[0].shape) == shape
    )


def coordinate_indexer(selection: Any, shape: tuple[int, ...]) -> tuple[Indexer, tuple[int, ...]]:
    """Points: integers for each axis, broadcast together. The shape beside it is theirs; the
    selection itself is of one axis."""
    parts = tuple(
        np.asarray([part]) if is_integer(part) else part for part in ensure_tuple(selection)
    )
    parts = replace_lists(parts)
    if not parts or not is_coordinate_selection(parts, shape):
        raise IndexError(
            "invalid coordinate selection; expected one integer (coordinate) array per dimension "
            f"of the target array, got {selection!r}"
        )
    checked = [_integers(part, length) for part, length in zip(parts, shape, strict=True)]
    together = np.broadcast_arrays(*checked)
    outer = together[0].shape or (1,)
    flat = tuple(np.ascontiguousarray(points.reshape(-1)) for points in together)
    n = flat[0].size
    return Indexer("points", ((n,), *flat), (n,)), outer


def mask_indexer(selection: Any, shape: tuple[int, ...]) -> Indexer:
    """The items at which a mask of the array's shape is true."""
    parts = replace_lists(ensure_tuple(selection))
    if not is_mask_selection(parts, shape):
        raise IndexError(
            "invalid mask selection; expected one Boolean (mask) array with the same shape as the "
            f"target array, got {parts!r}"
        )
    points = np.asarray(parts[0]).nonzero()
    flat = tuple(axis.astype(np.int64, copy=False) for axis in points)
    n = flat[0].size
    return Indexer("points", ((n,), *flat), (n,))


def block_indexer(selection: Any, shape: tuple[int, ...], edges: list[Any]) -> Indexer:
    """Whole chunks by their places in the grid; ``edges`` has the length of a chunk for each
    axis, or where chunks begin and the last one ends."""
    parts: list[Any] = []
    lengths: list[int] = []
    entries = replace_ellipsis(selection, shape)
    for part, length, edge in zip(replace_lists(entries), shape, edges, strict=True):
        count = _count(length, edge)
        if is_integer(part):
            first = int(part) + count if part < 0 else int(part)
            last = first + 1
        elif isinstance(part, slice):
            if part.step not in (1, None):
                raise IndexError(
                    "unsupported selection item for block indexing; "
                    f"expected integer or slice with step=1, got {type(part)!r}"
                )
            first = 0 if part.start is None else part.start
            last = count if part.stop is None else part.stop
            first, last = (end + count if end < 0 else end for end in (first, last))
        else:
            raise IndexError(
                "unsupported selection item for block indexing; "
                f"expected integer or slice, got {type(part)!r}"
            )
        if not 0 <= first < count:
            raise _out_of_bounds(length)
        cut, n = _slice(slice(_edge(first, edge), _edge(max(first, last), edge)), length)
        parts.append(cut)
        lengths.append(n)
    return Indexer("axes", tuple(parts), tuple(lengths))


def _count(length: int, edge: Any) -> int:
    if isinstance(edge, int):
        return math.ceil(length / edge) if edge else 0
    return len(edge) - 1


def _edge(i: int, edge: Any) -> int:
    return i * edge if isinstance(edge, int) else int(edge[min(i, len(edge) - 1)])


# Fields.


def pop_fields(selection: SelectionWithFields) -> tuple[Any, Any]:
    """Names of fields in a selection, and the selection without them."""
    if isinstance(selection, str):
        return selection, ()
    if not isinstance(selection, tuple):
        return None, selection
    fields: Any = [part for part in selection if isinstance(part, str)]
    rest = tuple(part for part in selection if not isinstance(part, str))
    return (fields[0] if len(fields) == 1 else fields), (rest[0] if len(rest) == 1 else rest)


def check_fields(fields: Fields | None, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of the fields.

    Raises
    ------
    IndexError
        If there are no such fields.
    """
    if fields is None:
        return dtype
    if not isinstance(fields, (str, list, tuple)):
        raise IndexError(
            f"'fields' argument must be a string or list of strings; found {type(fields)!r}"
        )
    if not fields:
        return dtype
    if dtype.names is None:
        raise IndexError("invalid 'fields' argument, array does not have any fields")
    try:
        if isinstance(fields, str):
            return dtype[fields]
        return np.dtype([(name, dtype[name]) for name in fields])
    except KeyError as error:
        raise IndexError(f"invalid 'fields' argument, field not found: {error!r}") from error


def check_no_multi_fields(fields: Fields | None) -> str | None:
    """The one field that is to be written."""
    if isinstance(fields, (list, tuple)):
        if len(fields) > 1:
            raise IndexError("multiple fields are not supported for this operation")
        return fields[0] if fields else None
    return fields or None


# Other meanings of an index.


def _vindex_kind(selection: Any, shape: tuple[int, ...]) -> tuple[Any, Any, bool]:
    """Fields, selection, and whether it is a mask."""
    fields, rest = pop_fields(_loaded(selection))
    parts = replace_lists(ensure_tuple(rest))
    if is_coordinate_selection(parts, shape):
        return fields, parts, False
    if is_mask_selection(parts, shape):
        return fields, parts, True
    raise VindexInvalidSelectionError(
        "unsupported selection type for vectorized indexing; only coordinate selection (tuple of "
        "integer arrays) and mask selection (single Boolean array) are supported; "
        f"got {parts!r}"
    )


def _loaded(selection: Any) -> Any:
    """A selection that is an array of Zarr, read."""
    from .array import Array

    if not isinstance(selection, Array):
        return selection
    found = np.asarray(selection[...])
    if found.dtype.kind not in "iub":
        raise IndexError(f"an index array has integers or bools, not {found.dtype}")
    return (found,)


def _orthogonal_parts(selection: Any) -> tuple[Any, tuple[Any, ...]]:
    fields, rest = pop_fields(_loaded(selection))
    return fields, replace_lists(ensure_tuple(rest))


@dataclass(frozen=True)
class OIndex:
    """Indexing each axis on its own: ``array.oindex[[0, 2], 1:3]``."""

    array: Array

    def __getitem__(self, selection: OrthogonalSelection) -> Any:
        fields, parts = _orthogonal_parts(selection)
        return self.array.get_orthogonal_selection(parts, fields=fields)

    def __setitem__(self, selection: OrthogonalSelection, value: npt.ArrayLike) -> None:
        fields, parts = _orthogonal_parts(selection)
        self.array.set_orthogonal_selection(parts, value, fields=fields)


@dataclass(frozen=True)
class AsyncOIndex:
    """The same for coroutines."""

    array: AsyncArray

    async def getitem(self, selection: OrthogonalSelection) -> Any:
        """Reads each axis on its own."""
        fields, parts = _orthogonal_parts(selection)
        return await self.array.get_orthogonal_selection(parts, fields=fields)


@dataclass(frozen=True)
class VIndex:
    """Indexing points, ``array.vindex[[0, 2], [1, 3]]``, or by a mask."""

    array: Array

    def __getitem__(self, selection: Any) -> Any:
        fields, parts, is_mask = _vindex_kind(selection, self.array.shape)
        if is_mask:
            return self.array.get_mask_selection(parts, fields=fields)
        return self.array.get_coordinate_selection(parts, fields=fields)

    def __setitem__(self, selection: Any, value: npt.ArrayLike) -> None:
        fields, parts, is_mask = _vindex_kind(selection, self.array.shape)
        if is_mask:
            self.array.set_mask_selection(parts, value, fields=fields)
        else:
            self.array.set_coordinate_selection(parts, value, fields=fields)


@dataclass(frozen=True)
class AsyncVIndex:
    """The same for coroutines."""

    array: AsyncArray

    async def getitem(self, selection: Any) -> Any:
        """Reads points, or what a mask selects."""
        fields, parts, is_mask = _vindex_kind(selection, self.array.shape)
        if is_mask:
            return await self.array.get_mask_selection(parts, fields=fields)
        return await self.array.get_coordinate_selection(parts, fields=fields)


@dataclass(frozen=True)
class BlockIndex:
    """Indexing whole chunks by their places in the grid: ``array.blocks[0, 1:]``."""

    array: Array

    def __getitem__(self, selection: BasicSelection) -> Any:
        fields, rest = pop_fields(selection)
        return self.array.get_block_selection(replace_lists(ensure_tuple(rest)), fields=fields)

    def __setitem__(self, selection: BasicSelection, value: npt.ArrayLike) -> None:
        fields, rest = pop_fields(selection)
        parts = replace_lists(ensure_tuple(rest))
        self.array.set_block_selection(parts, value, fields=fields)

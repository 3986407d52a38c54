"""Conversion from any format to any other."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ._errors import InvalidInputError
from ._open import folder_outside
from ._stook import convert as _convert

if TYPE_CHECKING:
    from typing import Literal


@dataclass(frozen=True)
class Loss:
    """Something at a node that the target does not hold as the source does."""

    node: str
    """The node, in the source."""
    what: str
    """What it is: ``fill value``, ``codec blosc``, ``attribute units``."""
    becomes: str
    """What becomes of it."""

    def __str__(self) -> str:
        return f"{self.node}: {self.what}: {self.becomes}"


@dataclass(frozen=True)
class Report:
    """What a conversion did."""

    n_groups: int
    """Groups made."""
    n_arrays: int
    """Arrays copied."""
    n_attributes: int
    """Attributes copied."""
    n_links: int
    """Links made."""
    len_bytes: int
    """Bytes of items copied."""
    resumed_len_bytes: int
    """Bytes of items that an earlier conversion had copied."""
    losses: tuple[Loss, ...]
    """What the target does not hold as the source does."""
    left_out: tuple[Loss, ...]
    """Nodes that the target does not hold at all."""
    notes: tuple[str, ...]
    """What else is worth knowing."""


def convert(
    source: str | PathLike[str],
    target: str | PathLike[str],
    *,
    overwrite: bool = False,
    node: str = "/",
    format: str | None = None,
    leave_out: bool = False,
    include: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    select: Any = None,
    chunks: Any = None,
    shards: Any = None,
    codecs: Any = "keep",
    dtype: Any = None,
    rounding: str | Mapping[str, str] | None = None,
    lossy: bool = False,
    links: Literal["keep", "follow", "skip"] = "keep",
    consolidate: bool = False,
    resume: bool = False,
    outside: str | PathLike[str] | None = None,
    memory: int | None = None,
    progress: Callable[[str, int, int], object] | None = None,
) -> Report:
    """Copies a file, or a part of it, to a new file of any format.

    The target is there whole, or after an error not at all. Ctrl-C ends it, too.

    Of ``select``, ``chunks``, ``shards``, ``codecs``, ``dtype`` and ``rounding`` each is a value
    for all arrays that it fits, or a dict of patterns of paths and values; of several patterns
    that fit, the last counts.

    Parameters
    ----------
    source, target
        The paths. The source's format is told from its content, the target's from its name.
    overwrite
        Whether what is at ``target`` goes once the new file is whole.
    node
        The part of the source that becomes the root of the target.
    format
        The target's format where its name does not say it: zarr3, zarr2, hdf5, npy or npz.
    leave_out
        Whether nodes that the target cannot hold are left out, and reported; by default they
        are an error.
    include, exclude
        Patterns of the paths that are taken, or left out, with all below them.
    select
        Which items are taken: integers and slices, as a tuple (``np.s_[:100, 0]``) or a text
        (``":100, 0"``).
    chunks, shards
        The shape of a chunk or shard: a tuple of lengths, ``None`` in it for a whole axis;
        ``"auto"``; ``"keep"`` as in the source (default); ``"none"``.
    codecs
        What encodes chunks: a text such as ``"shuffle+gzip:6"``; a dict, or a list of them, of
        numcodecs' or Zarr's settings; ``"keep"`` as in the source, ``"auto"`` as the format
        does, ``None`` for none.
    dtype
        The dtype of numbers. Each must keep its value, unless ``lossy`` is set.
    rounding
        ``"quantize:DIGITS"`` or ``"bitround:BITS"``: how floats are rounded to take less room.
    lossy
        Whether numbers may be rounded to fit ``dtype``, and codecs may lose some of them.
    links
        Whether links stay links, are replaced by what they lead to, or are left out.
    consolidate
        Whether the metadata of a Zarr hierarchy is put together at its root, too.
    resume
        Whether an earlier conversion that did not come to its end goes on where it ended, and
        whether this one, ended by an error, stays to be gone on with.
    outside
        Which other files the source may lead to, as for :func:`stook.open`.
    memory
        Bytes that the conversion may hold, about (default 256 MiB).
    progress
        Called now and then with the node at work, bytes done, and bytes in all.

    Raises
    ------
    AlreadyExistsError
        If there is something at ``target`` and ``overwrite`` is not set.
    UnsupportedError
        If the target cannot hold a node.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> with stook.create(folder / "a.zarr") as f:
    ...     _ = f.create_array("x", np.arange(5), chunks=2)
    >>> report = stook.convert(folder / "a.zarr", folder / "a.h5")
    >>> report.n_arrays, report.len_bytes
    (1, 40)
    >>> stook.open(folder / "a.h5")["x"][:]
    array([0, 1, 2, 3, 4])
    """
    options = {
        "overwrite": overwrite,
        "node": node,
        "format": format,
        "leave_out": leave_out,
        "include": [include] if isinstance(include, str) else list(include),
        "exclude": [exclude] if isinstance(exclude, str) else list(exclude),
        "select": _rules(select, _selection),
        "chunks": _rules(chunks, _cut),
        "shards": _rules(shards, _cut),
        "codecs": [] if codecs == "keep" else _rules(codecs, _codecs, is_rule=_is_rules),
        "dtypes": _rules(dtype, _dtype),
        "rounding": _rules(rounding, str),
        "lossy": lossy,
        "links": links,
        "consolidate": consolidate,
        "resume": resume,
        "outside": folder_outside(outside),
        "memory": memory,
        "progress": progress,
    }
    found = _convert(source, target, options)
    for name in ("losses", "left_out"):
        found[name] = tuple(Loss(*loss) for loss in found[name])
    return Report(**found | {"notes": tuple(found["notes"])})


_Rules = list[tuple[str | None, str]]


def _rules(
    value: Any,
    text: Callable[[Any], str],
    is_rule: Callable[[Any], bool] = lambda value: isinstance(value, Mapping),
) -> _Rules:
    """Pairs of a pattern, or ``None`` for all, and a value as text."""
    if is_rule(value):
        return [(str(pattern), text(one)) for pattern, one in value.items()]
    return [] if value is None and text is not _codecs else [(None, text(value))]


def _is_rules(value: Any) -> bool:
    """Whether a dict is of patterns: one of settings has a name."""
    return isinstance(value, Mapping) and not {"id", "name"} & value.keys()


def _selection(value: Any) -> str:
    if isinstance(value, str):
        return value
    parts = value if isinstance(value, tuple) else (value,)
    return ", ".join(map(_axis, parts)) or "..."


def _axis(part: Any) -> str:
    if part is Ellipsis:
        return "..."
    if isinstance(part, slice):
        ends = (part.start, part.stop) if part.step is None else (part.start, part.stop, part.step)
        return ":".join("" if end is None else str(int(end)) for end in ends)
    if isinstance(part, (int, np.integer)):
        return str(int(part))
    raise InvalidInputError(f"select: expected integers and slices, found {part!r}")


def _cut(value: Any) -> str:
    if isinstance(value, (str, int, np.integer)):
        return str(value)
    return ",".join(":" if length is None else str(int(length)) for length in value)


def _codecs(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value)


def _dtype(value: Any) -> str:
    return value if isinstance(value, str) and value.isalnum() else np.dtype(value).name

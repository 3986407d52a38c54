"""Copying nodes from one hierarchy to another, and keys from one store to another.

Sources and targets are groups and arrays of this package or of h5py, as in zarr-python 2, whose
functions these were; its successor no longer has them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from .array import Array
from .group import Group

if TYPE_CHECKING:
    from collections.abc import Callable

    _IfExists = Literal["raise", "replace", "skip", "skip_initialized"]

__all__ = ["CopyError", "copy", "copy_all", "copy_store"]

#: Groups of chunks of about so many bytes are copied at once.
_BLOCK_LEN_BYTES = 64 << 20
_IF_EXISTS = ("raise", "replace", "skip", "skip_initialized")


class CopyError(RuntimeError):
    """What was to be copied is there already."""


class _Log:
    def __init__(self, log: Any) -> None:
        self._file: Any = None
        if log is None:
            self._say: Callable[[str], Any] | None = None
        elif callable(log):
            self._say = log
        elif hasattr(log, "write"):
            self._say = lambda text: log.write(text + "\n")
        elif isinstance(log, str) or hasattr(log, "__fspath__"):
            from pathlib import Path

            self._file = Path(log).open("w", encoding="utf-8")
            self._say = lambda text: self._file.write(text + "\n")
        else:
            raise TypeError(f"log must be a callable, a file, a path or None, found {log!r}")

    def __enter__(self) -> _Log:
        return self

    def __call__(self, text: str) -> None:
        if self._say is not None:
            self._say(text)

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def copy(
    source: Any,
    dest: Any,
    name: str | None = None,
    shallow: bool = False,
    without_attrs: bool = False,
    log: Any = None,
    if_exists: _IfExists = "raise",
    dry_run: bool = False,
    **create_kws: Any,
) -> tuple[int, int, int]:
    """Copies an array or a group, with all that is below it, into another group.

    Parameters
    ----------
    source
        A group or an array, of this package or of h5py.
    dest
        The group, of this package or of h5py, to copy into.
    name
        The name of the copy; by default that of the source.
    shallow
        Whether only the arrays of a group are copied, and not its groups.
    without_attrs
        Whether attributes are left behind.
    log
        Where each step is noted: a callable, a file, or the path of one.
    if_exists
        What to do where a node is in the way: ``raise``, ``replace`` it, ``skip``, or
        ``skip_initialized``: skip an array all of whose chunks are there.
    dry_run
        Whether nothing is written.
    create_kws
        How arrays are to be made, such as ``chunks`` or ``compressors``.

    Returns
    -------
    tuple
        The numbers of nodes copied and skipped, and of bytes copied.

    Raises
    ------
    CopyError
        If a node is in the way. It is a :class:`RuntimeError`.

    Examples
    --------
    >>> a, b = zarr.group(), zarr.group()
    >>> a["x"] = np.arange(6, dtype="int16")
    >>> zarr.copy(a["x"], b, name="y")
    (1, 0, 12)
    >>> b["y"][:]
    array([0, 1, 2, 3, 4, 5], dtype=int16)
    """
    if if_exists not in _IF_EXISTS:
        raise ValueError(f"if_exists must be one of {_IF_EXISTS}; found {if_exists!r}")
    with _Log(log) as say:
        job = _Job(say, shallow, without_attrs, if_exists, dry_run, create_kws)
        if not name:
            name = str(source.name).rpartition("/")[2]
        if not name:
            raise TypeError("source has no name, please provide the `name` parameter")
        if not isinstance(source, _groups()) and not _is_array(source):
            raise TypeError(f"expected an array or a group, found {type(source).__name__}")
        job.node(source, dest, name)
        return job.result()


def copy_all(
    source: Any,
    dest: Any,
    shallow: bool = False,
    without_attrs: bool = False,
    log: Any = None,
    if_exists: _IfExists = "raise",
    dry_run: bool = False,
    **create_kws: Any,
) -> tuple[int, int, int]:
    """Copies all that is in a group, and its attributes, into another group.

    The parameters, and what is returned, are those of :func:`copy`.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> with stook.create(folder / "a.h5") as f:
    ...     f["g/x"] = np.arange(3.0)
    >>> target = zarr.open_group(folder / "a.zarr")
    >>> zarr.copy_all(zarr.open(folder / "a.h5", mode="r"), target)
    (2, 0, 24)
    >>> target["g/x"][:]
    array([0., 1., 2.])
    """
    if if_exists not in _IF_EXISTS:
        raise ValueError(f"if_exists must be one of {_IF_EXISTS}; found {if_exists!r}")
    with _Log(log) as say:
        job = _Job(say, shallow, without_attrs, if_exists, dry_run, create_kws)
        for name in list(source.keys()):
            job.node(source[name], dest, name)
        if not without_attrs and not dry_run:
            _copy_attributes(source, dest)
        return job.result()


class _Job:
    """One call: how to copy, and what was done."""

    def __init__(
        self,
        say: _Log,
        shallow: bool,
        without_attrs: bool,
        if_exists: _IfExists,
        dry_run: bool,
        create_kws: dict[str, Any],
    ) -> None:
        self.say = say
        self.shallow = shallow
        self.without_attrs = without_attrs
        self.if_exists = if_exists
        self.dry_run = dry_run
        self.create_kws = create_kws
        self.n_copied = self.n_skipped = self.n_bytes = 0

    def result(self) -> tuple[int, int, int]:
        verb = "dry run: " if self.dry_run else "all done: "
        self.say(
            f"{verb}{self.n_copied} copied, {self.n_skipped} skipped, {self.n_bytes} bytes copied"
        )
        return self.n_copied, self.n_skipped, self.n_bytes

    def node(self, source: Any, dest: Any, name: str, is_below: bool = False) -> None:
        if _is_array(source):
            self.array(source, dest, name)
        elif not (is_below and self.shallow):
            self.group(source, dest, name)

    def array(self, source: Any, dest: Any, name: str) -> None:
        is_there = dest is not None and name in dest
        action = self.if_exists if is_there else "copy"
        if action == "raise":
            raise CopyError(f"an object {name!r} already exists in destination {dest.name!r}")
        if action == "skip_initialized":
            there = dest[name]
            done = isinstance(there, Array) and there.nchunks_initialized == there.nchunks
            action = "skip" if done else "replace"
        if action == "skip":
            self.say(f"skip {source.name}")
            self.n_skipped += 1
            return
        self.say(f"copy {source.name} {source.shape} {source.dtype}")
        if not self.dry_run:
            if is_there:
                del dest[name]
            made = self.make(source, dest, name)
            for region in _regions(made):
                made[region] = source[region]
            if not self.without_attrs:
                _copy_attributes(source, made)
        self.n_copied += 1
        self.n_bytes += math.prod(source.shape) * source.dtype.itemsize

    def make(self, source: Any, dest: Any, name: str) -> Any:
        if not isinstance(dest, Group):
            keywords = {"chunks": getattr(source, "chunks", None) or None, **self.create_kws}
            return dest.create_dataset(name, shape=source.shape, dtype=source.dtype, **keywords)
        from ._create import keep_from

        keywords = keep_from(source, dest.metadata.zarr_format)
        keywords |= {"shape": source.shape, "dtype": source.dtype}
        if getattr(source, "metadata", None) is not None:
            keywords["fill_value"] = source.fill_value
        return dest.create_array(name, **{**keywords, **self.create_kws})

    def group(self, source: Any, dest: Any, name: str) -> None:
        there = dest[name] if dest is not None and name in dest else None
        if there is not None and _is_array(there):
            if self.if_exists in ("raise",):
                raise CopyError(f"an object {name!r} already exists in destination {dest.name!r}")
            if self.if_exists != "replace":
                self.say(f"skip {source.name}")
                self.n_skipped += 1
                return
            if not self.dry_run:
                del dest[name]
            there = None
        self.say(f"copy {source.name}")
        if not self.dry_run:
            there = dest.require_group(name)
            if not self.without_attrs:
                _copy_attributes(source, there)
        self.n_copied += 1
        for child in list(source.keys()):
            self.node(source[child], there, child, is_below=True)


def _groups() -> tuple[type, ...]:
    import sys

    h5py = sys.modules.get("h5py")
    return (Group,) if h5py is None else (Group, h5py.Group)


def _is_array(node: Any) -> bool:
    return hasattr(node, "shape") and hasattr(node, "dtype")


def _copy_attributes(source: Any, dest: Any) -> None:
    found = {name: _plain(value) for name, value in source.attrs.items()}
    if found:
        dest.attrs.update(found)


def _plain(value: Any) -> Any:
    """An attribute of HDF5 as JSON would have it."""
    return value.tolist() if hasattr(value, "tolist") else value


def _regions(array: Any) -> Any:
    """Pieces of whole chunks that fit memory."""
    if not isinstance(array, Array) or array.nbytes <= _BLOCK_LEN_BYTES:
        return [(...,)]
    return array._iter_shard_regions()


def copy_store(
    source: Any,
    dest: Any,
    source_path: str = "",
    dest_path: str = "",
    excludes: Any = None,
    includes: Any = None,
    flags: int = 0,
    if_exists: Literal["raise", "replace", "skip"] = "raise",
    dry_run: bool = False,
    log: Any = None,
) -> tuple[int, int, int]:
    """Copies keys and values from one store to another, as they are: nothing is decoded.

    Parameters
    ----------
    source, dest
        Stores, or what stands for one.
    source_path, dest_path
        Copy what is below one path to below another.
    excludes, includes
        Regular expressions, one or several: keys (below ``source_path``) to leave out, and those
        of them that are copied all the same.
    flags
        For the regular expressions.
    if_exists, dry_run, log
        As for :func:`copy`.

    Returns
    -------
    tuple
        The numbers of keys copied and skipped, and of bytes copied.

    Raises
    ------
    CopyError
        If a key is there, with ``if_exists="raise"``; nothing is copied then.

    Examples
    --------
    >>> a, b = zarr.storage.MemoryStore(), zarr.storage.MemoryStore()
    >>> zarr.open_group(a)["x"] = np.arange(3)
    >>> n_copied, n_skipped, n_bytes = zarr.copy_store(a, b, excludes="^x/c/")
    >>> n_copied, sorted(b._store_dict)
    (2, ['x/zarr.json', 'zarr.json'])
    """
    import re

    from ..storage._native import native
    from ._open import store_path_of

    if if_exists not in ("raise", "replace", "skip"):
        raise ValueError(
            f"if_exists must be one of 'raise', 'replace', 'skip'; found {if_exists!r}"
        )
    start, target = store_path_of(source, source_path), store_path_of(dest, dest_path)
    theirs, ours = native(start.store), native(target.store)
    outs = [re.compile(text, flags) for text in _listed(excludes)]
    ins = [re.compile(text, flags) for text in _listed(includes)]
    jobs = []
    head = f"{start.path}/" if start.path else ""
    for key in sorted(theirs.list_prefix(start.path)):
        rest = key[len(head) :]
        if any(out.search(rest) for out in outs) and not any(i.search(rest) for i in ins):
            continue
        jobs.append((key, f"{target.path}/{rest}" if target.path else rest))
    taken = {to for _, to in jobs if if_exists != "replace" and ours.getsize(to) is not None}
    if taken and if_exists == "raise":
        raise CopyError(f"key {min(taken)!r} exists in destination")
    n_copied = n_bytes = 0
    with _Log(log) as say:
        for key, to in jobs:
            if to in taken:
                say(f"skip {key}")
                continue
            say(f"copy {key}" if key == to else f"copy {key} -> {to}")
            if dry_run:
                n_bytes += theirs.getsize(key) or 0
            else:
                value = theirs.get(key)
                if value is None:
                    continue
                ours.set(to, value)
                n_bytes += len(value)
            n_copied += 1
        verb = "dry run" if dry_run else "all done"
        say(f"{verb}: {n_copied} copied, {len(taken)} skipped, {n_bytes} bytes copied")
    return n_copied, len(taken), n_bytes


def _listed(patterns: Any) -> list[str]:
    return [] if patterns is None else [patterns] if isinstance(patterns, str) else list(patterns)

"""Sessions in files: which engine a path asks for, which objects, and what is told of each."""

from __future__ import annotations

import csv
import glob
import io
import os
from collections.abc import Iterable
from typing import Any

from stook.larray._array import Array
from stook.larray._axis import Axis
from stook.larray._group import Group
from stook.larray._metadata import Metadata

_ENGINES = {
    "csv": "pandas_csv", "h5": "pandas_hdf", "hdf": "pandas_hdf", "hdf5": "pandas_hdf", "xls": "pandas_excel",
    "xlsx": "pandas_excel", "pkl": "pickle", "pickle": "pickle", "zarr": "zarr", "arrow": "arrow", "feather": "arrow", "ipc": "arrow",
    "parquet": "parquet",
}
_METADATA = "__metadata__"
#: What keeps, beside files of text, what these cannot say.
_SIDECAR = "__stook__.json"


def _path(fname: Any) -> str:
    if not isinstance(fname, (str, os.PathLike)):
        raise TypeError("Expected a string or a Path object for the 'fname' argument. Got object of type "
                        f"'{type(fname).__name__}' instead.")
    return os.fspath(fname)


def _engine(path: str, engine: str) -> str:
    """The engine by name, or by the extension of a path."""
    if engine == "auto":
        extension = os.path.splitext(path)[1][1:].lower()
        return _ENGINES[extension] if extension else "pandas_csv"
    if engine in ("xlwings_excel", "excel"):
        return "pandas_excel"
    if engine not in _ENGINES.values():
        raise TypeError(f"Engine {engine} is currently not implemented")
    return engine


def _wanted(names: Any) -> set[str] | None:
    return None if names is None else {names} if isinstance(names, str) else set(names)


def _type_name(value: Any) -> str:
    return "Group" if isinstance(value, Group) else type(value).__name__


def load_session(session: Any, fname: Any, names: Any, engine: str, display: bool, options: dict[str, Any]) -> Any:
    """Loads objects into a session, whose metadata are replaced; tells what was loaded, and what was not.

    :raises KeyError: for an extension that is not known
    :raises TypeError: for an engine that is not known, or what is no path
    :raises FileNotFoundError: where there is no such file
    :raises ValueError: where there is no such folder
    """
    from stook.larray._native import LoadReport, load

    path = _path(fname)
    if not path:
        return LoadReport([], {})
    chosen = _engine(path, engine)
    wanted = _wanted(names)
    report, loaded = None, []
    found: Iterable[tuple[str, Any]]
    if chosen == "pandas_csv" and (options or not os.path.exists(os.path.join(path, _SIDECAR))):
        found, meta = _load_csv(path, wanted, options)
    else:
        if not os.path.exists(path):
            raise FileNotFoundError(f"``{os.path.abspath(path)}`` does not exist")
        found, meta, report = load(path, chosen, None if wanted is None else sorted(wanted))
    if display:
        print("opening", path)  # noqa: T201
    for name, value in found:
        if display:
            print(f"loading {_type_name(value)} object {name} ... done")  # noqa: T201
        session[name] = value
        loaded.append(name)
    session.meta = meta
    # Of files of text whatever is there is loaded.
    return LoadReport(sorted(loaded), {}) if report is None else report


def save_session(session: Any, fname: Any, names: Any, engine: str, overwrite: bool, display: bool,
                 options: dict[str, Any]) -> Any:
    """Saves the objects of a session, or some; tells what was not saved.

    :raises KeyError: for an extension that is not known
    :raises TypeError: for an engine that is not known, or what is no path
    :raises FileNotFoundError: where there is no folder to put the file into
    """
    path = _path(fname)
    if not path:
        return None
    chosen = _engine(path, engine)
    wanted = _wanted(names)
    items = [(name, value) for name, value in session.items() if wanted is None or name in wanted]
    sidecar = bool(options.get("sidecar"))
    only = (Array,) if chosen in ("pandas_csv", "pandas_excel") and not sidecar else None
    kept, not_saved = [], {}
    for name, value in items:
        known = isinstance(value, only) if only else is_kept(value)
        why = f"{type(value).__name__} is not a supported type"
        if display:
            print(f"dumping {name} ... " + ("done" if known else f"Cannot dump {name}. {why}"))  # noqa: T201
        if known:
            kept.append((name, value))
        else:
            not_saved[name] = why
    from stook.larray._native import SaveReport, save

    if chosen == "pandas_csv" and not sidecar:
        options.pop("sidecar", None)
        _save_csv(path, kept, session.meta, options)
        return SaveReport([name for name, _ in kept], not_saved)
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"``{folder}`` does not exist")
    saved, lost = save(path, chosen, kept, session.meta, overwrite, options)
    return SaveReport(saved, {**not_saved, **lost})


def is_kept(value: Any) -> bool:
    """Whether HDF5 and pickles keep a value: labelled objects, numbers, texts, dates and times."""
    import datetime

    import numpy as np

    return isinstance(value, (Array, Axis, Group, bool, int, float, complex, str, bytes, datetime.date, datetime.time,
                              datetime.datetime, np.generic))


# Text: a file an array.


def _csv_files(path: str) -> list[str]:
    if os.path.isdir(path):
        return sorted(glob.glob(os.path.join(glob.escape(path), "*.csv")))
    if any(character in path for character in "*?["):
        return sorted(glob.glob(path))
    if os.path.splitext(path)[1]:
        if not os.path.exists(path):
            raise FileNotFoundError(f"``{os.path.abspath(path)}`` does not exist")
        return [path]
    raise ValueError(f"Directory '{path}' does not exist")


def _load_csv(path: str, wanted: set[str] | None, options: dict[str, Any]
              ) -> tuple[Iterable[tuple[str, Any]], Metadata]:
    from stook.larray._readers import read_csv

    files = {os.path.splitext(os.path.basename(file))[0]: file for file in _csv_files(path)}
    meta = Metadata()
    described = files.pop(_METADATA, None)
    if described is None and not os.path.isdir(path):
        described = os.path.join(os.path.dirname(path), f"{_METADATA}.csv")
    if described is not None and os.path.exists(described):
        meta = _read_metadata(described)
    return ((name, read_csv(file, **options)) for name, file in files.items()
            if wanted is None or name in wanted), meta


def _read_metadata(file: str) -> Metadata:
    with open(file, encoding="utf-8", newline="") as text:
        rows = [row for row in csv.reader(text) if row]
    return Metadata((row[0], _guessed(row[1] if len(row) > 1 else "")) for row in rows[1:])


def _guessed(text: str) -> Any:
    """A value that is written as text: a number, a truth value, a date or time, or the text."""
    import datetime

    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    if text in ("True", "False"):
        return text == "True"
    for read in (datetime.date.fromisoformat, datetime.datetime.fromisoformat, datetime.time.fromisoformat):
        try:
            return read(text) if len(text) > 4 else text
        except ValueError:
            continue
    return text


def _save_csv(path: str, items: Iterable[tuple[str, Array]], meta: Metadata, options: dict[str, Any]) -> None:
    folder = os.path.dirname(path) if os.path.splitext(path)[1] else path
    if folder:
        os.makedirs(folder, exist_ok=True)
    for name, array in items:
        array.to_csv(os.path.join(folder, f"{name}.csv"), **options)
    if meta:
        from stook.larray._io import write_whole

        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([("metadata", ""), *meta.items()])
        write_whole(os.path.join(folder, f"{_METADATA}.csv"), [text.getvalue().encode("utf-8")])

"""The catalogue of a tree of sessions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Union

from .. import _stook
from .sessions import Session


@dataclass(frozen=True)
class SessionRecord:
    """What the catalogue tells of a session.

    Attributes
    ----------
    mouse_name, date, session_id
        What tells it from others.
    path
        Its folder below the root.
    n_datasets, nbytes
        How many files it has that are named as datasets, and how many bytes these take.
    tags, fields
        What people say of it.
    """

    mouse_name: str
    date: str
    session_id: str | None
    path: str
    n_datasets: int
    nbytes: int
    tags: tuple[str, ...]
    fields: dict[str, Any] = field(hash=False)

    @property
    def quality(self) -> str:
        """The field ``quality``: ``NOT_SET`` unless told."""
        return str(self.fields.get("quality", "NOT_SET"))


@dataclass(frozen=True)
class DatasetRecord:
    """What the catalogue tells of a file of a session.

    Attributes
    ----------
    path, name
        Its path below the session's folder; its name without folders and what it ends in.
    kind
        ``array``, ``sparse``, ``recipe``, ``objects`` or ``other``.
    dtype, shape
        Those of its elements, where it has some.
    nbytes, modified
        Its length; when it was changed, in nanoseconds since 1970.
    sha256
        The checksum of its bytes, where it was asked for.
    problem
        What is wrong with it.
    quality
        How good it is: ``NOT_SET`` unless told.
    """

    path: str
    name: str
    kind: str
    dtype: str | None
    shape: tuple[int, ...] | None
    nbytes: int
    modified: int
    sha256: str | None
    problem: str | None
    quality: str = "NOT_SET"


@dataclass(frozen=True)
class IndexReport:
    """What an index found: sessions and datasets there are, files that were read, sessions that are
    no more, and what is wrong with which file."""

    n_sessions: int
    n_datasets: int
    n_read: int
    n_gone: int
    problems: dict[str, str] = field(hash=False)


class Catalogue:
    """Which sessions there are in a tree of folders ``mouse/date`` and ``mouse/date/id``, what is saved
    in each, and what people say of them. It is an SQLite file, made from the tree by :meth:`index`
    whenever one likes; tags and fields survive that.

    >>> from stook.vranalysis import Catalogue, Session
    >>> folder = getfixture("tmp_path")
    >>> Session("ATL027", "2024-2-9", "701", root=folder).saveone([1.0, 2.0], "mpci.times")
    >>> catalogue = Catalogue(folder)
    >>> catalogue.index().n_datasets
    1
    >>> catalogue.tag("ATL027/2024-02-09/701", "good")
    >>> [session.session_print() for session in catalogue.sessions(mouse_name="ATL027", tag="good")]
    ['ATL027/2024-02-09/701']

    Parameters
    ----------
    root
        The folder of all sessions.
    path
        The catalogue's file, if not ``stook-catalogue.sqlite`` in the root.
    create
        Whether to make it where there is none.
    """

    def __init__(
        self,
        root: Union[str, PathLike[str]],
        path: Union[str, PathLike[str], None] = None,
        *,
        create: bool = True,
    ) -> None:
        self._native = _stook.OneCatalogue.open(root, path, create)

    @property
    def root(self) -> Path:
        """The folder of all sessions, without links."""
        return Path(self._native.root)

    @property
    def path(self) -> Path:
        """The catalogue's file."""
        return Path(self._native.path)

    def index(
        self, *, hashes: bool = False, progress: Callable[[int, int], object] | None = None
    ) -> IndexReport:
        """Makes the catalogue tell what is in the tree now, all at once. Files that are unchanged by
        length and time are not read again; of others the headers are, or with ``hashes`` all bytes.
        ``progress`` is called with the sessions done and those there are, by any thread."""
        found = json.loads(self._native.index(hashes, progress))
        return IndexReport(**{**found, "problems": dict(found["problems"])})

    def query(self, *conditions: str, **fields: Any) -> list[SessionRecord]:
        """The sessions that meet all conditions, by mouse, date and id.

        Conditions are texts (``"date >= 2024-02-01"``, ``"note ~ text"``, ``"tag is null"``), and
        keywords: ``field=value``, or ``field=(value, operator)`` with one of ``=``, ``!=``, ``<``,
        ``<=``, ``>``, ``>=``, ``in``, ``like``, ``contains``, ``is null``, ``is not null``. Fields are
        ``mouse_name``, ``date``, ``session_id``, ``path``, ``tag``, ``dataset``, ``n_datasets``,
        ``len_bytes``, and those that were set.
        """
        found = json.loads(
            self._native.sessions(list(conditions), [_condition(*item) for item in fields.items()])
        )
        return [_session(record) for record in found]

    def sessions(
        self, *conditions: str, cls: type[Session] = Session, **fields: Any
    ) -> Iterator[Session]:
        """The sessions that :meth:`query` finds, ready to load from; of a class of your own that takes
        what :class:`Session` does."""
        for record in self.query(*conditions, **fields):
            yield cls(record.mouse_name, record.date, record.session_id, root=self.root)

    def __iter__(self) -> Iterator[SessionRecord]:
        return iter(self.query())

    def __len__(self) -> int:
        return len(self.query())

    def session(self, session: Union[str, SessionRecord, Session]) -> SessionRecord:
        """What is known of a session; a ``KeyError`` for one that is not."""
        path = _path(session)
        found = self.query(path=path)
        if not found:
            raise KeyError(path)
        return found[0]

    def datasets(self, session: Union[str, SessionRecord, Session]) -> list[DatasetRecord]:
        """What is saved in a session."""
        found = json.loads(self._native.datasets(_path(session)))
        return [_dataset(record) for record in found]

    def list_datasets(
        self,
        session: Union[str, SessionRecord, Session],
        filename: str | None = None,
        collection: str | None = None,
        *,
        qc: Union[str, int] = "FAIL",
        ignore_qc_not_set: bool = False,
    ) -> list[str]:
        """The datasets of a session as ONE-api lists them, as paths below its folder: those whose quality
        is ``qc`` or better, a name or a number of ONE's; with ``ignore_qc_not_set`` only those that
        somebody judged. In ``filename`` and ``collection`` an asterisk is any text."""
        filters = (filename, collection)
        return self._native.list_datasets(_path(session), filters, (_quality(qc), ignore_qc_not_set))

    def set_quality(
        self, session: Union[str, SessionRecord, Session], quality: Union[str, int], *datasets: str
    ) -> None:
        """Says how good datasets of a session are, by their paths below its folder: ``NOT_SET``,
        ``PASS``, ``WARNING``, ``FAIL`` or ``CRITICAL``, or their numbers in ONE-api."""
        for dataset in datasets:
            self._native.set_quality(_path(session), dataset, _quality(quality))

    def tag(self, session: Union[str, SessionRecord, Session], *tags: str) -> None:
        """Gives a session tags."""
        for tag in tags:
            self._native.tag(_path(session), tag)

    def untag(self, session: Union[str, SessionRecord, Session], *tags: str) -> None:
        """Takes tags away."""
        for tag in tags:
            self._native.untag(_path(session), tag)

    def set(self, session: Union[str, SessionRecord, Session], **fields: Any) -> None:
        """Sets fields of a session: text, numbers, truth values; ``None`` takes one away. ``quality``
        is one of ``NOT_SET``, ``PASS``, ``WARNING``, ``FAIL``, ``CRITICAL``."""
        for name, value in fields.items():
            self._native.set_field(_path(session), name, json.dumps(_plain(value)))

    def export_one(self, folder: Union[str, PathLike[str], None] = None) -> dict[str, Any]:
        """Writes ``sessions.pqt`` and ``datasets.pqt`` as ONE-api reads them in its local mode, to the
        root unless told. Returns the paths, how many rows they have, and under ``left_out`` what
        ONE-api has no place for."""
        done: dict[str, Any] = json.loads(
            self._native.export(self.root if folder is None else folder)
        )
        return done

    def __repr__(self) -> str:
        return f"<Catalogue of {str(self.root)!r}>"


def _path(session: Union[str, SessionRecord, Session]) -> str:
    if isinstance(session, str):
        return session
    if isinstance(session, SessionRecord):
        return session.path
    # One that lies in one file is known by that.
    place = session._plain_folder()
    suffix = Path(place.path).suffix if place.is_in_file else ""
    return session.session_print() + suffix


def _quality(quality: Union[str, int]) -> str:
    # The enumeration of ONE-api is one of integers.
    return quality if isinstance(quality, str) else str(int(quality))


def _condition(name: str, value: Any) -> tuple[str, str, str]:
    value, operator = value if isinstance(value, tuple) else (value, "=")
    return name, operator, json.dumps(_plain(value))


def _plain(value: Any) -> Any:
    """A value as JSON has it: numbers of numpy as Python's, dates as text."""
    if isinstance(value, (list, set, frozenset)):
        return [_plain(item) for item in value]
    if hasattr(value, "strftime"):
        return value.strftime("%Y-%m-%d")
    return value.item() if hasattr(value, "item") else value


def _session(record: dict[str, Any]) -> SessionRecord:
    return SessionRecord(
        record["mouse"],
        record["date"],
        record["session_id"],
        record["path"],
        record["n_datasets"],
        record["len_bytes"],
        tuple(record["tags"]),
        record["fields"],
    )


def _dataset(record: dict[str, Any]) -> DatasetRecord:
    shape = record["shape"]
    return DatasetRecord(
        record["path"],
        record["name"],
        record["kind"],
        record["dtype"],
        None if shape is None else tuple(shape),
        record["len_bytes"],
        record["modified"],
        record["sha256"],
        record["problem"],
        record["quality"],
    )

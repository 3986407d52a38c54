"""The base class of sessions and the recipes that they save: names, signatures and behaviour of
``vrAnalysis.sessions.base``."""

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, List, Optional, Union

import numpy as np

from ... import _stook
from .._cache import OneCache, Sources, Sparse, frozen, given, reading, uses
from .._dates import PrettyDatetime

__all__ = ["LoadingRecipe", "PrettyDatetime", "SessionData"]


class LoadingRecipe:
    """How to load something that is saved elsewhere: the name of a loader, what it is to load, names of
    transforms to apply, and keyword arguments for the loader.

    >>> from stook.vranalysis import LoadingRecipe
    >>> recipe = LoadingRecipe("S2P", "F", transforms=["transpose"])
    >>> LoadingRecipe.from_dict(recipe.to_dict()).transforms
    ['transpose']
    """

    RECIPE_MARKER = "__LOADING_RECIPE__"

    def __init__(
        self,
        loader_type: str,
        source_arg: Optional[str],
        transforms: Optional[list[str]] = None,
        **kwargs: Any,
    ) -> None:
        self.loader_type = loader_type
        self.source_arg = source_arg
        self.transforms = transforms or []
        self.kwargs = kwargs

    def to_dict(self) -> dict[str, Any]:
        """The dictionary that is saved, with the marker that tells it from others."""
        return {
            "marker": self.RECIPE_MARKER,
            "loader_type": self.loader_type,
            "source_arg": self.source_arg,
            "transforms": self.transforms,
            "kwargs": self.kwargs,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> LoadingRecipe:
        """The recipe of a dictionary."""
        loader, source = data["loader_type"], data["source_arg"]
        return cls(loader, source, data["transforms"], **data["kwargs"])

    @classmethod
    def is_recipe(cls, data: Any) -> bool:
        """Whether an array that was loaded is a recipe: one dictionary with the marker."""
        try:
            item = data.item()
        except (AttributeError, ValueError):
            return False
        return isinstance(item, dict) and item.get("marker", None) == cls.RECIPE_MARKER

    def __repr__(self) -> str:
        return (
            f"LoadingRecipe({self.loader_type!r}, {self.source_arg!r},"
            f" transforms={self.transforms!r}, **{self.kwargs!r})"
        )


def _is_recipe_object(data: Any) -> bool:
    # Whoever has the class of another package has the same recipe.
    marker = getattr(data, "RECIPE_MARKER", None)
    is_marked = isinstance(marker, str) and marker == LoadingRecipe.RECIPE_MARKER
    return isinstance(data, LoadingRecipe) or (is_marked and hasattr(data, "to_dict"))


@dataclass
class SessionData(ABC):
    """A session: its name, its values, and what is saved in it.

    A subclass says where its data lies (``_init_data_path``) and what its activity is (``spks``); if
    it saves recipes, also what loaders and transforms they may ask for.

    Attributes
    ----------
    mouse_name, date, session_id
        What tells the session from others. ``date`` may be given as a text of the form year-month-day,
        a date, or a float of seconds since 1970; it becomes that text.
    data_path
        The folder of the session; nothing outside of it is read or written.
    values
        Small values that the session carries.
    one_cache
        What was loaded.
    memory_map, durability, writable, checksums, deflate
        Of a class or an instance: whether arrays are mapped and not read; whether a save is on the
        medium when it returns (``"fsync"``) or survives the end of the process (``"flush"``); whether
        loads give copies that can be written to, and not arrays that cannot; whether saves make a
        file of checksums (where there is one, they keep it true); whether sparse matrices are
        deflated.
    """

    mouse_name: str
    date: Union[str, datetime, PrettyDatetime]
    session_id: Optional[str] = None
    data_path: Union[Path, str] = field(init=False, repr=False)
    values: SimpleNamespace = field(default_factory=SimpleNamespace, repr=False, init=False)
    one_cache: OneCache = field(default_factory=OneCache, repr=False, init=False, compare=False)

    memory_map: ClassVar[bool] = True
    durability: ClassVar[str] = "flush"
    writable: ClassVar[bool] = False
    checksums: ClassVar[bool] = False
    deflate: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Makes the date a text, asks for the data path, and loads what a subclass wants loaded."""
        self.date = str(PrettyDatetime.make_pretty(self.date))
        self.data_path = self._init_data_path()
        self._additional_loading()

    def _additional_loading(self) -> None:
        """For subclasses: what is to be loaded when a session is made. Nothing, unless told."""

    @abstractmethod
    def _init_data_path(self) -> Union[Path, str]:
        """For subclasses: the folder of the session."""

    @property
    @abstractmethod
    def spks(self) -> Any:
        """For subclasses: the activity of the session's cells."""

    @property
    def session_name(self) -> tuple[str, ...]:
        """Mouse and date, and the id if there is one."""
        name = (self.mouse_name, str(self.date))
        return (*name, self.session_id) if self.session_id else name

    def session_print(self, joinby: str = "/") -> str:
        """The name as a text."""
        return joinby.join(self.session_name)

    def get_value(self, key: str) -> Any:
        """The value called ``key``; an ``AttributeError`` if there is none."""
        return getattr(self.values, key)

    def set_value(self, key: str, value: Any) -> None:
        """Sets the value called ``key``."""
        setattr(self.values, key, value)

    @property
    def recipe_loaders(self) -> dict[str, Any]:
        """For subclasses: functions by the name of a loader. Each takes the recipe's source, if it
        has one, and its keyword arguments. What it reads besides the session's onedata and
        :meth:`~stook.vranalysis.Session.load_s2p` it tells by :meth:`uses_file`."""
        raise NotImplementedError(
            f"Attempting to load a recipe from {self.session_print()} but no recipe_loaders are"
            " specified."
        )

    @property
    def recipe_transforms(self) -> dict[str, Any]:
        """For subclasses: functions by the name of a transform; each takes data and returns it."""
        raise NotImplementedError(
            f"Attempting to transform a loaded recipe from {self.session_print()} but no"
            " recipe_transforms are specified."
        )

    @property
    def one_path(self) -> Path:
        """The folder of what is saved: ``onedata``, or ``oneData`` where only that is there."""
        return Path(self._plain_folder().path)

    def _plain_folder(self) -> _stook.OneFolder:
        return _stook.OneFolder.open(self.data_path, None, self.memory_map, self._saving())

    def _saving(self) -> tuple[str, bool, bool]:
        return self.durability, self.checksums, self.deflate

    def _folder(self) -> _stook.OneFolder:
        if type(self).one_path is SessionData.one_path:
            return self._plain_folder()
        path = Path(self.one_path)
        return _stook.OneFolder.open(self.data_path, path, self.memory_map, self._saving())

    def get_saved_one(self) -> list[Path]:
        """The files that are saved, npy first."""
        folder = self._folder()
        return [Path(folder.path) / file for file in folder.files()]

    def print_saved_one(
        self, include_path: bool = False, include_extension: bool = False
    ) -> list[Any]:
        """The names that are saved."""

        def form(path: Path) -> Any:
            name = path.name if include_extension else path.stem
            return path.parent / name if include_path else name

        return [form(path) for path in self.get_saved_one()]

    def clear_one_data(
        self, one_file_names: Optional[List[str]] = None, certainty: bool = False
    ) -> None:
        """Removes what is saved, or what is called by some names, if ``certainty`` says so."""
        if not certainty:
            _say(
                "You have to be certain to clear onedata! (This means set kwarg certainty=True)."
            )
            return
        folder = self._folder()
        for file in folder.files():
            if not one_file_names or Path(file).stem in one_file_names:
                folder.remove(file)
                self._cache().forget(file)
        _say(f"Cleared onedata from session: {self.session_print()}")

    def get_one_filename(self, *names: str) -> str:
        """The name of the npy file that something is saved in."""
        return ".".join(names) + ".npy"

    def saveone(self, data: Any, *names: str, sparse: bool = False) -> None:
        """Saves an array, a recipe, plain objects (a dictionary), or with ``sparse`` a
        ``scipy.sparse.csc_array``. What was there is replaced whole, or stays as it was.

        Raises
        ------
        ValueError
            If ``sparse`` and the data is no ``csc_array``; if the names would lead elsewhere.
        """
        folder = self._folder()
        name = folder.check_name(list(names))
        if _is_recipe_object(data):
            folder.save_objects(name, data.to_dict())
            self._cache().forget(f"{name}.npy")
        elif sparse:
            _save_sparse(folder, name, data)
            self._cache().forget(f"{name}.npz")
        else:
            _save_array(folder, name, data)
            self._cache().forget(f"{name}.npy")

    def loadone(
        self,
        *names: str,
        force: bool = False,
        sparse: bool = False,
        keep_sparse: bool = False,
        writable: Optional[bool] = None,
    ) -> Any:
        """Loads what is saved, or what the recipe there leads to.

        The array is mapped where it can be, and cannot be written to; ``writable=True`` gives a copy
        that can. ``force`` loads anew what the cache has. ``sparse`` loads a sparse matrix, as an
        array unless ``keep_sparse``.

        Raises
        ------
        ValueError
            If there is nothing of these names.
        NotImplementedError
            For a recipe where loaders or transforms are not told; for a file that would run something.
        """
        name = _stook.OneFolder.check_name(list(names))
        file = f"{name}.npz" if sparse else f"{name}.npy"
        form = "sparse" if sparse and keep_sparse else "array"
        if force:
            # What is loaded anew takes the place in memory of what was there.
            self._cache().forget(file)
        found = self._cache().find(file, form)
        data = self._load(file, form) if found is None else given(found)
        if self.writable if writable is None else writable:
            return data.copy() if hasattr(data, "copy") else data
        return data

    def _load(self, file: str, form: str) -> Any:
        folder = self._folder()
        if not folder.has(file):
            _say(
                f"In session {self.session_print()}, the one file {file} doesn't exist. Here is a"
                " list of saved oneData files:"
            )
            for saved in self.print_saved_one():
                _say(saved)
            raise ValueError("onedata requested is not available")
        with reading() as sources:
            # Looked at before it is read.
            uses([_stook.OneSource(Path(folder.path) / file)])
            data = folder.load(file, form == "array")
            if isinstance(data, tuple):
                return self._kept(file, form, Sparse(data), sources)
            if isinstance(data, _stook.OneObjects):
                objects = data.to_array()
                if not LoadingRecipe.is_recipe(objects):
                    self._kept(file, form, data, sources)
                    return objects
                data = self._follow(LoadingRecipe.from_dict(objects.item()))
                if not isinstance(data, np.ndarray) or data.dtype.hasobject:
                    # Somebody else may have it, and change it.
                    return data
            return self._kept(file, form, frozen(data), sources)

    def load_columns(
        self, *names: str, start: int = 0, stop: int, keep_sparse: bool = False
    ) -> Any:
        """Columns ``start`` to ``stop`` of a sparse matrix, as an array unless ``keep_sparse``. Where
        the matrix is not deflated, the others are not read. Nothing is cached.

        Raises
        ------
        ValueError
            If there is nothing of these names, or no such columns.
        """
        name = _stook.OneFolder.check_name(list(names))
        folder = self._folder()
        if not folder.has(f"{name}.npz"):
            raise ValueError(f"there is no sparse matrix {name}")
        data = folder.load_columns(f"{name}.npz", (start, stop), not keep_sparse)
        return Sparse(data).matrix() if isinstance(data, tuple) else data

    def list_datasets(
        self, filename: Optional[str] = None, collection: Optional[str] = None
    ) -> list[str]:
        """The session's datasets, as paths below its folder: what is saved, and files elsewhere that
        are named as ALF does. In ``filename`` and ``collection`` an asterisk is any text."""
        return self._plain_folder().datasets(filename, collection)

    def load_object(
        self, obj: str, collection: Optional[str] = None, keep_sparse: bool = False
    ) -> dict[str, Any]:
        """All attributes of an object of ALF, by name: of files ``object.attribute.npy`` and ``.npz``
        in a folder, that of what is saved unless told. Recipes are followed.

        Raises
        ------
        ValueError
            If there is no such object, or two files are the same attribute of it.
        """
        folder = self._plain_folder()
        own = "" if folder.is_in_file else Path(folder.path).name
        collection = own if collection is None else collection
        found: dict[str, Any] = {}
        for path in folder.datasets(None, None):
            where, _, file = path.rpartition("/")
            parts = folder.alf_parts(file)
            if where != collection or parts is None or parts[0] != obj:
                continue
            if parts[1] in found:
                raise ValueError(f"object {obj!r} has attribute {parts[1]!r} in two files")
            found[parts[1]] = self._load_dataset(folder, path, where == own, keep_sparse)
        if not found:
            raise ValueError(f"there is no object {obj!r} in {collection!r}")
        return found

    def _load_dataset(
        self, folder: _stook.OneFolder, path: str, is_own: bool, keep_sparse: bool
    ) -> Any:
        file = Path(path)
        if is_own:
            sparse = file.suffix == ".npz"
            return self.loadone(file.stem, sparse=sparse, keep_sparse=keep_sparse)
        data = folder.load_at(Path(self.data_path) / path, not keep_sparse)
        if isinstance(data, tuple):
            return Sparse(data).matrix()
        return data.to_array() if isinstance(data, _stook.OneObjects) else data

    def save_recipe_json(self, recipe: Any, *names: str) -> Path:
        """Writes a recipe as JSON for people, beside where :meth:`saveone` puts it; returns where."""
        folder = self._folder()
        name = folder.check_name(list(names))
        return Path(folder.save_recipe_json(name, json.dumps(recipe.to_dict())))

    def make_checksums(self) -> int:
        """Makes checksums of what is saved, in a file that ``sha256sum -c`` reads. From now on every
        save keeps it true. Returns of how many files."""
        return self._folder().sum_up()

    def verify(self) -> dict[str, str]:
        """What the checksums say of each file: ``right``, ``changed``, ``missing``, or ``unlisted``.

        Raises
        ------
        KeyError
            If there are no checksums.
        """
        return dict(self._folder().verify())

    def sweep(self, older_than: float = 3600.0) -> list[str]:
        """Removes temporary files that savers left who were killed, unchanged for so many seconds;
        returns their names."""
        return self._folder().sweep(max(0, int(older_than)))

    def _kept(self, file: str, form: str, value: Any, sources: Sources) -> Any:
        size = value.len * 1024 if isinstance(value, _stook.OneObjects) else _memory(value)
        self._cache().keep(file, form, value, size, sources)
        return None if isinstance(value, _stook.OneObjects) else given(value)

    def _follow(self, recipe: LoadingRecipe) -> Any:
        loader = self.recipe_loaders[recipe.loader_type]
        source = () if recipe.source_arg is None else (recipe.source_arg,)
        data = loader(*source, **recipe.kwargs)
        for transform in recipe.transforms:
            data = self.recipe_transforms[transform](data)
        return data

    def uses_file(self, *paths: Union[Path, str]) -> None:
        """For loaders: says that the result depends on these files, before they are read. The cache
        gives it while they are unchanged."""
        uses([_stook.OneSource(path) for path in paths])

    def clear_cache(self, file_names: Optional[Iterable[str]] = None) -> None:
        """Forgets what was loaded: all, or files by name."""
        for file in [None] if file_names is None else file_names:
            self._cache().forget(file)

    def _cache(self) -> OneCache:
        if not isinstance(self.one_cache, OneCache):
            # Programs empty it by a dictionary.
            self.one_cache = OneCache()
        return self.one_cache


def _say(text: Any) -> None:
    sys.stdout.write(f"{text}\n")


def _memory(value: Any) -> int:
    """The bytes of memory that a value holds; what is mapped from a file holds none."""
    memory: Any = value
    while isinstance(memory, np.ndarray) and memory.base is not None:
        memory = memory.base
    return 0 if isinstance(memory, _stook.Mapped) else int(value.nbytes)


def _save_sparse(folder: _stook.OneFolder, name: str, data: Any) -> None:
    # Who has such a matrix has imported this.
    scipy_sparse = sys.modules.get("scipy.sparse")
    if scipy_sparse is None or not isinstance(data, scipy_sparse.csc_array):
        raise ValueError(
            "Data is not a scipy.sparse.csc_array, not supported for saving with sparse=True"
        )
    values = np.ascontiguousarray(data.data, dtype=data.data.dtype.newbyteorder("="))
    indices, pointers = (
        np.ascontiguousarray(part, dtype=part.dtype.newbyteorder("="))
        for part in (data.indices, data.indptr)
    )
    n_rows, n_columns = (int(n) for n in data.shape)
    folder.save_csc(name, values, (indices, pointers), (n_rows, n_columns))


def _save_array(folder: _stook.OneFolder, name: str, data: Any) -> None:
    array = np.asanyarray(data)
    if isinstance(array, np.ma.MaskedArray):
        raise NotImplementedError("masked arrays are not saved: fill them, or save data and mask")
    array = np.asarray(array)
    if array.dtype.kind == "O":
        folder.save_objects(name, array if array.ndim else array[()])
    elif array.flags.f_contiguous and not array.flags.c_contiguous:
        folder.save_array(name, array.T, True)
    else:
        folder.save_array(name, np.ascontiguousarray(array).reshape(array.shape), False)

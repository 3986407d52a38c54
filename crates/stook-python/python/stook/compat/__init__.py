"""Lends the names of other packages, so that scripts that were written for them run here unchanged.

``python -m stook.compat zarr -- script.py`` runs a script whose ``import zarr`` finds
:mod:`stook.zarr`; :func:`install` does so in a process that runs already.

>>> stook.compat.install("zarr")
>>> import zarr.storage
>>> zarr.storage.MemoryStore.__module__
'stook.zarr.storage._memory'
>>> stook.compat.uninstall("zarr")
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, DistributionFinder
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NoReturn

from .._errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from os import PathLike
    from types import ModuleType
    from typing import SupportsIndex

__all__ = ["NAMES", "install", "uninstall"]

# Each name that is asked for: the module that is lent, to what, and the version of the peer whose
# API that has, where the whole of it is lent.
_PEERS: dict[str, tuple[str, str, str | None]] = {
    "h5py": ("h5py", "stook.h5compat", "3.16.0"),
    "zarr": ("zarr", "stook.zarr", "3.1.6"),
    "loompy": ("loompy", "stook.loompy", "3.0.8"),
    "larray": ("larray", "stook.larray", "0.35.2"),
    # The rest of its package runs on this module as it is.
    "pymodaq": ("pymodaq_data.h5modules.backends", "stook.pymodaq.backends", None),
    # Where its package is installed, the rest of that runs on one module, see _INSIDE.
    "vranalysis": ("vrAnalysis", "stook.vranalysis", None),
}

_INSIDE: dict[str, tuple[str, str, str | None]] = {
    "vranalysis": ("vrAnalysis.sessions.base", "stook.vranalysis.sessions.base", None),
}

NAMES: tuple[str, ...] = tuple(_PEERS)


def install(name: str) -> None:
    """Makes ``import name`` find the package of this name in stook, until :func:`uninstall`.

    ``pymodaq`` is one module of that, ``pymodaq_data.h5modules.backends``; all the rest of it is the
    package that is installed. So it is with ``vranalysis`` (``vrAnalysis.sessions.base``) where there is
    such a package; else it is all of ``vrAnalysis``. Modules below a name are imported when they are asked for. :mod:`importlib.metadata` finds a
    distribution of the name, too, with the version whose API it is. Where it is lent already,
    nothing happens.

    Raises
    ------
    InvalidInputError
        If there is no package to lend the name to.
    ImportError
        If the package that owns the name was imported before: both at once would not know each
        other's objects.
    """
    module, package, version = _peer(name)
    if _finder(module) is not None:
        return
    known = sys.modules.get(module)
    if known is not None and known.__name__ != package:
        where = getattr(known, "__file__", None) or "somewhere"
        raise ImportError(
            f"the name {module!r} cannot be lent to {package}: {module} was imported before, from"
            f" {where}; call stook.compat.install({name!r}) first"
        )
    if not isinstance(sys.meta_path, _MetaPath):
        sys.meta_path = _MetaPath(sys.meta_path)
    sys.meta_path.insert(0, _Lender(module, package, version))


def uninstall(name: str) -> None:
    """Gives a name back; modules that were imported under it stay what they are."""
    module, package, _ = _peer(name)
    finder = _finder(module)
    if finder is None:
        return
    sys.meta_path.remove(finder)
    if not any(isinstance(finder, _Lender) for finder in sys.meta_path):
        sys.meta_path = list(sys.meta_path)
    for lent in [lent for lent in sys.modules if lent == module or lent.startswith(f"{module}.")]:
        if sys.modules[lent].__name__.startswith(package):
            del sys.modules[lent]
            parent, _, attribute = lent.rpartition(".")
            if parent in sys.modules:
                vars(sys.modules[parent]).pop(attribute, None)


def _peer(name: str) -> tuple[str, str, str | None]:
    if name not in _PEERS:
        raise InvalidInputError(
            f"there is no package to lend the name {name!r} to", hint=f"one of {', '.join(NAMES)}"
        )
    peer = _PEERS[name]
    if name in _INSIDE and _is_installed(peer[0]):
        return _INSIDE[name]
    return peer


def _is_installed(module: str) -> bool:
    """Whether a package of this name is there, not counting names that are lent."""
    others = [finder for finder in sys.meta_path if not isinstance(finder, _Lender)]
    finders = [finder for finder in others if hasattr(finder, "find_spec")]
    return any(finder.find_spec(module, None) is not None for finder in finders)


def _finder(name: str) -> _Lender | None:
    for finder in sys.meta_path:
        if isinstance(finder, _Lender) and finder.name == name:
            return finder
    return None


class _MetaPath(list[Any]):
    """``sys.meta_path`` with the lenders first: pytest, too, puts its finder before all others."""

    def insert(self, index: SupportsIndex, finder: Any, /) -> None:
        super().insert(index, finder)
        self.sort(key=lambda finder: not isinstance(finder, _Lender))


class _Lender(MetaPathFinder, Loader):
    """Finds modules below one package under the name of another one; they are the same objects."""

    def __init__(self, name: str, package: str, version: str | None) -> None:
        self.name = name
        self.package = package
        self.version = version

    def _own(self, fullname: str) -> str | None:
        if fullname != self.name and not fullname.startswith(f"{self.name}."):
            return None
        return self.package + fullname[len(self.name) :]

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        own = self._own(fullname)
        found = None if own is None else find_spec(own)
        if found is None:
            return None
        spec = ModuleSpec(fullname, self, origin=found.origin)
        spec.submodule_search_locations = found.submodule_search_locations
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(self._own(spec.name) or spec.name)
        # The import system is about to change it.
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        if spec is not None and spec.loader is self:
            module.__spec__ = spec.loader_state

    def find_distributions(
        self, context: DistributionFinder.Context = DistributionFinder.Context()
    ) -> Iterator[Distribution]:
        """The distribution of the name, for who asks for its version."""
        if self.version is None:
            return
        if context.name is None or context.name.lower().replace("_", "-") == self.name:
            yield _LentDistribution(self.name, self.version)


class _LentDistribution(Distribution):
    """What :mod:`importlib.metadata` says of a name that is lent."""

    def __init__(self, name: str, version: str) -> None:
        self._name = name
        self._version = version

    def read_text(self, filename: str) -> str | None:
        if filename not in ("METADATA", "PKG-INFO"):
            return None
        return f"Metadata-Version: 2.1\nName: {self._name}\nVersion: {self._version}\n"

    def locate_file(self, path: str | PathLike[str]) -> NoReturn:
        raise FileNotFoundError(f"{self._name} is lent, and has no file {path}")

    @property
    def files(self) -> None:
        return None

    @property
    def entry_points(self) -> Iterable[object]:  # type: ignore[override]
        return ()

"""The layers of a file or view."""

from __future__ import annotations

from typing import Any

from .._errors import InvalidInputError
from ._matrices import dtype_of_layer, native_matrix
from ._named import Stamped
from ._selecting import part
from .loom_layer import LoomLayer, MemoryLoomLayer

__all__ = ["LayerManager"]


class LayerManager(Stamped):
    """The layers, by name as an attribute or item: ``""`` is the main matrix. A pair of indices
    gives that part of all layers, in memory."""

    _kind = "Layer"

    def _names(self, native: Any) -> list[str]:
        names: list[str] = native.layer_names()
        return names

    def _part(self) -> str:
        return "layers"

    def __getitem__(self, thing: Any) -> Any:
        if isinstance(thing, str):
            return self.__getattr__(thing)
        found = LayerManager(None)
        for name, layer in self.items():
            found[name] = MemoryLoomLayer(name, _selected(layer, thing))
        return found

    def _get(self, name: str) -> Any:
        known = self._known()
        if name not in known:
            raise AttributeError(f"there is no layer {name!r}")
        return known[name] if self.ds is None else LoomLayer(name, self.ds)

    def _set(self, name: str, val: Any) -> None:
        known = self._known()
        if self.ds is None:
            known[name] = val
            return
        if isinstance(val, str):
            shape = self.ds.shape
            if 0 in shape:
                raise InvalidInputError("the shape of the file is not known yet")
            self.ds._native.set_empty_layer(name, dtype_of_layer(val), shape)
        else:
            matrix, shape = native_matrix(val)
            if name != "" and shape != self.ds.shape:
                raise InvalidInputError(f"All layers must have same shape {self.ds.shape}")
            self.ds._native.set_layer(name, matrix)
        known[name] = None

    def _remove(self, name: str) -> None:
        known = self._known()
        if self.ds is not None:
            if name == "":
                raise InvalidInputError("Cannot delete default layer")
            if name in known:
                self.ds._native.remove_layer(name)
        known.pop(name, None)

    def _permute(self, ordering: Any, *, axis: int) -> None:
        """Puts the rows or columns of layers in memory in another order."""
        for _, layer in self.items():
            layer.permute(ordering, axis=axis)

    def __repr__(self) -> str:
        return f"<LayerManager: {', '.join(map(repr, self._values or ()))}>"


def _selected(layer: Any, thing: Any) -> Any:
    """A part of a layer, the axes selected each on its own."""
    if isinstance(layer, LoomLayer) or not isinstance(thing, tuple) or len(thing) != 2:
        return layer[thing]
    rows, columns = map(part, thing)
    if isinstance(rows, int) or isinstance(columns, int):
        return layer[rows, columns]
    return layer[rows, :][:, columns]

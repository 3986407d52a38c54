"""The layers of a file or view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .._errors import InvalidInputError
from ._matrices import dtype_of_layer, native_matrix
from ._selecting import part
from .loom_layer import LoomLayer, MemoryLoomLayer
from .utils import timestamp

__all__ = ["LayerManager"]


class LayerManager:
    """The layers, by name as an attribute or item: ``""`` is the main matrix. A pair of indices
    gives that part of all layers, in memory."""

    def __init__(self, ds: Any) -> None:
        state = self.__dict__
        state["_ds"] = ds
        # Of a file, what is there is looked up when it is asked for.
        state["_layers"] = {} if ds is None else None

    @property
    def ds(self) -> Any:
        """The connection, or ``None``."""
        return self.__dict__["_ds"]

    def _known(self) -> dict[str, Any]:
        state = self.__dict__
        if state["_ds"] is not None:
            native = state["_ds"]._native
            if state["_layers"] is None:
                state["_layers"] = dict.fromkeys(native.layer_names())
        return state["_layers"]

    def _forget(self) -> None:
        """The file has changed."""
        self.__dict__["_layers"] = None

    def last_modified(self, name: str | None = None) -> str:
        """When a layer was changed last, or any of them."""
        if self.ds is None:
            return timestamp()
        return self.ds._last_modified("layers", name)

    def keys(self) -> list[str]:
        """The names."""
        return list(self._known())

    def items(self) -> Iterator[tuple[str, Any]]:
        """Names and layers."""
        for name in self.keys():
            yield name, self[name]

    def __len__(self) -> int:
        return len(self._known())

    def __contains__(self, name: object) -> bool:
        return name in self._known()

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *filter(str.isidentifier, self.keys())]

    def __getitem__(self, thing: Any) -> Any:
        if isinstance(thing, str):
            return self.__getattr__(thing)
        found = LayerManager(None)
        for name, layer in self.items():
            found[name] = MemoryLoomLayer(name, _selected(layer, thing))
        return found

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        known = self._known()
        if name not in known:
            raise AttributeError(f"there is no layer {name!r}")
        return known[name] if self.ds is None else LoomLayer(name, self.ds)

    def __setitem__(self, name: str, val: Any) -> None:
        self.__setattr__(name, val)

    def __setattr__(self, name: str, val: Any) -> None:
        if "/" in name:
            raise KeyError("Layer name cannot contain slash (/)")
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

    def __delitem__(self, name: str) -> None:
        self.__delattr__(name)

    def __delattr__(self, name: str) -> None:
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
        return f"<LayerManager: {', '.join(map(repr, self.__dict__['_layers'] or ()))}>"


def _selected(layer: Any, thing: Any) -> Any:
    """A part of a layer, the axes selected each on its own."""
    if isinstance(layer, LoomLayer) or not isinstance(thing, tuple) or len(thing) != 2:
        return layer[thing]
    rows, columns = map(part, thing)
    if isinstance(rows, int) or isinstance(columns, int):
        return layer[rows, columns]
    return layer[rows, :][:, columns]

"""How a Loom file lies in HDF5, as h5py sees it, in a form that can be compared."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

#: What says when something happened.
_TIMES = ("CreationDate", "last_modified")


def layouts(folder: Path) -> dict[str, dict[str, object]]:
    """What lies in each Loom file of a folder."""
    paths = sorted(folder.glob("*.loom"))
    return {path.name: layout(path) for path in paths if h5py.is_hdf5(path)}


def layout(path: Path) -> dict[str, object]:
    """Nodes by their paths: how they are stored, and what they hold."""
    found: dict[str, object] = {}
    with h5py.File(path) as file:
        found["/"] = sorted(name for name in file.attrs if name not in _TIMES)

        def visit(name, node):
            if name.rpartition("/")[2] in _TIMES:
                return
            attributes = sorted(name for name in node.attrs if name not in _TIMES)
            if isinstance(node, h5py.Group):
                found[name] = ["group", attributes]
                return
            found[name] = [str(node.dtype), node.shape, node.maxshape, node.chunks,
                           node.compression, node.compression_opts, node.shuffle,
                           node.fletcher32, attributes, items_of(node[()])]

        file.visititems(visit)
    return found


def items_of(values) -> object:
    values = np.asarray(values)
    if values.dtype == object:
        return [item.decode() if isinstance(item, bytes) else item for item in values.ravel()]
    return repr(values.tolist())

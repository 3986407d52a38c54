"""A session in a plain tree of folders."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union

import numpy as np

from ... import _stook
from ..._errors import InvalidInputError
from .._cache import uses
from .._transforms import idx_column1, transpose
from .base import SessionData

_FORBIDDEN = frozenset('/\\:\0')


@dataclass
class Session(SessionData):
    """A session in ``root/mouse/date`` or ``root/mouse/date/id``, with suite2p's output beside its
    saved files if there is any.

    Recipes may ask for the loaders ``S2P`` and ``roiPosition`` and the transforms ``transpose`` and
    ``idx_column1``; a subclass adds its own.

    Attributes
    ----------
    root
        The folder of all sessions.
    spks_name
        What the activity of cells is saved as.
    """

    root: Union[Path, str] = field(default=".", repr=False)
    spks_name: str = field(default="mpci.roiActivityDeconvolved", repr=False)

    def _init_data_path(self) -> Path:
        for part in self.session_name:
            if part in ("", ".", "..") or not _FORBIDDEN.isdisjoint(part):
                raise InvalidInputError(f"{part!r} cannot be the name of a folder")
        return Path(self.root, *self.session_name)

    @property
    def spks(self) -> Any:
        """The activity of the session's cells."""
        return self.loadone(self.spks_name)

    @property
    def recipe_loaders(self) -> dict[str, Any]:
        """``S2P`` and ``roiPosition``."""
        return {"S2P": self.load_s2p, "roiPosition": self.get_roi_position}

    @property
    def recipe_transforms(self) -> dict[str, Any]:
        """``transpose`` and ``idx_column1``."""
        return {"transpose": transpose, "idx_column1": idx_column1}

    @property
    def s2p_path(self) -> Path:
        """The folder of suite2p's output."""
        return Path(self.data_path) / "suite2p"

    def load_s2p(self, varName: str, concatenate: bool = True) -> Any:
        """A variable of suite2p's output: the planes one behind the other, those with frames cut to
        what all have, or to the value ``numFrames``; as a list, one a plane, for ``ops`` or if not
        to be concatenated. The value ``planeIDs`` says which planes, if not all.
        """
        planes = getattr(self.values, "planeIDs", None)
        n_frames = getattr(self.values, "numFrames", None)
        found, sources = self._plain_folder().suite2p(
            varName,
            concatenate,
            planes=None if planes is None else [int(plane) for plane in planes],
            n_frames=None if n_frames is None else int(n_frames),
        )
        uses(sources)
        if varName == "ops":
            parts = found if isinstance(found, list) else [found]
            return [_array(part).item() for part in parts]
        if not isinstance(found, list):
            return _array(found)
        arrays = [_array(part) for part in found]
        return np.concatenate(arrays, axis=0) if concatenate else arrays

    def get_plane_idx(self) -> np.ndarray[Any, Any]:
        """The number of the plane of each cell."""
        planes = getattr(self.values, "planeIDs", None)
        if planes is None:
            planes = self._plain_folder().plane_ids()
        n_cells = [len(cells) for cells in self.load_s2p("stat", concatenate=False)]
        return np.repeat(np.asarray(planes, dtype=np.uint8), n_cells)

    def get_roi_position(self, mode: str = "weightedmean") -> np.ndarray[Any, Any]:
        """x, y and plane of each cell, a row each: the mean of its pixels by how bright they are, or
        with ``mode="median"`` their median."""
        if mode not in ("weightedmean", "median"):
            raise InvalidInputError(f"mode {mode!r} is none of weightedmean, median")
        cells = self.load_s2p("stat")

        def center(cell: dict[str, Any], pixels: Any) -> Any:
            if mode == "median":
                return np.median(pixels)
            return np.sum(cell["lam"] * pixels) / np.sum(cell["lam"])

        x = np.array([center(cell, cell["xpix"]) for cell in cells])
        y = np.array([center(cell, cell["ypix"]) for cell in cells])
        return np.stack((x, y, self.get_plane_idx())).T


def _array(part: Any) -> Any:
    return part.to_array() if isinstance(part, _stook.OneObjects) else part

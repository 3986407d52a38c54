"""Sessions as vrAnalysis' documentation has them."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from stook.vranalysis.sessions.base import SessionData


@dataclass
class Recorded(SessionData):
    """A subclass as a laboratory writes it."""

    folder: Path = field(default=Path("."), repr=False)
    calls: list = field(default_factory=list, repr=False, init=False)

    def _init_data_path(self):
        return Path(self.folder) / self.mouse_name / self.date / self.session_id

    def _additional_loading(self):
        self.set_value("numROIs", 3)

    @property
    def spks(self):
        return self.loadone("mpci.spks")

    @property
    def recipe_loaders(self):
        return {"count": self.count, "nothing": lambda: np.zeros(2), "source": self.from_source}

    @property
    def recipe_transforms(self):
        return {"transpose": lambda x: x.T, "double": lambda x: x * 2}

    def count(self, n, start=0):
        self.calls.append(n)
        return np.arange(int(n) * 2, dtype=np.float64).reshape(2, -1) + start

    def from_source(self, name):
        path = Path(self.data_path) / name
        self.uses_file(path)
        self.calls.append(name)
        return np.loadtxt(path)


@pytest.fixture
def session(tmp_path):
    return Recorded("ATL027", "2024-2-9", "701", folder=tmp_path)


@pytest.fixture
def settle():
    """Makes files look as if they had been changed long ago, as a cache wants it."""

    def settle(*paths):
        then = time.time() - 10
        for path in paths:
            os.utime(path, (then, then))

    return settle

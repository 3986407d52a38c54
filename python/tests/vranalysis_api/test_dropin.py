"""The names of the peer, lent."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
import numpy as np
from dataclasses import dataclass
from pathlib import Path
from vrAnalysis.sessions.base import SessionData, LoadingRecipe

@dataclass
class Mine(SessionData):
    def _init_data_path(self):
        return Path(sys.argv[1]) / self.mouse_name / self.date

    @property
    def spks(self):
        return self.loadone("mpci.spks")

    @property
    def recipe_loaders(self):
        return {"numpy": lambda name: np.load(Path(self.data_path) / name)}

    @property
    def recipe_transforms(self):
        return {"transpose": lambda x: x.T}

mine = Mine("ATL027", "2024-02-09")
mine.saveone(np.arange(6).reshape(2, 3), "mpci", "raw")
mine.saveone(LoadingRecipe("numpy", "onedata/mpci.raw.npy", transforms=["transpose"]), "mpci.spks")
print(SessionData.__module__, mine.spks.tolist())
"""


def run(folder, *environment):
    command = [sys.executable, "-m", "stook.compat", "vranalysis", "--", "-c", PROGRAM, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.split(maxsplit=1)


def test_a_program_of_the_peer_runs_unchanged(tmp_path):
    module, result = run(tmp_path)
    assert module == "stook.vranalysis.sessions.base"
    assert result.strip() == "[[0, 3], [1, 4], [2, 5]]"


def test_the_rest_of_an_installed_package_runs_on_it(tmp_path):
    package = tmp_path / "vrAnalysis"
    (package / "sessions").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "sessions" / "__init__.py").write_text("from .other import Other\n")
    (package / "sessions" / "base.py").write_text("raise RuntimeError('not this one')\n")
    (package / "sessions" / "other.py").write_text(
        "from .base import SessionData\nclass Other(SessionData):\n    pass\n"
    )
    code = (
        "import stook.compat; stook.compat.install('vranalysis')\n"
        "from vrAnalysis.sessions import Other\n"
        "print(Other.__module__, Other.__mro__[1].__module__)\n"
        "stook.compat.uninstall('vranalysis')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stdout.split() == ["vrAnalysis.sessions.other", "stook.vranalysis.sessions.base"], done.stderr


def test_names_come_and_go():
    import stook.compat

    stook.compat.install("vranalysis")
    from vrAnalysis import LoadingRecipe
    from vrAnalysis.sessions import SessionData

    assert SessionData.__module__ == "stook.vranalysis.sessions.base"
    assert LoadingRecipe.RECIPE_MARKER == "__LOADING_RECIPE__"
    stook.compat.uninstall("vranalysis")
    with pytest.raises(ModuleNotFoundError):
        import vrAnalysis  # noqa: F401

"""loompy in its environment, beside stook.loompy in this process."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

#: Names the Python that has loompy; `cargo xtask test` makes it.
PYTHON = "STOOK_LOOMPY_PYTHON"

HERE = Path(__file__).resolve().parent


def python_of_loompy() -> str:
    python = os.environ.get(PYTHON)
    if not python:
        pytest.skip(f"{PYTHON} names no Python with loompy; cargo xtask test makes one")
    return python


class Peer:
    """loompy's process, started when it is asked first."""

    def __init__(self, python: str) -> None:
        self.python = python
        self._process = subprocess.Popen(
            [python, str(HERE / "worker.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )

    def outcome(self, module: str, name: str, folder: Path):
        """What a body gives there."""
        self._process.stdin.write(json.dumps([module, name, str(folder)]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def run(self, program: str, *arguments: object) -> str:
        """What a program prints that runs in a process of loompy's environment."""
        command = [self.python, "-c", program, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def close(self) -> None:
        """Ends it."""
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture(scope="session")
def peer():
    """loompy's process."""
    peer = Peer(python_of_loompy())
    yield peer
    peer.close()

"""larray in its environment, beside stook.larray in this process."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

#: Names the Python that has larray; `cargo xtask test` makes it.
PYTHON = "STOOK_LARRAY_PYTHON"

HERE = Path(__file__).resolve().parent


def python_of_larray() -> str:
    python = os.environ.get(PYTHON)
    if not python:
        pytest.skip(f"{PYTHON} names no Python with larray; cargo xtask test makes one")
    return python


class Peer:
    """larray's process, started when it is asked first."""

    def __init__(self, python: str) -> None:
        self.python = python
        self._process = subprocess.Popen(
            [python, str(HERE / "worker.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )

    def run(self, program: str, folder: Path) -> list:
        """What the lines of a program give there."""
        self._process.stdin.write(json.dumps([program, str(folder)]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def prints(self, source: str, *arguments: object) -> str:
        """What a program prints that runs in a process of larray's environment."""
        command = [self.python, "-c", source, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def close(self) -> None:
        """Ends it."""
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture(scope="session")
def peer():
    """larray's process."""
    peer = Peer(python_of_larray())
    yield peer
    peer.close()

"""A peer in a process of its own, in an environment of its own: asked a line of JSON, it answers with one."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest


def python_of(variable: str, name: str) -> str:
    """The Python that has a peer; a variable that `cargo xtask test` sets tells it."""
    python = os.environ.get(variable)
    if not python:
        pytest.skip(f"{variable} names no Python with {name}; cargo xtask test makes one")
    return python


class PeerProcess:
    """A process that runs a worker."""

    def __init__(self, python: str, worker: Path) -> None:
        self.python = python
        self._process = subprocess.Popen(
            [python, str(worker)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )

    def ask(self, *request: object):
        """What the worker answers."""
        self._process.stdin.write(json.dumps([str(part) for part in request]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def run(self, program: str, *arguments: object) -> str:
        """What a program prints that runs in a process of the peer's environment."""
        command = [self.python, "-c", program, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def close(self) -> None:
        """Ends it."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

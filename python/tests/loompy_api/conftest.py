"""loompy in its environment, beside stook.loompy in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
from peer_process import PeerProcess, python_of

#: Names the Python that has loompy; `cargo xtask test` makes it.
PYTHON = "STOOK_LOOMPY_PYTHON"

WORKER = Path(__file__).resolve().parent / "worker.py"


def python_of_loompy() -> str:
    return python_of(PYTHON, "loompy")


class Peer(PeerProcess):
    """loompy's process."""

    def outcome(self, module: str, name: str, folder: Path):
        """What a body gives there."""
        return self.ask(module, name, folder)


@pytest.fixture(scope="session")
def peer():
    """loompy's process."""
    peer = Peer(python_of_loompy(), WORKER)
    yield peer
    peer.close()

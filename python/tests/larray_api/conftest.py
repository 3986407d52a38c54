"""larray in its environment, beside stook.larray in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
from peer_process import PeerProcess, python_of

WORKER = Path(__file__).resolve().parent / "worker.py"


@pytest.fixture(scope="session")
def peer():
    """larray's process: asked a program and a folder, it tells what the lines of the program give there."""
    peer = PeerProcess(python_of("STOOK_LARRAY_PYTHON", "larray"), WORKER)
    yield peer
    peer.close()

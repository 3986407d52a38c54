"""The rest of pymodaq_data runs on the drop-in as it is, and gives what it gives on its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("saving_program.py")


def run(backend: str, folder: Path, *lent: str) -> list[str]:
    folder.mkdir()
    command = [sys.executable, *lent, str(PROGRAM), backend, str(folder)]
    environment = {**os.environ, "HOME": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    # Nodes are listed in another order: each names its path.
    return sorted(done.stdout.splitlines())


@pytest.mark.parametrize("backend", ["tables", "h5py"])
def test_savers_write_and_read_a_scan_a_logger_and_an_export(backend, tmp_path):
    theirs = run(backend, tmp_path / "theirs")
    ours = run(backend, tmp_path / "ours", "-m", "stook.compat", "pymodaq", "--")
    assert ours == theirs and len(theirs) > 80

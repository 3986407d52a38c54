"""A disk that is full: an error, and what was saved before is there, whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(os.name != "posix", reason="limits of Unix")
def test_a_full_disk_leaves_what_was_saved(tmp_path):
    program = Path(__file__).parent / "full_disk_program.py"
    done = subprocess.run([sys.executable, str(program), str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout) >= 400

"""Disks that are full: an error, nothing lost of what was acknowledged, and the file goes on."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "full_disk_program.py"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits of Unix")


def stages_of(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return ast.literal_eval(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("door", ["pymodaq", "h5compat"])
def test_a_small_disk_that_fills_up_loses_nothing(door, tmp_path):
    # In a mount namespace of its own: the file system goes with the process.
    unshare = ["unshare", "--mount"] + (["--map-root-user", "--user"] if os.getuid() else [])
    mount = 'mount -t tmpfs -o size=1m none "$0" && exec "$@"'
    inside = [*unshare, "sh", "-c", mount, str(tmp_path)]
    if shutil.which("unshare") is None or subprocess.run([*inside, "true"]).returncode:
        pytest.skip("no small file system can be mounted here")
    stages = stages_of([*inside, sys.executable, str(PROGRAM), door, str(tmp_path), "disk"])
    assert {"create", "flush"} <= stages.keys(), stages


@pytest.mark.parametrize("door", ["pymodaq", "h5compat"])
def test_a_file_that_may_not_grow_loses_nothing(door, tmp_path):
    stages = stages_of([sys.executable, str(PROGRAM), door, str(tmp_path), "size"])
    assert {"create", "flush"} <= stages.keys(), stages

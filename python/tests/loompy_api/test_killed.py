"""Files whose writer is killed, or runs out of room: as before the change, or as behind it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from loompy_api import killed_program
from stook import loompy

PROGRAM = Path(killed_program.__file__)
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits of Unix")


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / "a.loom")
    new = np.arange(60)
    loompy.create(path, np.broadcast_to(new, (killed_program.N_GENES, 60)).astype("i4"),
                  {"Gene": np.arange(killed_program.N_GENES)},
                  {"CellID": new.astype(str), "N": new})
    return path


@pytest.mark.parametrize("what", ["columns", "permute", "keep"])
def test_a_writer_that_is_killed_leaves_one_state_or_the_other(path, what):
    random = np.random.default_rng(7)
    n_before = 60
    for seed in range(4):
        program = subprocess.Popen([sys.executable, str(PROGRAM), path, what, str(seed)],
                                   stdout=subprocess.PIPE, text=True)
        assert program.stdout.readline() == "ready\n"
        time.sleep(random.uniform(0, 0.15))
        program.kill()
        acknowledged = len(program.stdout.read().split())
        program.wait()
        program.stdout.close()
        n = killed_program.check(path)
        if what == "columns":
            # The change that was under way is there, or is not.
            assert n - n_before in (10 * acknowledged, 10 * acknowledged + 10)
        n_before = n


def test_a_writer_without_room_leaves_the_file_as_it_was(path, tmp_path):
    limits = """
import os, resource, runpy, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
most = os.path.getsize(sys.argv[2]) + 60_000
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", limits, str(PROGRAM), path, "columns", "0"],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "Error" in done.stderr.splitlines()[-1], done.stderr
    acknowledged = len(done.stdout.split()) - 1
    assert killed_program.check(path) == 60 + 10 * acknowledged
    # Where there is room again it goes on.
    killed_program.columns(path, 60 + 10 * acknowledged)
    assert killed_program.check(path) == 70 + 10 * acknowledged

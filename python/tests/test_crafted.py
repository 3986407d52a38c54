"""HDF5 files that were crafted to mislead are refused by name or read, and end nobody's process.

Each door reads some hundred of some hundred thousand files (crafted.py), in processes of their own.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "crafted_program.py"
# Every so-manieth file; primes, so that each door reads others, and all kinds of change are met.
EVERY = {"stook": 1009, "h5compat": 1013, "pymodaq": 1019}
# What the HDF5 library does with a structure, and what is not refused before: a part of the name of
# the file → how its process ends. docs/correctness.md has the reasons.
KNOWN: dict[str, str] = {}


def expected(name: str) -> str | None:
    for pattern, end in KNOWN.items():
        if re.search(pattern, name):
            return end
    return None


@pytest.mark.skipif(sys.platform == "win32", reason="limits of processes are those of Unix")
@pytest.mark.parametrize("door", EVERY)
def test_crafted_structures_are_refused_or_read(door, tmp_path):
    outcomes, casualties, first = Counter(), [], 0
    while True:
        command = [sys.executable, str(PROGRAM), door, str(tmp_path), str(first), str(EVERY[door])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=250)
        *lines, last = done.stdout.splitlines()
        outcomes.update(line.partition(" ")[2] for line in lines if " reading " not in line)
        if last == "done":
            break
        # It ended while it read this one.
        number, _, name = last.partition(" reading ")
        assert name, (last, done.stderr)
        end = signal.Signals(-done.returncode).name if done.returncode < 0 else done.stderr[-500:]
        if expected(name) != end:
            casualties.append((name, end))
            assert len(casualties) < 5, casualties
        first = int(number) + 1
    assert not casualties, casualties
    # They mislead, and they are files.
    n_refused = sum(n for end, n in outcomes.items() if end.startswith(("refused", "read in part")))
    assert outcomes["read"] > 50 and n_refused > 50, outcomes

"""Two processes write one array and are killed: what they acknowledged is there, and whole.

`STOOK_KILL_ROUNDS` says how often; 100 for a release.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import stook.zarr as zarr

ROUNDS = int(os.environ.get("STOOK_KILL_ROUNDS", "4"))
N_UNITS, UNIT = 64, 500

# Writes every second unit again and again, each time with another number, and says which.
WRITER = """
    import sys
    import numpy as np
    import stook.zarr as zarr

    path, first, unit, n = sys.argv[1], *map(int, sys.argv[2:])
    array = zarr.open_array(path, mode="r+")
    value = first + 1
    print("ready", flush=True)
    while True:
        for at in range(first, n, 2):
            array[at * unit : (at + 1) * unit] = np.full(unit, value)
            print(at, value, flush=True)
            value += 2
"""


LAYOUTS = {
    "chunks": {"chunks": (UNIT,)},
    "plain": {"chunks": (UNIT,), "compressors": None},
    "shards": {"chunks": (UNIT // 5,), "shards": (UNIT,)},
    "version 2": {"chunks": (UNIT,), "zarr_format": 2},
}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing kills like that here")
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_what_was_acknowledged_is_whole(tmp_path, layout):
    path = tmp_path / "a.zarr"
    zarr.create_array(store=str(path), shape=(N_UNITS * UNIT,), dtype="i8", **layout)
    chance = random.Random(20_261_122)
    known: dict[int, int] = {}
    for _ in range(ROUNDS):
        written = kill_writers(path, 0.05 + chance.random() * 0.3)
        known |= written
        found = np.asarray(zarr.open_array(str(path), mode="r")[:]).reshape(N_UNITS, UNIT)
        # Each unit is of one write ...
        assert (found == found[:, :1]).all()
        for at, value in known.items():
            # ... which is the last that was acknowledged, or the one behind it.
            later = value + 2 * (N_UNITS // 2)
            assert found[at, 0] in (value, later) or at not in written, (at, value, found[at, 0])
            known[at] = int(found[at, 0])
        leftovers = [file for file in path.rglob("*") if file.name.startswith(".stook-tmp")]
        assert len(leftovers) <= 2 * ROUNDS


def kill_writers(path, seconds: float) -> dict[int, int]:
    """The last number of each unit that two writers acknowledged until they were killed."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), str(path), str(first)]
            + [str(UNIT), str(N_UNITS)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for first in (0, 1)
    ]
    lines: list[str] = []
    try:
        for writer in writers:
            assert writer.stdout.readline() == "ready\n"
        # However slow the machine is, each has acknowledged something.
        lines.extend(writer.stdout.readline() for writer in writers)
        time.sleep(seconds)
    finally:
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
    written: dict[int, int] = {}
    for writer in writers:
        lines.extend(writer.communicate()[0].splitlines(keepends=True))
    for line in lines:
        # The last line may be cut.
        if line.endswith("\n"):
            at, value = map(int, line.split())
            written[at] = value
    assert written
    return written

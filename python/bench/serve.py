"""What a library's process does in a `Contest`: measures an operation when it is asked to.

It runs in the peers' environments, too: it needs nothing but Python.
"""

import json
import math
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

#: Calls that take less than this are measured many at a time.
SAMPLE_SECONDS = 0.02
MOST_CALLS = 100_000


class Operation(NamedTuple):
    """What makes ready (outside the clock), what is measured, and whether it can be done again with what
    was made ready once. It gives a number that tells whether the result is right."""

    prepare: Callable[[], Any]
    run: Callable[[Any], float]
    repeats: bool = False


def nothing() -> None:
    """Makes nothing ready."""


def peak_len_bytes() -> int:
    mark = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(mark[1]) * 1024


def forget_peak() -> None:
    """Begins the mark anew; where the system does not let that, it stays."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


class Clock:
    """The time that a block takes, and how much memory the process had in it."""

    def __enter__(self) -> "Clock":
        self.start, self.cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_) -> None:
        self.wall, self.cpu = time.perf_counter() - self.start, time.process_time() - self.cpu


def measured(operation: Operation) -> dict:
    given = operation.prepare()
    forget_peak()
    n_calls = 1
    with Clock() as clock:
        found = operation.run(given)
    if operation.repeats and clock.wall < SAMPLE_SECONDS:
        n_calls = min(math.ceil(SAMPLE_SECONDS / max(clock.wall, 1e-7)), MOST_CALLS)
        run = operation.run
        with Clock() as clock:
            for _ in range(n_calls):
                run(given)
    return {"wall": clock.wall / n_calls, "cpu": clock.cpu / n_calls, "peak": peak_len_bytes(),
            "found": found}


def serve(import_library: Callable[[], Any], operations: Callable[[Any], dict[str, Operation]],
          make: Callable[[Any], None] = lambda _: None) -> None:
    """Imports the library and answers what is asked of it: `{"make": true}` makes the files that others
    read, `{"run": name}` measures an operation. What the library prints goes to standard error."""
    answers, sys.stdout = sys.stdout, sys.stderr

    def answer(found: dict) -> None:
        answers.write(json.dumps(found) + "\n")
        answers.flush()

    with Clock() as clock:
        library = import_library()
    answer({"imported": {"wall": clock.wall, "cpu": clock.cpu, "peak": peak_len_bytes()}})
    known: dict[str, Operation] = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "make" in request:
                make(library)
                answer({})
                continue
            known = known or operations(library)
            answer(measured(known[request["run"]]) if request["run"] in known else {"absent": True})
        except Exception as error:
            answer({"error": f"{type(error).__name__}: {error}"})

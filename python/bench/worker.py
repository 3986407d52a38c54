"""One library in a process of its own: a JSON request a line in, a JSON answer a line out.

The Rust workers (`bench/src`) speak the same protocol and measure alike: a sample is the wall and
processor time of a call, or the mean of as many short calls as take 20 ms; what runs before a
call to take away what the last one wrote is outside the clock, and so is freeing its result.
"""

import json
import math
import re
import resource
import sys
import time
import zlib
from pathlib import Path

import libraries
import numpy as np
from task import Task

SAMPLE_SECONDS = 0.02


def peak_len_bytes() -> int:
    # Linux's `ru_maxrss` begins with what the process that started this one had in use, so that
    # its own mark comes first.
    status = Path("/proc/self/status")
    if status.exists():
        mark = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE)
        if mark:
            return int(mark[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def digest(result) -> str:
    if isinstance(result, int):
        return f"n={result}"
    return f"{zlib.crc32(np.ascontiguousarray(result).reshape(-1).view('u1')):08x}"


def sample(reset, run, seconds: float) -> list[dict]:
    """Samples calls for about `seconds`, at least one."""
    began = time.perf_counter()
    samples, n_calls = [], 1
    while not samples or time.perf_counter() - began < seconds:
        if reset:
            reset()
        result = None
        cpu, start = time.process_time(), time.perf_counter()
        for _ in range(n_calls):
            result = run()
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        del result
        samples.append({"wall": wall / n_calls, "cpu": cpu / n_calls})
        if not reset and n_calls == 1 and wall < SAMPLE_SECONDS:
            # The first call tells how many make a sample; a single one is no sample then.
            n_calls = min(max(math.ceil(SAMPLE_SECONDS / max(wall, 1e-7)), 1), 100_000)
            if n_calls > 1:
                samples.clear()
    return samples


def main() -> None:
    name = sys.argv[1]
    # What a library prints must not get between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr

    def answer(value: dict) -> None:
        print(json.dumps(value), file=answers, flush=True)

    try:
        prepare = libraries.LIBRARIES[name]()
    except ImportError as error:
        answer({"error": str(error)})
        return
    answer({"library": name, "peak_len_bytes": peak_len_bytes()})
    ready = None
    for line in sys.stdin:
        try:
            request = json.loads(line)
            if "prepare" in request:
                ready = None
                reset, run = prepare(Task(**request["prepare"]))
                if reset:
                    reset()
                result = run()
                found = digest(result)
                del result
                ready = reset, run
                answer({"digest": found})
            else:
                samples = sample(*ready, request["measure"])
                answer({"samples": samples, "peak_len_bytes": peak_len_bytes()})
        except Exception as error:  # noqa: BLE001: any failure of a peer is an answer
            answer({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()

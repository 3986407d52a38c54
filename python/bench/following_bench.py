"""What readers that follow cost a writer: rows a second alone, and with three readers of ours and one of h5py.

    python following_bench.py [--rows N] [--rounds N] [--pause SECONDS]

Each round measures the writer alone and then with readers, in processes of their own; the best of the
rounds counts. Readers look every `--pause` seconds, and check each row that they see. Where there are
fewer cores than processes, the processor time of the writer tells what readers cost it, and the wall
clock what they take away from it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = Path(__file__).parents[1] / "tests" / "following_program.py"
READERS = ("pymodaq", "pymodaq", "h5compat", "h5py")


def start(role: str, path: Path, n_rows: int, pause: float) -> subprocess.Popen[str]:
    command = [sys.executable, str(PROGRAM), role, str(path), str(n_rows), str(pause)]
    process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def measure(
    roles: tuple[str, ...], n_rows: int, pause: float
) -> tuple[dict[str, float], list[dict[str, float]]]:
    """What the writer took, and how often each reader looked, and for how long."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.h5"
        writer = start("write", path, n_rows, pause)
        readers = [start(role, path, n_rows, pause) for role in roles]
        assert writer.stdin is not None and writer.stdout is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
        took = json.loads(writer.stdout.readline())
        looks = []
        for reader in readers:
            looks.append(json.loads(reader.communicate()[0]))
            assert reader.returncode == 0
        writer.communicate("\n")
        assert writer.returncode == 0
        return took, looks


def told(role: str, found: dict[str, float]) -> str:
    """What a reader did, in milliseconds of processor time a look: reading, and checking what was read."""
    n, reading, following = found["looks"], found["reading"], found["following"]
    milliseconds = (1e3 * seconds / n for seconds in (reading, following - reading))
    return f"{role} {n:.0f} looks of {' + '.join(f'{each:.1f}' for each in milliseconds)} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pause", type=float, default=0.1)
    args = parser.parse_args()
    best: dict[str, dict[str, float]] = {"alone": {}, "followed": {}}
    for _ in range(args.rounds):
        for name, roles in (("alone", ()), ("followed", READERS)):
            took, looks = measure(roles, args.rows, args.pause)
            for clock, seconds in took.items():
                best[name][clock] = min(best[name].get(clock, seconds), seconds)
            if looks:
                print("readers:", ", ".join(map(told, roles, looks)))
    for clock in ("wall", "cpu"):
        alone, followed = (args.rows / best[name][clock] for name in ("alone", "followed"))
        print(f"{clock}: {alone:.0f} rows/s alone, {followed:.0f} followed, {followed / alone:.2f}")


if __name__ == "__main__":
    main()

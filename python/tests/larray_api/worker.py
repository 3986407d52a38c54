"""larray in a process of its own: a JSON request a line in, a JSON answer a line out.

A request is a list: the name of a program, and the folder to run it in.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import larray  # noqa: E402
from larray_api.outcomes import run  # noqa: E402


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        program, folder = json.loads(line)
        answers.write(json.dumps(run(program, larray, folder)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()

"""loompy in a process of its own: a JSON request a line in, a JSON answer a line out.

A request is a list: a module and the name of a body, and the folder to run it in.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import loompy  # noqa: E402
from loompy_api.outcomes import outcome  # noqa: E402


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        module, name, folder = json.loads(line)
        answers.write(json.dumps(outcome(module, name, loompy, folder)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()

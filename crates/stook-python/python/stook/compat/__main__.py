"""``python -m stook.compat zarr -- script.py``: runs a script with names lent; see the package."""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path
from types import ModuleType

from . import NAMES, install

_USAGE = f"""\
usage: python -m stook.compat NAMES -- SCRIPT [ARGUMENT ...]
       python -m stook.compat NAMES -- -m MODULE [ARGUMENT ...]
       python -m stook.compat NAMES -- -c CODE [ARGUMENT ...]

Runs a program in which NAMES (of {', '.join(NAMES)}; several with commas) are those of stook,
also in the Python processes that it starts.
"""

# What a child process reads, see _site.
_VARIABLE = "STOOK_COMPAT"


def main(arguments: list[str]) -> None:
    """Runs what the arguments say, in this process, as ``python`` itself would."""
    if arguments and arguments[0] in ("-h", "--help"):
        sys.stdout.write(_USAGE)
        return
    names, rest = arguments[:1], arguments[1:]
    if rest[:1] == ["--"]:
        rest = rest[1:]
    if not names or not rest or (rest[0] in ("-m", "-c") and len(rest) < 2):
        sys.stderr.write(_USAGE)
        raise SystemExit(2)
    for name in names[0].split(","):
        if name not in NAMES:
            sys.stderr.write(f"error: there is no package to lend the name {name!r} to\n{_USAGE}")
            raise SystemExit(2)
        install(name)
    _lend_to_children(names[0])
    _run(rest)


def _lend_to_children(names: str) -> None:
    folder = str(Path(__file__).parent / "_site")
    package = str(Path(__file__).parents[2])
    others = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    # The package is found there as it is here.
    found = [] if package in others or "site-packages" in package else [package]
    os.environ[_VARIABLE] = names
    os.environ["PYTHONPATH"] = os.pathsep.join([folder, *filter(None, others), *found])


def _run(program: list[str]) -> None:
    match program:
        case ["-m", module, *arguments]:
            sys.argv = [module, *arguments]
            sys.path[0] = os.getcwd()
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case ["-c", code, *arguments]:
            sys.argv = ["-c", *arguments]
            sys.path[0] = ""
            namespace = ModuleType("__main__")
            sys.modules["__main__"] = namespace
            exec(compile(code, "<string>", "exec"), namespace.__dict__)
        case [script, *arguments]:
            sys.argv = [script, *arguments]
            sys.path[0] = str(Path(script).resolve().parent)
            runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])

"""What comes of a line of a program, in a form that is equal for larray and for stook.larray.

larray's process imports this: it knows numpy, and neither pytest nor stook. A program is a file of the folder
``bodies``: lines that are run one after another with the names of the module at hand. A line that gives something
else with stook on purpose ends in ``# differs:`` and why.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import warnings
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent / "bodies"
DIFFERS = "# differs:"
_ADDRESS = re.compile(r"0x[0-9a-f]+|with id \d+")
_MODULE = re.compile(r"(?:stook\.larray|larray)(?:\.\w+)*\.")


def programs() -> list[str]:
    """The names of the programs."""
    return sorted(path.stem for path in FOLDER.glob("*.txt"))


def lines(program: str) -> list[tuple[int, str, str | None]]:
    """The lines of a program: number, source, and why its outcome differs."""
    if program.startswith("random-"):
        from larray_api.random_lines import program_of

        return [(number, line, None) for number, line in enumerate(program_of(int(program[7:])), 1)]
    found = []
    for number, line in enumerate((FOLDER / f"{program}.txt").read_text(encoding="utf-8").splitlines(), 1):
        source, _, why = line.partition(DIFFERS)
        if source.strip() and not source.startswith("#"):
            found.append((number, source.rstrip(), why.strip() or None))
    return found


def run(program: str, module, folder: str) -> list[list]:
    """What each line gives: ``[kind, parts..., warnings, what was printed]``."""
    os.makedirs(folder, exist_ok=True)
    before = os.getcwd()
    os.chdir(folder)
    names = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    names.update(la=module, np=np, write=_write, text=_read, __name__="__main__")
    module.set_options(display_width=80, display_maxlines=200, display_edgeitems=5, display_precision=None)
    try:
        # larray sets this for its whole process, and takes its own texts from it.
        with np.printoptions(legacy="1.13"):
            return [_outcome(program, number, source, names, module) for number, source, _ in lines(program)]
    finally:
        os.chdir(before)


def _outcome(program: str, number: int, source: str, names: dict, module) -> list:
    printed = io.StringIO()
    with warnings.catch_warnings(record=True) as found, contextlib.redirect_stdout(printed):
        warnings.simplefilter("always")
        try:
            try:
                code = compile(source, f"{program}.txt", "eval", dont_inherit=True)
            except SyntaxError:
                exec(compile(source, f"{program}.txt", "exec", dont_inherit=True), names)
                outcome = ["done"]
            else:
                outcome = ["value", plain(eval(code, names), module)]
        except Exception as error:
            classes = [cls.__name__ for cls in type(error).__mro__]
            outcome = ["error", classes, _ADDRESS.sub("...", str(error)).replace(os.getcwd(), ".")]
    told = [[one.category.__name__, str(one.message), one.filename == f"{program}.txt"] for one in found]
    return [*outcome, told, printed.getvalue()]


def _write(path: str, text: str) -> None:
    Path(path).write_text(text, encoding="utf-8", newline="")


def _read(path: str) -> str:
    return Path(path).read_bytes().decode()


def plain(found, module):
    """A value as JSON has it."""
    if isinstance(found, module.Array):
        return ["Array", str(found.dtype), _text(repr(found)), _text(repr(found.axes)), _text(repr(found.meta))]
    if isinstance(found, np.ndarray):
        items = found.ravel().tolist() if found.dtype.kind not in "Mm" else list(map(str, found.ravel()))
        return ["array", str(found.dtype), list(found.shape), repr(items)]
    if isinstance(found, np.bool_):
        return ["bool", str(found)]
    if isinstance(found, str):
        return ["str", _text(repr(str(found)))]
    if isinstance(found, np.generic):
        return ["scalar", str(found.dtype), str(found)]
    if isinstance(found, module.Session):
        return ["Session", type(found).__name__, repr(found), plain(found.meta, module),
                [[key, plain(value, module)] for key, value in found.items()]]
    if isinstance(found, dict):
        return [type(found).__name__, [[str(key), plain(value, module)] for key, value in found.items()]]
    if isinstance(found, (list, tuple)):
        return [type(found).__name__, [plain(item, module) for item in found]]
    if type(found).__module__.startswith("pandas"):
        return [type(found).__name__, repr(found)]
    return [type(found).__name__, _text(repr(found))]


def _text(text: str) -> str:
    return _MODULE.sub("", _ADDRESS.sub("...", text))


def same(theirs: list, ours: list) -> bool:
    """Whether outcomes are the same; what catches their errors catches ours, too, and says the same."""
    if theirs[0] == ours[0] == "error":
        return theirs[1][0] in ours[1] and theirs[2] == ours[2] and _told(theirs[3]) <= _told(ours[3])
    if theirs[0] != ours[0]:
        return False
    return theirs[1:-2] == ours[1:-2] and theirs[-1] == ours[-1] and _warn_alike(theirs[-2], ours[-2])


def _warn_alike(theirs: list, ours: list) -> bool:
    """Whether all that larray warns of is warned of, and nothing else but by numpy."""
    more = {(category, text) for category, text, _ in ours if category != "RuntimeWarning"}
    return _told(theirs) <= {(category, text) for category, text, _ in ours} and more <= _told(theirs)


def _told(found: list) -> set:
    """Warnings; larray's own lines are not compared, nor what numpy warns of there."""
    return {(category, text) for category, text, here in found if here or category != "RuntimeWarning"}

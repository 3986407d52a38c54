"""Reads crafted files, one after another, in a process that may end by one of them.

``python crafted_program.py DOOR FOLDER FIRST EVERY``: reads each ``EVERY``-th file from number ``FIRST``
on. Says ``NUMBER reading NAME`` before it does and ``NUMBER OUTCOME`` after, and ``done`` at the end.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import stook
import stook.h5compat
from crafted import crafted
from stook.pymodaq.backends import H5Backend

# Seconds of processor time for one file, and bytes of memory.
MAX_SECONDS = 10
MAX_MEMORY = 4 << 30
MAX_NODES = 200
MAX_SIZE = 1 << 20


n_refused = 0


def attempt(read: Any) -> None:
    global n_refused
    try:
        read()
    except stook.FormatError:
        n_refused += 1
    except (stook.Error, MemoryError, TypeError, ValueError, KeyError, OSError, RuntimeError):
        # What is not there, has no elements, or is more than may be read.
        pass


def read_stook(path: str) -> None:
    with stook.open(path) as file:
        nodes: list[Any] = [file]

        def look(node: Any) -> None:
            attempt(lambda: dict(node.attrs))
            if isinstance(node, stook.Array):
                attempt(lambda: node.size < MAX_SIZE and node[...])
                return
            for name in list(node)[: MAX_NODES - len(nodes)]:
                attempt(lambda: nodes.append(node[name]))

        for node in nodes:
            attempt(lambda node=node: look(node))


def read_h5compat(path: str) -> None:
    with stook.h5compat.File(path) as file:
        seen: list[str] = []

        def look(name: str, node: Any) -> Any:
            seen.append(name)
            attempt(lambda: dict(node.attrs))
            if isinstance(node, stook.h5compat.Dataset):
                attempt(lambda: node.size < MAX_SIZE and node[()])
            return True if len(seen) > MAX_NODES else None

        attempt(lambda: dict(file.attrs))
        attempt(lambda: file.visititems(look))


def read_pymodaq(path: str) -> None:
    h5 = H5Backend("h5py")
    h5.open_file(path, "r")
    try:
        for count, node in enumerate(h5.walk_nodes("/")):
            if count > MAX_NODES:
                break
            attempt(lambda node=node: list(node.attrs.attrs_name))
            if hasattr(node, "read"):
                attempt(lambda node=node: np.prod(node.array.shape) < MAX_SIZE and node.read())
    finally:
        h5.close_file()


DOORS = {"stook": read_stook, "h5compat": read_h5compat, "pymodaq": read_pymodaq}


def main(door: str, folder: str, first: str, every: str) -> None:
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    # The library goes on for ever in its own code, where Python's handlers do not run.
    signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
    global n_refused
    for number, (name, data) in crafted(Path(folder), int(every), int(first)):
        path = os.path.join(folder, f"{door}-crafted.h5")
        with open(path, "wb") as file:
            file.write(data)
        print(number, "reading", name, flush=True)
        signal.setitimer(signal.ITIMER_VIRTUAL, MAX_SECONDS)
        n_refused = 0
        try:
            DOORS[door](path)
            outcome = "read in part" if n_refused else "read"
        except stook.Error as error:
            outcome = f"refused by {type(error).__name__}"
        print(number, outcome, flush=True)
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Where the benchmarks write."""

import argparse
import shutil
from pathlib import Path

#: Room for the largest array that is written, some copies of it, and a program's own memory.
LEN_SCRATCH = 6 << 30


def place_to_write(folder: Path, options: argparse.Namespace) -> Path:
    """What was asked for, or a file system in memory if there is one with room: how fast ext4 finds an
    inode, for one, depends on how many files it has lost in the seconds before, tenfold."""
    if options.scratch:
        return options.scratch
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > LEN_SCRATCH:
        return memory / "stook-bench"
    return folder

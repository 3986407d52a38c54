"""Forking while threads read and write.

A child process has one thread: what another one had locked would stay locked in it for ever. So
a fork waits until the threads of this package hold no lock. In the child, files that were open go
on to be read; those in Zarr folders are written, too, while changing another one is refused.
"""

from __future__ import annotations

import os

from ._stook import after_fork_in_child, after_fork_in_parent, before_fork

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=before_fork,
        after_in_parent=after_fork_in_parent,
        after_in_child=after_fork_in_child,
    )

"""Lends names in a process that a lent one started: Python imports this when it starts.

The package itself is imported when one of the names is. Another ``sitecustomize`` that this one
hides is run, too.
"""

import importlib.machinery
import importlib.util
import os
import sys


class _Promise:
    """Stands for the finder of :mod:`stook.compat` until it is needed."""

    def __init__(self, names):
        self.names = names

    def _keep(self):
        sys.meta_path.remove(self)
        from stook.compat import install

        for name in self.names:
            install(name)

    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition(".")[0] not in self.names or self not in sys.meta_path:
            return None
        self._keep()
        return importlib.util.find_spec(fullname)

    def find_distributions(self, context):
        if context.name is not None and context.name.lower() in self.names:
            self._keep()
            for finder in list(sys.meta_path):
                if type(finder).__module__ == "stook.compat":
                    yield from finder.find_distributions(context)


class _MetaPath(list):
    """``sys.meta_path`` with the promise first: pytest puts its finder before all others."""

    def insert(self, index, finder):
        super().insert(index, finder)
        self.sort(key=lambda finder: not isinstance(finder, _Promise))


def _run_hidden():
    here = os.path.dirname(os.path.abspath(__file__))
    elsewhere = [folder for folder in sys.path if os.path.abspath(folder or ".") != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", elsewhere)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


_run_hidden()
if os.environ.get("STOOK_COMPAT"):
    sys.meta_path = _MetaPath(sys.meta_path)
    sys.meta_path.insert(0, _Promise(os.environ["STOOK_COMPAT"].split(",")))

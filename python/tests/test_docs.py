"""The examples in the documentation are right."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import numpy as np
import pytest
import stook

MODULES = ["stook", *(f"stook.{module.name}" for module in pkgutil.iter_modules(stook.__path__))]


def examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in MODULES:
        module = importlib.import_module(name)
        for test in finder.find(module, name, module=module):
            if test.examples:
                yield pytest.param(test, id=test.name)


@pytest.mark.parametrize("example", list(examples()))
def test_example_prints_what_it_says(example, request, tmp_path):
    def fixture(name):
        if name == "file":
            return request.getfixturevalue("file")
        return tmp_path

    example.globs = {"np": np, "stook": stook, "getfixture": fixture}
    failures: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF)
    runner.run(example, out=failures.append)
    assert not runner.failures, "".join(failures)

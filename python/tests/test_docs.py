"""The examples in the documentation are right."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import numpy as np
import pytest
import stook
from stook import zarr

# What lends its name to others, and what warns of its own name, is left alone.
LEFT_OUT = ("stook.compat", "stook.zarr.convenience", "stook.zarr.creation")
MODULES = [
    "stook",
    *(
        module.name
        for module in pkgutil.walk_packages(stook.__path__, "stook.")
        if not module.name.startswith(LEFT_OUT)
    ),
]


PAGES = sorted((Path(__file__).resolve().parents[2] / "docs" / "cookbook").glob("*.md"))


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

    example.globs = {"np": np, "stook": stook, "zarr": zarr, "getfixture": fixture}
    failures: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF)
    runner.run(example, out=failures.append)
    assert not runner.failures, "".join(failures)


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_page_of_the_cookbook_runs(page, tmp_path):
    text = page.read_text(encoding="utf-8").replace("```", "")
    example = doctest.DocTestParser().get_doctest(
        text, {"folder": tmp_path}, page.name, str(page), 0
    )
    if not example.examples:
        pytest.skip("the page has no programs of this kind")
    failures: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF)
    runner.run(example, out=failures.append)
    assert not runner.failures, "".join(failures)

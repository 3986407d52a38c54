"""docs/status.md names tests that are there, and is what its script writes."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def status():
    spec = importlib.util.spec_from_file_location("status", ROOT / "python/status.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_script_writes(status):
    assert status.PAGE.read_text() == status.page(), "run python python/status.py"


def test_every_test_that_a_row_names_is_there(status):
    tests = {test for rows in status.SECTIONS.values() for row in rows for test in row[4]}
    for test in tests:
        path, _, name = test.partition("::")
        text = (ROOT / path).read_text()
        assert not name or re.search(rf"\b(def|fn) {name}\(", text), test


def test_every_row_that_claims_something_names_a_test(status):
    for rows in status.SECTIONS.values():
        for feature, reads, writes, _, tests in rows:
            assert tests or {reads, writes} == {"no"}, feature

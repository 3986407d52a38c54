"""A plugin of pytest for suites of other projects: what their tests need of their repository, and a
record of how each test ended.

`SUITE_RECORD` names the file that the record is written to, as JSON: test → outcome and reason.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

# Marks that the projects declare in files that they do not ship.
MARKS = ("flaky", "gpu", "mypy", "network", "slow", "slow_hypothesis", "benchmark")
OUTCOMES: dict[str, tuple[str, str]] = {}


def pytest_configure(config):
    for mark in MARKS:
        config.addinivalue_line("markers", f"{mark}: of the project")
    config.addinivalue_line("markers", "skip_if_param(reason, condition, **parameters): of xarray")
    # Which package has the name is a fact of the record, also where workers run the tests.
    import zarr

    lent = zarr.__name__ == "stook.zarr"
    assert lent == (os.environ["SUITE_PACKAGE"] == "stook"), zarr.__file__


def pytest_runtest_setup(item):
    """xarray's mark: skips a test whose parameters have the given values."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    for mark in item.iter_markers("skip_if_param"):
        values = dict(mark.kwargs)
        reason, condition = values.pop("reason", ""), values.pop("condition", True)
        if condition and any(parameters.get(name, mark) == values[name] for name in values):
            pytest.skip(reason)


def pytest_runtest_logreport(report):
    known = OUTCOMES.get(report.nodeid, ("passed", ""))[0]
    if (report.when != "call" and report.passed) or known not in ("passed", "skipped"):
        return
    outcome, reason = report.outcome, ""
    if hasattr(report, "wasxfail"):
        outcome = "xfailed" if report.skipped else "xpassed"
    elif report.failed:
        reason = report.longreprtext.strip().rpartition("\n")[2]
    elif report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
    OUTCOMES[report.nodeid] = outcome, reason


def pytest_sessionfinish(session):
    if "PYTEST_XDIST_WORKER" not in os.environ:
        Path(os.environ["SUITE_RECORD"]).write_text(json.dumps(OUTCOMES, sort_keys=True))

"""Each line of each program gives the same with larray and with stook.larray: values with their types, reprs and
axes, classes and texts of exceptions, warnings, and what is printed."""

from __future__ import annotations

import json

import pytest
import stook.larray
from larray_api.outcomes import lines, programs, run, same


@pytest.mark.parametrize("program", programs())
def test_as_with_larray(program, peer, tmp_path):
    theirs = peer.run(program, tmp_path / "theirs")
    ours = json.loads(json.dumps(run(program, stook.larray, str(tmp_path / "ours"))))
    wrong = []
    for (number, source, why), one, other in zip(lines(program), theirs, ours, strict=True):
        if same(one, other) and why is not None:
            wrong.append(f"{program}.txt:{number}: {source}\n  no difference any more: {why}")
        elif not same(one, other) and why is None:
            wrong.append(f"{program}.txt:{number}: {source}\n  theirs: {one}\n    ours: {other}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("program", programs())
def test_what_differs_where_larray_fails_is_a_value(program, tmp_path):
    ours = run(program, stook.larray, str(tmp_path))
    failed = [source for (_, source, why), outcome in zip(lines(program), ours, strict=True)
              if why == "larray fails" and outcome[0] == "error"]
    assert not failed

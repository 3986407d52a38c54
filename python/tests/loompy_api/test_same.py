"""Each body gives the same with loompy and with stook.loompy: values, dtypes, classes of exceptions,
and the files that it leaves, dataset by dataset as h5py sees them."""

from __future__ import annotations

import pytest
import stook.loompy
from loompy_api.layout import layouts
from loompy_api.outcomes import bodies, body, equal, outcome


@pytest.mark.parametrize(("module", "name"), bodies(), ids=lambda part: part)
def test_as_with_loompy(module, name, peer, tmp_path):
    theirs = peer.outcome(module, name, tmp_path / "theirs")
    ours = outcome(module, name, stook.loompy, str(tmp_path / "ours"))
    marked = getattr(body(module, name), "differs", None)
    if marked is None:
        compare(theirs, ours)
        assert layouts(tmp_path / "ours") == layouts(tmp_path / "theirs")
        return
    why, expected = marked
    same = equal(theirs, ours) and layouts(tmp_path / "ours") == layouts(tmp_path / "theirs")
    assert not same, f"no difference any more: {why}"
    if expected is not None:
        assert ours[0] == "value", ours
        assert ours[1] == expected, why


def compare(theirs, ours) -> None:
    if theirs[0] == ours[0] == "error":
        # What catches theirs catches ours, too.
        assert theirs[1][0] in ours[1], (theirs, ours)
    else:
        assert equal(theirs, ours), f"\ntheirs: {theirs}\n  ours: {ours}"

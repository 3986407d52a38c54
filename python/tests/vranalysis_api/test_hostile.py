"""Nothing in a file is run."""

from __future__ import annotations

import io
import os
import pickle

import numpy as np
import pytest
from stook.vranalysis import LoadingRecipe


class Call:
    """Pickles as a call."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def save(session, item):
    session.one_path.mkdir(parents=True, exist_ok=True)
    array = np.empty((), dtype=object)
    array[()] = item
    np.save(session.one_path / "x.npy", array)


@pytest.mark.parametrize("place", ["item", "value", "key", "kwargs", "list"])
def test_calls_are_refused_wherever_they_are(session, place, tmp_path):
    canary = tmp_path / "canary"
    call = Call(os.system, f"touch {canary}")
    recipe = LoadingRecipe("count", "1").to_dict()
    item = {
        "item": call,
        "value": {**recipe, "loader_type": call},
        "key": {**recipe, (call,): 1},
        "kwargs": {**recipe, "kwargs": {"n": [1, {"x": call}]}},
        "list": [1, [call]],
    }[place]
    save(session, item)
    with pytest.raises(NotImplementedError, match="system"):
        session.loadone("x")
    assert not canary.exists()


def test_gadgets_of_allowed_modules_are_refused(session):
    from numpy.testing._private.utils import runstring

    for function, arguments in [
        (runstring, ("x = 1", {})),
        (np.load, ("x",)),
        (np.fromfile, ("x",)),
        (eval, ("1",)),
        (getattr, ({}, "x")),
        (pickle.loads, (b"N.",)),
        (io.open, ("x", "w")),
    ]:
        save(session, Call(function, *arguments))
        with pytest.raises(NotImplementedError):
            session.loadone("x")
    assert not os.path.exists("x")


def test_classes_are_refused(session):
    save(session, {"recipe": LoadingRecipe("count", "1")})
    with pytest.raises(NotImplementedError, match="LoadingRecipe"):
        session.loadone("x")


def test_damage_is_an_error(session):
    session.saveone(LoadingRecipe("count", "1"), "x")
    path = session.one_path / "x.npy"
    whole = path.read_bytes()
    for n in range(0, len(whole), 9):
        path.write_bytes(whole[:n])
        with pytest.raises(Exception) as caught:
            session.loadone("x")
        assert "x.npy" in str(caught.value) or isinstance(caught.value, (ValueError, KeyError))


def test_a_list_of_lists_of_lists_takes_no_more_than_its_file(session):
    laughs: list = []
    for _ in range(40):
        laughs = [laughs] * 10
    save(session, {"a": laughs})
    loaded = session.loadone("x").item()["a"]
    assert loaded[0] is loaded[9] and len(loaded) == 10

"""The base class does what its documentation says."""

from __future__ import annotations

import copy
import pickle
from datetime import date, datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from stook.vranalysis import LoadingRecipe, PrettyDatetime, Session, SessionData


def test_a_session_has_a_name_values_and_a_folder(session, tmp_path):
    assert session.session_name == ("ATL027", "2024-02-09", "701")
    assert session.session_print() == "ATL027/2024-02-09/701"
    assert session.session_print("_") == "ATL027_2024-02-09_701"
    assert repr(session).endswith("Recorded(mouse_name='ATL027', date='2024-02-09', session_id='701')")
    assert session.get_value("numROIs") == 3
    session.set_value("x", [1])
    assert session.values.x == session.get_value("x") == [1]
    with pytest.raises(AttributeError):
        session.get_value("y")
    assert session.one_path == tmp_path / "ATL027" / "2024-02-09" / "701" / "onedata"
    assert session.get_one_filename("mpci", "roiActivityF") == "mpci.roiActivityF.npy"
    other = type(session)("ATL027", date(2024, 2, 9), "701", folder=tmp_path)
    assert session != other
    other.set_value("x", [1])
    assert session == other


def test_members_that_a_subclass_must_have():
    with pytest.raises(TypeError, match="abstract"):
        SessionData("a", "2024-02-09")

    class Without(SessionData):
        def _init_data_path(self):
            return "."

    with pytest.raises(TypeError, match="spks"):
        Without("a", "2024-02-09")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2024-02-09", "2024-02-09"),
        ("2024-2-9", "2024-02-09"),
        (datetime(2024, 2, 9, 23, 59), "2024-02-09"),
        (date(2024, 2, 9), "2024-02-09"),
        (datetime(2024, 2, 9, 12).timestamp(), "2024-02-09"),
        (np.float64(datetime(2024, 2, 9, 12).timestamp()), "2024-02-09"),
        (PrettyDatetime(2024, 2, 9), "2024-02-09"),
        (datetime(2024, 2, 9, 12, tzinfo=timezone.utc), "2024-02-09"),
    ],
)
def test_dates(given, expected):
    assert Session("a", given).date == expected


@pytest.mark.parametrize(
    "wrong",
    [20240209, "2024-02-09T10:00:00", "24-02-09", "2024-02-30", "", None, True, 1 + 2j]
    + [np.datetime64("2024-02-09"), np.int64(3), float("nan"), float("inf"), 1e300],
)
def test_wrong_dates(wrong):
    with pytest.raises(ValueError):
        Session("a", wrong)


def test_what_is_saved_is_listed_and_cleared(session, capsys):
    assert session.get_saved_one() == []
    session.saveone(np.arange(3), "b", "x")
    session.saveone(np.arange(3), "a.y")
    names = session.print_saved_one()
    assert names == ["a.y", "b.x"]
    assert session.print_saved_one(include_extension=True) == ["a.y.npy", "b.x.npy"]
    assert session.print_saved_one(include_path=True) == [session.one_path / name for name in names]
    assert all(isinstance(path, Path) and path.exists() for path in session.get_saved_one())

    session.clear_one_data()
    assert "certainty=True" in capsys.readouterr().out and len(session.get_saved_one()) == 2
    session.clear_one_data(["a.y", "missing"], certainty=True)
    assert capsys.readouterr().out == "Cleared onedata from session: ATL027/2024-02-09/701\n"
    assert session.print_saved_one() == ["b.x"]
    session.clear_one_data(certainty=True)
    assert session.print_saved_one() == []


def test_what_is_not_there_is_named(session, capsys):
    session.saveone(np.arange(3), "mpci.times")
    with pytest.raises(ValueError, match="onedata requested is not available"):
        session.loadone("mpci", "other")
    out = capsys.readouterr().out.splitlines()
    assert out[0] == (
        "In session ATL027/2024-02-09/701, the one file mpci.other.npy doesn't exist. Here is a list"
        " of saved oneData files:"
    )
    assert out[1:] == ["mpci.times"]


def test_recipes_run_functions_of_python(session, settle):
    session.saveone(LoadingRecipe("count", "3", transforms=["transpose", "double"], start=1), "x")
    expected = (np.arange(6.0).reshape(2, 3) + 1).T * 2
    settle(session.one_path / "x.npy")
    for _ in range(3):
        np.testing.assert_array_equal(session.loadone("x"), expected)
    assert session.calls == ["3"], "the second load is the cache's"
    session.loadone("x", force=True)
    assert session.calls == ["3", "3"]
    session.saveone(LoadingRecipe("nothing", None), "y")
    assert session.loadone("y").tolist() == [0, 0]
    session.saveone(LoadingRecipe("unknown", "x"), "z")
    with pytest.raises(KeyError, match="unknown"):
        session.loadone("z")
    session.saveone(LoadingRecipe("count", "1", transforms=["unknown"]), "z")
    with pytest.raises(KeyError, match="unknown"):
        session.loadone("z")


def test_recipes_of_a_class_without_loaders(tmp_path):
    class Bare(Session):
        recipe_loaders = SessionData.recipe_loaders
        recipe_transforms = SessionData.recipe_transforms

    bare = Bare("a", "2024-02-09", root=tmp_path)
    bare.saveone(LoadingRecipe("S2P", "F"), "x")
    with pytest.raises(NotImplementedError, match="no recipe_loaders are specified"):
        bare.loadone("x")
    with pytest.raises(NotImplementedError, match="no recipe_transforms are specified"):
        _ = bare.recipe_transforms


def test_recipes_as_dictionaries():
    recipe = LoadingRecipe("S2P", "F", ["transpose"], rate=2)
    assert recipe.to_dict() == {
        "marker": "__LOADING_RECIPE__",
        "loader_type": "S2P",
        "source_arg": "F",
        "transforms": ["transpose"],
        "kwargs": {"rate": 2},
    }
    assert LoadingRecipe.from_dict(recipe.to_dict()).to_dict() == recipe.to_dict()
    assert LoadingRecipe("S2P", "F").transforms == []
    assert LoadingRecipe.is_recipe(np.array(recipe.to_dict(), dtype=object))
    for other in [np.arange(3), np.array({"marker": 1}, dtype=object), np.array(3), None, {}]:
        assert not LoadingRecipe.is_recipe(other)


def test_a_recipe_of_another_class_is_one(session):
    class Recipe:
        RECIPE_MARKER = LoadingRecipe.RECIPE_MARKER

        def to_dict(self):
            return LoadingRecipe("count", "1").to_dict()

    session.saveone(Recipe(), "x")
    assert session.loadone("x").shape == (2, 1)


def test_sessions_are_copied_and_sent_to_other_processes(session, tmp_path):
    plain = Session("a", "2024-02-09", root=tmp_path)
    plain.saveone(np.arange(3), "x")
    plain.loadone("x")
    for other in (pickle.loads(pickle.dumps(plain)), copy.deepcopy(plain)):
        assert other == plain and other.loadone("x").tolist() == [0, 1, 2]


def test_the_cache_is_cleared(session, settle):
    for name in "ab":
        session.saveone(np.arange(3), name)
        settle(session.one_path / f"{name}.npy")
        session.loadone(name)
    assert set(session.one_cache) == {"a.npy", "b.npy"} and "a.npy" in session.one_cache
    assert session.one_cache["a.npy"].tolist() == [0, 1, 2]
    session.clear_cache(["a.npy", "missing"])
    assert list(session.one_cache) == ["b.npy"]
    session.clear_cache()
    assert len(session.one_cache) == 0
    session.one_cache = {}
    assert session.loadone("a").tolist() == [0, 1, 2]
    assert list(session.one_cache) == ["a.npy"]


def test_older_trees_and_folders_of_a_subclass(tmp_path):
    plain = Session("a", "2024-02-09", root=tmp_path)
    (plain.data_path / "oneData").mkdir(parents=True)
    plain.saveone(np.arange(2), "x")
    assert plain.one_path.name == "oneData" and (plain.one_path / "x.npy").exists()

    class Elsewhere(Session):
        @property
        def one_path(self):
            return tmp_path / "elsewhere"

    other = Elsewhere("a", "2024-02-09", root=tmp_path)
    other.saveone(np.arange(2), "x")
    assert (tmp_path / "elsewhere" / "x.npy").exists() and other.loadone("x").tolist() == [0, 1]
    assert other.print_saved_one() == ["x"]


def test_suite2p(tmp_path, settle):
    session = Session("a", "2024-02-09", root=tmp_path)
    rng = np.random.default_rng(0)
    planes = {0: rng.random((3, 5), np.float32), 2: rng.random((2, 4), np.float32)}
    stats = []
    for plane, values in planes.items():
        folder = session.s2p_path / f"plane{plane}"
        folder.mkdir(parents=True)
        np.save(folder / "F.npy", values)
        np.save(folder / "redcell.npy", values[:, :2].copy())
        np.save(folder / "ops.npy", np.array({"plane": plane}, dtype=object))
        stat = np.empty(len(values), dtype=object)
        for i in range(len(stat)):
            stat[i] = {"xpix": np.arange(3 + i), "ypix": np.arange(3 + i) * 2, "lam": rng.random(3 + i, np.float32)}
        np.save(folder / "stat.npy", stat)
        stats += list(stat)
        settle(*folder.iterdir())
    joined = np.concatenate([values[:, :4] for values in planes.values()])
    session.saveone(LoadingRecipe("S2P", "F", transforms=["transpose"]), "mpci.F")
    session.saveone(LoadingRecipe("S2P", "redcell", transforms=["idx_column1"]), "red")
    session.saveone(LoadingRecipe("roiPosition", None), "position")
    session.saveone(LoadingRecipe("roiPosition", None, mode="median"), "median")
    settle(*session.get_saved_one())
    for _ in range(2):
        np.testing.assert_array_equal(session.loadone("mpci.F"), joined.T)
        np.testing.assert_array_equal(session.loadone("red"), joined[:, 1])
    assert session.loadone("mpci.F").flags.c_contiguous
    x = [np.sum(s["lam"] * s["xpix"]) / np.sum(s["lam"]) for s in stats]
    y = [np.sum(s["lam"] * s["ypix"]) / np.sum(s["lam"]) for s in stats]
    np.testing.assert_array_equal(session.loadone("position"), np.stack((x, y, [0, 0, 0, 2, 2])).T)
    assert session.loadone("median").shape == (5, 3)
    assert session.load_s2p("ops") == [{"plane": 0}, {"plane": 2}]
    assert [part.shape for part in session.load_s2p("F", concatenate=False)] == [(3, 5), (2, 4)]
    session.set_value("numFrames", 2)
    session.set_value("planeIDs", [2])
    np.testing.assert_array_equal(session.load_s2p("F"), planes[2][:, :2])
    session.set_value("planeIDs", [0, 2])
    session.saveone(np.ones(1), session.spks_name)
    assert session.spks.tolist() == [1]


@pytest.mark.parametrize("wrong", ["../a", "a/b", "..", ""])
def test_a_mouse_is_the_name_of_a_folder(wrong, tmp_path):
    with pytest.raises(ValueError, match="name of a folder"):
        Session(wrong, "2024-02-09", root=tmp_path)

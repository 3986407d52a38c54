"""The catalogue of a tree of sessions, what it tells ONE-api, checksums, and parts of matrices."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import numpy as np
import pytest
import stook
from scipy.sparse import csc_array, random_array
from stook.vranalysis import Catalogue, LoadingRecipe, Session


@pytest.fixture
def tree(tmp_path):
    for mouse, date, number in [
        ("ATL027", "2024-02-09", "701"),
        ("ATL027", "2024-02-10", "702"),
        ("ATL028", "2024-03-01", "001"),
    ]:
        session = Session(mouse, date, number, root=tmp_path)
        session.saveone(np.arange(4.0), "mpci.times")
        session.saveone(np.eye(4, dtype="f4"), "mpci", "roiActivityF")
        session.saveone(csc_array(np.eye(3)), "mpci.significant", sparse=True)
        session.s2p_path.joinpath("plane0").mkdir(parents=True)
        np.save(session.s2p_path / "plane0/F.npy", np.ones((2, 3), "f4"))
        session.saveone(LoadingRecipe("S2P", "F", transforms=["transpose"]), "mpci.fromS2P")
    return tmp_path


def test_sessions_are_found_by_what_they_are_and_what_people_say(tree, settle):
    settle(*tree.rglob("*.np?"))
    catalogue = Catalogue(tree)
    told = []
    report = catalogue.index(hashes=True, progress=lambda done, n: told.append((done, n)))
    assert (report.n_sessions, report.n_datasets, report.problems) == (3, 12, {})
    assert sorted(told) == [(1, 3), (2, 3), (3, 3)]
    assert catalogue.index().n_sessions == len(catalogue) == 3
    first, second, third = catalogue
    assert (first.mouse_name, first.session_id, first.path) == ("ATL027", "701", "ATL027/2024-02-09/701")
    catalogue.tag(first, "good", "pilot")
    catalogue.untag(first, "pilot")
    catalogue.set(second, depth=np.float64(250.5), imaging=True, note="it's \"one\"; --")
    assert catalogue.session(second).fields == {"depth": 250.5, "imaging": True, "note": "it's \"one\"; --"}
    day = datetime.date(2024, 2, 10)
    for found, expected in [
        (catalogue.query(mouse_name="ATL027"), [first, second]),
        (catalogue.query(date=("2024-2-10", ">=")), [second, third]),
        (catalogue.query(date=(day, "<")), [first]),
        (catalogue.query("tag = good", mouse_name="ATL027"), [first]),
        (catalogue.query(session_id=(["701", "001"], "in")), [first, third]),
        (catalogue.query(depth=(250, ">")), [second]),
        (catalogue.query(depth=None, mouse_name="ATL027"), [first]),
        (catalogue.query(imaging=True), [second]),
        (catalogue.query(note=("'s", "contains")), [second]),
        (catalogue.query(dataset=("mpci.%", "like")), [first, second, third]),
    ]:
        assert [record.path for record in found] == [record.path for record in expected]
    [session] = catalogue.sessions(tag="good")
    assert session.loadone("mpci.times").tolist() == [0, 1, 2, 3]
    kinds = {data.name: (data.kind, data.dtype, data.shape) for data in catalogue.datasets(session)}
    assert kinds == {
        "mpci.times": ("array", "float64", (4,)),
        "mpci.roiActivityF": ("array", "float32", (4, 4)),
        "mpci.significant": ("sparse", "float64", (3, 3)),
        "mpci.fromS2P": ("recipe", "object", ()),
    }
    data = next(data for data in catalogue.datasets(first) if data.name == "mpci.times")
    path = tree / first.path / data.path
    assert data.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (data.nbytes, data.modified) == (path.stat().st_size, path.stat().st_mtime_ns)


def test_an_index_keeps_what_people_said_and_reads_what_changed(tree, settle):
    settle(*tree.rglob("*.np?"))
    catalogue = Catalogue(tree)
    assert catalogue.index().n_read == 12
    catalogue.tag("ATL028/2024-03-01/001", "good")
    shutil.rmtree(tree / "ATL027")
    report = catalogue.index()
    assert (report.n_read, report.n_gone) == (0, 2)
    Session("ATL028", "2024-03-01", "001", root=tree).saveone(np.zeros(1), "mpci.times")
    assert catalogue.index().n_read == 1
    assert catalogue.session("ATL028/2024-03-01/001").tags == ("good",)
    # Any SQLite reads it.
    with sqlite3.connect(catalogue.path) as connection:
        assert connection.execute("SELECT mouse, date FROM session").fetchall() == [("ATL028", "2024-03-01")]


def test_what_is_wrong_is_told(tree):
    with pytest.raises(KeyError):
        Catalogue(tree, create=False)
    catalogue = Catalogue(tree)
    catalogue.index()
    with pytest.raises(ValueError, match="known: .*mouse"):
        catalogue.query(detph=1)
    with pytest.raises(ValueError, match="no operator"):
        catalogue.query(mouse_name=("a", "=<"))
    with pytest.raises(ValueError, match="PASS"):
        catalogue.set("ATL028/2024-03-01/001", quality="fine")
    with pytest.raises(KeyError):
        catalogue.tag("ATL029/2024-03-01/001", "good")
    with pytest.raises(ZeroDivisionError):
        catalogue.index(progress=lambda *_: 1 // 0)
    catalogue.path.write_bytes(b"notes of the day")
    with pytest.raises(stook.Error, match="no SQLite file"):
        catalogue.query()
    assert catalogue.path.read_bytes() == b"notes of the day"


def test_objects_are_listed_and_loaded_with_their_recipes(tree):
    session = Session("ATL027", "2024-02-09", "701", root=tree)
    assert session.list_datasets("*F.npy") == ["onedata/mpci.roiActivityF.npy"]
    assert len(session.list_datasets(collection="onedata")) == 4
    found = session.load_object("mpci")
    assert sorted(found) == ["fromS2P", "roiActivityF", "significant", "times"]
    assert found["fromS2P"].shape == (3, 2) and found["significant"].tolist() == np.eye(3).tolist()
    alf = session.data_path / "alf"
    alf.mkdir()
    np.save(alf / "spikes.times_clock.npy", np.arange(3))
    assert session.load_object("spikes", "alf")["times_clock"].tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="no object"):
        session.load_object("spikes")


def test_datasets_have_a_quality(tree):
    catalogue = Catalogue(tree)
    catalogue.index()
    session = Session("ATL027", "2024-02-09", "701", root=tree)
    catalogue.set_quality(session, "PASS", "onedata/mpci.times.npy")
    catalogue.set_quality(session, 50, "onedata/mpci.fromS2P.npy", "onedata/mpci.significant.npz")
    told = {data.name: data.quality for data in catalogue.datasets(session)}
    assert told["mpci.times"] == "PASS" and told["mpci.roiActivityF"] == "NOT_SET"
    assert catalogue.list_datasets(session) == [
        "onedata/mpci.roiActivityF.npy",
        "onedata/mpci.times.npy",
    ]
    assert len(catalogue.list_datasets(session, qc="CRITICAL")) == 4
    judged = catalogue.list_datasets(session, "mpci.*", "onedata", qc=10, ignore_qc_not_set=True)
    assert judged == ["onedata/mpci.times.npy"]
    assert catalogue.session(session).quality == "NOT_SET"
    with pytest.raises(ValueError, match="none of NOT_SET"):
        catalogue.set_quality(session, "good", "onedata/mpci.times.npy")
    with pytest.raises(KeyError, match="mpci.none"):
        catalogue.set_quality(session, "PASS", "onedata/mpci.none.npy")


def test_sessions_in_one_file_are_found_and_loaded(tmp_path):
    class Packed(Session):
        @property
        def one_path(self):
            return Path(f"{self.data_path}.h5")

    (tmp_path / "M/2024-01-01").mkdir(parents=True)
    Packed("M", "2024-01-01", "001", root=tmp_path).saveone([1.0, 2.0], "a.b")
    catalogue = Catalogue(tmp_path)
    assert catalogue.index().n_datasets == 1
    [session] = catalogue.sessions()
    assert session.loadone("a.b").tolist() == [1.0, 2.0]
    assert session.load_object("a")["b"].tolist() == [1.0, 2.0]
    assert session.list_datasets() == ["a.b.npy"]
    catalogue.tag(session, "packed")
    assert [found.path for found in catalogue.query(tag="packed")] == ["M/2024-01-01/001.h5"]
    session.saveone([3.0], "a.c")
    assert session.print_saved_one() == ["a.b", "a.c"]
    assert not session.data_path.exists()


def test_one_api_reads_the_tables(tree):
    python = os.environ.get("STOOK_ONE_PYTHON")
    if python is None:
        pytest.skip("STOOK_ONE_PYTHON names no Python with ONE-api")
    day = Session("ATL028", "2024-03-02", root=tree)
    day.saveone([1.0], "mpci.times")
    catalogue = Catalogue(tree)
    catalogue.index()
    session = Session("ATL027", "2024-02-09", "701", root=tree)
    for name, quality in [("times", "PASS"), ("roiActivityF", "WARNING"), ("fromS2P", "CRITICAL")]:
        catalogue.set_quality(session, quality, f"onedata/mpci.{name}.npy")
    done = catalogue.export_one()
    assert (done["n_sessions"], done["n_datasets"]) == (3, 12)
    assert done["left_out"] == ["ATL028/2024-03-02"]
    program = Path(__file__).parent / "one_api_program.py"
    environment = {**os.environ, "HOME": str(tree / "home")}
    run = subprocess.run([python, str(program), str(tree)], capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stdout + run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["datasets"] == session.list_datasets()
    assert found["sizes"] == [(session.one_path / "mpci.times.npy").stat().st_size]
    assert found["qc"] == ["PASS"]
    for level, listed in found["listed"].items():
        assert listed == catalogue.list_datasets(session, qc=level), level
    ours = session.load_object("mpci")
    for name, array in found["object"].items():
        np.testing.assert_array_equal(array, ours[name])


def test_checksums_are_those_of_sha256sum(tree):
    class Careful(Session):
        checksums = True

    session = Careful("ATL027", "2024-02-09", "701", root=tree)
    with pytest.raises(KeyError):
        session.verify()
    session.saveone(np.zeros(3), "mpci.times")
    assert sorted(set(session.verify().values())) == ["right", "unlisted"]
    assert session.make_checksums() == 4
    # Whoever saves there keeps them.
    plain = Session("ATL027", "2024-02-09", "701", root=tree)
    plain.saveone(np.ones(3), "mpci.times")
    plain.saveone(csc_array(np.eye(9)), "mpci.significant", sparse=True)
    plain.clear_one_data(["mpci.fromS2P"], certainty=True)
    assert plain.verify() == dict.fromkeys(
        ["mpci.roiActivityF.npy", "mpci.significant.npz", "mpci.times.npy"], "right"
    )
    if program := shutil.which("sha256sum"):
        done = subprocess.run([program, "-c", "SHA256SUMS"], cwd=plain.one_path, capture_output=True)
        assert done.returncode == 0 and done.stdout.count(b": OK") == 3
    np.save(plain.one_path / "mpci.times.npy", np.ones(4))
    assert plain.verify()["mpci.times.npy"] == "changed"


@pytest.mark.parametrize("deflate", [False, True])
def test_columns_are_loaded_alone(tmp_path, deflate):
    class Saved(Session):
        pass

    Saved.deflate = deflate
    session = Saved("M", "2024-01-01", root=tmp_path)
    matrix = csc_array(random_array((300, 400), density=0.05, rng=np.random.default_rng(1), dtype="f4"))
    session.saveone(matrix, "a.b", sparse=True)
    from scipy.sparse import load_npz

    assert (load_npz(session.one_path / "a.b.npz") != matrix).nnz == 0
    part = session.load_columns("a.b", start=100, stop=130)
    np.testing.assert_array_equal(part, matrix[:, 100:130].toarray())
    kept = session.load_columns("a", "b", stop=7, keep_sparse=True)
    assert kept.format == "csc" and (kept != matrix[:, :7]).nnz == 0
    for start, stop in [(0, 401), (5, 4)]:
        with pytest.raises(ValueError):
            session.load_columns("a.b", start=start, stop=stop)
    with pytest.raises(ValueError, match="no sparse matrix"):
        session.load_columns("a.c", stop=1)


def test_recipes_have_a_form_for_people(session):
    recipe = LoadingRecipe("S2P", "F", transforms=["transpose"], rate=2.5)
    path = session.save_recipe_json(recipe, "mpci", "F")
    assert path.name == "mpci.F.recipe.json"
    assert '"loader_type":"S2P"' in path.read_text().replace(" ", "")


def test_what_was_left_is_swept(session):
    session.saveone([1.0], "a.b")
    left = Path(session.one_path) / ".stook-tmp-1-2-3"
    left.write_bytes(b"")
    assert session.sweep() == [] and session.sweep(older_than=0) == [left.name]


@pytest.mark.parametrize("name", ["onedata.h5", "onedata.zarr"])
def test_a_session_may_lie_in_one_file(tmp_path, name):
    class Packed(Session):
        @property
        def one_path(self):
            return self.data_path / name

    session = Packed("M", "2024-01-01", root=tmp_path)
    session.data_path.mkdir(parents=True)
    turned = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    session.saveone(turned, "a.turned")
    session.saveone(np.array([1, 2], ">i2"), "a.big")
    session.saveone({"rate": 30.0}, "a.options")
    session.saveone(LoadingRecipe("S2P", "F"), "a.recipe")
    session.saveone(csc_array(np.eye(3)), "a.sparse", sparse=True)
    assert session.print_saved_one() == ["a.big", "a.options", "a.recipe", "a.turned", "a.sparse"]
    np.testing.assert_array_equal(session.loadone("a.turned"), turned)
    assert session.loadone("a.big").tolist() == [1, 2]
    assert session.loadone("a.options").item() == {"rate": 30.0}
    assert session.loadone("a.sparse", sparse=True).tolist() == np.eye(3).tolist()
    assert session.load_columns("a.sparse", stop=1).tolist() == [[1.0], [0.0], [0.0]]
    (session.data_path / "suite2p/plane0").mkdir(parents=True)
    np.save(session.data_path / "suite2p/plane0/F.npy", np.ones((1, 2)))
    assert session.loadone("a.recipe").tolist() == [[1.0, 1.0]]
    session.saveone(turned * 2, "a.turned")
    np.testing.assert_array_equal(session.loadone("a.turned"), turned * 2)
    session.clear_one_data(["a.big"], certainty=True)
    with pytest.raises(ValueError, match="not available"):
        session.loadone("a.big")

"""What loompy does wrong, done right, and what it lacks."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import stook
from stook import loompy


@pytest.fixture
def path(tmp_path):
    """A file of 7 genes and 5 cells, with graphs."""
    path = tmp_path / "a.loom"
    loompy.create(path, np.arange(35.0).reshape(7, 5), {"Gene": list("abcdefg")},
                  {"CellID": list("vwxyz"), "Cluster": [0, 1, 0, 1, 0]})
    with loompy.connect(path) as ds:
        edges = ([0.5, 1.5, 2.5, 1.5], ([0, 0, 3, 0], [1, 1, 4, 2]))
        ds.col_graphs.knn = scipy.sparse.coo_matrix(edges, shape=(5, 5))
        ds.row_graphs.near = scipy.sparse.coo_matrix(([1.0], ([6], [0])), shape=(7, 7))
    return path


def test_text_of_any_language_is_kept(path):
    names = ["é", "東京", "🧬", "&amp;", "a\nb"]
    with loompy.connect(path) as ds:
        ds.ca.Name = names
        ds.attrs.title = "naïve"
        ds.attrs["Ünicode"] = np.array(["ß", "ø"])
    with loompy.connect(path, "r") as ds:
        assert ds.ca.Name.tolist() == names
        assert ds.attrs.title == "naïve" and ds.attrs["Ünicode"].tolist() == ["ß", "ø"]


def test_views_and_scans_of_files_with_graphs(path):
    with loompy.connect(path, "r") as ds:
        view = ds.view[:, 1:4]
        assert view.col_graphs.knn.shape == (3, 3)
        batches = [view.shape for _, _, view in ds.scan(axis=1, batch_size=2)]
        assert batches == [(7, 2), (7, 2), (7, 1)]


def test_columns_of_pandas(path):
    import pandas as pd

    with loompy.connect(path) as ds:
        ds.ca.Series = pd.Series([1, 2, 3, 4, 5], index=list("vwxyz"))
        ds.ca.Texts = pd.Series(list("abcde"), dtype="string")
        ds.ca.Kinds = pd.Categorical(["x", "y", "x", "x", "y"])
        ds.ca.Index = pd.Index(list("abcde"))
        ds.ca.Flags = pd.array([True, False, True, True, False], dtype="boolean")
        assert ds.ca.Series.tolist() == [1, 2, 3, 4, 5]
        assert ds.ca.Texts.tolist() == ds.ca.Index.tolist() == list("abcde")
        assert ds.ca.Kinds.tolist() == ["x", "y", "x", "x", "y"]
        assert ds.ca.Flags.tolist() == [1, 0, 1, 1, 0]
        picked = ds.view[:, pd.Series(ds.ca.Cluster) == 1]
        assert picked.ca.CellID.tolist() == ["w", "y"]
    frame = pd.DataFrame({"Gene": ["g", "h"], "Length": [10, 20]})
    matrix = pd.DataFrame(np.eye(2))
    loompy.create(path, matrix, frame, {"CellID": pd.Series(["a", "b"])})
    with loompy.connect(Path(path), "r") as ds:
        assert ds.ra.Length.tolist() == [10, 20] and ds[1, 1] == 1


def test_changes_move_the_times(path):
    with loompy.connect(path) as ds:
        before = ds.last_modified()
        time.sleep(0.002)
        ds.ra.New = np.arange(7)
        assert ds.last_modified() > before
        changes = ds.get_changes_since(before)
        assert changes["row_attrs"] == ["New"] and changes["layers"] == []
        assert ds.ra.last_modified("New") == ds.ra.last_modified() == ds.last_modified()
        now = ds.last_modified()
        time.sleep(0.002)
        ds[0, 0] = 5
        assert ds.get_changes_since(now)["layers"] == [""]


def test_graphs_are_joined_where_files_are(path, tmp_path):
    other = tmp_path / "b.loom"
    with loompy.connect(path, "r") as ds:
        ds.subset(other)
    with loompy.connect(path) as ds:
        ds.add_loom(other, include_graphs=True)
        assert ds.col_graphs.knn.shape == (10, 10)
        assert sorted(ds.col_graphs.knn.row) == [0, 0, 0, 3, 5, 5, 5, 8]


def test_graphs_follow_their_order(path):
    order = np.array([4, 3, 2, 1, 0])
    with loompy.connect(path) as ds:
        before = ds.col_graphs.knn.toarray()
        ds.permute(order, axis=1)
        assert (ds.col_graphs.knn.toarray() == before[order][:, order]).all()
        assert len(ds.col_graphs.knn.data) == 4, "edges that are there twice stay so"
        view = ds.view[:, [2, 0]]
        view.permute([1, 0], axis=1)
        assert view.ca.CellID.tolist() == ["z", "x"]


def test_items_and_columns_are_in_the_order_that_is_asked_for(path):
    with loompy.connect(path, "r") as ds:
        columns = [3, 0, 3]
        assert (ds.sparse(cols=columns).toarray() == ds[:, :][:, columns]).all()
        found = [indexes.tolist() for _, indexes, _ in ds.scan(axis=1, items=columns, batch_size=2)]
        assert found == [[3, 0], [3]]


def test_the_dict_of_the_caller_stays_as_it_is(path):
    given = {"CellID": np.array(["q"]), "Unknown": np.array([1])}
    with loompy.connect(path) as ds:
        ds.add_columns(np.ones((7, 1)), given)
        assert "Unknown" not in ds.ca
    assert list(given) == ["CellID", "Unknown"]


def test_a_change_that_fails_changes_nothing(path):
    before = path.read_bytes()
    with loompy.connect(path) as ds:
        for attempt in (
            lambda: ds.add_columns(np.ones((6, 1)), {"CellID": ["q"], "Cluster": [0]}),
            lambda: ds.add_columns(np.ones((7, 1)), {"CellID": ["q", "r"], "Cluster": [0]}),
            lambda: ds.permute([0, 1], axis=1),
            lambda: ds.permute([0, 1, 2, 3, 9], axis=1),
            lambda: ds.ca.__setattr__("Bad", ["nul\0"] * 5),
            lambda: ds.layers.__setitem__("b", np.full((7, 5), np.nan)),
            lambda: ds.__setitem__((0, 99), 1),
            lambda: ds.aggregate(group_by="Cluster", aggr_by="none such"),
            lambda: ds.aggregate(group_by=np.array([0.0, np.nan, 1, 1, 1])),
        ):
            with pytest.raises((ValueError, IndexError)):
                attempt()
        with loompy.connect(path, "r") as other:
            assert other.shape == (7, 5)
    assert path.read_bytes() == before


def test_values_that_have_no_room_are_refused(tmp_path):
    path = tmp_path / "a.loom"
    loompy.create(path, np.ones((3, 3), "u1"), {}, {})
    with loompy.connect(path) as ds:
        for value in (256, -1, 0.5, np.nan):
            with pytest.raises(ValueError):
                ds[0, 0] = value
        with pytest.raises(ValueError):
            ds.add_columns(np.full((3, 1), 300), {})
        ds.add_columns(np.full((3, 1), 3.0), {})
        assert ds[:, 3].tolist() == [3, 3, 3]


def test_readers_are_not_blocked_by_a_writer(path):
    program = (
        "import sys, stook.loompy as l\n"
        "ds = l.connect(sys.argv[1], 'r')\n"
        "print(ds.shape, ds.ca.keys())"
    )

    def read() -> str:
        done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True)
        return done.stdout.strip() or done.stderr

    with loompy.connect(path) as ds:
        assert read() == "(7, 5) ['CellID', 'Cluster']"
        ds.ca.New = np.arange(5)
        assert read() == "(7, 5) ['CellID', 'Cluster', 'New']"


def test_use_after_close_is_told(path):
    ds = loompy.connect(path)
    layer, attributes = ds.layers[""], ds.ca
    _ = ds.ca.CellID
    ds.close()
    assert ds.closed
    for use in (
        lambda: ds.shape, lambda: ds[:, :], lambda: ds.ca.CellID, lambda: attributes["CellID"],
        lambda: layer[:, :], lambda: ds.map([np.mean]), lambda: ds.mode, lambda: ds.view[:, :],
        lambda: next(ds.scan(axis=0)), lambda: ds.permute(range(5), axis=1), lambda: ds.attrs.keys(),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="closed"):
            use()


def test_rows_and_columns_are_kept_removed_and_added(path, tmp_path):
    with loompy.connect(path) as ds:
        ds.subset(tmp_path / "part.zarr", rows=[6, 0], cols=ds.ca.Cluster == 0)
        ds.delete(rows=[0, 1], cols=slice(3, None))
        assert ds.ra.Gene.tolist() == list("cdefg") and ds.shape == (5, 3)
        ds.keep(cols=[2, 0])
        assert ds.ca.CellID.tolist() == ["x", "v"] and ds.col_graphs.knn.shape == (2, 2)
        ds.add_rows(np.zeros((2, 2)), {"Gene": ["y", "z"]})
        assert ds.shape == (7, 2) and ds.ra.Gene[-1] == "z"
        ds.compact()
        assert ds.shape == (7, 2)
    with loompy.connect(tmp_path / "part.zarr", "r") as ds:
        assert ds.ra.Gene.tolist() == ["g", "a"] and ds[0, 2] == 34
        assert ds.row_graphs.near.toarray()[0, 1] == 1


def test_a_dataset_by_h5py_s_api_for_who_goes_past(path):
    with loompy.connect(path, "r") as ds:
        assert ds._file["/matrix"].shape == (7, 5)
        assert loompy.get_loom_spec_version(ds._file) == "3.0.0"
        assert loompy.compare_loom_spec_version(ds._file, "2.0.1") == 1


def test_attributes_as_a_table(path):
    pytest.importorskip("pyarrow")
    with loompy.connect(path) as ds:
        ds.ca.Place = np.arange(10.0).reshape(5, 2)
        table = ds.table(axis=1)
    assert table.column_names == ["CellID", "Cluster", "Place"] and table.num_rows == 5


def test_importing_takes_no_time_and_nothing_else_with_it():
    program = (
        "import sys, time\nstart = time.process_time()\nimport stook.loompy\n"
        "print(time.process_time() - start, *(m for m in ('scipy', 'pandas', 'numba', 'h5py') if m in sys.modules))"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    taken, *others = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    ).stdout.split()
    assert others == []
    # Nothing is timed in tests but this by a wide margin: loompy takes four seconds.
    assert float(taken) < 2


def test_errors_are_those_of_stook_and_of_python(tmp_path):
    with pytest.raises(FileNotFoundError):
        loompy.connect(tmp_path / "no.loom")
    (tmp_path / "x.loom").write_bytes(b"nothing")
    with pytest.raises(OSError) as caught:
        loompy.connect(tmp_path / "x.loom")
    assert isinstance(caught.value, stook.Error)
    with stook.create(tmp_path / "y.h5") as file:
        file["x"] = np.arange(3)
    with pytest.raises(ValueError, match="no loom"):
        loompy.connect(tmp_path / "y.h5")

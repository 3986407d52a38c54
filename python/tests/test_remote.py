"""Arrays behind URLs: on S3 (moto's server), from threads, forks and other processes."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import urllib.request
from itertools import count

import numpy as np
import pytest
import stook
from children import fill_rows
from stook import _stook
from test_processes import forks, run_in_child

SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""
NUMBERS = count()
ITEMS = np.arange(200 * 100, dtype="i4").reshape(200, 100)


@pytest.fixture(scope="session")
def endpoint():
    command = [sys.executable, "-c", SERVER]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    yield f"http://127.0.0.1:{int(server.stdout.readline())}"
    server.stdin.close()
    server.wait(timeout=60)


@pytest.fixture
def url(endpoint, monkeypatch):
    """A hierarchy that is still to be created, with what opens it in the environment."""
    bucket = f"bucket-{next(NUMBERS)}"
    request = urllib.request.Request(f"{endpoint}/{bucket}", method="PUT")
    urllib.request.urlopen(request).close()
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return f"s3://{bucket}/run.zarr"


def write(url: str) -> None:
    with stook.create(url) as file:
        file.create_array("a", ITEMS, chunks=(10, 100), codecs="zstd")


def test_a_url_stands_where_a_path_does(url):
    write(url)
    with stook.open(url) as file:
        assert np.array_equal(file["a"][:], ITEMS)
        assert np.array_equal(file["a"][::7, 3], ITEMS[::7, 3])
        assert list(file) == ["a"]


def test_an_acquisition_goes_to_a_bucket(url):
    from stook.pymodaq.backends import GroupType, H5Backend

    h5 = H5Backend("h5py")
    h5.open_file(url, "w", title="a run")
    h5.define_compression("gzip", 1)
    scan = h5.add_group("scan", GroupType.scan, "/", metadata={"gain": 2.5})
    images = h5.create_earray(scan, "images", "u2", (64, 64))
    log = h5.create_vlarray(scan, "log", "string")
    peaks = h5.create_vlarray(scan, "peaks", "f8")
    for i in range(40):
        images.append(np.full((64, 64), i, "u2"))
        log.append(f"line {i}")
        peaks.append(np.arange(i % 4) + 0.5)
    h5.flush()
    other = H5Backend("h5py")
    other.open_file(url, "r")
    assert other.get_node("/Scan/images").array.shape == (40, 64, 64)
    assert other.get_node("/Scan/log")[39] == "line 39"
    h5.close_file()
    h5.open_file(url, "a")
    h5.get_node("/Scan/images").append(np.full((64, 64), 40, "u2"))
    h5.close_file()
    other.open_file(url, "r")
    found = other.get_node("/Scan/images").read()
    assert (found == np.arange(41, dtype="u2")[:, None, None]).all()
    assert [len(row) for row in other.get_node("/Scan/peaks").read()] == [i % 4 for i in range(40)]
    assert other.get_node("/Scan").attrs["gain"] == 2.5
    other.close_file()


def test_a_store_is_pickled_by_its_url(url, endpoint):
    options = {"endpoint": endpoint, "allow_http": "true", "max_retries": "1"}
    store = _stook.Store.url(url, options, False)
    store.set("k", b"value")
    assert pickle.loads(pickle.dumps(store)).get("k", 1, 3) == b"al"
    assert [store.set_new("k", b"2"), store.set_new("n", b"2")] == [False, True]
    assert store.list_dir("") == ["k", "n"]
    with pytest.raises(ValueError, match="no_such_option"):
        _stook.Store.url(url, {"no_such_option": "1"}, False)


@forks
def test_a_child_makes_connections_of_its_own(url):
    write(url)
    with stook.open(url) as file:
        assert np.array_equal(file["a"][:], ITEMS)
        stops = threading.Event()
        failures = []

        def read():
            while not stops.is_set():
                if not np.array_equal(file["a"][:], ITEMS):
                    failures.append("other items")

        threads = [threading.Thread(target=read) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(3):
                assert run_in_child(lambda: int(file["a"][:].sum())) == str(ITEMS.sum())
        finally:
            stops.set()
            for thread in threads:
                thread.join()
        assert failures == []
        assert np.array_equal(file["a"][:], ITEMS)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_write_chunks_of_one_array(url, method):
    if method == "fork" and not hasattr(os, "fork"):
        pytest.skip("the system has no fork")
    with stook.create(url) as file:
        file.create_array("a", np.zeros_like(ITEMS), chunks=(10, 100))
    context = multiprocessing.get_context(method)
    writers = [context.Process(target=fill_rows, args=(url, ITEMS, start)) for start in (0, 10)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    with stook.open(url) as file:
        assert np.array_equal(file["a"][:], ITEMS)


def test_a_loom_on_s3_is_made_changed_and_scanned(url):
    from stook import loompy

    url = url.replace("run.zarr", "cells.zarr")
    matrix = np.random.default_rng(1).poisson(0.3, (150, 90)).astype("i4")
    loompy.create(url, {"": matrix, "spliced": matrix * 2}, {"Gene": np.arange(150).astype(str)},
                  {"CellID": np.arange(90), "Name": ["é"] * 90})
    with loompy.connect(url) as ds:
        ds.add_columns({"": matrix[:, :5], "spliced": matrix[:, 5:10]}, {"CellID": np.arange(5)},
                       fill_values="auto")
        ds.permute(np.arange(95)[::-1], axis=1)
        ds.ra.Length = np.arange(150)
        with pytest.raises(ValueError, match="7 rows"):
            ds.add_columns(np.ones((7, 1)), {"CellID": [1]})
    expected = np.hstack([matrix, matrix[:, :5]])[:, ::-1]
    with loompy.connect(url, "r") as ds:
        assert ds.shape == (150, 95) and (ds[:, :] == expected).all()
        assert ds.ca.Name[-1] == "é" and ds.ca.Name[0] == "" and ds.ra.Length[-1] == 149
        assert (ds.map([np.sum], axis=0)[0] == expected.sum(axis=1)).all()
        assert (ds.sparse().toarray() == expected).all()
        assert sum(view[:, :].sum() for _, _, view in ds.scan(axis=1)) == expected.sum()
        assert ds.sidecar() == {}
        with pytest.raises(NotImplementedError, match="URL"):
            ds.make_sidecar()

"""Files that are made, and how they lie."""

from __future__ import annotations

import numpy as np
import scipy.sparse
from loompy_api.bodies._data import columns, counts, make, rows, state
from loompy_api.outcomes import differs


def _made(loompy, matrix, ra=None, ca=None, **more):
    n, m = matrix[""].shape if type(matrix) is dict else matrix.shape
    loompy.create("a.loom", matrix, rows(n) if ra is None else ra,
                  columns(m) if ca is None else ca, **more)
    with loompy.connect("a.loom") as ds:
        return state(ds)


def dense(loompy):
    return _made(loompy, counts())


def each_number(loompy):
    found = {}
    for dtype in ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"):
        found[dtype] = _made(loompy, counts(dtype=dtype))["layers"]
    return found


@differs("numbers of the other byte order are stored, and open")
def of_the_other_byte_order(loompy):
    return _made(loompy, counts(dtype=">f4"), {"n": np.arange(7, dtype=">i4")})


def larger_than_a_chunk(loompy):
    return _made(loompy, counts(130, 70), file_attrs={"title": "larger"})


def column_major(loompy):
    return _made(loompy, np.asfortranarray(counts(70, 66)))


def layers(loompy):
    matrix = counts()
    return _made(loompy, {"": matrix, "b": matrix.astype("i2"), "a": scipy.sparse.csr_matrix(matrix)})


def each_sparse_layout(loompy):
    found = {}
    for layout in ("csr", "csc", "coo", "dok", "lil", "dia", "bsr"):
        matrix = scipy.sparse.coo_matrix(counts(70, 80)).asformat(layout)
        found[layout] = _made(loompy, matrix)["layers"]
    return found


def sparse_with_duplicates(loompy):
    matrix = scipy.sparse.coo_matrix(([1.0, 2.0, 3.0], ([0, 0, 2], [1, 1, 0])), shape=(7, 5))
    return _made(loompy, matrix)["layers"]


def of_layers_of_another(loompy):
    make(loompy, "from.loom")
    with loompy.connect("from.loom") as ds:
        loompy.create("to.loom", ds.layers, ds.ra, ds.ca)
    with loompy.connect("to.loom") as ds:
        return state(ds)


def of_a_view(loompy):
    make(loompy, "from.loom")
    with loompy.connect("from.loom") as ds:
        view = ds.view[1:4, np.array([0, 3])]
        loompy.create("to.loom", view.layers, view.ra, view.ca)
    with loompy.connect("to.loom") as ds:
        return state(ds)


def attributes_of_the_file(loompy):
    made = {"title": "of counts", "n": 5, "x": 0.5, "none": None, "list": [1, 2, 3],
            "array": np.arange(4.0), "flag": True}
    return _made(loompy, counts(), file_attrs=made)["attrs"]


def no_attributes(loompy):
    return _made(loompy, counts(), {}, {})


def over_a_file_that_is_there(loompy):
    make(loompy)
    return _made(loompy, counts(3, 4))


def new_and_filled(loompy):
    with loompy.new("a.loom", file_attrs={"title": "new"}) as ds:
        ds.layers[""] = counts()
        ds.layers["b"] = counts(dtype="i8")
        ds.ra.Gene = rows()["Gene"]
        ds.ca["CellID"] = columns()["CellID"]
    with loompy.connect("a.loom") as ds:
        return state(ds)


def new_and_columns_added(loompy):
    with loompy.new("a.loom") as ds:
        for start in (0, 3):
            ds.add_columns(counts(7, 3, start), columns(3, start), row_attrs=rows())
    with loompy.connect("a.loom") as ds:
        return state(ds)


def new_and_an_empty_layer(loompy):
    with loompy.new("a.loom") as ds:
        ds.shape = (7, 5)
        ds[""] = "int32"
        ds[""][:, 1:3] = counts(7, 2, dtype="i4")
        return state(ds)


def created_then_appended(loompy):
    for start in (0, 5):
        loompy.create_append("a.loom", counts(7, 5, start), rows(), columns(5, start))
    with loompy.connect("a.loom") as ds:
        return state(ds)


def nothing_to_create(loompy):
    loompy.create("a.loom", np.zeros((0, 5)), {}, columns())


def attributes_of_another_length(loompy):
    loompy.create("a.loom", counts(), rows(6), columns())


def layers_of_other_shapes(loompy):
    loompy.create("a.loom", {"": counts(), "b": counts(6, 5)}, rows(), columns())


def no_main_layer(loompy):
    loompy.create("a.loom", {"b": counts()}, rows(), columns())


def not_a_number(loompy):
    matrix = counts()
    matrix[1, 2] = np.nan
    loompy.create("a.loom", matrix, rows(), columns())


def text_for_a_matrix(loompy):
    loompy.create("a.loom", np.array([["a", "b"]]), {}, {})


def left_empty(loompy):
    with loompy.new("a.loom"):
        pass


@differs("text of any language is kept")
def text_of_any_language(loompy):
    return _made(loompy, counts(2, 2), {"Gene": np.array(["café", "東京"])}, {},
                 file_attrs={"title": "naïve"})

"""Attributes of rows, columns and the file, and graphs."""

from __future__ import annotations

import numpy as np
import scipy.sparse
from loompy_api.bodies._data import columns, counts, graph, make, rows, state
from loompy_api.outcomes import differs


def _set(loompy, values):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.ca.new = values
        given = ds.ca.new
    with loompy.connect("a.loom", "r") as ds:
        return [given, ds.ca["new"], ds.ca.keys()]


def each_number(loompy):
    return [_set(loompy, np.arange(5).astype(dtype))
            for dtype in ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8")]


def bools(loompy):
    return _set(loompy, np.arange(5) % 2 == 0)


def texts(loompy):
    return [_set(loompy, np.array(list("abcde"))), _set(loompy, np.array(list("abcde"), object)),
            _set(loompy, list("abcde")), _set(loompy, tuple("abcde"))]


def objects_of_several_kinds(loompy):
    return _set(loompy, np.array(["a", 1, 2.5, None, "e"], object))


def text_with_entities(loompy):
    return _set(loompy, np.array(["a&b", "<x>", "'", '"', "plain"]))


def lists_of_numbers(loompy):
    return [_set(loompy, [1, 2, 3, 4, 5]), _set(loompy, (1.0, 2, 3, 4, 5))]


def matrices_of_one_axis(loompy):
    return [_set(loompy, np.matrix([[1, 2, 3, 4, 5]])), _set(loompy, np.matrix([[1, 2, 3, 4, 5]]).T),
            _set(loompy, scipy.sparse.csr_matrix([[1, 0, 3, 0, 5]]))]


def two_axes(loompy):
    return _set(loompy, np.arange(10.0).reshape(5, 2))


def nan(loompy):
    return _set(loompy, np.array([0, np.nan, np.inf, -0.0, 1]))


def replaced(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.ca.Age = np.array(list("abcde"))
        ds.ra["Gene"] = np.arange(7)
    with loompy.connect("a.loom") as ds:
        return state(ds)


def removed(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        del ds.ca.Age
        del ds.ra["Gene"]
        found = [ds.ca.keys(), ds.ra.keys(), "Age" in ds.ca, len(ds.ra)]
    with loompy.connect("a.loom") as ds:
        return [found, ds.ca.keys(), ds.ra.keys()]


def as_a_mapping(loompy):
    make(loompy)
    with loompy.connect("a.loom", "r") as ds:
        return [ds.ca.keys(), list(ds.ca), dict(ds.ca), len(ds.ca), "Age" in ds.ca, "no" in ds.ca,
                list(ds.ra.items()), ds.ca.get("Age", None), ds.ca.get("no", np.zeros(5))]


def a_default_that_is_no_array(loompy):
    make(loompy)
    with loompy.connect("a.loom", "r") as ds:
        return ds.ca.get("no", 3)


def a_default_of_another_length(loompy):
    make(loompy)
    with loompy.connect("a.loom", "r") as ds:
        return ds.ca.get("no", np.zeros(4))


def alternative_names(loompy):
    make(loompy)
    with loompy.connect("a.loom", "r") as ds:
        return [ds.ca["no", "Age"], ds.ca["Age", "no"], ds.ra["Order", "Order"]]


def alternatives_of_which_there_are_none(loompy):
    make(loompy)
    with loompy.connect("a.loom", "r") as ds:
        return ds.ca["no", "none"]


def alternatives_of_other_types(loompy):
    make(loompy)
    with loompy.connect("a.loom", "r") as ds:
        return ds.ca["Age", "CellID"]


def parts(loompy):
    make(loompy)
    with loompy.connect("a.loom", "r") as ds:
        found = [ds.ca[1:3], ds.ca[np.array([3, 1, 1])], ds.ca[np.arange(5) > 2], ds.ra[2]]
        return [dict(part.items()) for part in found]


def a_name_that_is_not_there(loompy):
    make(loompy)
    with loompy.connect("a.loom", "r") as ds:
        return ds.ca.no


def an_item_that_is_not_there(loompy):
    make(loompy)
    with loompy.connect("a.loom", "r") as ds:
        return ds.ca["no"]


def a_wrong_length(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.ca.new = np.arange(4)


def a_slash(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.ca["a/b"] = np.arange(5)


def a_matrix_for_an_attribute(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.ca.new = np.matrix(np.zeros((5, 2)))


@differs("pandas' and other sequences are taken", [["array", "int64", [5], "[0, 1, 2, 3, 4]"]] * 2)
def a_range(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.ca.new = range(5)
        return [ds.ca.new, ds.ca["new"]]


def of_the_file(loompy):
    make(loompy, file_attrs={"title": "first"})
    with loompy.connect("a.loom") as ds:
        ds.attrs.title = "second"
        ds.attrs["n"] = 5
        ds.attrs.x = 2.5
        ds.attrs.numbers = np.arange(3, dtype="i2")
        ds.attrs.flag = np.bool_(True)
        found = [ds.attrs.title, ds.attrs["n"], ds.attrs.get("x"), ds.attrs.get("no"),
                 ds.attrs.get("no", 7), "n" in ds.attrs, len(ds.attrs) > 4]
        del ds.attrs.n
    with loompy.connect("a.loom", "r") as ds:
        return [found, state(ds)["attrs"], ds.attrs.LOOM_SPEC_VERSION]


def of_the_file_not_there(loompy):
    make(loompy)
    with loompy.connect("a.loom", "r") as ds:
        return ds.attrs.no


def of_the_file_with_a_slash(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.attrs["a/b"] = 1


@differs("a list of texts is stored", ["array", "object", [2], ["a", "b"]])
def of_the_file_texts(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.attrs.names = np.array(["a", "b"])
        return ds.attrs.names


def graphs(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.col_graphs.knn = graph(5)
        ds.col_graphs["csr"] = graph(5, 2, "csr")
        ds.row_graphs.near = graph(7, 3, "csc")
        found = [ds.col_graphs.keys(), ds.col_graphs.knn, len(ds.row_graphs)]
    with loompy.connect("a.loom", "r") as ds:
        return [found, state(ds), ds.col_graphs["no", "knn"], "knn" in ds.col_graphs]


def a_graph_with_duplicates(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.col_graphs.twice = scipy.sparse.coo_matrix(([1.0, 2.0], ([0, 0], [1, 1])), shape=(5, 5))
    with loompy.connect("a.loom", "r") as ds:
        found = ds.col_graphs.twice
        return [found.row, found.col, found.data, found.toarray()]


def a_graph_of_numbers(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.row_graphs.dense = np.eye(7)
    with loompy.connect("a.loom", "r") as ds:
        return ds.row_graphs.dense


def a_graph_replaced_and_removed(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.col_graphs.knn = graph(5)
        ds.col_graphs.knn = graph(5, 4)
        ds.col_graphs.gone = graph(5)
        del ds.col_graphs.gone
        del ds.col_graphs["never"]
    with loompy.connect("a.loom", "r") as ds:
        return state(ds)["col_graphs"]


def a_graph_of_another_shape(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.col_graphs.knn = graph(7)


def a_graph_that_is_not_there(loompy):
    make(loompy)
    with loompy.connect("a.loom", "r") as ds:
        return ds.col_graphs.no


def parts_of_graphs(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.col_graphs.knn = graph(5)
        found = [ds.col_graphs[1:4], ds.col_graphs[np.arange(5) != 2], ds.col_graphs[:]]
        return [part.knn for part in found]


@differs("a part of a graph is in the order that is asked for")
def a_part_of_a_graph_in_another_order(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.col_graphs.knn = graph(5)
        return ds.col_graphs[np.array([3, 0, 2])].knn


def edges_by_their_old_names(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.set_edges("knn", np.array([0, 1]), np.array([2, 3]), np.array([0.5, 1.5]), axis=1)
        return [ds.list_edges(axis=1), ds.get_edges("knn", axis=1), ds.list_edges(axis=0)]


def old_names(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.set_attr("new", np.arange(5), axis=1)
        ds.delete_attr("Age", axis=1)
        ds.set_layer("third", counts())
        ds.row_attrs.more = np.arange(7)
        ds.col_attrs["other"] = np.arange(5)
        return [state(ds), list(ds.layer.keys())]


def normalized(loompy):
    normalize = loompy.normalize_attr_values
    values = [np.arange(3), np.array([True, False]), ["a", "b"], np.array(["a", 1], object), (1, 2),
              np.matrix([[1, 2]]), 5, "a", 2.5, np.array([b"a"])]
    return [[normalize(value, True) for value in values[:-1]],
            [str(normalize(value, False)) for value in values],
            loompy.materialize_attr_values(np.array([b"a&amp;b", b"c"])),
            loompy.materialize_attr_values(np.arange(3))]


def rows_of_one_kind(loompy):
    return [rows(2), columns(2)]

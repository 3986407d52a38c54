"""Layers, views and scans."""

from __future__ import annotations

import numpy as np
from loompy_api.bodies._data import counts, graph, make, view_state
from loompy_api.outcomes import differs


def _open(loompy, **more):
    make(loompy, **more)
    return loompy.connect("a.loom", "r")


def selections(loompy):
    with _open(loompy, n_rows=70, n_columns=130) as ds:
        mask = np.arange(70) % 3 == 0
        keys = [np.s_[0, 0], np.s_[-1, -1], np.s_[3, :], np.s_[:, 4], np.s_[:, :], np.s_[1:5, ::7],
                np.s_[[0, 5, 66], :], np.s_[:, [1, 128]], np.s_[mask, 3:5], np.s_[2:2, :],
                np.s_[np.array([1, 4]), 2], np.s_[5, np.array([0, 64, 65])]]
        return [ds[key] for key in keys] + [ds["spliced"][key] for key in keys]


def whole_layers(loompy):
    with _open(loompy) as ds:
        layer = ds.layers["spliced"]
        return [layer[()], layer[...], layer[0], layer[1:3], layer.dtype, layer.shape, layer.name,
                ds[""][:, :], ds.layers.spliced[:, 0]]


@differs("any index on each axis: unsorted, with duplicates, negative steps, both at once")
def any_index(loompy):
    with _open(loompy) as ds:
        return [ds[[2, 0], :], ds[[2, 0, 0], [1, 3]], ds[::2, ::-1], ds[-3:, [-1, 0]]]


def one_index(loompy):
    with _open(loompy) as ds:
        return ds[0]


def beyond_the_end(loompy):
    with _open(loompy) as ds:
        return ds[100, 0]


def a_layer_that_is_not_there(loompy):
    with _open(loompy) as ds:
        return ds["no"]


def a_layer_of_a_name_that_is_not_there(loompy):
    with _open(loompy) as ds:
        return ds.layers.no


def facts(loompy):
    with _open(loompy) as ds:
        found = [ds.filename, ds.mode, ds.shape, ds.closed, ds.layers.keys(), len(ds.layers),
                 "spliced" in ds.layers, list(ds.layers), ds.row_attrs is ds.ra, ds.layer is ds.layers]
    return [found, ds.closed]


def written(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds[0, 1] = 7
        ds[2:4, :] = np.ones((2, 5))
        ds[:, 3] = np.arange(7)
        ds["spliced"][[0, 2], :] = 9
        ds.layers.spliced[5, 1:3] = [4, 5]
    with loompy.connect("a.loom", "r") as ds:
        return [ds[:, :], ds["spliced"][:, :]]


def layers_set_and_removed(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds["new"] = counts(seed=3)
        ds.layers["empty"] = "uint16"
        ds.layers.other = counts(seed=4, dtype="f8")
        ds["spliced"] = counts(seed=5, dtype="i1")
    with loompy.connect("a.loom") as ds:
        del ds.layers["other"]
    with loompy.connect("a.loom", "r") as ds:
        return {name: layer[:, :] for name, layer in ds.layers.items()}


def the_main_layer_removed(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        del ds.layers[""]


def a_layer_of_another_shape(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds["new"] = counts(6, 5)


def a_layer_with_infinity(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds["new"] = np.full((7, 5), np.inf)


def a_layer_of_texts(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds["new"] = "S5"


def views(loompy):
    with _open(loompy) as ds:
        rows = np.array([1, 4, 5])
        found = [ds.view[:, :], ds.view[1:4, 2:], ds.view[rows, :], ds.view[:, np.array([0, 3])],
                 ds.view[np.arange(7) > 3, 0:2]]
        nested = found[1].view[1:, 0:2]
        facts = [nested.filename, nested.attrs["LOOM_SPEC_VERSION"], nested[0, 1],
                 nested["spliced"][:, :], type(nested).__name__, type(nested.layers[""]).__name__,
                 nested.row_attrs is nested.ra]
        return [facts, *map(view_state, [*found, nested])]


def a_view_of_one_axis(loompy):
    with _open(loompy) as ds:
        return ds.view[0:2]


@differs("views take lists, unsorted ones too, on both axes")
def a_view_of_lists(loompy):
    with _open(loompy) as ds:
        return view_state(ds.view[[3, 1], [4, 0, 0]])


def views_of_graphs(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.col_graphs.knn = graph(5)
        ds.row_graphs.near = graph(7)
        view = ds.view[1:5, np.array([0, 2, 3])]
        return [view.col_graphs.knn, view.row_graphs["near"]]


@differs("a view can be permuted")
def a_view_permuted(loompy):
    with _open(loompy) as ds:
        view = ds.view[0:3, 0:3]
        view.permute(np.array([2, 0, 1]), axis=0)
        return view_state(view)


def a_view_written(loompy):
    with _open(loompy) as ds:
        view = ds.view[0:2, 0:2]
        view.layers[""][0, 0] = 77
        view.ca.Age = np.array([1, 2])
        return [view_state(view), ds[0, 0]]


def parts_of_all_layers(loompy):
    with _open(loompy) as ds:
        part = ds.layers[1:3, :]
        return {name: layer[:, :] for name, layer in part.items()}


def _batches(found):
    return [[ix, indexes, view_state(view)] for ix, indexes, view in found]


def scans(loompy):
    with _open(loompy, n_rows=70, n_columns=130) as ds:
        mask = np.arange(130) % 4 == 0
        return [
            _batches(ds.scan(axis=0, batch_size=32)),
            _batches(ds.scan(axis=1, batch_size=64)),
            _batches(ds.scan(axis=1, batch_size=50, layers=[""])),
            _batches(ds.scan(axis=1, batch_size=50, layers="")),
            _batches(ds.scan(axis=0, batch_size=30, layers=["spliced"])),
            _batches(ds.scan(axis=1, batch_size=40, items=np.array([0, 1, 50, 129]))),
            _batches(ds.scan(axis=1, batch_size=40, items=mask)),
            _batches(ds.scan(axis=0, batch_size=40, items=np.array([69]))),
            _batches(ds.scan(axis=1, batch_size=100, key="Order")),
            _batches(ds.scan(axis=0, batch_size=100, key="Age", layers=[""])),
            [ix for ix, _, _ in ds.scan(axis=1)],
        ]


def scans_of_some_things(loompy):
    with _open(loompy) as ds:
        found = []
        for what in (["layers"], ["layers", "col_attrs"], ["layers", "row_attrs", "col_graphs"]):
            for _, _, view in ds.scan(axis=1, what=what):
                found.append([list(view.ra), list(view.ca), view.row_graphs is None,
                              view.col_graphs is None, view.layers.keys()])
        return found


@differs("items are given in the order that is asked for")
def a_scan_of_items_in_another_order(loompy):
    with _open(loompy) as ds:
        return _batches(ds.scan(axis=1, batch_size=2, items=np.array([4, 2, 0])))


def a_scan_without_an_axis(loompy):
    with _open(loompy) as ds:
        return list(ds.scan())


def a_scan_along_a_third_axis(loompy):
    with _open(loompy) as ds:
        return list(ds.scan(axis=2))


def a_scan_without_layers(loompy):
    with _open(loompy) as ds:
        return list(ds.scan(axis=1, what=["col_attrs"]))


def old_scans(loompy):
    with _open(loompy, n_rows=9, n_columns=12) as ds:
        return [
            list(ds.batch_scan(axis=0, batch_size=4)),
            list(ds.batch_scan(axis=1, batch_size=5, genes=np.array([3, 1]), layer="spliced")),
            list(ds.batch_scan_layers(axis=1, batch_size=5, cells=np.array([1, 2, 11]))),
            list(ds.batch_scan_layers(axis=0, batch_size=5, layers=[""])),
        ]


def html(loompy):
    with _open(loompy, n_rows=8, n_columns=12) as ds:
        page = ds._repr_html_()
        cells = page.count("<td>"), page.count("<tr>"), page.count("...")
        view = ds.view[0:2, :]._repr_html_()
        return [cells, "8 rows, 12 columns, 2 layers" in page, "gene00" in page, view.count("<td>")]

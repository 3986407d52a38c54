"""What is computed from layers."""

from __future__ import annotations

import numpy as np
from loompy_api.bodies._data import make
from loompy_api.outcomes import Close, differs


def _open(loompy, n_rows=70, n_columns=130):
    make(loompy, n_rows=n_rows, n_columns=n_columns)
    return loompy.connect("a.loom", "r")


def sparse(loompy):
    with _open(loompy) as ds:
        rows, columns = np.array([1, 2, 65]), np.arange(130) % 3 == 0
        return [ds.sparse(), ds.sparse(layer="spliced"), ds.sparse(rows=rows),
                ds.sparse(cols=columns), ds.sparse(rows=np.arange(70) > 9, cols=np.array([0, 129])),
                ds.layers["spliced"].sparse(), ds.layers["spliced"].sparse(dtype="int32"),
                ds.layers[""].sparse(rows=rows, cols=columns, dtype="f4"),
                ds.sparse().row.dtype, ds.sparse().col.dtype, type(ds.sparse()).__name__]


def of_memory(loompy):
    with _open(loompy) as ds:
        layer = ds.view[0:5, 0:6].layers[""]
        found = [layer.sparse(np.array([0, 2]), np.array([1, 3, 5])), layer[0, 1], layer.shape]
        layer.permute(np.array([4, 3, 2, 1, 0]), axis=0)
        return [found, layer[:, :]]


def maps(loompy):
    with _open(loompy) as ds:
        functions = [np.mean, np.std, np.sum, np.var, np.count_nonzero, np.min, np.max]
        found = []
        for axis in (0, 1):
            found += ds.map(functions, axis=axis)
            found += ds.map([lambda x: x.max() - x.min(), np.median], axis=axis, chunksize=17)
            found += ds["spliced"].map([np.sum, np.mean], axis)
        selected = np.array([0, 5, 64])
        found += ds.map([np.mean, np.max], axis=0, selection=selected)
        found += ds.map([np.sum, len], axis=1, selection=np.arange(70) % 2 == 0)
        return [Close(each) for each in found]


def a_map_of_a_function(loompy):
    with _open(loompy) as ds:
        return ds.map(np.mean)


def aggregates(loompy):
    with _open(loompy) as ds:
        found = {}
        for name in ("mean", "sum", "std", "var", "min", "max", "median", "first", "last", "prod",
                     "len", "argmax", "argmin", "all", "any", "sumofsquares", "nansum", "nanmean",
                     "nanmin", "nanmax", "nanvar", "nanstd", "allnan", "anynan"):
            found[name] = Close(ds.aggregate(None, None, "Cluster", name))
        labels = np.arange(130) // 30 * 10
        found["labels"] = Close(ds.aggregate(None, None, labels, "mean"))
        found["function"] = Close(ds.aggregate(group_by=labels, aggr_by=np.max))
        found["layer"] = Close(ds.aggregate(group_by="Cluster", layer="spliced"))
        return found


def an_aggregate_into_a_file(loompy):
    with _open(loompy, 7, 12) as ds:
        ds.aggregate("out.loom", None, "Cluster", "mean",
                     {"Age": "mean", "Cluster": "first", "CellID": "tally"})
    with loompy.connect("out.loom", "r") as ds:
        return [Close(ds[:, :]), Close(ds.ca.Age), ds.ca.Cluster, ds.ca.keys(), ds.ca.CellID_cell004]


@differs("groups may have names")
def an_aggregate_of_names(loompy):
    with _open(loompy) as ds:
        return ds.aggregate(group_by="CellID")


def an_aggregate_of_what_is_not_there(loompy):
    with _open(loompy) as ds:
        return ds.aggregate(group_by="no")


def an_unknown_aggregate(loompy):
    with _open(loompy) as ds:
        return ds.aggregate(group_by="Cluster", aggr_by="no")


def an_aggregate_of_a_selection(loompy):
    with _open(loompy) as ds:
        return ds.aggregate(select=np.arange(130) > 5, group_by="Cluster")


def exports(loompy):
    with _open(loompy, 4, 3) as ds:
        ds.export("main.tab")
        ds.export("spliced.tab", "spliced")
    return [open("main.tab").read(), open("spliced.tab").read()]


def an_export_of_another_format(loompy):
    with _open(loompy) as ds:
        ds.export("main.csv", format="csv")

"""Files that grow, are combined and put in another order."""

from __future__ import annotations

import numpy as np
from loompy_api.bodies._data import columns, counts, graph, make, rows, state
from loompy_api.outcomes import differs


def columns_added(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        more = counts(7, 3, 9)
        ds.add_columns({"": more, "spliced": more.astype("i4")}, columns(3, 5))
        found = ds.shape
    with loompy.connect("a.loom") as ds:
        return [found, state(ds)]


def columns_of_a_matrix(loompy):
    loompy.create("a.loom", counts(70, 60), rows(70), columns(60))
    with loompy.connect("a.loom") as ds:
        for start in (60, 75):
            ds.add_columns(counts(70, 15, start), columns(15, start))
        return state(ds)


def columns_of_a_view(loompy):
    make(loompy)
    make(loompy, "b.loom")
    with loompy.connect("a.loom") as ds, loompy.connect("b.loom") as other:
        view = other.view[:, 1:3]
        ds.add_columns(view.layers, dict(view.ca.items()))
        return state(ds)


def columns_without_an_attribute(loompy):
    make(loompy)
    more = counts(7, 3, 9)
    with loompy.connect("a.loom") as ds:
        ds.add_columns({"": more, "spliced": more}, {"CellID": columns(3, 5)["CellID"]})
        return state(ds)


def columns_with_fill_values(loompy):
    make(loompy)
    more = counts(7, 3, 9)
    with loompy.connect("a.loom") as ds:
        ds.add_columns({"": more, "spliced": more}, {"CellID": columns(3, 5)["CellID"]},
                       fill_values={"Age": 7.5, "Cluster": 2})
        return state(ds)


def columns_filled_by_themselves(loompy):
    make(loompy)
    more = counts(7, 3, 9)
    with loompy.connect("a.loom") as ds:
        ds.add_columns({"": more, "spliced": more},
                       {"CellID": columns(3, 5)["CellID"], "New": np.arange(3)}, fill_values="auto")
        return state(ds)


def columns_of_another_height(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.add_columns({"": counts(6, 3), "spliced": counts(6, 3)}, columns(3, 5))


def columns_of_an_unknown_layer(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.add_columns({"": counts(7, 3), "no": counts(7, 3)}, columns(3, 5))


def columns_of_other_widths(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.add_columns({"": counts(7, 3), "spliced": counts(7, 2)}, columns(3, 5))


def columns_with_too_few_values(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.add_columns({"": counts(7, 3), "spliced": counts(7, 3)}, columns(2, 5))


def columns_of_nothing_known(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.add_columns("no", columns(3, 5))


def columns_of_a_new_file_without_rows(loompy):
    with loompy.new("a.loom") as ds:
        ds.add_columns(counts(), columns())


def columns_of_a_file_for_reading(loompy):
    make(loompy)
    with loompy.connect("a.loom", "r") as ds:
        ds.add_columns(counts(7, 3), columns(3, 5))


def another_file(loompy):
    make(loompy)
    make(loompy, "b.loom")
    with loompy.connect("a.loom") as ds:
        ds.add_loom("b.loom")
        return state(ds)


def another_file_by_a_key(loompy):
    make(loompy)
    make(loompy, "b.loom")
    with loompy.connect("b.loom") as ds:
        ds.permute(np.array([3, 1, 2, 0, 6, 5, 4]), axis=0)
    with loompy.connect("a.loom") as ds:
        ds.add_loom("b.loom", key="Gene", batch_size=2)
        return state(ds)


@differs("keys that are not one to one are a ValueError")
def another_file_of_other_keys(loompy):
    make(loompy)
    make(loompy, "b.loom")
    with loompy.connect("b.loom") as ds:
        ds.ra.Gene = np.array([f"other{i}" for i in range(7)])
    with loompy.connect("a.loom") as ds:
        ds.add_loom("b.loom", key="Gene")


def another_file_without_a_layer(loompy):
    make(loompy)
    loompy.create("b.loom", counts(), rows(), columns())
    with loompy.connect("a.loom") as ds:
        ds.add_loom("b.loom")


def another_file_with_more_layers(loompy):
    loompy.create("a.loom", counts(), rows(), columns())
    make(loompy, "b.loom")
    with loompy.connect("a.loom") as ds:
        ds.add_loom("b.loom")
        return state(ds)


def another_file_for_reading(loompy):
    make(loompy)
    make(loompy, "b.loom")
    with loompy.connect("a.loom", "r") as ds:
        ds.add_loom("b.loom")


def combined(loompy):
    for name in ("a.loom", "b.loom", "c.loom"):
        make(loompy, name)
    loompy.combine(["a.loom", "b.loom", "c.loom"], "out.loom", key="Gene",
                   file_attrs={"title": "all"})
    with loompy.connect("out.loom", "r") as ds:
        return state(ds)


def combined_faster(loompy):
    for name in ("a.loom", "b.loom"):
        make(loompy, name, n_rows=9, n_columns=150)
    with loompy.connect("b.loom") as ds:
        ds.ca.Age = ds.ca.Age + 100
    chosen = [np.arange(150) % 2 == 0, np.arange(150) > 70]
    loompy.combine_faster(["a.loom", "b.loom"], "out.loom", {"title": "fast"}, selections=chosen,
                          skip_attrs=["Cluster"])
    with loompy.connect("out.loom", "r") as ds:
        return state(ds)


def combined_faster_by_a_key(loompy):
    make(loompy, "a.loom", n_columns=70)
    make(loompy, "b.loom", n_columns=66)
    loompy.combine_faster(["a.loom", "b.loom"], "out.loom", key="Order")
    with loompy.connect("out.loom", "r") as ds:
        return state(ds)


def nothing_to_combine(loompy):
    loompy.combine([], "out.loom")


def files_of_other_heights(loompy):
    make(loompy, "a.loom")
    make(loompy, "b.loom", n_rows=6)
    loompy.combine_faster(["a.loom", "b.loom"], "out.loom")


def permuted(loompy):
    make(loompy, n_rows=70, n_columns=66)
    with loompy.connect("a.loom") as ds:
        ds.permute(np.random.default_rng(0).permutation(70), axis=0)
        ds.permute(np.random.default_rng(1).permutation(66), axis=1)
        found = state(ds)
    with loompy.connect("a.loom") as ds:
        return [found, state(ds)]


def permuted_graphs(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.col_graphs.knn = graph(5)
        ds.permute(np.array([3, 1, 0, 2, 4]), axis=1)
        return state(ds)["col_graphs"]


@differs("an order of another length is a ValueError")
def permuted_by_too_few(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.permute(np.array([1, 0]), axis=1)


def permuted_along_a_third_axis(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.permute(np.arange(5), axis=2)

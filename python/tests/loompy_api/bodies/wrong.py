"""What is refused, and times."""

from __future__ import annotations

import numpy as np
from loompy_api.bodies._data import counts, make
from loompy_api.outcomes import differs


def nothing_there(loompy):
    loompy.connect("no.loom")


def another_mode(loompy):
    make(loompy)
    loompy.connect("a.loom", "w")


def no_loom_file(loompy):
    import h5py

    with h5py.File("a.loom", "w") as file:
        file["x"] = 1
    loompy.connect("a.loom")


def no_hdf5_file(loompy):
    with open("a.loom", "w") as file:
        file.write("nothing")
    loompy.connect("a.loom", "r")


def a_layer_of_a_file_for_reading(loompy):
    make(loompy)
    with loompy.connect("a.loom", "r") as ds:
        ds["new"] = counts()


@differs("closing within the block is no error", [True, None])
def closed_within_the_block(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        ds.close()
    return [ds.closed, ds.close(True)]


def closed_twice(loompy):
    make(loompy)
    ds = loompy.connect("a.loom")
    ds.close()
    ds.close()
    return [ds.closed, ds._repr_html_()]


def times(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        found = ds.ca.last_modified("Age"), ds.layers[""].last_modified(), ds.last_modified()
        kinds = [len(each) == len(loompy.timestamp()) and each.endswith("Z") for each in found]
        changes = ds.get_changes_since("19700101T000000.000000Z")
        return [kinds, changes["row_attrs"], changes["col_attrs"], sorted(changes)]


@differs("every change moves the time of the file")
def changes_since(loompy):
    make(loompy)
    with loompy.connect("a.loom") as ds:
        before = loompy.timestamp()
        ds.ca.Age = np.arange(5)
        ds["spliced"][0, 0] = 3
        return [ds.last_modified() > before, ds.get_changes_since(before)]


def validated(loompy):
    make(loompy, file_attrs={"title": "x"})
    validator = loompy.LoomValidator()
    return [validator.version, validator.validate("a.loom"), validator.version, validator.errors,
            validator.warnings]


def validated_by_conventions(loompy):
    make(loompy)
    validator = loompy.LoomValidator()
    return [validator.validate("a.loom", "conventions"), len(validator.errors) > 2]


def versions(loompy):
    return [loompy.__version__, loompy.loom_spec_version]

"""Every fixture of the HDF5 read matrix: read as h5py reads it, converted and still the same.

The fixtures are made by `python/fixtures/generate.py`. What differs from h5py must be in a list
here, with its reason, and must differ: a difference that is gone has to leave its list.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import h5py
import pytest
import stook
import tables
from conftest import assert_same_bits
from hdf5_views import differences, inside, same_plain, seen_by_h5py, seen_by_stook

FOLDER = Path(__file__).resolve().parents[2] / "crates/stook-hdf5/tests/fixtures/matrix"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text())
FILES = sorted(MANIFEST["files"])

# File and node (patterns), what (a pattern), and why it is read otherwise than by h5py.
READ_OTHERWISE = [
    ("filter-rare.h5", "/s*", "values", "sz, sz3 and sperr are libraries in C++ that nobody else has"),
    ("dtype-complex.h5", "/long", "*", "no complex long double: shown as a struct of its parts"),
    ("dtype-floats-rare.h5", "/of 24 bits", "*", "shown as float64; h5py shows float32"),
    ("dtype-floats-rare.h5", "/*float*", "*", "shown as what it is, h5py widens it"),
    ("dtype-floats-rare.h5", "/float8*", "*", "shown as what it is, h5py widens it"),
    ("pytables-table.h5", "*", "*", "h5py has no structs with times and shows bytes; PyTables is asked below"),
    ("storage-external.h5", "/lost", "values", "the file is lost, for h5py as well"),
]


def unexplained(
    file: str, found: list[tuple[str, str, str]], reasons: list, *, strict: bool = True
) -> list[str]:
    """The differences that no reason covers and, if strict, reasons that no difference needs."""
    ours = [reason for reason in reasons if fnmatchcase(file, reason[0])]
    used = set()
    left = []
    for node, what, how in found:
        covering = [r for r in ours if fnmatchcase(node, r[1]) and fnmatchcase(what, r[2])]
        used.update(covering)
        if not covering:
            left.append(f"{node}: {what}: {how}")
    if strict:
        left.extend(f"no longer so: {reason}" for reason in ours if reason not in used)
    return left


@pytest.mark.parametrize("file", FILES)
def test_read_as_h5py_reads_it(file):
    expected = seen_by_h5py(FOLDER / file)
    found = seen_by_stook(FOLDER / file, expected)
    assert not unexplained(file, differences(expected, found), READ_OTHERWISE)


def test_floats_that_h5py_widens_have_the_same_values():
    with h5py.File(FOLDER / "dtype-floats-rare.h5") as theirs, stook.open(theirs.filename) as ours:
        for name in ("bfloat16", "float8_e4m3", "float8_e5m2", "of 24 bits"):
            expected = theirs[name][()]
            assert ours[name][()].astype(expected.dtype).tolist() == expected.tolist()


def test_structs_with_times_are_as_pytables_has_them():
    name = FOLDER / "pytables-table.h5"
    with tables.open_file(str(name)) as theirs, stook.open(name) as ours:
        for path in ("/nested", "/group/packed"):
            expected, found = theirs.get_node(path).read(), ours[path][()]
            assert found.dtype.names == expected.dtype.names
            for column in ("id", "value", "kind", "z"):
                assert_same_bits(expected[column], found[column])
            for column in ("x", "name"):
                assert_same_bits(expected["inner"][column], found["inner"][column])
            # Seconds since 1970 in numbers of the size that HDF5 has for times.
            assert found["day"].view("<i4").tolist() == expected["day"].tolist()


def test_the_matrix_is_as_large_as_it_should_be():
    counts = {"datasets": 0, "attributes": 0}
    for file in FILES:
        for node in seen_by_h5py(FOLDER / file).values():
            counts["datasets"] += node.kind == "array"
            counts["attributes"] += len(node.attributes)
    recorded = {
        what: sum(file[what] for file in MANIFEST["files"].values()) for what in counts
    }
    assert counts == recorded
    assert len(FILES) >= 83 and counts["datasets"] >= 410 and counts["attributes"] >= 1800


# Conversions.

# File, node, what, and why it comes out otherwise though no loss is reported.
CONVERTED_OTHERWISE = [
    ("*", "*", "attribute DIMENSION_LABELS", "names that scales give to axes become labels as well"),
    ("chunks-single.h5", "*", "chunks", "one chunk that no filter changes is stored in one piece"),
    ("virtual.h5", "*", "chunks", "a virtual array that grows becomes a chunked one"),
    ("anndata-sparse.h5ad", "/uns/none", "max_shape", "no elements, in chunks: room for a chunk"),
    *READ_OTHERWISE,
]

# Losses that a conversion from HDF5 to HDF5 may report.
LOSSES_WITHIN_HDF5 = re.compile(
    r"codec .*: stored as zlib level 4, which every HDF5 reader knows|named type: nothing"
    r"|node: left out: codec `(sz|sz3|sperr) .*"
    r"|user block of \d+ bytes: nothing"
)


# What does not get that far: file, target, and a part of the error.
NOT_CONVERTED = {
    ("storage-external.h5", "x.h5"): "storage-external-none.bin",
    ("storage-external.h5", "x.zarr"): "storage-external-none.bin",
    ("names.h5", "x.zarr"): "File name too long",
}


def converted(source: Path, target: Path) -> list[tuple[str, str, str]]:
    """Converts, and returns what the report says was lost: node, what, what becomes of it."""
    part = NOT_CONVERTED.get((source.name, target.name))
    with inside(source.parent):
        if part is not None:
            with pytest.raises(stook.Error, match=part):
                stook.convert(source, target, leave_out=True)
            pytest.skip(part)
        report = stook.convert(source, target, leave_out=True)
    losses = (*report.losses, *report.left_out)
    return [(loss.node, loss.what, loss.becomes) for loss in losses]


def unreported(found: list, losses: list[tuple[str, str, str]]) -> list:
    """The differences that the losses do not explain."""
    gone = {node for node, what, _ in losses if what in ("node", "named type") or "link" in what}
    left = []
    for node, what, how in found:
        parents = {path.rpartition("/")[0] or "/" for path in gone}
        if what == "kind" and (node in gone or how.endswith("found missing") and above(node, gone)):
            continue
        if what == "names" and node in parents:
            continue
        names = {f"`{what.removeprefix('attribute ')}`", what}
        if any(node == at and any(name in lost for name in names) for at, lost, _ in losses):
            continue
        left.append((node, what, how))
    return left


def above(node: str, gone: set[str]) -> bool:
    return any(node.startswith(path + "/") for path in gone)


@pytest.mark.parametrize("file", FILES)
def test_converted_to_hdf5(file, tmp_path):
    losses = converted(FOLDER / file, tmp_path / "x.h5")
    assert all(LOSSES_WITHIN_HDF5.fullmatch(f"{what}: {how}") for _, what, how in losses), losses
    expected, found = seen_by_h5py(FOLDER / file), seen_by_h5py(tmp_path / "x.h5")
    left = unreported(differences(expected, found), losses)
    assert not unexplained(file, left, CONVERTED_OTHERWISE, strict=False)


@pytest.mark.parametrize("file", FILES)
def test_converted_to_zarr_and_back(file, tmp_path):
    losses = converted(FOLDER / file, tmp_path / "x.zarr")
    losses += converted(tmp_path / "x.zarr", tmp_path / "x.h5")
    expected, found = seen_by_h5py(FOLDER / file), seen_by_h5py(tmp_path / "x.h5")
    # Zarr has no bounds of an extent, and all its arrays are chunked.
    left = [
        (node, what, how)
        for node, what, how in unreported(differences(expected, found), losses)
        if what not in ("max_shape", "chunks")
    ]
    assert not unexplained(file, left, CONVERTED_OTHERWISE, strict=False)
    for node, what, _ in losses:
        lost = re.fullmatch(r"attribute `(.*)` of type .*", what)
        if lost and node in expected and node in found:
            before, after = (side[node].attributes[lost[1]] for side in (expected, found))
            assert same_plain(before, after), (node, what, before, after)

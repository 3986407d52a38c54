"""Reads what the demo wrote with h5py and zarr-python and compares it with the original.

    python peers.py ORIGINAL.h5 CONVERTED.zarr BACK.h5

The last line printed sums up. The exit code is 1 where a value, a shape or an attribute differs.
"""

from __future__ import annotations

import sys
import warnings

import h5py
import numpy as np
import zarr


def main(original_path: str, zarr_path: str, back_path: str) -> int:
    warnings.simplefilter("ignore")  # zarr-python warns of each type that has no final v3 name
    differences: list[str] = []
    beyond_zarr: list[str] = []
    counts = {"arrays": 0, "groups": 0}
    converted = zarr.open_group(zarr_path, mode="r")
    with h5py.File(original_path) as original, h5py.File(back_path) as back:
        # The names first: while h5py visits it holds its lock, and zarr-python's thread may want it.
        names = ["/"]
        original.visit(names.append)
        for name in names:
            node = original[name]
            is_array = isinstance(node, h5py.Dataset)
            counts["arrays" if is_array else "groups"] += 1
            peers = {"h5py": lambda: back[name], "zarr-python": lambda: converted[name]}
            for peer, open_node in peers.items():
                if is_array and peer == "zarr-python" and has_array_fields(node.dtype):
                    beyond_zarr.append(name)
                    continue
                try:
                    difference = compare(node, open_node(), is_array)
                except Exception as error:  # whatever a peer raises is the finding
                    difference = f"{type(error).__name__}: {error}"
                if difference:
                    differences.append(f"{name}: {peer}: {difference}")

    for difference in differences:
        print(difference)
    if beyond_zarr:
        print("zarr-python has no type for fields that are arrays: " + ", ".join(beyond_zarr))
    verdict = f"{len(differences)} differ" if differences else "equal"
    print(f"{counts['arrays']} arrays and {counts['groups']} groups: {verdict}")
    return 1 if differences else 0


def compare(expected, found, is_array: bool) -> str | None:
    """What differs between a node of the original and a node that a peer opened."""
    for key, value in expected.attrs.items():
        if key not in found.attrs:
            return f"attribute {key!r} is missing"
        if not np.array_equal(plain(value), plain(found.attrs[key])):
            return f"attribute {key!r}: expected {value!r}, found {found.attrs[key]!r}"
    if not is_array:
        return None
    if expected.shape != found.shape:
        return f"expected shape {expected.shape}, found {found.shape}"
    return compare_values(np.asarray(expected[()]), np.asarray(found[()]))


def compare_values(expected: np.ndarray, found: np.ndarray) -> str | None:
    if expected.dtype.names:
        if expected.dtype.names != found.dtype.names:
            return f"expected fields {expected.dtype.names}, found {found.dtype.names}"
        for field in expected.dtype.names:
            if difference := compare_values(expected[field], found[field]):
                return f"field {field!r}: {difference}"
        return None
    if expected.dtype.kind in "fc":  # NaN equals NaN, and the sign of zero counts
        expected = np.ascontiguousarray(expected, expected.dtype.newbyteorder("="))
        found = np.ascontiguousarray(found, found.dtype.newbyteorder("="))
        if expected.dtype != found.dtype:
            return f"expected {expected.dtype}, found {found.dtype}"
        is_equal = expected.tobytes() == found.tobytes()
    else:
        is_equal = np.array_equal(plain(expected), plain(found))
    return None if is_equal else "the values differ"


def plain(value):
    """Strings as `str`, whatever type a library gives them; everything else as it is."""
    value = np.asarray(value)
    if value.dtype.kind not in "OST":
        return value
    texts = [item.decode() if isinstance(item, bytes) else item for item in value.ravel().tolist()]
    return np.array(texts, dtype=object).reshape(value.shape)


def has_array_fields(dtype: np.dtype) -> bool:
    return any(dtype[name].subdtype for name in dtype.names or ())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

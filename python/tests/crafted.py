"""HDF5 files that were crafted to mislead: one field of one structure says something else, and the
checksum is right.

``crafted(folder)`` gives them one by one, by number, and always the same by one version of h5py.
Structures are found by their signatures, and headers of the older form by the addresses that h5py tells.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

MASK = 0xFFFFFFFF
# Those with a checksum behind what they say, and those without.
CHECKED = (
    b"OHDR", b"OCHK", b"FRHP", b"FHDB", b"FHIB", b"BTHD", b"BTLF", b"BTIN", b"EAHD", b"EAIB", b"EADB",
    b"EASB", b"FAHD", b"FADB", b"SMTB", b"SMLI",
)  # fmt: skip
UNCHECKED = (b"GCOL", b"TREE", b"HEAP", b"SNOD")
# How many structures of a kind, and how many of their first bytes, are changed.
N_ALIKE = 48
MAX_LEN = 640
# What a field says instead: its width in bytes, and the number. A width of eight with ``None`` is
# the address of the structure itself.
VALUES = (
    (1, 0), (1, 1), (1, 0x7F), (1, 0xFF), (2, 0xFFFF), (4, 0), (4, 0x7FFFFFFF), (4, MASK), (8, None), (8, 0),
    (8, 1 << 40), (8, (1 << 64) - 1),
)  # fmt: skip
# What ended the process once: kind, field, width, value.
ALWAYS = (
    ("BTHD", 10, 2, 0), ("FRHP", 110, 2, 3), ("FRHP", 112, 8, 0), ("FRHP", 120, 8, 1 << 40), ("FRHP", 128, 2, 9),
    ("BTLF", 14, 1, 0xFF), ("BTLF", 31, 1, 2), ("EAHD", 44, 8, 1 << 40), ("GCOL", 129, 8, 0), ("GCOL", 133, 8, 0),
)  # fmt: skip


class Crafted(NamedTuple):
    """A file that says something else."""

    name: str
    data: bytes


def lookup3(data: bytes) -> int:
    """Bob Jenkins' hash, which HDF5 takes for a checksum."""
    a = b = c = (0xDEADBEEF + len(data)) & MASK

    def rotated(x: int, by: int) -> int:
        return (x << by | x >> (32 - by)) & MASK

    at, left = 0, len(data)
    while left > 12:
        x, y, z = struct.unpack_from("<III", data, at)
        a, b, c = (a + x) & MASK, (b + y) & MASK, (c + z) & MASK
        a = (a - c & MASK) ^ rotated(c, 4)
        c = (c + b) & MASK
        b = (b - a & MASK) ^ rotated(a, 6)
        a = (a + c) & MASK
        c = (c - b & MASK) ^ rotated(b, 8)
        b = (b + a) & MASK
        a = (a - c & MASK) ^ rotated(c, 16)
        c = (c + b) & MASK
        b = (b - a & MASK) ^ rotated(a, 19)
        a = (a + c) & MASK
        c = (c - b & MASK) ^ rotated(b, 4)
        b = (b + a) & MASK
        at, left = at + 12, left - 12
    if not left:
        return c
    x, y, z = struct.unpack("<III", data[at:] + bytes(12 - left))
    a, b, c = (a + x) & MASK, (b + y) & MASK, (c + z) & MASK
    for which, by in enumerate((14, 11, 25, 16, 4, 14, 24)):
        if which % 3 == 0:
            c = ((c ^ b) - rotated(b, by)) & MASK
        elif which % 3 == 1:
            a = ((a ^ c) - rotated(c, by)) & MASK
        else:
            b = ((b ^ a) - rotated(a, by)) & MASK
    return c


def make(path: Path, libver: str) -> list[int]:
    """A file with small structures of every kind; gives where headers of objects are."""
    with h5py.File(path, "w", libver=libver) as file:
        for i in range(20):
            file.create_group(f"many/g{i}")
        for i in range(10):
            file["many"].attrs[f"a{i}"] = np.arange(i)
        file.attrs["title"] = "a title"
        file.attrs["fixed"] = np.bytes_("fixed")
        file["soft"] = h5py.SoftLink("/grows")
        text = file.create_dataset("text", (9,), h5py.string_dtype(), maxshape=(None,), chunks=(4,))
        text[:] = [f"line {i}" * i for i in range(9)]
        ragged = file.create_dataset("ragged", (3,), h5py.vlen_dtype("i4"))
        for i in range(3):
            ragged[i] = np.arange(i + 1)
        kind = np.dtype([("n", "i2"), ("x", "f8", (2,)), ("name", "S5"), ("text", h5py.string_dtype())])
        file.create_dataset("structs", data=np.array([(1, (2, 3), b"four", "five")], kind))
        file["kind"] = np.dtype([("a", "i4"), ("b", "f4")])
        file.create_dataset("named", (4,), file["kind"])
        file.create_dataset("colours", data=np.arange(3, dtype="i1"), dtype=h5py.enum_dtype({"red": 0, "blue": 2}, "i1"))
        file.create_dataset("refs", data=[file["many"].ref, file["text"].ref], dtype=h5py.ref_dtype)
        file.create_dataset("plain", data=np.arange(5, dtype=">i8"), fillvalue=7)
        file.create_dataset("scalar", data=2.5)
        file["empty"] = h5py.Empty("f4")
        file.create_dataset("grows", data=np.arange(90.0), maxshape=(None,), chunks=(3,))
        file.create_dataset("wide", data=np.zeros((6, 6)), maxshape=(None, None), chunks=(2, 2))
        file.create_dataset("fixed", data=np.arange(20), chunks=(4,))
        file.create_dataset("zipped", data=np.arange(32.0), chunks=(8,), compression="gzip", shuffle=True, fletcher32=True)
        file.create_dataset("scaled", data=np.arange(32), chunks=(8,), scaleoffset=0)
        layout = h5py.VirtualLayout((10,), "f8")
        layout[:5] = h5py.VirtualSource(".", "grows", (90,))[:5]
        file.create_virtual_dataset("virtual", layout)
        file["scalar"].make_scale("scale")
        addresses: list[int] = []
        file.visititems(lambda _, node: addresses.append(h5py.h5o.get_info(node.id).addr))
        return [h5py.h5o.get_info(file.id).addr, *addresses]


def structures(data: bytes, headers: list[int]) -> Iterator[tuple[str, int, int, int | None]]:
    """What structures there are: kind, beginning, end, and where the checksum is, if there is one."""
    if data[8] < 2:
        yield "superblock", 8, 96, None
    else:
        yield "superblock", 8, 44, 44
    for signature in CHECKED:
        for at in places(data, signature):
            for end in range(at + 8, min(at + 4096, len(data) - 4)):
                if data[end : end + 4] == struct.pack("<I", lookup3(data[at:end])):
                    yield signature.decode(), at, min(end, at + MAX_LEN), end
                    break
    for signature in UNCHECKED:
        for at in places(data, signature):
            yield signature.decode(), at, min(at + MAX_LEN // 2, len(data)), None
    for at in headers:
        if data[at : at + 4] != b"OHDR":
            (len_,) = struct.unpack_from("<I", data, at + 8)
            yield "header", at, min(at + 16 + len_, at + MAX_LEN, len(data)), None


def places(data: bytes, signature: bytes) -> list[int]:
    """Where the first structures of a kind begin."""
    found: list[int] = []
    at = data.find(signature)
    while at >= 0 and len(found) < N_ALIKE:
        found.append(at)
        at = data.find(signature, at + 4)
    return found


def crafted(folder: Path, every: int = 1, first: int = 0) -> Iterator[tuple[int, Crafted]]:
    """``ALWAYS`` in all structures, then each other file, or every so-manieth, from a number on; in an
    order that is the same each time."""
    made = []
    for libver in ("earliest", "v110"):
        path = folder / f"{libver}.h5"
        headers = make(path, libver)
        data = path.read_bytes()
        made.append((libver, data, list(structures(data, headers))))
    number = -1
    for libver, data, found in made:
        for where in found:
            for kind, *change in ALWAYS:
                if kind == where[0]:
                    number += 1
                    file = _changed(data, where, *change)
                    if file is not None and number >= first:
                        yield number, Crafted(f"{libver} {file.name}", file.data)
    for libver, data, found in made:
        for where in found:
            kind, start, end, _ = where
            for field in range(0 if kind in ("superblock", "header") else 4, end - start):
                for width, value in VALUES:
                    number += 1
                    if number < first or number % every:
                        continue
                    file = _changed(data, where, field, width, value)
                    if file is not None:
                        yield number, Crafted(f"{libver} {file.name}", file.data)


def _changed(
    data: bytes, where: tuple[str, int, int, int | None], field: int, width: int, value: int | None
) -> Crafted | None:
    """The file in which a field of a structure has another value, if it had."""
    kind, start, end, checksum = where
    at, said = start + field, start if value is None else value
    bytes_ = said.to_bytes(width, "little")
    if at + width > end or data[at : at + width] == bytes_:
        return None
    changed = bytearray(data)
    changed[at : at + width] = bytes_
    if checksum is not None:
        sum_ = lookup3(bytes(changed[start:checksum]))
        changed[checksum : checksum + 4] = struct.pack("<I", sum_)
    shown = "itself" if value is None else hex(said)
    return Crafted(f"{kind} at {start} + {field}: {shown} in {width}", bytes(changed))

"""Arrays of every dtype that formats share, as pytest parameters."""

from __future__ import annotations

import numpy as np

_RNG = np.random.default_rng(7)

NUMBERS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16", "?"]

STRUCT = np.dtype(
    {
        "names": ["flag", "pair", "name", "inner"],
        "formats": ["?", ("<f4", (2,)), "S3", np.dtype([("x", "i2"), ("y", "f8")])],
        "offsets": [0, 4, 13, 16],
        "itemsize": 32,
    }
)
PACKED = np.dtype([("a", "i4"), ("b", "f8"), ("c", "u1")])


def items(dtype: np.dtype | str, shape: tuple[int, ...] = (13, 7)) -> np.ndarray:
    """Any bits, NaN and minus zero among them; valid bools and text."""
    dtype = np.dtype(dtype)
    n = int(np.prod(shape, dtype=int))
    if dtype.names:
        found = np.zeros(shape, dtype)
        for name in dtype.names:
            member = dtype[name]
            inner = member.subdtype[1] if member.subdtype else ()
            base = member.subdtype[0] if member.subdtype else member
            found[name] = items(base, shape + inner)
        return found
    match dtype.kind:
        case "b":
            return _RNG.random(shape) < 0.5
        case "S":
            words = [b"", b"a", b"xyz", b"\x00b"]
            return _RNG.choice(np.array(words, dtype), shape)
        case "U":
            return _RNG.choice(np.array(["", "a", "é✓", "🙂"], dtype), shape)
        case "f" | "c":
            found = _RNG.normal(size=shape).astype(dtype.newbyteorder("="))
            found.flat[:3] = [np.nan, -0.0, np.inf][: min(n, 3)]
            return found.astype(dtype)
    return np.frombuffer(_RNG.bytes(n * dtype.itemsize), dtype).reshape(shape).copy()

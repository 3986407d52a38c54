"""Compares each codec with numcodecs', on the same buffers, in turn (`cargo xtask bench -- --codecs`)."""

import argparse
import datetime
import time
from pathlib import Path
from statistics import median

import numpy as np
import report

#: Bytes of what is encoded at once: a chunk as people have them.
LEN_BYTES = 4 << 20


def data(quick: bool) -> dict[str, np.ndarray]:
    """Items of several kinds, as instruments and pipelines give them."""
    n_bytes = LEN_BYTES // 8 if quick else LEN_BYTES
    random = np.random.default_rng(7)
    n = n_bytes // 8
    walk = np.cumsum(random.normal(size=n)) * 0.01
    counts = random.poisson(0.06, n_bytes // 4)
    return {
        "f8 walk": walk,
        "f4 counts": (counts * (random.random(counts.size) < 0.5)).astype("f4"),
        "i4 rising": (np.arange(n_bytes // 4) * 3 + random.integers(0, 4, n_bytes // 4)).astype("i4"),
        "u2 image": random.normal(400, 20, n_bytes // 2).astype("u2"),
        "f8 rounded": np.round(walk, 2),
        "bool": random.random(n_bytes) < 0.1,
        "text": np.array([f"cell-{i % 5000}" for i in range(n_bytes // 64)], dtype=object),
    }


def cases() -> list[tuple[dict, list[str]]]:
    """A configuration of numcodecs, and the data that it is for."""
    numbers = ["f8 walk", "f4 counts", "i4 rising", "u2 image"]
    some = ["f4 counts", "i4 rising"]
    found = [({"id": "blosc", "cname": cname, "clevel": 5, "shuffle": shuffle}, some)
             for cname in ("blosclz", "lz4", "lz4hc", "zlib", "zstd") for shuffle in (1, 2)]
    found += [({"id": "zlib", "level": level}, numbers) for level in (1, 4, 9)]
    found += [({"id": "gzip", "level": 1}, some), ({"id": "bz2", "level": 1}, some)]
    found += [({"id": "lzma", "preset": 1}, ["i4 rising"])]
    found += [({"id": "zstd", "level": level}, numbers) for level in (0, 1, 9)]
    found += [({"id": "lz4", "acceleration": 1}, numbers)]
    found += [({"id": "shuffle", "elementsize": 4}, ["i4 rising"]),
              ({"id": "shuffle", "elementsize": 8}, ["f8 walk"])]
    found += [({"id": "delta", "dtype": "<i4"}, ["i4 rising"]),
              ({"id": "delta", "dtype": "<f8"}, ["f8 walk"]),
              ({"id": "fixedscaleoffset", "scale": 100, "offset": 0, "dtype": "<f8",
                "astype": "<i4"}, ["f8 rounded"]),
              ({"id": "quantize", "digits": 2, "dtype": "<f8"}, ["f8 walk"]),
              ({"id": "bitround", "keepbits": 8}, ["f8 walk", "f4 counts"]),
              ({"id": "astype", "encode_dtype": "<f4", "decode_dtype": "<f8"}, ["f8 walk"]),
              ({"id": "packbits"}, ["bool"])]
    found += [({"id": name}, ["i4 rising"])
              for name in ("crc32", "crc32c", "adler32", "fletcher32", "jenkins_lookup3")]
    found += [({"id": "pcodec", "level": 8}, numbers)]
    # Its reversible mode cannot encode: it lacks an attribute.
    found += [({"id": "zfpy", "mode": 2, "rate": 16}, ["f8 walk"]),
              ({"id": "zfpy", "mode": 3, "precision": 20}, ["f8 walk"]),
              ({"id": "zfpy", "mode": 4, "tolerance": 0.001}, ["f8 walk"])]
    labels = [f"cell-{i}" for i in range(100)]
    found += [({"id": "vlen-utf8"}, ["text"]),
              ({"id": "categorize", "labels": labels, "dtype": "|O", "astype": "|u1"}, ["text"])]
    return found


def in_turn(calls: dict, at_least: float) -> dict:
    """The shortest time of each call, made in turn as often as fills a while.

    All run in one thread, so its time on the processor is what they take; other processes change
    that less than they change the clock on the wall.
    """
    best = dict.fromkeys(calls, float("inf"))
    spent = 0.0
    while spent < at_least * len(calls):
        for key, call in calls.items():
            start = time.thread_time()
            call()
            took = time.thread_time() - start
            best[key] = min(best[key], took)
            spent += took
    return best


def compare(config: dict, values: np.ndarray, rounds: int, at_least: float) -> dict:
    import numcodecs

    import stook

    theirs = numcodecs.get_codec(dict(config))
    dtype = str if values.dtype == object else values.dtype
    ours = stook.codecs.get_codec(config, dtype=dtype)
    encoded = {"theirs": theirs.encode(values), "ours": ours.encode(values)}
    # Each decodes what numcodecs encoded; what we encoded must decode to the same with numcodecs.
    expected = theirs.decode(encoded["theirs"])
    if not np.array_equal(as_bytes(theirs.decode(encoded["ours"])), as_bytes(expected)):
        raise SystemExit(f"{config}: numcodecs decodes something else of ours")
    if not np.array_equal(as_bytes(ours.decode(encoded["theirs"])), as_bytes(expected)):
        raise SystemExit(f"{config}: we decode something else")
    stored = encoded["theirs"]
    calls = {
        ("encode", "ours"): lambda: ours.encode(values),
        ("encode", "theirs"): lambda: theirs.encode(values),
        ("decode", "ours"): lambda: ours.decode(stored),
        ("decode", "theirs"): lambda: theirs.decode(stored),
    }
    times: dict = {key: [] for key in calls}
    for _ in range(rounds):
        for key, took in in_turn(calls, at_least).items():
            times[key].append(took)
    best = {key: median(found) for key, found in times.items()}
    return {
        "encode": best["encode", "theirs"] / best["encode", "ours"],
        "decode": best["decode", "theirs"] / best["decode", "ours"],
        "encode_mb": values.nbytes / best["encode", "ours"] / 1e6,
        "decode_mb": values.nbytes / best["decode", "ours"] / 1e6,
        "size": len_of(encoded["ours"]) / max(len_of(encoded["theirs"]), 1),
    }


def as_bytes(decoded) -> np.ndarray:
    array = np.asarray(decoded) if isinstance(decoded, np.ndarray) else np.frombuffer(decoded, "u1")
    return array.ravel() if array.dtype == object else np.ascontiguousarray(array).ravel().view("u1")


def len_of(encoded) -> int:
    return memoryview(encoded).nbytes if not isinstance(encoded, np.ndarray) else encoded.nbytes


def name_of(config: dict) -> str:
    settings = [str(v).lstrip("|") for k, v in config.items() if k not in ("id", "labels", "dtype")]
    return " ".join([config["id"], *settings])


HEADINGS = ["codec", "data", "encode", "decode", "encode MB/s", "decode MB/s", "size"]


def run(options: argparse.Namespace) -> int:
    import numcodecs.blosc

    # One thread each: Blosc would take all there are, in the main thread of a program only.
    numcodecs.blosc.use_threads = False
    arrays = data(options.quick)
    rows, slower = [], []
    for config, names in cases():
        if options.only and not any(text in name_of(config) for text in options.only):
            continue
        for name in names:
            found = compare(config, arrays[name], options.rounds, min(options.seconds, 0.1))
            rows.append([name_of(config), name, f"{found['encode']:.2f}", f"{found['decode']:.2f}",
                         f"{found['encode_mb']:.0f}", f"{found['decode_mb']:.0f}",
                         f"{found['size']:.3f}"])
            if min(found["encode"], found["decode"]) < 0.95:
                slower.append(f"{name_of(config)} on {name}")
            print("  ".join(f"{cell:>12}" for cell in rows[-1]), flush=True)
    print()
    print(report.table(HEADINGS, rows))
    print(f"\n{len(rows)} compared; slower than numcodecs by more than 5 %: "
          f"{', '.join(slower) or 'none'}")
    if options.save:
        path = Path(report.ROOT / "docs/benchmarks-codecs.md")
        path.write_text(document(rows, slower))
    return 0


def document(rows: list[list[str]], slower: list[str]) -> str:
    import numcodecs

    lines = [
        "# Codecs beside numcodecs", "",
        f"{datetime.date.today().isoformat()}, {report.machine()}, numcodecs {numcodecs.__version__}. "
        "Ratios are numcodecs' time over ours (above 1: ours is faster), for one call on a buffer of "
        "4 MiB in one thread, in turn, in one process; the median of the rounds' best times. Size is "
        "ours over theirs. Each result was decoded by the other and compared.", "",
        "`cargo xtask bench -- --codecs --save`", "",
        "| " + " | ".join(HEADINGS) + " |", "|---|---" + "|---:" * 5 + "|",
    ]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    lines += ["", f"Slower by more than 5 %: {', '.join(slower) or 'none'}.", ""]
    return "\n".join(lines)

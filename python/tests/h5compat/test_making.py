"""The order of names, user blocks, objects without a name, and copies of a part."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import stook
import stook.h5compat

NAMES = ["z", "b", "a", "y", "c"]


def _filled(group):
    for name in NAMES:
        group.create_group(name)
    del group["b"]
    group["b"] = 3
    return group


@pytest.mark.parametrize("libver", [None, "latest"])
@pytest.mark.parametrize("track_order", [None, False, True])
def test_groups_list_their_names_in_the_order_that_they_keep(same, track_order, libver):
    def body(m, folder):
        found = []
        with m.File(folder / "x.h5", "w", track_order=track_order, libver=libver) as f:
            _filled(f)
            inner = _filled(f.create_group("inner/most", track_order=track_order))
            many = f.create_group("many", track_order=track_order)
            for i in range(60):
                many[f"{i * 7 % 60}"] = i
            for group in (f, inner, many, f["inner"]):
                found += [list(group), list(reversed(group)), list(group.items())[:2]]
        for mode in ("r", "r+"):
            with m.File(folder / "x.h5", mode) as f:
                for path in ("/", "inner/most", "many"):
                    found += [list(f[path]), list(f[path].keys())]
                found.append([name for name in NAMES if name in f])
        return found

    found = same(body)
    first = ["z", "a", "y", "c", "b", "inner", "many"]
    assert found[0] == (first if track_order else sorted(first))


def test_a_setting_has_groups_keep_the_order(same):
    def body(m, folder):
        m.get_config().track_order = True
        try:
            with m.File(folder / "x.h5", "w") as f:
                return [list(_filled(f)), list(_filled(f.create_group("g")))]
        finally:
            m.get_config().track_order = False

    assert same(body) == [["z", "a", "y", "c", "b"]] * 2


def test_the_order_is_read_as_the_other_wrote_it(pair, tmp_path):
    writer, reader = pair
    with writer.File(tmp_path / "x.h5", "w", track_order=True) as f:
        _filled(f.create_group("g", track_order=True))
        _filled(f)
    with reader.File(tmp_path / "x.h5") as f:
        assert list(f) == ["g", "z", "a", "y", "c", "b"] and list(f["g"]) == list(f)[1:]
    # The library itself lists by name, wherever nodes lie.
    with stook.open(tmp_path / "x.h5") as f:
        assert list(f) == sorted([*NAMES, "g"])


def test_bytes_before_the_file_are_its_users(pair, tmp_path):
    writer, reader = pair
    path = tmp_path / "x.h5"
    with writer.File(path, "w", userblock_size=1024) as f:
        assert f.userblock_size == 1024
        f["x"] = np.arange(1000)
        f.create_dataset("zipped", data=np.arange(500.0), chunks=(50,), compression="gzip")
        f["text"] = ["one", "two"]
        f.attrs["a"] = "b"
    with open(path, "r+b") as raw:
        raw.write(b"#!/bin/sh\n")
    for module in (writer, reader):
        with module.File(path, "a", userblock_size=1024) as f:
            assert f.userblock_size == 1024 and f.attrs["a"] == "b"
            f["x"][3] = 33
            f["zipped"][::2] = 1
            f[module.__name__] = 5
            f.flush()
            # Room that nobody has written to.
            never = f.require_dataset("never", (3,), "i4")
            assert never[:].tolist() == [0, 0, 0]
        with pytest.raises(ValueError, match="does not match"):
            module.File(path, "a", userblock_size=512)
    with reader.File(path) as f:
        assert (f["x"][:5] == [0, 1, 2, 33, 4]).all() and f["text"].asstr()[1] == "two"
        assert f["zipped"][:4].tolist() == [1, 1, 1, 3] and len(f) == 6
        assert f["never"][:].tolist() == [0, 0, 0]
    assert path.read_bytes().startswith(b"#!/bin/sh\n")


def test_a_writer_of_a_file_with_a_user_block_may_die(tmp_path):
    import subprocess
    import sys

    path = tmp_path / "x.h5"
    program = (
        "import os, signal, stook.h5compat\n"
        f"f = stook.h5compat.File({str(path)!r}, 'w', userblock_size=512)\n"
        "d = f.create_dataset('x', (0,), 'i8', maxshape=(None,), chunks=(8,))\n"
        "for i in range(100):\n"
        "    d.resize((i + 1,)); d[i] = i; f.flush()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == -9
    with stook.h5compat.File(path, "r+") as f:
        assert f["x"][:].tolist() == list(range(100)) and f.userblock_size == 512
    with h5py.File(path) as f:
        assert f["x"][:].tolist() == list(range(100))


@pytest.mark.parametrize("size", [1, 500, 513, 256, "many"])
def test_a_user_block_of_another_size_is_refused(same, size):
    same(lambda m, folder: m.File(folder / "x.h5", "w", userblock_size=size))
    same(lambda m, folder: m.File(folder / "x.h5", "r", userblock_size=512))


def test_what_has_no_name_gets_one_later(same):
    def body(m, folder):
        with m.File(folder / "x.h5", "w") as f:
            d = f.create_dataset(None, data=np.arange(4), chunks=(2,), maxshape=(None,))
            d.attrs["unit"] = "m"
            d[1] = 11
            d.resize((5,))
            g = f.create_group(None)
            g["inner/x"] = [1, 2]
            before = [d.name, repr(d), g.name, repr(g), len(f), d.file == f, bool(d), d[:]]
            f["d"] = d
            f["group/g"] = g
            d[0] = 7
            after = [d.name, d[:], f["d"][:], f["d"].attrs["unit"], f["d"] == d, list(f), d.chunks]
            lost = f.create_dataset(None, (3,), "f4")
            lost[:] = 1
        with m.File(folder / "x.h5") as f:
            read = [list(f), f["d"][:], f["group/g/inner/x"][:]]
        return [before, after, read]

    same(body)


def test_what_has_no_name_has_no_parent(same):
    def parent(m, folder):
        with m.File(folder / "x.h5", "w") as f:
            return f.create_group(None).parent

    same.words(parent)

    def read_only(m, folder):
        m.File(folder / "x.h5", "w").close()
        with m.File(folder / "x.h5") as f:
            f.create_dataset(None, data=1)

    same(read_only)


def _tree(m, folder):
    f = m.File(folder / "x.h5", "w")
    f["g/x"] = np.arange(3)
    f["g/x"].attrs["a"] = 1
    f["g"].attrs["b"] = 2
    f["g/deep/er/y"] = 4
    f["g/soft"] = m.SoftLink("/target")
    f["g/dangling"] = m.SoftLink("/nothing")
    f["g/outside"] = m.ExternalLink("other.h5", "/x")
    f["target/z"] = 5
    with m.File(folder / "other.h5", "w") as other:
        other["x"] = 6
    return f


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shallow": True},
        {"without_attrs": True},
        {"expand_soft": True},
        {"expand_external": True},
        {"expand_soft": True, "expand_external": True, "without_attrs": True, "shallow": True},
    ],
)
def test_copies_are_of_what_is_asked_for(same, options):
    def body(m, folder):
        with _tree(m, folder) as f, m.File(folder / "to.h5", "w") as to:
            f.copy("g", "copy", **options)
            f.copy("g", to, **options)
            found = []
            for group in (f["copy"], to["g"]):
                names = []
                group.visit_links(names.append)
                links = [type(group.get(name, getlink=True)).__name__ for name in names]
                found.append(sorted(zip(names, links, strict=True)))
                found.append([dict(group.attrs), dict(group["x"].attrs)])
            return found

    same(body)


def test_a_copy_may_lie_within_its_source(same):
    def body(m, folder):
        with _tree(m, folder) as f:
            f.copy("g", "g/copy")
            f.copy("/", "all", shallow=True)
            return [visited(f["g"]), visited(f["all"])]

    def visited(group):
        names = []
        group.visit(names.append)
        return sorted(names)

    same(body)


def test_locking_is_said_in_known_words(same):
    for locking in (True, False, None, "best-effort", "wrong"):
        same(lambda m, folder, how=locking: m.File(folder / "x.h5", "w", locking=how).mode)

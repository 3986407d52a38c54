"""Files, groups, links, and the making of datasets."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest


def _file(m, folder):
    f = m.File(folder / "x.h5", "w")
    f["x"] = np.arange(20).reshape(4, 5)
    f["g/deep/y"] = 1.5
    f["soft"] = m.SoftLink("/x")
    f["dangling"] = m.SoftLink("/nothing")
    f["ext"] = m.ExternalLink("other.h5", "/x")
    f["hard"] = f["x"]
    f.attrs["a"] = 1
    return f


TREE = [
    "list(f)", "len(f)", "list(f.keys())", "list(f.values())[2]", "list(f.items())[2]", "list(reversed(f))", "'x' in f", "'g/deep' in f",
    "'nope' in f", "'' in f", "'dangling' in f", "'dangling/x' in f", "'ext' in f", "'g/deep/y' in f", "b'x' in f", "f['x']", "f['g']", "f['/g/deep/y']", "f['g']['deep']", "f['g']['/x']", "f['soft']",
    "f['hard'] == f['x']", "hash(f['hard']) == hash(f['x'])", "f['x'] == f['g']", "f['soft'] == f['x']", "f['x'].parent", "f['g/deep'].parent.name",
    "f['x'].file == f", "f['x'].file.filename == f.filename", "f.name", "f.parent", "f.get('x')", "f.get('nope')", "f.get('nope', 3)", "f.get('x', getclass=True)",
    "f.get('g', getclass=True)", "f.get('soft', getlink=True).path", "f.get('soft', getclass=True, getlink=True)", "f.get('ext', getlink=True).filename",
    "f.get('ext', getlink=True)", "f.get('x', getclass=True, getlink=True)", "f.get('dangling')", "visited(f.visit)", "visited(f.visit_links)",
    "visited(f['g'].visit)", "f.visit(lambda name: name if 'deep' in name else None)", "[type(v).__name__ for _, v in items(f.visititems)]",
    "[type(v).__name__ for _, v in items(f.visititems_links)]", "f.require_group('g')", "f.require_group('new/er').name", "f.require_dataset('x', (4, 5), 'i8')",
    "f.require_dataset('z', (2,), 'f4')", "f.create_group('q/r').name", "f.setdefault('x', 3)", "dict(f['g'])", "bool(f)", "f['g'].name", "f['.']", "f['g/.']",
    "f['g//deep/']", "f.mode", "f.driver", "f.libver", "f.userblock_size", "f.swmr_mode", "bool(f.id.valid)", "f['x'].id == f['x'].id", "f[b'x']", "m.SoftLink('a')", "m.ExternalLink('f', 'p')",
    "f['x'].id.shape", "f['x'].len()", "f['x'].nbytes", "f['x'].size", "[r.tolist() for r in f['x']]", "f.get('x') is not None and f['x'].dtype", "f['x'].maxshape",
    "f['x'].compression", "f['x'].chunks", "f['x'].fillvalue", "f['x'].external", "f['x'].scaleoffset", "f['x'].filter_names", "f['x'].is_scale", "repr(f['x'].attrs)[:27]",
]  # fmt: skip
FAILURES = [
    "f['nope']", "f['nope/x']", "f['x/y']", "f['dangling']", "f['ext']", "f[0]", "0 in f", "f.create_dataset('x', data=1)", "f.create_group('x')", "f.__setitem__('x', 1)",
    "f.__setitem__('x', m.SoftLink('/g'))", "f.require_group('x')", "f.require_dataset('x', (3, 5), int)", "f.require_dataset('x', (4, 5), 'f8')", "f.require_dataset('g', (4, 5), 'f8')",
    "f.require_dataset('x', (4, 5), 'i4', exact=True)", "f.move('nope', 'b')", "f.move('x', 'g')", "f.copy('nope', 'b')", "f.copy('x', 'g')", "f.attrs['nope']", "f.attrs.__delitem__('nope')",
    "f.create_dataset('n')", "f.create_dataset('n', (3,), data=np.zeros(4))", "f.create_dataset('n', data=np.array(['a']))", "f.create_dataset('n', data=np.array([{}], object))",
    "f.create_dataset('n', data=np.array(['2020'], 'M8[s]'))", "f.create_dataset('n', (3,), 'i4', chunks=(4,))", "f.create_dataset('n', (), 'i4', compression='gzip')",
    "f.create_dataset('n', (), 'i4', chunks=True)", "f.create_dataset('n', (), 'i4', maxshape=(3,))",
    "f.create_dataset('n', (3,), 'i4', compression='foo')", "f.create_dataset('n', (3,), 'i4', compression_opts=3)", "f.create_dataset('n', (3,), 'i4', compression='gzip', compression_opts=11)",
    "f.create_dataset('n', (3,), 'i4', compression='lzf', compression_opts=1)", "f.create_dataset('n', (3,), 'i4', compression='szip', compression_opts=3)",
    "f.create_dataset('n', (3,), 'i4', compression='szip', compression_opts=('aa', 4))", "f.create_dataset('n', (3,), 'i4', chunks=(1, 1))", "f.create_dataset('n', (3,), 'i4', maxshape=(1, 1))",
    "f.create_dataset('n', (3,), 'i4', chunks=False, shuffle=True)", "f.create_dataset('n', (3,), 'S3', scaleoffset=1)", "f.create_dataset('n', (3,), 'f4', scaleoffset=True)",
    "f.create_dataset('n', (3,), 'i4', scaleoffset=-1)", "f.create_dataset('n', (3,), 'i4', scaleoffset=1, fletcher32=True)", "f.create_dataset('n', (3,), 'i4', compression=33333)",
    "f['x'].resize((3,))", "len(f['g/deep/y'])", "list(f['g/deep/y'])", "f['x'].asstr()", "f.attrs.__setitem__(3, 4)", "f.create_dataset('n', (3,), 'i4', fill_time='x')", "pickle.dumps(f['x'])", "pickle.dumps(f)",
    "f.create_dataset('n', (3,), 'i4', track_order=3)", "f.create_dataset('n', (3,), 'i4', wrong=3)", "m.Dataset(3)", "m.Group(3)", "f.create_dataset('x/y', data=1)", "f.create_group('x/y')",
]  # fmt: skip
# What the library says in another way, or a class of another name.
OTHER_WORDS = {
    "f['x/y']", "f['ext']", "f.copy('x', 'g')", "f.copy('nope', 'b')", "f.create_dataset('n', (3,), 'i4', wrong=3)", "f.__setitem__('x', m.SoftLink('/g'))", "f.__setitem__('x', 1)",
    "m.Dataset(3)", "m.Group(3)", "f.create_dataset('x/y', data=1)", "f.create_group('x/y')", "f.attrs.__setitem__(3, 4)",
}  # fmt: skip


def _run(expression, m, f):
    def visited(visit):
        found = []
        visit(found.append)
        return found

    def items(visit):
        found = []
        visit(lambda *item: found.append(item))
        return found

    names = {"f": f, "m": m, "np": np, "pickle": pickle, "visited": visited, "items": items}
    return eval(expression, names)


@pytest.mark.parametrize("expression", TREE)
def test_what_a_tree_says(same, expression):
    same(lambda m, folder: _run(expression, m, _file(m, folder)))


@pytest.mark.parametrize("expression", FAILURES)
def test_what_fails(same, expression):
    same(lambda m, folder: _run(expression, m, _file(m, folder)), words=expression not in OTHER_WORDS)


READ_ONLY = [
    "f.create_dataset('q', data=1)", "f.create_group('q')", "f.attrs.__setitem__('q', 1)", "f['x'].__setitem__(0, 1)", "f.__delitem__('x')",
    "f.attrs.__delitem__('a')", "f.move('x', 'yy')", "f.__setitem__('yy', m.SoftLink('/x'))",
]  # fmt: skip


@pytest.mark.parametrize("expression", READ_ONLY)
def test_what_a_file_for_reading_refuses(same, expression):
    def body(m, folder):
        _file(m, folder).close()
        with m.File(folder / "x.h5") as f:
            return _run(expression, m, f)

    same(body)


CLOSED = ["repr(f)", "repr(d)", "bool(f)", "bool(d)", "bool(f.id.valid)", "'x' in f", "f.name", "f.close()", "d.name", "f.id.id", "repr(f['x'])", "d[0]", "f['x']", "list(f)", "f.attrs['a']", "d.shape", "f.filename", "f.mode"]  # fmt: skip


@pytest.mark.parametrize("expression", CLOSED)
def test_closed_files(same, expression):
    def body(m, folder):
        f = _file(m, folder)
        d = f["x"]
        f.close()
        return eval(expression, {"f": f, "d": d})

    same(body)


@pytest.mark.parametrize("mode", ["r", "r+", "a", "w", "w-", "x", "q", None])
@pytest.mark.parametrize("there", ["nothing", "hdf5", "text", "folder"])
def test_opening(same, mode, there):
    def body(m, folder):
        path = folder / "o.h5"
        if there == "hdf5":
            with m.File(path, "w") as f:
                f["x"] = 1
        elif there == "text":
            path.write_text("hello")
        elif there == "folder":
            path.mkdir()
        with m.File(str(path), mode) if mode is not None else m.File(path) as f:
            return f.mode, list(f), repr(f), f.filename == str(path)

    if mode in ("w", "a") and there == "folder":
        pytest.skip("h5py says this of the system's error")
    same(body)


def test_one_file_opened_twice(same):
    def body(m, folder):
        with m.File(folder / "x.h5", "w") as f:
            f["x"] = [1, 2]
            with m.File(folder / "x.h5", "r") as again:
                first = again.mode, again["x"][:], again == f
            with m.File(folder / "x.h5", "r+") as again:
                again["y"] = 3
            return first, f["y"][()], list(f)

    same(body)


@pytest.mark.parametrize("mode", ["w", "r+", "x"])
def test_one_file_opened_twice_to_no_avail(same, mode):
    def body(m, folder):
        _file(m, folder).close()
        with m.File(folder / "x.h5", "r"):
            m.File(folder / "x.h5", mode)

    same(body)


def test_files_in_memory(same):
    def body(m, folder):
        buffer = io.BytesIO()
        with m.File(buffer, "w") as f:
            f["x"] = [1, 2]
        with m.File(buffer, "r") as f:
            found = f["x"][:], f.driver
        with m.File(folder / "mem.h5", "w", driver="core", backing_store=False) as f:
            f["x"] = 1
            found += f["x"][()], f.driver
        with m.File.in_memory() as f:
            f["x"] = 2
            found += (f["x"][()],)
        return found, (folder / "mem.h5").exists()

    same(body)


def test_a_buffer_is_a_file_of_the_other(pair):
    writer, reader = pair
    buffer = io.BytesIO()
    with writer.File(buffer, "w") as f:
        f["x"] = [1, 2]
    with reader.File(buffer) as f:
        assert f["x"][:].tolist() == [1, 2]


LAYOUTS = [
    "shape=(10,), chunks=True", "shape=(1000, 1000), compression=3", "shape=(1000, 1000), compression='gzip'", "shape=(1000, 1000), compression=True",
    "shape=(0, 5), maxshape=(None, 5)", "shape=(3,), maxshape=(None,)", "shape=3, maxshape=7", "shape=(10,), chunks=(10,)",
    "shape=(10,), chunks=4", "shape=(100, 100), compression='lzf', shuffle=True", "shape=(100,), compression='szip'", "shape=(100,), compression='szip', compression_opts=('ec', 16)",
    "shape=(100,), fletcher32=True", "shape=(100,), scaleoffset=0", "shape=(100,), scaleoffset=True", "shape=(100,), scaleoffset=3, dtype='f4'", "shape=(3,), fillvalue=7",
    "shape=(3,), dtype='S3', fillvalue=b'ab'", "shape=(2,), dtype='f4,i4'", "shape=(3, 0)", "shape=(5, 700, 3), dtype='u2', chunks=True", "shape=(1, 1, 5000000), chunks=True",
    "shape=(), dtype='>f4'", "shape=(4,), dtype='>f4'", "shape=(4,), dtype='>f4', chunks=(2,)", "shape=(4,), dtype='>f4', fillvalue=2.5", "shape=(100,), compression='gzip', compression_opts=9, shuffle=True, fletcher32=True",
    "shape=(3,), maxshape=(3,)", "data=np.arange(6).reshape(2, 3), shape=(3, 2)", "data=[1, 2], dtype='f4'", "data=np.array([1.7, 300]), dtype='u1'", "data=5", "data='text'", "data=b'text'",
    "data=['a', 'bé']", "data=[b'a', b'b']", "data=np.array([b'a', b'bc'])", "data=True", "data=[[1, 2], [3, 4]], chunks=(1, 2), maxshape=(None, None)", "data=np.float16(1.5)",
    "data=[], dtype='i4'", "shape=(3,), dtype=bool", "shape=(3,), dtype='c16'", "shape=(3,), track_order=True, track_times=False",
]  # fmt: skip


@pytest.mark.parametrize("options", LAYOUTS)
def test_layouts(same, options):
    def body(m, folder):
        with m.File(folder / "l.h5", "w") as f:
            given = {"dtype": "i4"} if "dtype" not in options and "data" not in options else {}
            d = f.create_dataset("d", **given, **eval(f"dict({options})", {"np": np}))
            if d.shape == (100,) and d.dtype.kind in "if":
                d[...] = np.arange(100)
            chunks = d.chunks
            return (
                chunks, d.maxshape, d.compression, d.compression_opts, d.shuffle, d.fletcher32, d.scaleoffset, d.fillvalue,
                d.dtype, d[()] if d.size < 200 else d.shape, [x for x in d.filter_names],
            )[: 10 if d.filter_names else 11]  # fmt: skip

    same(body)


@pytest.mark.parametrize("options", LAYOUTS)
def test_layouts_of_the_other(pair, options, tmp_path):
    writer, reader = pair
    from h5compat.outcomes import plain

    def look(f):
        d = f["d"]
        items = d[()] if d.size < 200 else d.shape
        return plain((d.chunks, d.maxshape, d.compression, d.compression_opts, d.shuffle, d.fletcher32, d.scaleoffset, d.fillvalue, d.dtype, items))

    with writer.File(tmp_path / "l.h5", "w") as f:
        given = {"dtype": "i4"} if "dtype" not in options and "data" not in options else {}
        d = f.create_dataset("d", **given, **eval(f"dict({options})", {"np": np}))
        if d.shape == (100,) and d.dtype.kind in "if":
            d[...] = np.arange(100)
        expected = look(f)
    with reader.File(tmp_path / "l.h5") as f:
        assert look(f) == expected


def test_resizing(same):
    def body(m, folder):
        with m.File(folder / "x.h5", "w") as f:
            d = f.create_dataset("x", (2, 3), "i4", maxshape=(None, 5), fillvalue=9)
            d[...] = 1
            d.resize((4, 4))
            first = d[:]
            d.resize(1, axis=0)
            d.shape = (3, 2)
            return first, d[:], d.shape, f["x"].shape, d.maxshape, d.chunks

    same(body)


@pytest.mark.parametrize("call", ["d.resize((3, 6))", "d.resize((3,))", "d.resize(3, axis=5)", "d.resize((2, 3), axis=0)", "f['c'].resize((3,))"])
def test_resizing_to_no_avail(same, call):
    def body(m, folder):
        with m.File(folder / "x.h5", "w") as f:
            f["c"] = [1, 2]
            return eval(call, {"f": f, "d": f.create_dataset("x", (2, 3), "i4", maxshape=(None, 5))})

    same(body)


def test_copies_and_moves(same):
    def body(m, folder):
        f = _file(m, folder)
        f["g"].attrs["unit"] = "mV"
        f.copy("g", "g2")
        f.copy(f["x"], f["g"], name="x2")
        f.copy("x", f["g"])
        f.move("g2", "moved/to")
        with m.File(folder / "other.h5", "w") as other:
            f.copy("g", other)
            names = []
            other.visit(names.append)
        del f["soft"]
        found = []
        f.visit(found.append)
        d = f.create_dataset_like("like", f["x"], dtype="i2")
        return found, names, f["moved/to"].attrs["unit"], f["g/x2"][0], d.shape, d.dtype

    same(body)


def test_attribute_managers(same):
    def body(m, folder):
        f = _file(m, folder)
        a = f["x"].attrs
        a["u"] = np.float32(3)
        a.modify("u", 5)
        a.modify("new", [1, 2])
        a.update(z=1, y="t")
        found = [sorted(a), len(a), "u" in a, a.get("zz", 3), sorted(dict(a)), a.setdefault("k", 7), a.pop("k"), sorted(a.keys()), sorted(map(str, a.items()))]
        del a["u"]
        return found, sorted(a), bool(a)

    same(body)


@pytest.mark.parametrize("call", ["a.modify('u', [5, 6])", "a.pop('nope')", "a['nope']", "a.get_id('nope')", "a.modify('e', 1)"])
def test_attribute_managers_to_no_avail(same, call):
    def body(m, folder):
        f = _file(m, folder)
        f.attrs["u"] = 1
        f.attrs["e"] = m.Empty("f4")
        return eval(call, {"a": f.attrs})

    same(body)


def test_scales_and_labels(same):
    def body(m, folder):
        f = m.File(folder / "x.h5", "w")
        f["x"], f["s"], f["t"] = np.zeros((3, 4)), np.arange(3), np.arange(4)
        d, s = f["x"], f["s"]
        s.make_scale("seconds")
        d.dims[0].attach_scale(s)
        d.dims[1].label = "column"
        d.dims[1].attach_scale(f["t"])
        found = [
            d.dims[0].label, len(d.dims), d.dims[0].keys(), d.dims[0][0], d.dims[0]["seconds"], s.is_scale, f["t"].is_scale,
            [x.label for x in d.dims], sorted(d.attrs), sorted(s.attrs), len(d.dims[1]), d.dims[0].values(), f[d.attrs["DIMENSION_LIST"][0][0]],
            s.attrs["REFERENCE_LIST"].dtype.names, s.attrs["CLASS"], s.attrs["NAME"],
        ]  # fmt: skip
        d.dims[0].detach_scale(s)
        return found, len(d.dims[0]), sorted(s.attrs)

    same(body)


def test_scales_of_the_other(pair, tmp_path):
    writer, reader = pair
    with writer.File(tmp_path / "x.h5", "w") as f:
        f["x"], f["s"] = np.zeros((3, 4)), np.arange(3)
        f["s"].make_scale("seconds")
        f["x"].dims[0].attach_scale(f["s"])
        f["x"].dims[1].label = "column"
    with reader.File(tmp_path / "x.h5") as f:
        assert [d.label for d in f["x"].dims] == ["", "column"]
        assert f["x"].dims[0]["seconds"] == f["s"]


def test_what_pymodaq_asks_for(same):
    """The members that pymodaq_data uses of h5py."""

    def body(m, folder):
        f = m.File(folder / "x.h5", "w")
        g = f.create_group("g")
        d = g.create_dataset("d", (0,), m.vlen_dtype(np.dtype("f8")), maxshape=(None,), chunks=True)
        d.attrs["TITLE"] = ""
        d.resize((1,))
        d[0] = np.arange(3.0)
        f.flush()
        found = [
            f.swmr_mode, f.name, list(f.items()), g.get("d"), g.get("e"), g.parent, g.file.name, list(g.attrs.keys()), len(d), d.shape,
            d[0], d.attrs["TITLE"], d.name, d.parent.name, bool(f.id.valid),
        ]  # fmt: skip
        del g["d"]
        f.close()
        return found, bool(f.id.valid)

    same(body)

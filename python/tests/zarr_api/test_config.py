"""The configuration object: what scripts use of donfig's."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import stook.zarr
from stook.zarr.core.config import Config, parse_indexing_order

# Settings that zarr-python 3.1.6 has not: of 3.4.
NEWER = {"array.read_missing_chunks", "array.rectilinear_chunks"}
NEWER |= {"codecs.scale_offset", "codecs.cast_value"}


@pytest.fixture
def config(zarr):
    return zarr.config


def leaves(values, prefix=""):
    for key, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def test_defaults_are_those_of_zarr_python():
    import zarr

    found, expected = (dict(leaves(m.config.to_dict())) for m in (stook.zarr, zarr))
    assert {key: value for key, value in found.items() if key not in NEWER} == expected


def test_get(config):
    assert config.get("array.order") == "C"
    assert config["array.order"] == "C"
    assert config.get("array")["write_empty_chunks"] is False
    assert config.get("no.such", 3) == 3
    assert config.get("array.order.x", 3) == 3
    with pytest.raises(KeyError):
        config.get("no.such")
    assert "array.order" in config
    assert "no.such" not in config
    assert config.get("array.write-empty-chunks") is False


def test_set_for_a_while(config):
    with config.set({"array.order": "F", "a.b.c": 1}) as values:
        assert config.get("array.order") == "F"
        assert values["a"]["b"]["c"] == 1
        with config.set(array__order="C", a__b={"d": 2}):
            assert config.get("array.order") == "C"
            assert config.get("a.b") == {"d": 2}
        assert config.get("a.b.c") == 1
    assert config.get("array.order") == "C"
    assert "a" not in config


def test_set_for_good(config):
    config.set({"array.order": "F"})
    assert config.get("array.order") == "F"
    config.set({"array": {"order": "C", "write_empty_chunks": True}})
    assert config.get("array.write_empty_chunks") is True
    config.reset()
    assert config.get("array.write_empty_chunks") is False
    config.set({"x": 1})
    config.refresh()
    assert "x" not in config
    assert config.get("array.order") == "C"


def test_set_is_undone_after_an_error(config):
    with pytest.raises(RuntimeError), config.set({"array.order": "F"}):
        raise RuntimeError
    assert config.get("array.order") == "C"


def test_removed_settings(config):
    with pytest.raises(ValueError, match="has been removed"):
        config.set({"array.v2_default_filters.string": None})
    assert config.get("array.order") == "C"


def test_other_methods(config, capsys):
    config.update({"array": {"order": "F"}, "new": {"x": 1}})
    assert config.get("array.order") == "F"
    assert config.get("new.x") == 1
    config.update({"array": {"order": "C"}}, priority="old")
    assert config.get("array.order") == "F"
    values = config.to_dict()
    values["array"]["order"] = "C"
    assert config.get("array.order") == "F"
    config.pprint()
    assert "'order': 'F'" in capsys.readouterr().out


def test_defaults_of_scripts():
    config = Config("test_of_stook", defaults=[{"a": {"x": 1, "y": 2}}], paths=[], env={})
    config.set({"a.x": 10})
    config.update_defaults({"a": {"x": 5, "y": 5, "z": 5}})
    assert config.get("a") == {"x": 10, "y": 5, "z": 5}
    config.refresh()
    assert config.get("a.z") == 5


def test_deprecated_names():
    config = Config("test_of_stook", paths=[], env={}, deprecations={"old": "new.name"})
    with pytest.warns(UserWarning, match="deprecated"):
        config.set({"old": 3})
    assert config.get("new.name") == 3


@pytest.mark.parametrize("module", ["zarr", "stook.zarr"])
def test_environment(module, tmp_path):
    code = f"""
import json, {module} as zarr
c = zarr.config
print(json.dumps([c.get("array.order"), c.get("array.write_empty_chunks"),
                  c.get("async.concurrency"), c.get("json_indent"), c.get("some.name"),
                  c.get("codecs.gzip")]))
"""
    variables = {
        "ZARR_ARRAY__ORDER": "F",
        "ZARR_ARRAY__WRITE_EMPTY_CHUNKS": "True",
        "ZARR_ASYNC__CONCURRENCY": "3",
        "ZARR_JSON_INDENT": "None",
        "ZARR_SOME__NAME": "{'a': [1]}",
        "ZARR_CODECS__GZIP": "my.module.Gzip",
    }
    found = run(code, variables)
    assert json.loads(found) == ["F", True, 3, None, {"a": [1]}, "my.module.Gzip"]


@pytest.mark.parametrize("module", ["zarr", "stook.zarr"])
def test_files(module, tmp_path):
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "a.json").write_text('{"array": {"order": "F"}, "x": 1}')
    (folder / "b.json").write_text('{"x": 2}')
    (folder / "ignored.txt").write_text("no")
    code = f"import {module} as z; print(z.config.get('array.order'), z.config.get('x'))"
    assert run(code, {"ZARR_CONFIG": str(folder)}).split() == ["F", "2"]


def test_malformed_file(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("[1]")
    with pytest.raises(ValueError, match="must have a dict"):
        Config("test_of_stook", paths=[str(path)], env={})


def run(code: str, variables: dict[str, str]) -> str:
    import os

    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_gpu_is_refused_clearly():
    with pytest.raises(NotImplementedError, match="GPU"):
        stook.zarr.config.enable_gpu()
    assert stook.zarr.config.get("buffer") == "zarr.buffer.cpu.Buffer"


def test_configured_format(zarr):
    with zarr.config.set({"default_zarr_format": 2}):
        assert zarr.create_array({}, shape=(2,), dtype="i4", zarr_format=None).metadata.zarr_format


def test_orders():
    assert parse_indexing_order("F") == "F"
    with pytest.raises(ValueError, match="Expected one of"):
        parse_indexing_order("K")

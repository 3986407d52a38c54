"""The package as it is installed: what it says of itself, what it needs, how fast it is there."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import textwrap
import venv
from pathlib import Path

import pytest
import stook

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def distribution():
    return importlib.metadata.distribution("stook")


def test_the_metadata_say_what_it_is(distribution):
    metadata = distribution.metadata
    assert metadata["Name"] == "stook"
    assert metadata["License-Expression"] == "MIT OR Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    needs = [need for need in distribution.requires or [] if "extra" not in need]
    assert [need.replace(" ", "") for need in needs] == ["numpy>=2"]
    assert metadata["Description"].startswith("# stook")


def test_one_wheel_is_for_all_pythons_from_3_11(distribution):
    tags = [line for line in (distribution.read_text("WHEEL") or "").splitlines() if "Tag" in line]
    assert tags and all(line.startswith("Tag: cp311-abi3-") for line in tags)


def test_licences_and_types_are_in_it(distribution):
    files = {Path(str(file)).name: file for file in distribution.files or []}
    assert "py.typed" in files and "_stook.pyi" in files
    for name in ("LICENSE-MIT", "LICENSE-APACHE"):
        installed = Path(distribution.locate_file(files[name]))
        assert installed.read_bytes() == (ROOT / name).read_bytes()
    # Folders of tools that lay beside the sources.
    folders = {part for file in distribution.files or [] for part in Path(str(file)).parts[:-1]}
    assert not [folder for folder in folders if folder.endswith("_cache")]


def run(script: str) -> str:
    command = [sys.executable, "-I", "-c", textwrap.dedent(script)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=120, env=environment
    ).stdout


def test_numpy_is_all_that_is_imported():
    found = run(
        """
        import json, sys
        import numpy
        before = set(sys.modules)
        import stook
        new = {name.partition(".")[0] for name in set(sys.modules) - before}
        print(json.dumps(sorted(new - set(sys.stdlib_module_names))))
        """
    )
    assert set(json.loads(found)) <= {"numpy", "stook"}


def test_it_works_where_nothing_but_numpy_is(tmp_path):
    found = run(
        f"""
        import sys
        class Refuse:
            def find_spec(self, name, path=None, target=None):
                top = name.partition(".")[0]
                if top not in sys.stdlib_module_names and top not in ("numpy", "stook"):
                    raise ImportError(name)
        sys.meta_path.insert(0, Refuse())
        import numpy as np, stook
        for name in ("a.zarr", "a.h5"):
            with stook.create({str(tmp_path)!r} + "/" + name) as f:
                f.create_array("x", np.arange(9), chunks=4, codecs="gzip")
                print(f["x"][::4].tolist())
        import asyncio
        import stook.zarr.api.asynchronous, stook.zarr.codecs.numcodecs, stook.zarr.dtype
        group = stook.zarr.open_group({{}}, mode="w")
        group.create_array("x", data=np.arange(9), compressors=stook.zarr.codecs.GzipCodec())
        print(group["x"][::4].tolist())
        """
    )
    assert found == "[0, 4, 8]\n" * 3


def test_the_wheel_installs_where_there_is_only_numpy(tmp_path):
    """With pip, into a fresh environment without an index to ask."""
    wheel = os.environ.get("STOOK_TEST_WHEEL")
    if not wheel:
        pytest.skip("cargo xtask test says which wheel in STOOK_TEST_WHEEL")
    import numpy as np

    venv.create(tmp_path / "env", with_pip=False, symlinks=os.name != "nt")
    python = tmp_path / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run(
        [*pip, "--no-index", "--no-deps", "--disable-pip-version-check", wheel],
        check=True,
        timeout=120,
    )
    place = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.run([python, "-c", place], check=True, capture_output=True, text=True)
    packages = Path(answer.stdout.strip())
    ours = Path(np.__file__).parent
    for name in ("numpy", "numpy.libs"):
        if (ours.parent / name).exists():
            shutil.copytree(ours.parent / name, packages / name)
    script = """
        import sys, numpy as np, stook
        with stook.create(sys.argv[1]) as f:
            f["x"] = np.arange(3)
        print(stook.__file__, stook.open(sys.argv[1])["x"][:].tolist())
    """
    command = [str(python), "-I", "-c", textwrap.dedent(script), str(tmp_path / "x.h5")]
    found = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert found.strip() == f"{packages / 'stook' / '__init__.py'} [0, 1, 2]"


def test_importing_takes_little_time():
    """The least of some runs, with numpy there already; a bound for a machine that is busy."""
    found = run(
        """
        import subprocess, sys
        script = (
            "import numpy, time; t = time.perf_counter(); import stook; "
            "print(time.perf_counter() - t)"
        )
        times = [
            float(subprocess.run([sys.executable, "-I", "-c", script], capture_output=True,
                                 text=True, check=True).stdout)
            for _ in range(3)
        ]
        print(min(times))
        """
    )
    assert float(found) < 1.0


def test_all_that_is_promised_is_there():
    assert len(stook.__all__) == len(set(stook.__all__))
    for name in stook.__all__:
        assert getattr(stook, name).__doc__ if name != "codecs" else stook.codecs.__doc__

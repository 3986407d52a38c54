"""Names that are lent: scripts for zarr-python run unchanged."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

LENT = [sys.executable, "-m", "stook.compat", "zarr", "--"]

# What a script does that was written for zarr-python.
SCRIPT = """
    import importlib.metadata
    import sys
    import numpy as np
    import zarr
    from zarr.abc.store import Store
    from zarr.core.buffer import default_buffer_prototype
    from zarr.storage import LocalStore, MemoryStore

    root = zarr.create_group(store=LocalStore(sys.argv[1]))
    x = root.create_array("x", shape=(4, 6), chunks=(2, 3), dtype="int16")
    x[:] = np.arange(24).reshape(4, 6)
    root.attrs["unit"] = "m"
    again = zarr.open_group(sys.argv[1], mode="r")
    assert (again["x"][1:3, ::2] == np.arange(24).reshape(4, 6)[1:3, ::2]).all()
    assert dict(again.attrs) == {"unit": "m"}
    assert isinstance(again.store, Store)
    assert zarr.storage.LocalStore is LocalStore
    print(zarr.Array.__module__.split(".")[0], __name__, *sys.argv[2:])
    print(importlib.metadata.version("zarr"))
"""


def run(*arguments: str, expected: int = 0, **more) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=300, **more)
    assert done.returncode == expected, done.stderr
    return done.stdout if expected == 0 else done.stderr


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT))
    return path


def test_a_script_runs_unchanged(script, tmp_path):
    out = run(*LENT, str(script), str(tmp_path / "a.zarr"), "-x", "more")
    assert out == "stook __main__ -x more\n3.1.6\n"


def test_modules_and_code_run_too(script, tmp_path):
    out = run(*LENT, "-m", "script", str(tmp_path / "a.zarr"), cwd=tmp_path)
    assert out.startswith("stook __main__")
    out = run(*LENT, "-c", "import sys, zarr; print(sys.argv, zarr.Group.__module__)", "a")
    assert out.startswith("['-c', 'a'] stook.")


def test_processes_that_it_starts_have_the_name_too():
    code = """
        import subprocess, sys
        code = 'import zarr.storage, zarr; print(zarr.Array.__module__)'
        subprocess.run([sys.executable, "-c", code], check=True)
    """
    assert run(*LENT, "-c", textwrap.dedent(code)).startswith("stook.")


def test_a_finder_that_comes_first_in_a_process_does_not_hide_the_name():
    code = """
        import subprocess, sys
        code = '''
        import sys
        from importlib.machinery import PathFinder
        sys.meta_path.insert(0, PathFinder)
        import zarr
        print(zarr.Array.__module__)
        '''
        subprocess.run([sys.executable, "-c", "\\n".join(map(str.strip, code.splitlines()))], check=True)
    """
    assert run(*LENT, "-c", textwrap.dedent(code)).startswith("stook.")


def test_an_interpreter_ends_without_errors_of_stores():
    code = """
        import zarr
        class Keeper:
            stores = []
        for _ in range(3):
            Keeper.stores.append(zarr.create_array({}, shape=(1,), dtype="i1").store)
        import sys
        sys.kept = Keeper.stores
    """
    done = subprocess.run([*LENT, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_pool_of_processes_works(tmp_path):
    script = tmp_path / "pool.py"
    script.write_text(
        textwrap.dedent("""
        import multiprocessing, sys
        import zarr

        def write(task):
            array, at = task
            import zarr as again
            assert again.Array.__module__.startswith("stook."), again
            array[at] = at

        if __name__ == "__main__":
            array = zarr.create_array(store=sys.argv[1], shape=(8,), chunks=(1,), dtype="i4")
            for method in ("spawn", "fork", "forkserver"):
                array[:] = 0
                with multiprocessing.get_context(method).Pool(2) as pool:
                    pool.map(write, [(array, at) for at in range(8)])
                assert array[:].tolist() == list(range(8)), method
            print("written")
        """)
    )
    assert run(*LENT, str(script), str(tmp_path / "a.zarr")) == "written\n"


def test_a_wrong_call_says_how():
    for arguments in ([], ["zarr"], ["zarr", "--"], ["zarr", "--", "-m"], ["nothing", "--", "x"]):
        found = run(sys.executable, "-m", "stook.compat", *arguments, expected=2)
        assert "usage: python -m stook.compat" in found


def test_a_name_is_lent_and_given_back():
    code = """
        import importlib.metadata
        import stook.compat, stook.zarr.storage
        from stook.zarr.core import group

        stook.compat.install("zarr")
        stook.compat.install("zarr")
        import zarr.core.group, zarr.storage
        assert zarr.storage is stook.zarr.storage and zarr.core.group is group
        assert zarr.storage.__spec__.name == "stook.zarr.storage"
        assert importlib.metadata.version("zarr") == "3.1.6"
        try:
            import zarr.nothing
        except ModuleNotFoundError as error:
            assert error.name == "zarr.nothing", error.name
        stook.compat.uninstall("zarr")
        stook.compat.uninstall("zarr")
        try:
            import zarr
        except ImportError:
            pass
        else:
            assert zarr is not stook.zarr
        try:
            stook.compat.install("other")
        except stook.InvalidInputError as error:
            assert "one of " in str(error) and "zarr" in str(error)
    """
    run(sys.executable, "-W", "error", "-c", textwrap.dedent(code))


def test_what_was_imported_already_is_not_replaced():
    pytest.importorskip("zarr")
    code = """
        import zarr, stook.compat
        try:
            stook.compat.install("zarr")
        except ImportError as error:
            assert "was imported before" in str(error) and zarr.__file__ in str(error)
        else:
            raise AssertionError
        assert zarr.__name__ == "zarr"
    """
    run(sys.executable, "-c", textwrap.dedent(code))

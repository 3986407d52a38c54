"""Names and signatures are those of loompy."""

from __future__ import annotations

import inspect
import json

import pytest
import stook.loompy as ours

# What they print: the names of a module and its classes, and the parameters of what can be called.
PROGRAM = """
import inspect, json, loompy, types

def parameters(thing):
    try:
        found = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return None
    return [[p.name, p.kind.name, repr(p.default) if p.default is not p.empty else ""] for p in found]

surface = {}
for name, thing in vars(loompy).items():
    if name.startswith("_") and name != "__version__" or isinstance(thing, types.ModuleType):
        continue
    members = {}
    if inspect.isclass(thing):
        for member, value in vars(thing).items():
            if not member.startswith("_") or member in ("__init__", "_repr_html_"):
                members[member] = parameters(value) if callable(value) else None
    surface[name] = [parameters(thing), members]
print(json.dumps(surface))
"""

# Arguments may be more than theirs, and take more.
WIDER = {
    ("MemoryLoomLayer", "sparse"),  # rows and columns may be left out
}


@pytest.fixture(scope="module")
def theirs(peer):
    return json.loads(peer.run(PROGRAM))


def test_every_public_name_is_there(theirs):
    assert len(theirs) > 30
    assert not [name for name in theirs if not hasattr(ours, name)]


def test_every_member_of_every_class_is_there(theirs):
    missing = [
        f"{name}.{member}"
        for name, (_, members) in theirs.items()
        for member in members
        if not hasattr(getattr(ours, name), member)
    ]
    assert not missing


def test_signatures_are_the_same(theirs):
    compared = 0
    for name, (own, members) in theirs.items():
        thing = getattr(ours, name)
        pairs = [((name,), own, thing)]
        pairs += [((name, m), p, getattr(thing, m)) for m, p in members.items()]
        for path, expected, found in pairs:
            if expected is None or path in WIDER or isinstance(found, property):
                continue
            assert expected == parameters(found), path
            compared += 1
    assert compared > 80


def parameters(thing):
    found = inspect.signature(thing).parameters.values()
    shown = [
        [p.name, p.kind.name, repr(p.default) if p.default is not p.empty else ""] for p in found
    ]
    return shown


def test_modules_have_the_names_of_theirs(peer):
    program = "import loompy, pkgutil; print(*(m.name for m in pkgutil.iter_modules(loompy.__path__)))"
    import pkgutil

    found = {module.name for module in pkgutil.iter_modules(ours.__path__)}
    # The command aligns raw reads; see docs/deviations.md.
    assert set(peer.run(program).split()) - found == {"commands"}

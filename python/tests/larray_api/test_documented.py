"""What larray's documentation says of a session, member by member, in examples of our own.

Each begins with the same session; its last line is an expression, whose value is what the documentation promises.
The bodies compare more of the same with larray itself.
"""

from __future__ import annotations

import datetime
import os

import numpy as np
import pytest
import stook.larray as la
from stook.larray import Array, Axis, CheckedArray, CheckedParameters, CheckedSession, Metadata, Session, ndtest, zeros


def names() -> dict:
    """What an example knows."""
    found = {name: getattr(la, name) for name in dir(la) if not name.startswith("_")}
    sex, year = Axis("sex=F,M"), Axis("year=2020..2022")
    last = year["2021,2022"] >> "last"
    pop, rate = ndtest((sex, year)), Array([0.5, 0.25], sex)
    session = Session(n=3, note="draft", sex=sex, year=year, last=last, pop=pop, rate=rate)
    found.update(n=3, note="draft", sex=sex, year=year, last=last, pop=pop, rate=rate, s=session, np=np, os=os,
                 datetime=datetime)
    return found


ALL = ["last", "n", "note", "pop", "rate", "sex", "year"]
ORDER = ["n", "note", "sex", "year", "last", "pop", "rate"]

#: Member of `Session`: examples, each a program and what its last line gives.
EXAMPLES = {
    "__init__": [
        ("Session([('n', n), ('last', last), ('pop', pop)]).keys() == {'n': 1, 'last': 1, 'pop': 1}.keys()", True),
        ("list(Session(pop=pop, n=n).keys())", ["pop", "n"]),
        ("list(Session({'pop': pop, 'sex': sex}).keys())", ["pop", "sex"]),
        ("s.save('x.h5')\nSession('x.h5').names", ALL),
        ("Session(pop=pop, meta=Metadata(title='people', author='me')).meta", {"title": "people", "author": "me"}),
        ("Session(pop=pop, meta=[('title', 'people')]).meta.title", "people"),
        ("str(Session(pop=pop, meta={'title': 'people', 'year': 2020}).meta)", "title: people\nyear: 2020"),
        ("t = Session(pop=pop, meta={'title': 'people'})\nt['pop'] = 0\nt.meta.title", "people"),
        ("len((Session(pop=pop, meta={'title': 'people'}) * 2).meta)", 0),
        # A keyword is a name, whatever it is.
        ("Session(other=pop, self=1, args=2, kwargs=3).names", ["args", "kwargs", "other", "self"]),
        ("Session({'n': 1}, other=2).other", 2),
    ],
    "__getitem__": [
        ("s['n'], s.note, s[0]", (3, "draft", 3)),
        ("s['pop', 'n'].names", ["n", "pop"]),
        ("list(s[['rate', 'pop']].keys())", ["rate", "pop"]),
        ("t = Session(pop=pop, rate=rate + 1)\nlist(s[s.element_equals(t) == False].keys())",
         ["sex", "year", "last", "rate"]),
        ("str(s), len(s), [type(one).__name__ for one in s][:3]",
         ("Session(n, note, sex, year, last, pop, rate)", 7, ["int", "str", "Axis"])),
    ],
    "__setitem__": [
        ("s['n'] = 4\ns.new = pop * 2\ns.n, s.new['M', 2022]", (4, 10)),
        ("del s['n'], s.note\ns.names", ["last", "pop", "rate", "sex", "year"]),
    ],
    "get": [
        ("s.get('n'), s.get('nothing'), s.get('nothing', 7)", (3, None, 7)),
        ("s.get('nothing', pop).equals(s.pop)", True),
    ],
    "keys": [("list(s.keys())", ORDER), ("k = s.keys()\ns.z = 1\nlen(k)", 8)],
    "values": [("list(s.values())[:2]", [3, "draft"]), ("v = s.values()\ns.z = 1\nlen(v)", 8)],
    "items": [("list(s.items())[:2]", [("n", 3), ("note", "draft")]), ("i = s.items()\ns.z = 1\nlen(i)", 8)],
    "names": [("s.names", ALL)],
    "meta": [
        ("s.meta.title = 'people'\ns.meta.day = datetime.date(2020, 1, 2)\nstr(s.meta)",
         "title: people\nday: 2020-01-02"),
        ("s.meta = [('title', 'people')]\ns.meta['title']", "people"),
        ("s.meta = Metadata(a=1)\ndel s.meta.a\nlen(s.meta)", 0),
    ],
    "nbytes": [("s.nbytes == pop.nbytes + rate.nbytes, s.nbytes", (True, 64))],
    "memory_used": [("s.memory_used", "64 bytes"), ("Session(x=zeros((64, 64, 4))).memory_used", "128.00 Kb")],
    "copy": [
        ("t = s.copy()\nt.n = 9\nt.z = 1\ns.n, 'z' in s.keys(), t.pop is s.pop", (3, False, True)),
    ],
    "filter": [
        ("s.filter('?o?').names, s.filter('[l-p]*').names, s.filter(pattern='*te').names, s.filter('[!n]*r').names",
         (["pop"], ["last", "n", "note", "pop"], ["note", "rate"], ["year"])),
        ("s.filter(kind=Axis).names, s.filter(kind=(Axis, Group)).names, s.filter('p*', Array).names",
         (["sex", "year"], ["last", "sex", "year"], ["pop"])),
    ],
    "apply": [
        ("t = s.apply(sum)\nt.pop, t.rate, t.n, t.sex is sex", (15, 0.75, 3, True)),
        ("t = s.apply(lambda array, by, plus=0: array * by + plus, 10, plus=1)\nt.pop.data.tolist(), t.rate['F']",
         ([[1, 11, 21], [31, 41, 51]], 6.0)),
        ("t = s.apply(lambda axis: axis.rename('new'), kind=Axis)\nt.sex.name, t.year.name, t.pop is pop",
         ("new", "new", True)),
        ("t = s.apply(lambda one: one * 2, kind=(int, str))\nt.n, t.note", (6, "draftdraft")),
    ],
    "compact": [
        ("t = Session(x=Array([[1, 1, 1], [2, 2, 2]], (sex, year)), y=pop, n=n).compact()\n"
         "t.x.axes.names, t.x.data.tolist(), t.y.equals(pop), t.n", (["sex"], [1, 2], True, 3)),
        ("Session(x=zeros((sex, year))).compact().x", 0.0),
    ],
    "transpose": [
        *[(f"t = s.transpose({order})\nt.pop.axes.names, t.rate.axes.names, t.n", (axes, ["sex"], 3)) for order, axes in [
            ("'year'", ["year", "sex"]), ("'year', 'sex'", ["year", "sex"]), ("'zz', 'year'", ["year", "sex"]),
            ("..., 'sex'", ["year", "sex"]), ("'sex'", ["sex", "year"]), ("('year', 'sex')", ["year", "sex"]),
            ("X.year", ["year", "sex"]), ("year, 'zz', ...", ["year", "sex"])]],
        ("Session(x=ndtest((2, 2, 2, 2))).transpose('d', ..., 'a').x.axes.names", ["d", "b", "c", "a"]),
        ("t = Session(x=ndtest((2, 3, 4))).transpose('c')\nt.x.axes.names, t.x['c1', 'a1', 'b2']", (["c", "a", "b"], 21)),
    ],
    "align": [
        ("x, y = Session(x=ndtest('a=a0,a1'), n=1), Session(x=ndtest('a=a1,a2'), m=2)\nt, u = x.align(y, fill_value=-1)\n"
         "t.x.data.tolist(), u.x.data.tolist(), t.x.axes == u.x.axes, t.n, u.m",
         ([0, 1, -1], [-1, 0, 1], True, 1, 2)),
        *[(f"x, y = Session(x=ndtest('a=a0,a1')), Session(x=ndtest('a=a1,a2'))\n"
           f"x.align(y, join='{join}')[1].x.axes.a.labels.tolist()", labels)
          for join, labels in [("outer", ["a0", "a1", "a2"]), ("inner", ["a1"]), ("left", ["a0", "a1"]),
                               ("right", ["a1", "a2"])]],
    ],
    "element_equals": [
        ("t = s.copy()\nt.n = 99\nstr(s.element_equals(t))",
         "name   sex  year  last   pop  rate\n      True  True  True  True  True"),
        ("t = s.copy()\nt.pop = pop + (pop == 4)\ns.element_equals(t).data.tolist()", [True, True, True, False, True]),
        ("t = s.copy()\nt.rate = rate + 0.01\n"
         "[s.element_equals(t, **how)['rate'].item() for how in ({}, {'atol': 0.02}, {'rtol': 0.05}, {'rtol': 0.01})]",
         [False, True, True, False]),
        ("t = s.copy()\nt.rate = rate.set_labels('sex', ['F', 'X'])\ns.element_equals(t)['rate'].item()", False),
        ("t = s.copy()\nt.pop = Array([[0, nan]], 'a=a0;b=b0,b1')\nt.element_equals(t)['pop'].item(), "
         "t.element_equals(t, nans_equal=True)['pop'].item()", (False, True)),
        ("t = s.copy()\nt.extra = pop\ndel t['last']\nr = s.element_equals(t)\n"
         "r.axes[0].name, r.axes[0].labels.tolist(), r['last'].item(), r['extra'].item()",
         ("name", ["sex", "year", "last", "pop", "rate", "extra"], False, False)),
    ],
    "equals": [
        ("s.equals(s.copy()), s.equals(s.filter(kind=Array)), s.equals(s + 0)", (True, False, True)),
        ("t = s.copy()\nt.rate = rate * 1.01\ns.equals(t), s.equals(t, rtol=0.02), s.equals(t, atol=0.1)",
         (False, True, True)),
        ("t = Session(x=Array([1, nan], 'a=a0,a1'), meta={'title': 't'})\nt.equals(t), t.equals(t.copy(), nans_equal=True)",
         (False, True)),
    ],
    "update": [
        *[(f"s.update({given})\ns.n, s.names == sorted([*{ALL}, 'z'])", (4, True)) for given in [
            "Session(n=4, z=1)", "{'n': 4, 'z': 1}", "[('n', 4), ('z', 1)]", "n=4, z=1", "{'n': 4}, z=1",
            "other={'n': 4, 'z': 1}", "zip('nz', (4, 1))"]],
        ("s.update(Session(n=4))", None),
    ],
    "summary": [
        ("s.meta.title = 'people'\ns.summary()",
         "Metadata:\n\ttitle: people\nn: 3\nnote: draft\nsex: sex ['F' 'M'] (2)\nyear: year [2020 2021 2022] (3)\n"
         "last: year[2021, 2022] >> last (2)\npop: sex, year (2 x 3) [int64]\nrate: sex (2) [float64]"),
        ("s.meta.title = 'people'\ns.rate.meta.title = 'rates'\n"
         "Session(list(s.items()), meta=s.meta).summary({Axis: '{key} {name} {length}', Group: '{key}={axis_name}{labels}', "
         "Array: '{key} {title} {shape} {dtype} {axes_names}', int: '{value}', Metadata: '{key} is {value}'})",
         "Metadata:\ntitle is people\n3\nnote: draft\nsex sex 2\nyear year 3\nlast=year[2021, 2022]\n"
         "pop  2 x 3 int64 sex, year\nrate rates 2 float64 sex"),
        ("s.meta.a, s.meta.b = 1, 2\ns.filter(kind=Array).summary({Array: lambda key, array: f'{key} of {array.size}'})",
         "pop of 6\nrate of 2"),
        ("Session(n=3, meta={'a': 1, 'b': 2}).summary({Metadata: lambda key, value: f'{key}={value}'})",
         "Metadata:\na=1\nb=2\nn: 3"),
    ],
    "to_globals": [
        ("s.to_globals(['n'], warn=False)", None),
    ],
    "load": [
        *[(f"s.save('x{end}')\nt = Session(z=1)\nt.load('x{end}', names=['pop', 'zz'])\nt.names, t.pop.equals(pop)",
           (["pop", "z"], True)) for end in ("", ".h5", ".hdf", ".xlsx", ".pkl", ".pickle")],
        ("Session(pop=pop, meta={'title': 'people'}).save('x.h5')\ns.meta.title = 'old'\ns.load('x.h5', ['pop'])\n"
         "s.meta.title", "people"),
        ("s.save('x.dat', engine='pandas_hdf')\nt = Session()\nt.load('x.dat', engine='pandas_hdf')\nt.names", ALL),
        ("s.save('x')\nt = Session('x/pop.csv')\nt.names", ["pop"]),
        ("s.save('x')\nt = Session('x/*.csv')\nt.names", ["pop", "rate"]),
    ],
    "save": [
        *[(f"s.save('x{end}')\nt = Session('x{end}')\nt.names, t.pop.equals(pop), t.rate.equals(rate)", (kept, True, True))
          for end, kept in [("", ["pop", "rate"]), (".xlsx", ["pop", "rate"]), (".h5", ALL), (".pkl", ALL)]],
        *[(f"s.save('x{end}', names=['pop'])\nSession('x{end}').names", ["pop"]) for end in ("", ".h5", ".xlsx", ".pkl")],
        *[(f"s.save('x{end}', ['pop'])\ns.save('x{end}', ['rate'], overwrite=False)\none = Session('x{end}').names\n"
           f"s.save('x{end}', ['rate'])\none, Session('x{end}').names", (["pop", "rate"], ["rate"]))
          for end in (".h5", ".pkl")],
    ],
    "to_csv": [("s.to_csv('out')\nsorted(os.listdir('out'))", ["pop.csv", "rate.csv"]),
               ("s.to_csv('out', names=['pop'])\nopen('out/pop.csv').read()",
                "sex\\year,2020,2021,2022\nF,0,1,2\nM,3,4,5\n")],
    "to_excel": [("s.to_excel('x.xlsx')\nSession('x.xlsx').equals(s.filter(kind=Array))", True),
                 ("s.to_excel('x.xlsx', ['rate'])\nSession('x.xlsx').names", ["rate"])],
    "to_hdf": [("s.to_hdf('x.h5')\nSession('x.h5').equals(s)", True),
               ("s.to_hdf('x.h5', ['pop', 'n'])\nSession('x.h5').names", ["n", "pop"])],
    "to_pickle": [("s.to_pickle('x.pkl')\nSession('x.pkl').equals(s)", True),
                  ("s.to_pickle('x.pkl', ['sex'])\ns.to_pickle('x.pkl', ['n'], overwrite=False)\nSession('x.pkl').names",
                   ["n", "sex"])],
}

#: What the documentation calls deprecated, and what is not in it.
ELSEWHERE = {"add", "array_equals", "dump", "dump_csv", "dump_excel", "dump_hdf", "open"}


def told(source: str) -> object:
    """What the last line of a program gives."""
    known = names()
    *first, last = source.split("\n")
    exec("\n".join(first), known)
    return eval(last, known)


@pytest.mark.parametrize(
    ("source", "expected"),
    [pytest.param(*one, id=f"{member}-{number}") for member, all in EXAMPLES.items() for number, one in enumerate(all)],
)
def test_a_session_does_what_is_documented(source, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert told(source) == expected


def test_no_member_of_a_session_is_without_an_example():
    members = {name for name in dir(Session) if not name.startswith("_")}
    assert members - ELSEWHERE == {name for name in EXAMPLES if not name.startswith("__")}


@pytest.mark.parametrize(("source", "error", "text"), [
    ("s['zz']", KeyError, "zz"),
    ("s.zz", AttributeError, "zz"),
    ("s.dump('x.h5')", TypeError, r"Use save\(\)"),
    ("s.array_equals(s)", TypeError, r"Use element_equals\(\)"),
    ("s.load('nowhere.h5')", FileNotFoundError, "nowhere.h5"),
    ("s.load('nowhere')", ValueError, "nowhere"),
    ("s.save('x.zz')", KeyError, "zz"),
    ("s.save('x.h5', engine='zz')", TypeError, "zz"),
    ("s.update(5)", ValueError, "int"),
    ("Session(meta=5)", TypeError, "Metadata"),
])
def test_what_cannot_be_is_told(source, error, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=text):
        told(source)


def test_saving_and_loading_can_be_followed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    session = Session(n=3, f=print, pop=ndtest(2))
    session.save("x.h5", display=True)
    assert capsys.readouterr().out.splitlines() == [
        "dumping n ... done",
        "dumping f ... Cannot dump f. builtin_function_or_method is not a supported type", "dumping pop ... done"]
    Session().load("x.h5", display=True)
    assert capsys.readouterr().out.splitlines() == [
        "opening x.h5", "loading int object n ... done", "loading Array object pop ... done"]


OPERATIONS = ["+", "-", "*", "/"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_arithmetic_is_that_of_the_arrays(operation):
    def computed(one, other):
        return eval(f"one {operation} other", {"one": one, "other": other})

    array = ndtest((2, 3)) + 1.0
    session = Session(n=3, x=array, y=array * 2)
    for other, x, y in [(session, array, array * 2), (5, 5, 5), ({"x": 2, "y": array}, 2, array)]:
        found = computed(session, other)
        assert found.n == 3
        assert found.x.equals(computed(array, x))
        assert found.y.equals(computed(array * 2, y))
    assert computed(10, session).x.equals(computed(10, array))
    missing = computed(session, Session(x=array, z=array))
    assert list(missing.keys()) == ["n", "x", "y", "z"]
    assert np.isnan([missing.y.data.sum() if isinstance(missing.y, Array) else missing.y, missing.z]).all()


def test_comparison_and_signs_are_those_of_the_elements():
    array = ndtest((2, 3)) - 2
    session = Session(n=-3, x=array)
    assert (session == session).x.data.all()
    assert (session == session).n
    assert not (session != session).x.data.any()
    assert (-session).x.equals(-array)
    assert abs(session).x.equals(abs(array))
    assert (-session).n == 3
    assert (~Session(x=array > 0)).x.equals(array <= 0)


class Model(CheckedSession):
    """What is declared of a model."""

    steps: int
    name: str = "base"
    sex: Axis = Axis("sex=F,M")
    pop: CheckedArray("sex=F,M;year=2020..2022") = zeros("sex=F,M;year=2020..2022")
    any: Array = ndtest(2)


class Fixed(CheckedParameters):
    """What does not change."""

    first: int = 2020
    sex: Axis = Axis("sex=F,M")


def test_a_checked_session_keeps_what_was_declared():
    with pytest.warns(UserWarning, match="No value passed for the declared variable 'steps'"):
        Model()
    model = Model(steps=5)
    assert model.names == ["any", "name", "pop", "sex", "steps"]
    model.any = ndtest((3, 3))
    model.pop = ndtest("sex=F,M;year=2020..2022")
    assert model.pop.sum() == 15
    model.pop = 1
    assert model.pop.sum() == 6
    model.pop = Array([1, 2], "sex=F,M")
    assert model.pop.axes.names == ["sex", "year"]
    with pytest.raises(TypeError, match="Axis"):
        model.sex = 5
    with pytest.raises(ValueError, match="Incompatible axis for array 'pop'"):
        model.pop = ndtest("sex=F,M;year=2020..2023")
    with pytest.raises(ValueError, match="valid integer"):
        model.steps = "many"
    assert model.steps == 5
    with pytest.warns(UserWarning, match="'extra' is not declared in 'Model'"):
        model.extra = 1
    assert model.extra == 1


def test_a_checked_session_is_saved_and_loaded(tmp_path):
    model = Model(steps=5, name="high")
    model.save(tmp_path / "model.h5")
    found = Model(tmp_path / "model.h5")
    assert type(found) is Model
    assert found.equals(model)
    assert (found.steps, found.name) == (5, "high")
    Session(steps=6, pop=ndtest(2)).save(tmp_path / "wrong.h5")
    with pytest.raises(ValueError, match="Array 'pop' was declared with axes"):
        Model(tmp_path / "wrong.h5")


def test_parameters_are_frozen():
    fixed = Fixed(first=2021)
    for change in (lambda: setattr(fixed, "first", 5), lambda: fixed.__setitem__("sex", 5), lambda: fixed.update(first=1),
                   lambda: fixed.__delitem__("first")):
        with pytest.raises(TypeError, match="immutable"):
            change()
    assert fixed.first == 2021


def test_globals_are_made_of_a_session():
    place = {"Session": Session, "ndtest": ndtest, "__name__": "place"}
    exec("Session(n=3, x=ndtest(2), y=1).to_globals(['n', 'x'], warn=False)", place)
    assert place["n"] == 3
    assert "y" not in place
    held = place["x"]
    exec("Session(x=ndtest(2) + 5).to_globals(inplace=True, warn=False)", place)
    assert place["x"] is held
    assert held.data.tolist() == [5, 6]
    with pytest.warns(RuntimeWarning, match="interactive"):
        exec("Session(n=4).to_globals()", place)
    with pytest.raises(ValueError, match="same axes"):
        exec("Session(x=ndtest(3)).to_globals(inplace=True, warn=False)", place)


def test_metadata_are_what_was_given():
    given = Metadata(title="t", n=1, share=0.5, day=datetime.date(2020, 1, 2), at=datetime.time(1, 2),
                     moment=datetime.datetime(2020, 1, 2, 3))
    array = Array([1, 2], "a=a0,a1", meta=given)
    assert array.meta == given
    assert array.meta.day == datetime.date(2020, 1, 2)
    array.meta.unit = "m"
    assert array["a0":].meta.get("unit", "none") in ("m", "none")
    assert len((array + 1).meta) == 0

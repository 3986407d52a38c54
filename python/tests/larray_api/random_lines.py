"""Programs of random lines: an array of random axes, and what may be done with one."""

from __future__ import annotations

import random


class _Lines:
    """The axes of an array, and random expressions about it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.axes: list[tuple[str, list]] = []
        for name in self.random.sample("abcdxyz", self.random.randint(1, 4)):
            length, kind = self.random.randint(1, 4), self.random.choice("ttif")
            start = self.random.choice([2010, 5])
            labels = {"t": [f"{name}{at}" for at in range(length)], "i": [start + at for at in range(length)],
                      "f": [at + 0.5 for at in range(length)]}[kind]
            self.axes.append((name, labels))

    def label(self, at: int) -> str:
        return repr(self.random.choice(self.axes[at][1]))

    def labels(self, at: int) -> list:
        own = self.axes[at][1]
        return self.random.sample(own, self.random.randint(1, len(own)))

    def new_label(self, at: int) -> str:
        return "'q'" if isinstance(self.axes[at][1][0], str) else "77"

    def group(self, at: int) -> str:
        name, own = self.axes[at]
        position = self.random.randrange(len(own))
        return self.random.choice([
            f"X.{name}[{self.label(at)}]", f"X.{name}[{self.labels(at)!r}]", f"X.{name}[{self.label(at)}:]",
            f"X.{name}.i[{position}]", f"X.{name}.i[{position}:]", f"ax[{at}][{self.labels(at)!r}]",
        ])

    def key(self) -> str:
        parts = []
        for at in self.random.sample(range(len(self.axes)), self.random.randint(1, len(self.axes))):
            parts.append(self.random.choice([self.group(at), self.group(at), self.label(at), repr(self.labels(at))]))
        if self.random.random() < 0.1:
            parts.append(self.random.choice(["'zz'", "99", "[1, 'q']", "slice('zz', None)"]))
        return ", ".join(parts)

    def line(self) -> list[str]:
        at = self.random.randrange(len(self.axes))
        name = self.axes[at][0]
        some = ", ".join(repr(one) for one, _ in self.random.sample(self.axes, self.random.randint(1, len(self.axes))))
        kinds = {
            "read": 5, "write": 2, "aggregate": 4, "compute": 2, "mask": 2, "labels": 3, "move": 4, "order": 2, "show": 1,
        }
        kind = self.random.choices(list(kinds), list(kinds.values()))[0]
        if kind == "read":
            return [f"arr[{self.key()}]"]
        if kind == "write":
            value = self.random.choice(["0", "-1", f"arr.sum({name!r})", "arr.sum()"])
            return ["c = arr.copy()", f"c[{self.key()}] = {value}", "c"]
        if kind == "aggregate":
            function = self.random.choice(["sum", "mean", "min", "max", "prod", "std", "median", "var"])
            over = self.random.choice(["", repr(name), f"X.{name}", self.group(at), some])
            return [f"arr.{function}{self.random.choice(['', '_by'])}({over})"]
        if kind == "compute":
            other = self.random.choice([f"arr.sum({name!r})", f"arr.transpose({name!r})", "2", f"arr[{self.key()}]", "arr.T"])
            sides = ["arr", other] if self.random.random() < 0.6 else [other, "arr"]
            return [self.random.choice("+-*/").join(sides)]
        if kind == "mask":
            return [self.random.choice([f"arr[arr > {self.random.randint(0, 6)}]", f"arr[X.{name} > {self.label(at)}]"])]
        if kind == "labels":
            wanted = [*self.labels(at), "q" if isinstance(self.axes[at][1][0], str) else 77]
            where = self.random.choice(["before", "after"])
            return [self.random.choice([
                f"arr.reindex({name!r}, {wanted!r})", f"arr.reindex({name!r}, {wanted!r}, fill_value=0)",
                f"arr.append({name!r}, arr.sum({name!r}), {self.new_label(at)})", f"arr.drop({self.group(at)})",
                f"arr.insert(5, {where}=X.{name}[{self.label(at)}], label={self.new_label(at)})", f"arr.with_total({name!r})",
            ])]
        if kind == "move":
            if len(self.axes) > 1 and self.random.random() < 0.4:
                both = tuple(one for one, _ in self.random.sample(self.axes, 2))
                return [f"arr.combine_axes({both})", f"arr.combine_axes({both}).split_axes()"]
            function = self.random.choice(["cumsum", "diff", "shift", "roll", "growth_rate", "reverse", "ratio"])
            return [f"arr.{function}({name!r})"]
        if kind == "order":
            return [self.random.choice([
                f"arr.sort_labels({name!r}, ascending=False)", f"arr.sort_values(axis={name!r})", "arr.labelofmax()",
                f"arr.indicesofsorted({name!r})", f"arr.percentile(30, {name!r})", "arr.transpose()",
            ])]
        return [self.random.choice([
            "arr.dump()", "arr.dump(wide=False)", "arr.compact()", "arr.info", "arr.ignore_labels()", "list(arr.keys())",
            "arr.nonzero()", "arr.describe()", "stack([arr, arr], 't=t0,t1')", "arr.unique()",
        ])]


def program_of(seed: int, length: int = 60) -> list[str]:
    """The lines of a program; the same seed gives the same ones."""
    made = _Lines(seed)
    axes = ", ".join(f"Axis({labels!r}, {name!r})" for name, labels in made.axes)
    kind = made.random.choice(["int", "float", "nan"])
    found = [f"ax = [{axes}]", f"arr = ndtest(ax, dtype={'int' if kind == 'int' else 'float'})"]
    if kind == "nan":
        found.append("arr = where(arr % 3 == 1, nan, arr)")
    while len(found) < length:
        found += made.line()
    return found

"""Whether a file follows the specification."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .._stook import Loom

__all__ = ["LoomValidator"]


class LoomValidator:
    """Tells in what a file departs from the specification, and from the conventions of names.

    >>> from stook import loompy
    >>> path = str(getfixture("tmp_path") / "a.loom")
    >>> loompy.create(path, np.eye(3), {}, {})
    >>> validator = loompy.LoomValidator()
    >>> validator.validate(path), validator.version, validator.errors
    (True, '3.0.0', [])
    """

    def __init__(self, version: str | None = None) -> None:
        """Files are held to ``version`` (``old`` for those before 2), or to the one that they say
        they follow: that of the first file."""
        self.version = version
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.summary: list[str] = []

    def validate(self, path: str | os.PathLike[str], strictness: str = "speconly") -> bool:
        """Whether a file follows the specification (``speconly``), or also the conventions of
        names and types (``conventions``). What is wrong is in ``errors``."""
        is_valid = self._look(os.fspath(path))
        if not is_valid:
            self.errors.append("For help, see http://linnarssonlab.org/loompy/format/")
        if strictness != "conventions":
            return is_valid
        from ._creating import connect

        with connect(path, "r", validate=False) as ds:
            follows = self.validate_conventions(ds)
        if not follows:
            self.errors.append("For help, see http://linnarssonlab.org/loompy/conventions/")
        return is_valid and follows

    def _look(self, path: str) -> bool:
        # What loompy calls those of before there were versions.
        wanted = "0.1.0" if self.version == "old" else self.version
        version, errors, warnings, summary = Loom.validate(path, wanted)
        self.version = self.version or version
        self.errors += errors
        self.warnings += warnings
        self.summary += summary
        return not self.errors

    def validate_spec(self, file: Any) -> bool:
        """The same for an open file of h5py's API; ``summary`` lists what is in it."""
        return self._look(os.fspath(file.filename))

    def _check(self, condition: Any, message: str) -> bool:
        if not condition:
            self.errors.append(message)
        return bool(condition)

    def _warn(self, condition: Any, message: str) -> bool:
        if not condition:
            self.warnings.append(message)
        return bool(condition)

    def validate_conventions(self, ds: Any) -> bool:
        """Whether an open file has the names and types of attributes that others expect."""
        for name in ("Description", "Journal", "Authors", "Title", "Year", "CreationDate"):
            self._warn(name in ds.attrs, f"Optional global attribute '{name}' is missing")
        self._clusters(ds)
        self._texts("Column", ds.ca, "CellID", is_unique=True)
        for name in ("Valid", "Outliers"):
            self._flags("Column", ds.ca, name)
        self._texts("Row", ds.ra, "Accession", is_unique=True)
        self._texts("Row", ds.ra, "Gene")
        for name in ("Valid", "Selected"):
            self._flags("Row", ds.ra, name)
        return not self.errors

    def _clusters(self, ds: Any) -> None:
        what = "Column attribute 'ClusterID'"
        if not self._check("ClusterID" in ds.ca, f"{what} is missing"):
            self._warn("ClusterName" in ds.ca, "Optional column attribute 'ClusterName' is missing")
            return
        numbers = ds.ca.ClusterID
        is_integer = self._check(numbers.dtype.kind in "iu", f"{what} must be integer dtype")
        self._check(numbers.ndim == 1, f"{what} must be 1-dimensional")
        if is_integer and numbers.ndim == 1:
            known = np.unique(numbers)
            self._check(
                (known == np.arange(len(known))).all(),
                f"{what} must be integers 0, 1, 2, ... with no missing values",
            )
        if self._warn("ClusterName" in ds.ca, "Optional column attribute 'ClusterName' is missing"):
            names = ds.ca.ClusterName
            self._check(names.dtype == object, "Column attribute 'ClusterName' must be text")
            pairs = set(zip(numbers.ravel().tolist(), names.ravel().tolist(), strict=False))
            one_to_one = len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
            self._check(one_to_one, "ClusterName must correspond 1:1 with ClusterID")

    def _texts(self, word: str, attributes: Any, name: str, is_unique: bool = False) -> None:
        what = f"{word} attribute '{name}'"
        if not self._check(name in attributes, f"{what} is missing"):
            return
        values = attributes[name]
        is_text = self._check(
            values.dtype == object, f"{what} must be an array of strings, not '{values.dtype}'"
        )
        self._check(values.ndim == 1, f"{what} must be 1-dimensional")
        if is_text and is_unique:
            n = len(set(values.ravel().tolist()))
            self._check(n == values.size, f"{what} cannot contain duplicate values")

    def _flags(self, word: str, attributes: Any, name: str) -> None:
        what = f"{word} attribute '{name}'"
        if not self._warn(name in attributes, f"Optional {what[0].lower()}{what[1:]} is missing"):
            return
        values = attributes[name]
        self._check(values.dtype.kind in "iu", f"{what} must be integer dtype, not '{values.dtype}'")
        self._check(np.isin(values, [0, 1]).all(), f"{what} must be integers 0 or 1 only")
        self._check(values.ndim == 1, f"{what} must be 1-dimensional")

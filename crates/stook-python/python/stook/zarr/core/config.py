"""The configuration: nested values with dotted names, from defaults, files and the environment.

It behaves as the donfig object does that zarr-python configures itself by, so far as scripts use
it. An environment variable ``ZARR_ARRAY__ORDER=F`` sets ``array.order``; files are those that
zarr-python reads (``~/.config/zarr``, ``$ZARR_CONFIG``), as JSON, or as YAML if PyYAML is there.
"""

from __future__ import annotations

import ast
import json
import os
import pprint
import site
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping, MutableMapping
from copy import deepcopy
from typing import Any, Literal

from .config_defaults import DEFAULTS, REMOVED

__all__ = ["BadConfigError", "Config", "ConfigSet", "config", "parse_indexing_order"]

_MISSING = object()
_ABSENT = object()


class BadConfigError(ValueError):
    """The configuration names what is not there."""

    _msg = "bad Config: %r"


def _stored_name(key: str, mapping: Any) -> str:
    """``key``, or its other spelling (``-`` for ``_``) if that is what the mapping has."""
    if not isinstance(mapping, Mapping) or key in mapping:
        return key
    other = key.replace("_", "-") if "_" in key else key.replace("-", "_")
    return other if other in mapping else key


def _merge(into: MutableMapping[str, Any], new: Mapping[str, Any], overwrite: bool = True) -> None:
    for key, value in new.items():
        key = _stored_name(key, into)
        if isinstance(value, Mapping):
            if into.get(key) is None:
                into[key] = {}
            _merge(into[key], value, overwrite)
        elif overwrite or key not in into:
            into[key] = value


class ConfigSet:
    """Values that are set, and set back at the end of a ``with`` block if it began one."""

    def __init__(
        self,
        target: MutableMapping[str, Any],
        removed: Mapping[str, str | None],
        values: Mapping[str, Any],
    ) -> None:
        self.config = target
        self._undo: list[tuple[tuple[str, ...], Any]] = []
        for key, value in values.items():
            self._assign(_current_name(key, removed).split("."), value)

    def _assign(self, keys: list[str], value: Any) -> None:
        level: Any = self.config
        path: tuple[str, ...] = ()
        is_new = False
        for key in keys[:-1]:
            key = _stored_name(key, level)
            path += (key,)
            if key not in level:
                if not is_new:
                    self._undo.append((path, _MISSING))
                    is_new = True
                level[key] = {}
            level = level[key]
        last = _stored_name(keys[-1], level)
        if not is_new:
            self._undo.append(((*path, last), level.get(last, _MISSING)))
        level[last] = value

    def __enter__(self) -> MutableMapping[str, Any]:
        return self.config

    def __exit__(self, *_: object) -> None:
        for path, value in reversed(self._undo):
            level: Any = self.config
            for key in path[:-1]:
                level = level.setdefault(key, {})
            if value is _MISSING:
                level.pop(path[-1], None)
            else:
                level[path[-1]] = value
        self._undo.clear()


def _current_name(key: str, removed: Mapping[str, str | None]) -> str:
    if key not in removed:
        return key
    new = removed[key]
    if new is None:
        raise ValueError(f"Configuration value {key!r} has been removed")
    warnings.warn(
        f"Configuration key {key!r} has been deprecated. Please use {new!r} instead", stacklevel=4
    )
    return new


class Config:
    """Named values; :data:`config` is the one that everything here asks.

    >>> from stook.zarr import config
    >>> with config.set({"array.order": "F"}):
    ...     config.get("array.order")
    'F'
    >>> config.get("array.order")
    'C'
    """

    def __init__(
        self,
        name: str,
        defaults: list[Mapping[str, Any]] | None = None,
        paths: list[str] | None = None,
        env: Mapping[str, str] | None = None,
        deprecations: Mapping[str, str | None] | None = None,
    ) -> None:
        self.name = name
        self.env_prefix = f"{name.upper()}_"
        self.env = os.environ if env is None else env
        self.paths = _search_paths(name, self.env) if paths is None else paths
        self.main_path = os.path.join(os.path.expanduser("~"), ".config", name)
        self.defaults: list[Mapping[str, Any]] = defaults or []
        self.deprecations: Mapping[str, str | None] = deprecations or {}
        self.config: MutableMapping[str, Any] = {}
        self.config_lock = threading.Lock()
        self.refresh()

    def __contains__(self, item: str) -> bool:
        return self.get(item, _ABSENT) is not _ABSENT

    def __getitem__(self, item: str) -> Any:
        return self.get(item)

    def get(self, key: str, default: Any = _MISSING) -> Any:
        """The value of a dotted name.

        Raises
        ------
        KeyError
            If there is none and no ``default`` either.
        """
        value: Any = self.config
        for part in key.split("."):
            try:
                if type(value) is dict and part in value:
                    value = value[part]
                else:
                    value = value[_stored_name(part, value)]
            except (TypeError, IndexError, KeyError):
                if default is _MISSING:
                    raise
                return default
        return value

    def set(self, arg: Mapping[str, Any] | None = None, **kwargs: Any) -> ConfigSet:
        """Set values, for good or for the length of a ``with`` block.

        Parameters
        ----------
        arg
            Values by dotted names.
        kwargs
            Values by names with ``__`` in the place of dots.

        Raises
        ------
        ValueError
            If a name was removed from the configuration.
        """
        values = dict(arg or {})
        values.update({key.replace("__", "."): value for key, value in kwargs.items()})
        with self.config_lock:
            return ConfigSet(self.config, self.deprecations, values)

    def collect(
        self, paths: list[str] | None = None, env: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """What files and environment say, without the defaults."""
        found: dict[str, Any] = {}
        for values in _from_files(self.paths if paths is None else paths):
            _merge(found, values)
        _merge(found, _from_environment(self.env_prefix, self.env if env is None else env))
        return found

    def refresh(self, **kwargs: Any) -> None:
        """Forget what was set; read files and environment again."""
        self.clear()
        for values in self.defaults:
            _merge(self.config, deepcopy(dict(values)), overwrite=False)
        _merge(self.config, self.collect(**kwargs))

    def reset(self) -> None:
        """The same as :meth:`refresh`, without options."""
        self.clear()
        self.refresh()

    def clear(self) -> None:
        """Forget everything, defaults as well."""
        self.config.clear()

    def update(self, new: Mapping[str, Any], priority: Literal["old", "new"] = "new") -> None:
        """Merge nested values in; ``priority="old"`` keeps those that are set."""
        _merge(self.config, new, overwrite=priority == "new")

    def update_defaults(self, new: Mapping[str, Any]) -> None:
        """Add defaults. They take the place of older defaults, not of values that were set."""
        for path, value in _leaves(new):
            found = self.get(path, _ABSENT)
            if found is _ABSENT or found == self._default(path):
                self.set({path: value})
        self.defaults.append(new)

    def _default(self, path: str) -> Any:
        merged: dict[str, Any] = {}
        for values in self.defaults:
            _merge(merged, deepcopy(dict(values)))
        value: Any = merged
        for part in path.split("."):
            if not isinstance(value, Mapping) or part not in value:
                return _MISSING
            value = value[part]
        return value

    def to_dict(self) -> dict[str, Any]:
        """A copy of all values."""
        return deepcopy(dict(self.config))

    def pprint(self, **kwargs: Any) -> None:
        """Print all values."""
        pprint.pprint(self.config, **kwargs)

    def enable_gpu(self) -> ConfigSet:
        """Refused: arrays are read into the memory of the machine.

        Raises
        ------
        NotImplementedError
            Always.
        """
        raise NotImplementedError(
            "stook.zarr has no GPU buffers: chunks are decoded into the memory of the machine. "
            "Copy what was read, for example with cupy.asarray(array[...])"
        )


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _search_paths(name: str, env: Mapping[str, str]) -> list[str]:
    paths = [env.get(f"{name.upper()}_ROOT_CONFIG", f"/etc/{name}")]
    paths += [os.path.join(prefix, "etc", name) for prefix in (sys.prefix, *site.PREFIXES)]
    paths.append(os.path.join(os.path.expanduser("~"), ".config", name))
    if (given := env.get(f"{name.upper()}_CONFIG")) is not None:
        paths.append(given)
    return list(dict.fromkeys(paths))


def _from_files(paths: list[str]) -> Iterator[Mapping[str, Any]]:
    for path in paths:
        if os.path.isdir(path):
            names = sorted(os.listdir(path))
            files = [os.path.join(path, name) for name in names]
            files = [f for f in files if os.path.splitext(f)[1].lower() in _FILE_ENDINGS]
        else:
            files = [path] if os.path.exists(path) else []
        for file in files:
            values = _from_file(file)
            if values is not None:
                yield values


_FILE_ENDINGS = (".json", ".yaml", ".yml")


def _from_file(path: str) -> Mapping[str, Any] | None:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError:
        return None
    try:
        values = json.loads(text)
    except ValueError:
        values = _from_yaml(path, text)
    if values is not None and not isinstance(values, dict):
        raise ValueError(
            f"A config file at {path!r} is malformed - config files must have "
            f"a dict as the top level object, got a {type(values).__name__} instead"
        )
    return values


def _from_yaml(path: str, text: str) -> Any:
    try:
        import yaml  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        warnings.warn(
            f"The config file {path!r} is not read: it is no JSON, and PyYAML is not installed",
            stacklevel=2,
        )
        return None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(
            f"A config file at {path!r} is malformed, original error message:\n\n{error}"
        ) from None


def _from_environment(prefix: str, env: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, text in env.items():
        if not name.startswith(prefix):
            continue
        try:
            value = ast.literal_eval(text)
        except (SyntaxError, ValueError):
            value = text
        values[name.removeprefix(prefix).lower().replace("__", ".")] = value
    nested: dict[str, Any] = {}
    ConfigSet(nested, {}, values)
    return nested


config = Config("zarr", defaults=[DEFAULTS], deprecations=REMOVED)


def parse_indexing_order(data: Any) -> Literal["C", "F"]:
    """``data`` if it is an order of axes in memory.

    Raises
    ------
    ValueError
        If it is not.
    """
    if data == "C":
        return "C"
    if data == "F":
        return "F"
    raise ValueError(f"Expected one of ('C', 'F'), got {data} instead.")

"""What a session says of its objects, line by line."""

from __future__ import annotations

from typing import Any

import numpy as np

from stook.larray._array import Array
from stook.larray._axis import Axis
from stook.larray._group import Group, IGroup, LGroup
from stook.larray._metadata import Metadata


def summary_line(key: str, value: Any, template: Any) -> str:
    if isinstance(value, Array):
        template = "{key}: {axes_names} ({shape}) [{dtype}]" if template is None else template
        return str(template.format(key=key, axes_names=", ".join(value.axes.display_names),
                                   shape=" x ".join(map(str, value.shape)), dtype=value.dtype,
                                   title=value.meta.get("title", ""), value=value))
    if isinstance(value, Axis):
        template = "{key}: {name} [{labels}] ({length})" if template is None else template
        return str(template.format(key=key, name=value.name, labels=value.labels_summary(), length=len(value),
                                   value=value))
    if isinstance(value, Group):
        if template is None:
            named = "" if value.name is None else f" >> {value.name}"
            return f"{key}: {type(value)(value.key, None, value.axis)!r}{named} ({_group_length(value)})"
        return str(template.format(key=key, name=value.name, axis=getattr(value.axis, "name", value.axis), axis_name=getattr(value.axis, "name", value.axis),
                                   labels=value.eval(), length=_group_length(value), value=value))
    return str(("{key}: {value}" if template is None else template).format(key=key, value=value))


def _group_length(group: Group) -> int:
    found = group.eval() if isinstance(group, (LGroup, IGroup)) else group
    return 1 if np.isscalar(found) else len(found)


def metadata_lines(meta: Metadata, rule: Any) -> list[str]:
    """A line for each, by a text or a function of name and value."""
    if callable(rule):
        return ["Metadata:", *(rule(key, value) for key, value in meta.items())]
    template = "\t{key}: {value}" if rule is None else rule
    return ["Metadata:", *(template.format(key=key, value=value) for key, value in meta.items())]

"""A hierarchy drawn as a tree, in text and in HTML."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .group import AsyncGroup

__all__ = ["TreeRepr", "draw_tree"]

_STYLE = (
    "white-space:pre;overflow-x:auto;line-height:normal;"
    "font-family:Menlo,'DejaVu Sans Mono',consolas,'Courier New',monospace"
)


class TreeRepr:
    """A tree that prints itself, in a notebook as HTML."""

    def __init__(self, text: str, html: str, truncated: str = "") -> None:
        self._text = text
        self._html = html
        self._truncated = truncated

    def __repr__(self) -> str:
        return self._truncated + self._text

    def _repr_mimebundle_(
        self,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> dict[str, str]:
        body = self._truncated + self._html
        return {
            "text/plain": self._truncated + self._text,
            "text/html": f'<pre style="{_STYLE}">{body}</pre>\n',
        }


def draw_tree(
    group: AsyncGroup, members: Iterable[tuple[str, Any]], max_nodes: int, plain: bool
) -> TreeRepr:
    """Draws a group and so many of the nodes below it, which come with their paths."""
    shown: list[tuple[str, Any]] = []
    note = ""
    for member in members:
        if len(shown) == max_nodes:
            note = (
                f"Truncated at max_nodes={max_nodes}, "
                "some nodes and their children may be missing\n"
            )
            break
        shown.append(member)
    shown.sort(key=lambda member: member[0])
    children: dict[str, list[tuple[str, Any]]] = {}
    for path, node in shown:
        children.setdefault(path.rpartition("/")[0], []).append((path, node))
    bold_text = ("", "") if plain or not sys.stdout.isatty() else ("\x1b[1m", "\x1b[0m")
    bold_html = ("", "") if plain else ("<b>", "</b>")
    name = group.name
    text = [f"{bold_text[0]}{name}{bold_text[1]}"]
    html = [f"{bold_html[0]}{escape(name)}{bold_html[1]}"]
    for lead, path, node in _lines(children, "", ""):
        name = path.rpartition("/")[2]
        what = f" {node.shape} {node.dtype}" if hasattr(node, "shape") else ""
        text.append(f"{lead}{bold_text[0]}{name}{bold_text[1]}{what}")
        html.append(f"{lead}{bold_html[0]}{escape(name)}{bold_html[1]}{escape(what)}")
    return TreeRepr("\n".join(text) + "\n", "\n".join(html) + "\n", note)


def _lines(
    children: dict[str, list[tuple[str, Any]]], parent: str, lead: str
) -> Iterable[tuple[str, str, Any]]:
    """What stands before each node, its path, and itself."""
    stack = [(lead, iter(children.get(parent, ())), len(children.get(parent, ())))]
    while stack:
        lead, rest, n = stack.pop()
        for path, node in rest:
            n -= 1
            yield lead + ("├── " if n else "└── "), path, node
            below = children.get(path, ())
            if below:
                stack.append((lead, rest, n))
                stack.append((lead + ("│   " if n else "    "), iter(below), len(below)))
                break

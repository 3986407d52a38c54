"""Groups and datasets without a name: they lie in a temporary file until they are given one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from .._copy import copy_node
from .._errors import UnsupportedError
from .._group import Group as NativeGroup
from .._group import open_node
from .._stook import Tree
from ._state import MemoryCopy, OpenFile

if TYPE_CHECKING:
    from ._base import HLObject
    from ._group import Group

T = TypeVar("T", bound="HLObject")
_NAME = "anonymous"


def anonymous(group: Group, make: Callable[[Group, str], T]) -> T:
    """What ``make`` makes, without a name, of the file that ``group`` is in; it goes with its last
    handle, or becomes part of the file once it gets a name there."""
    from ._group import Group

    of = group._state
    if of.mode == "r" or of.is_swmr:
        # The words of the library for what cannot be made.
        make(group, _NAME)
    copy = MemoryCopy()
    tree = Tree.create(copy.path, False, "hdf5")
    state = OpenFile(tree, of.filename, "r+", None)
    state.copy, state.anonymous_in = copy, of
    return make(Group._of(state, "/"), _NAME)


def name_it(obj: HLObject, group: Group, path: str) -> None:
    """Gives an object without a name the name ``path`` in its file; the handle is of that then."""
    from ._dataset import Dataset

    if obj._path != f"/{_NAME}":
        text = "what is within a group without a name stays there until that has one"
        raise UnsupportedError(text)
    state = group._state
    copy_node(open_node(obj._state.tree, obj._path), NativeGroup(state.tree, "/"), path)
    obj._state, obj._path = state, path
    if isinstance(obj, Dataset):
        native: Any = state.tree.array(path)
        obj._bind(native, state.tree)

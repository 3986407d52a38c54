"""What groups and files are for, by the names that are stored."""

from __future__ import annotations

from enum import Enum
from typing import Any


class BaseEnum(Enum):
    """Members that equal their names."""

    @classmethod
    def names(cls) -> list[str]:
        """The names of all members."""
        return list(cls.__members__)

    @classmethod
    def values(cls) -> list[Any]:
        """The values of all members."""
        return [member.value for member in cls]

    @classmethod
    def to_dict(cls) -> dict[str, Any]:
        """The value of each name."""
        return {member.name: member.value for member in cls}

    @classmethod
    def to_dict_value(cls) -> dict[Any, str]:
        """The name of each value."""
        return {member.value: member.name for member in cls}

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, str) and other == self.name)

    def __hash__(self) -> int:
        return hash(self.name)


class SaveType(BaseEnum):
    """What a file is for."""

    scan = 0
    detector = 1
    logger = 2
    custom = 3
    actuator = 4
    optimizer = 5


class GroupType(BaseEnum):
    """What a group is for."""

    detector = 0
    actuator = 1
    data = 2
    ch = 3
    scan = 4
    external_h5 = 5
    data_dim = 6
    data_logger = 7

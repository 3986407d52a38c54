"""`X`: axes that are not known yet, and conditions on their labels."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from stook.larray._axis import Axis


def _binary(name: str, reflected: bool = False) -> Callable[[ExprNode, Any], BinaryOp]:
    def method(self: ExprNode, other: Any) -> BinaryOp:
        return BinaryOp(name, other, self) if reflected else BinaryOp(name, self, other)

    return method


def _unary(name: str) -> Callable[[ExprNode], UnaryOp]:
    return lambda self: UnaryOp(name, self)


class ExprNode:
    """Something to be computed once the axes of an array are known."""

    __slots__ = ()

    def evaluate(self, axes: Any) -> Any:
        """What it comes to, with the axes of a collection."""
        raise NotImplementedError

    __add__ = _binary("add")
    __sub__ = _binary("sub")
    __mul__ = _binary("mul")
    __truediv__ = _binary("truediv")
    __floordiv__ = _binary("floordiv")
    __mod__ = _binary("mod")
    __pow__ = _binary("pow")
    __and__ = _binary("and")
    __or__ = _binary("or")
    __xor__ = _binary("xor")
    __lshift__ = _binary("lshift")
    __rshift__ = _binary("rshift")
    __matmul__ = _binary("matmul")
    __lt__ = _binary("lt")
    __le__ = _binary("le")
    __gt__ = _binary("gt")
    __ge__ = _binary("ge")
    __eq__ = _binary("eq")  # type: ignore[assignment]
    __ne__ = _binary("ne")  # type: ignore[assignment]
    __radd__ = _binary("add", True)
    __rsub__ = _binary("sub", True)
    __rmul__ = _binary("mul", True)
    __rtruediv__ = _binary("truediv", True)
    __rfloordiv__ = _binary("floordiv", True)
    __rmod__ = _binary("mod", True)
    __rpow__ = _binary("pow", True)
    __rand__ = _binary("and", True)
    __ror__ = _binary("or", True)
    __rxor__ = _binary("xor", True)
    __rlshift__ = _binary("lshift", True)
    __rrshift__ = _binary("rshift", True)
    __rmatmul__ = _binary("matmul", True)
    __neg__ = _unary("neg")
    __pos__ = _unary("pos")
    __abs__ = _unary("abs")
    __invert__ = _unary("invert")
    __hash__ = object.__hash__


def expression_of(value: Any, axes: Any) -> Any:
    """What an expression comes to, and anything else as it is."""
    return value.evaluate(axes) if isinstance(value, ExprNode) else value


class BinaryOp(ExprNode):
    """An operation of two values."""

    __slots__ = ("op", "expr1", "expr2")

    def __init__(self, op: str, expr1: Any, expr2: Any) -> None:
        self.op = op
        self.expr1 = expr1
        self.expr2 = expr2

    def evaluate(self, axes: Any) -> Any:
        function = getattr(operator, self.op, None) or getattr(operator, f"{self.op}_")
        return function(expression_of(self.expr1, axes), expression_of(self.expr2, axes))

    def __repr__(self) -> str:
        return f"BinaryOp({self.op!r}, {_text(self.expr1)}, {_text(self.expr2)})"


class UnaryOp(ExprNode):
    """An operation of a value."""

    __slots__ = ("op", "expr")

    def __init__(self, op: str, expr: Any) -> None:
        self.op = op
        self.expr = expr

    def evaluate(self, axes: Any) -> Any:
        return getattr(operator, self.op)(expression_of(self.expr, axes))

    def __repr__(self) -> str:
        return f"UnaryOp({self.op!r}, {_text(self.expr)})"


def _text(value: Any) -> str:
    return f"X.{value.name}" if isinstance(value, AxisReference) else repr(value)


class AxisReference(ExprNode, Axis):
    """An axis by its name or number alone."""

    __slots__ = ()
    is_reference = True

    def __init__(self, name: Any) -> None:
        self.name = name
        self._labels = None
        self._length = 0
        self._wildcard = False
        self._positions = None
        self._maker = None

    @property  # type: ignore[misc]
    def labels(self) -> Any:
        return None

    def index(self, key: Any) -> Any:
        raise NotImplementedError("an AxisReference (X.) cannot translate labels")

    def evaluate(self, axes: Any) -> Any:
        """The axis of a collection that it stands for."""
        return axes[self]

    def __len__(self) -> int:
        raise AttributeError("'AxisReference' object has no attribute '_length'")

    def __iter__(self) -> Any:
        raise TypeError("'NoneType' object is not iterable")

    def containing(self, substring: Any) -> Any:
        raise TypeError("'NoneType' object is not iterable")

    def startingwith(self, prefix: Any) -> Any:
        raise TypeError("'NoneType' object is not iterable")

    def endingwith(self, suffix: Any) -> Any:
        raise TypeError("'NoneType' object is not iterable")

    def matching(self, deprecated: Any = None, pattern: Any = None, regex: Any = None) -> Any:
        raise TypeError("'NoneType' object is not iterable")

    def by(self, length: int, step: int | None = None, template: str | None = None) -> Any:
        raise NotImplementedError("an AxisReference (X.) cannot translate labels")

    def __repr__(self) -> str:
        return f"AxisReference({self.name!r})"

    def __str__(self) -> str:
        return str(self.name)

    def __reduce__(self) -> Any:
        return AxisReference, (self.name,)


class AxisReferenceFactory:
    """`X`: ``X.name``, ``X[0]`` and ``X["a name"]`` refer to axes."""

    def __getattr__(self, key: str) -> AxisReference:
        if key.startswith("__"):
            raise AttributeError(key)
        return AxisReference(key)

    def __getitem__(self, key: Any) -> AxisReference:
        return AxisReference(key)


class DeprecatedAxisReferenceFactory:
    """`x`, the old name of `X`."""

    def __getattr__(self, key: str) -> AxisReference:
        raise AttributeError("variable 'x' is deprecated, please use 'X' instead")

    def __getitem__(self, key: Any) -> AxisReference:
        raise AttributeError("variable 'x' is deprecated, please use 'X' instead")


X = AxisReferenceFactory()
x = DeprecatedAxisReferenceFactory()

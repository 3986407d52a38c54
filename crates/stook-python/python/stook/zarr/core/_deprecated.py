"""Marking what is deprecated, for checkers of types and at run time (PEP 702).

``warnings.deprecated`` comes with Python 3.13, and the package needs nothing but numpy.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import deprecated
else:

    def deprecated(message: str, *, category: type[Warning] = DeprecationWarning) -> Any:
        """Makes a function warn its caller; its attribute ``__deprecated__`` says what."""

        def mark(function: Any) -> Any:
            if inspect.iscoroutinefunction(function):

                @functools.wraps(function)
                async def warned(*args: Any, **kwargs: Any) -> Any:
                    warnings.warn(message, category, stacklevel=2)
                    return await function(*args, **kwargs)

            else:

                @functools.wraps(function)
                def warned(*args: Any, **kwargs: Any) -> Any:
                    warnings.warn(message, category, stacklevel=2)
                    return function(*args, **kwargs)

            function.__deprecated__ = warned.__deprecated__ = message
            return warned

        return mark


__all__ = ["deprecated"]

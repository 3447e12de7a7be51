"""The types of arrays, and caches of what is computed from them."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class _Same:
    """A key for caches: equal to another one of the very same array, whatever that holds."""

    def __init__(self, array: npt.NDArray[np.generic]) -> None:
        self.array = array

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.array is other.array

    def __hash__(self) -> int:
        return id(self.array)


def cached(
    size: int,
) -> Callable[[Callable[_Arguments, _Result]], Callable[_Arguments, _Result]]:
    """Keep the last results of a function of arrays, which nobody may change afterwards.

    Arrays count as equal if they are the same object; other arguments, if they are equal.
    """

    def decorate(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
        @lru_cache(size)
        def kept(*keys: object) -> _Result:
            return function(*(key.array if isinstance(key, _Same) else key for key in keys))  # type: ignore[call-arg, arg-type]

        @wraps(function)
        def call(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
            assert not kwargs
            return kept(*(_Same(one) if isinstance(one, np.ndarray) else one for one in args))

        return call

    return decorate

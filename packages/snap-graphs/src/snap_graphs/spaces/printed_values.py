"""Parse printed Python values without running code."""

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any

Makers = Mapping[str, Callable[..., Any]]
"""Functions that build a value from printed arguments, by class name."""

MOST_CHARACTERS = 1 << 16
"""Maximum length of a text; parsing takes hundreds of times its length in memory."""
_MOST_COUNTED = 256
"""Maximum argument of `range`."""
_ASSIGNED = re.compile(r"\s*\w+\s*=(?!=)", flags=re.ASCII)
_SCALAR = re.compile(
    r"(?:np|numpy)\.(?:(u?int)(?:c|p|\d{1,2})|u?(long)(?:long)?|(float)\d{2}|(bool|str)_?)",
    flags=re.ASCII,
)
_TRUTHS = {f"{module}.{value}_": value for module in ("np", "numpy") for value in (True, False)}
_SCALARS: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "uint": (int,),
    "long": (int,),
    "float": (int, float),
    "bool": (bool,),
    "str": (str,),
}
_ARRAYS = ("array", "np.array", "numpy.array", "tensor", "torch.tensor")


def printed_value(text: str, makers: Makers | None = None) -> Any:
    """Evaluate the printed form of a Python value.

    Supported are literals, NumPy scalars (`np.int64(0)`), arrays and tensors (as lists or numbers),
    `range` (as a list) and calls in `makers`. An assignment (`genotype = ...`) may precede it.

    Raises:
        ValueError: the text is not supported, or longer than 65,536 characters.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"it is longer than {MOST_CHARACTERS:,} characters")
    source = _ASSIGNED.sub("", text, count=1) if _ASSIGNED.match(text) else text
    try:
        return _Evaluation(makers or {}).value(ast.parse(source.strip(), mode="eval").body)
    except (SyntaxError, TypeError, RecursionError, MemoryError) as error:
        reason = str(error) if isinstance(error, TypeError) else type(error).__name__
        raise ValueError(reason) from error


class _Evaluation:
    def __init__(self, makers: Makers) -> None:
        self._makers = makers

    def value(self, tree: ast.expr) -> Any:
        """Evaluate an expression.

        Raises:
            ValueError, TypeError: the expression is not supported.
        """
        match tree:
            case ast.Constant(value=value):
                return value
            case ast.List(elts=items):
                return [self.value(item) for item in items]
            case ast.Tuple(elts=items):
                return tuple(self.value(item) for item in items)
            case ast.Dict(keys=keys, values=values) if None not in keys:
                pairs = zip(filter(None, keys), values, strict=True)
                return {self.value(key): self.value(value) for key, value in pairs}
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return -number
            case ast.Call():
                return self._call(tree)
            case ast.Attribute() if _name(tree) in _TRUTHS:
                return _TRUTHS[_name(tree)]
        raise ValueError(f"malformed: no {type(tree).__name__} can stand in it")

    def _call(self, tree: ast.Call) -> Any:
        name = _name(tree.func)
        given = [keyword.arg for keyword in tree.keywords]
        repeated = next((arg for arg in given if given.count(arg) > 1), None)
        if repeated is not None:  # Python refuses this only when compiling
            raise ValueError(f"malformed: {name!r:.40} has {repeated!r:.40} twice")
        scalar = _SCALAR.fullmatch(name)
        if scalar or name in _ARRAYS:  # keywords name types and devices
            (held,) = (self.value(argument) for argument in tree.args)
            if scalar and type(held) not in _SCALARS[scalar[scalar.lastindex or 0]]:
                raise ValueError(f"{name} holds {held!r:.40}")
            return held
        arguments = [self.value(argument) for argument in tree.args]
        if name == "range" and not tree.keywords:
            return _range(arguments)
        if name not in self._makers:
            raise ValueError(f"malformed: it calls {name!r:.40}")
        keywords = {str(keyword.arg): self.value(keyword.value) for keyword in tree.keywords}
        return self._makers[name](*arguments, **keywords)


def _name(tree: ast.expr) -> str:
    match tree:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            return f"{module}.{name}"
    return type(tree).__name__


def _range(bounds: list[Any]) -> list[int]:
    small = all(type(bound) is int and 0 <= bound <= _MOST_COUNTED for bound in bounds)
    if len(bounds) not in (1, 2) or not small:
        raise ValueError("range takes one or two small numbers")
    return list(range(*bounds))

"""Find calls of known layers in code: `nn.Conv2d(c, c, 3, padding=1)`."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from warnings import catch_warnings, simplefilter

from snap_encode.reading import package_files

_OWN_BLOCK = ("in", "out", "kernel", "stride", "padding", "dilation")
"""Positional arguments of unknown blocks, such as `ReLUConvBN(C_in, C_out, 3, 1, 1)`."""


@dataclass(frozen=True)
class Layer:
    """A layer of a library.

    Attributes:
        kind: as in `kinds.toml`.
        arguments: names of its arguments by position.
        function: name of the normalisation, activation or recurrent network.
    """

    kind: str
    arguments: tuple[str, ...] = ()
    function: str | None = None


@dataclass(frozen=True)
class Call:
    """A call of a layer.

    Attributes:
        layer: the library layer, or None.
        name: the called name, without its module.
        numbers: numeric arguments by setting.
        depthwise: whether each channel has its own group.
    """

    layer: Layer | None
    name: str
    numbers: Mapping[str, int]
    width: int | None = None
    depthwise: bool = False


_TABLES = package_files.table("layers.toml")
_KEYWORDS = {name: setting for setting, names in _TABLES["keywords"].items() for name in names}


def _layers() -> dict[str, Layer]:
    found: dict[str, Layer] = {}
    for entry in _TABLES["layer"]:
        layer = Layer(entry["kind"], tuple(entry.get("arguments", ())), entry.get("function"))
        for name in entry["names"]:
            found |= {name.replace("#", dimensions): layer for dimensions in "123"}
    return found


_LAYERS = _layers()
_MOST = 100
"""Larger numbers are not kernels, strides or similar settings."""
_ACCOMPANYING = frozenset({"normalisation", "activation", "dropout", "padding"})
"""Kinds that accompany the main layer of a piece of code."""
_DEEPEST = 8
"""Maximum nesting of a layer; deeper brackets are not parsed, so that time stays linear."""
_OPENING = re.compile(r"([A-Za-z_][\w.]{0,99})\s*\(")


def calls(text: str) -> list[Call]:
    """Return the calls of layers in a text, in order."""
    return [call for name, inside in _bracketed(text) if (call := _call(name, inside))]


def main_layer(found: Sequence[Call]) -> Call | None:
    """Return the main layer among several calls; None if there is none or more than one."""
    known = [call for call in found if call.layer]
    main = [call for call in known if call.layer and call.layer.kind not in _ACCOMPANYING] or known
    own = [call for call in found if call.layer is None and call.numbers]
    if own or not main:
        return None
    if len(main) == 1:
        return main[0]
    return _separable(main)


def _separable(main: Sequence[Call]) -> Call | None:
    """Merge a depthwise convolution and the pointwise one after it."""
    if len(main) < 2 or len(main) % 2:
        return None
    first, second = main[:2]
    pointwise = (
        second.layer is not None
        and second.layer.kind == "convolution"
        and second.numbers.get("kernel") == 1
    )
    if not (first.depthwise or (first.layer and first.layer.kind == "depthwise_convolution")):
        return None
    return Call(Layer("separable_convolution"), first.name, first.numbers) if pointwise else None


def _bracketed(text: str) -> Iterator[tuple[str, str]]:
    """Yield every name before a bracket with the content of the bracket, in order."""
    names = {found.end(): found.group(1).split(".")[-1] for found in _OPENING.finditer(text)}
    starts: list[int] = []  # of the contents of open brackets
    heights = [0]  # the nesting depth inside each of them, and outside all
    spans: list[tuple[int, int]] = []
    for place, letter in enumerate(text):
        if letter in "([{":
            starts.append(place + 1)
            heights.append(0)
        elif letter in ")]}" and starts:
            start, height = starts.pop(), heights.pop()
            heights[-1] = max(heights[-1], height + 1)
            if height <= _DEEPEST and start in names:
                spans.append((start, place))
    for start, end in sorted(spans):
        yield names[start], text[start:end]


def _call(name: str, inside: str) -> Call | None:
    try:
        with catch_warnings():
            simplefilter("ignore")  # of code such as `"\d"` or `5in`
            tree = ast.parse(f"f({inside})", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(tree, ast.Call):
        return None
    layer = _LAYERS.get(name)
    own: tuple[str, ...] = _OWN_BLOCK if len(tree.args) >= 3 else ()
    positions = layer.arguments if layer else own
    given = dict(zip(positions, tree.args, strict=False))
    given |= {_KEYWORDS[k.arg]: k.value for k in tree.keywords if k.arg in _KEYWORDS}
    numbers: dict[str, int] = {}
    width = None
    for setting in ("kernel", "stride", "dilation", "groups", "expansion"):
        value = _pair(given.get(setting))
        if value is not None:
            numbers[setting] = value[0]
            width = value[1] if setting == "kernel" and value[1] != value[0] else width
    return Call(layer, name, numbers, width, _is_depthwise(given, tree))


def _pair(node: ast.expr | None) -> tuple[int, int] | None:
    """Return a number, or two numbers in brackets, as a pair."""
    nodes = node.elts if isinstance(node, ast.Tuple | ast.List) else [node, node]
    found = [n.value for n in nodes if isinstance(n, ast.Constant) and type(n.value) is int]
    values = [value for value in found if 0 < value < _MOST]
    if len(values) == len(nodes) == 1:
        values *= 2
    return (values[0], values[1]) if len(values) == 2 else None


def _is_depthwise(given: Mapping[str, ast.expr], call: ast.Call) -> bool:
    groups = given.get("groups")
    if groups is None:
        return False
    channels = given.get("in")
    if isinstance(groups, ast.Constant):
        return isinstance(channels, ast.Constant) and channels.value == groups.value != 1
    return (
        channels is None
        or ast.dump(channels) == ast.dump(groups)
        or isinstance(groups, ast.Attribute)
    )

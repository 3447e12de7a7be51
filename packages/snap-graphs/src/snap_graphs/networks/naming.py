"""Names and descriptions of operators; equal names mean equal operators."""

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from snap_graphs.cell import INPUT, OUTPUT
from snap_graphs.networks.layer import Term, TermKind, Whole

IDENTITY = "skip_connect"
"""Name of the identity operator, as expected by views (`GraphFacts`)."""

_UNSAFE = re.compile(r"[^A-Za-z0-9_.]")

NORMALISATIONS: Mapping[str, str] = {
    "batch normalisation": "bn",
    "layer normalisation": "ln",
    "group normalisation": "gn",
    "instance normalisation": "in",
    "RMS normalisation": "rms",
    "local response normalisation": "lrn",
    "L2 normalisation": "l2n",
}
"""Short names of normalisations by their name in descriptions."""
ACTIVATIONS: Mapping[str, str] = {
    "ReLU": "relu",
    "ReLU6": "relu6",
    "leaky ReLU": "lrelu",
    "PReLU": "prelu",
    "ELU": "elu",
    "CELU": "celu",
    "SELU": "selu",
    "SiLU": "silu",
    "GELU": "gelu",
    "Mish": "mish",
    "hard-swish": "hswish",
    "hard-sigmoid": "hsigmoid",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "softplus": "softplus",
    "square": "square",
}
"""Short names of activations by their name in descriptions."""
_NAMED = {"normalisation": (NORMALISATIONS, "norm"), "activation": (ACTIVATIONS, "act")}
"""Short names, and the prefix of unknown ones, by kind of term."""
_POOLINGS: Mapping[str, tuple[str, str]] = {
    "max": ("maxpool", "max pooling"),
    "average": ("avgpool", "average pooling"),
}
_PLAIN: Mapping[TermKind, tuple[str, str]] = {
    "input": (INPUT, "input"),
    "output": (OUTPUT, "output"),
    "identity": (IDENTITY, "residual connection"),
    "linear": ("linear", "fully connected layer"),
    "product": ("product", "matrix product"),
    "multiply": ("multiply", "element-wise product"),
    "concatenation": ("concatenation", "concatenation"),
    "softmax": ("softmax", "softmax"),
    "embedding": ("embedding", "token embedding"),
    "resize": ("resize", "upsampling"),
    "select": ("select", "selection of values"),
}
_KERNELS, _STRIDES = (1, 3, 5, 7), ((), (2,))
_HEADS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
_REDUCTIONS = (2, 3, 4, 8, 12, 16, 24)
_PATCHES = (2, 4, 8, 16)
_COMMON_ACTIVATIONS = ("ReLU", "ReLU6", "SiLU", "hard-swish", "GELU")
"""Settings of common operators."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A node of a network's graph.

    Attributes:
        main: the main term.
        before: preceding normalisation and activation, in order.
        after: following normalisation and activation, in order.
    """

    main: Term
    before: tuple[Term, ...] = ()
    after: tuple[Term, ...] = ()

    @property
    def name(self) -> str:
        """A short name, such as `dwconv5x5-s2-bn-silu`, in the order of computation."""
        return "-".join(_short(term) for term in (*self.before, self.main, *self.after))

    @property
    def sentence(self) -> str:
        """A description in the catalog's words: `Depthwise convolution 5x5, stride 2, SiLU`."""
        text = ", ".join(_long(term) for term in (self.main, *self.after))
        if self.before:
            text += ", preceded by " + " and ".join(map(_long, self.before))
        return text[0].upper() + text[1:]


def _short(term: Term) -> str:
    match term.kind:
        case "convolution":
            return _convolution_name(term)
        case "pooling":
            word = _POOLINGS[term.name][0] if term.name in _POOLINGS else _quoted("pool", term.name)
            return _joined("global" * term.is_global, word + _sides(term.kernel), _stride(term))
        case "normalisation" | "activation":
            names, word = _NAMED[term.kind]
            return names.get(term.name) or _quoted(word, term.name)
        case "attention":
            return _joined("attention", _setting("h", term.heads))
        case "excitation":
            return _joined("se", _setting("r", term.reduction), _setting("k", *term.kernel))
        case "inverted residual":
            return _joined(
                "mbconv" + _sides(term.kernel),
                _stride(term),
                _setting("d", *term.dilation),
                f"e{term.expansion:g}",
            )
        case "other":
            return _quoted("other", term.name)
        case plain:
            return _PLAIN[plain][0]


def _long(term: Term) -> str:
    match term.kind:
        case "convolution":
            return _convolution_sentence(term)
        case "pooling":
            known = term.name in _POOLINGS
            word = _POOLINGS[term.name][1] if known else f"pooling {json.dumps(term.name)}"
            word = "global " * term.is_global + word
            return _listed(_spaced(word, term.kernel), *_worded("stride", term.stride))
        case "normalisation" | "activation":
            known = term.name in _NAMED[term.kind][0]
            return term.name if known else f"{term.kind} {json.dumps(term.name)}"
        case "attention":
            return _listed("multi-head attention", *_counted(term.heads, "head"))
        case "excitation":
            ratio = _worded("reduction", (term.reduction,) if term.reduction else ())
            return _listed(_spaced("squeeze-and-excitation", term.kernel), *ratio)
        case "inverted residual":
            return _listed(
                _spaced("inverted residual", term.kernel),
                *_worded("stride", term.stride),
                *_worded("dilation", term.dilation),
                f"expansion {term.expansion:g}",
            )
        case "other":
            return f"operation {json.dumps(term.name)}"
        case plain:
            return _PLAIN[plain][1]


def _convolution_name(term: Term) -> str:
    return _joined(
        "dw" * term.depthwise + "t" * term.transposed + "conv" + _sides(term.kernel),
        _stride(term),
        _setting("d", *term.dilation),
        _setting("g", term.groups if term.groups != 1 else 0),
        _setting("m", term.multiplier if term.multiplier != 1 else 0),
    )


def _convolution_sentence(term: Term) -> str:
    words = [
        "dilated" * bool(term.dilation),
        "depthwise" * term.depthwise,
        "grouped" * (term.groups != 1),
        "transposed" * term.transposed,
        "convolution",
    ]
    return _listed(
        _spaced(" ".join(filter(None, words)), term.kernel),
        *_worded("stride", term.stride),
        *_worded("dilation", term.dilation),
        *_counted(term.groups if term.groups != 1 else 0, "group"),
        *_worded("channel multiplier", (term.multiplier,) if term.multiplier != 1 else ()),
    )


def _joined(*parts: str) -> str:
    return "-".join(filter(None, parts))


def _listed(*parts: str) -> str:
    return ", ".join(parts)


def _sides(kernel: Whole) -> str:
    return "x".join(map(str, kernel))


def _spaced(word: str, kernel: Whole) -> str:
    return f"{word} {_sides(kernel)}" if kernel else word


def _stride(term: Term) -> str:
    return _setting("s", *term.stride)


def _setting(letter: str, *values: int) -> str:
    return letter + _sides(values) if any(values) else ""


def _worded(word: str, values: Whole) -> list[str]:
    return [f"{word} {_sides(values)}"] if values else []


def _counted(number: int, noun: str) -> list[str]:
    return [f"{number} {noun}{'s' * (number != 1)}"] if number else []


def _quoted(kind: str, name: str) -> str:
    """Escape a name of unknown origin, so that it cannot collide with another operator."""
    return f"{kind}:" + _UNSAFE.sub(lambda found: f"%{ord(found[0]):x}.", name)


def described(operators: Iterable[Operator]) -> dict[str, str]:
    """Return the descriptions of operators by name, without those of input and output."""
    named = {operator.name: operator.sentence for operator in operators}
    return {name: named[name] for name in sorted(named) if name not in (INPUT, OUTPUT)}


def common_operators() -> dict[str, str]:
    """Return the descriptions of common operators by name; predictors include their vectors."""
    return described(itertools.chain(_convolutions(), _others()))


def _convolutions() -> Iterator[Operator]:
    for kernel, stride, depthwise in itertools.product(_KERNELS, _STRIDES, (False, True)):
        if kernel == 1 and depthwise:
            continue
        main = Term("convolution", kernel=(kernel,) * 2, stride=stride, depthwise=depthwise)
        for after in _followers():
            yield Operator(main, after=after)
    for side, after in itertools.product(_PATCHES, ((), (_normalisation("layer"),))):
        yield Operator(Term("convolution", kernel=(side,) * 2, stride=(side,)), after=after)


def _followers() -> Iterator[tuple[Term, ...]]:
    """Yield the terms after a convolution: a normalisation, an activation, or both."""
    batch = _normalisation("batch")
    yield ()
    yield (batch,)
    yield (_normalisation("layer"),)
    for activation in map(_activation, _COMMON_ACTIVATIONS):
        yield (activation,)
        yield (batch, activation)


def _others() -> Iterator[Operator]:
    before = ((), (_normalisation("layer"),))
    for first, after in itertools.product(before, ((), (_activation("GELU"),))):
        yield Operator(Term("linear"), before=first, after=after)
    for heads, first in itertools.product(_HEADS, before):
        yield Operator(Term("attention", heads=heads), before=first)
    for name, kernel, stride in itertools.product(("max", "average"), (2, 3), _STRIDES):
        yield Operator(Term("pooling", name, kernel=(kernel,) * 2, stride=stride))
    yield Operator(Term("pooling", "average", is_global=True))
    yield from (Operator(Term("excitation", reduction=ratio)) for ratio in _REDUCTIONS)
    yield from map(Operator, map(_normalisation, ("batch", "layer")))
    yield from map(Operator, map(_activation, _COMMON_ACTIVATIONS))
    for kind in ("identity", "concatenation", "multiply", "product", "softmax", "resize"):
        yield Operator(Term(kind))


def _normalisation(name: str) -> Term:
    return Term("normalisation", f"{name} normalisation")


def _activation(name: str) -> Term:
    return Term("activation", name)

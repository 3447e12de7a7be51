"""The most common operators of networks, whose vectors predictors include."""

import itertools
from collections.abc import Iterator

from snap_graphs.networks.layer import Term
from snap_graphs.networks.naming import Operator, described

_KERNELS, _STRIDES = (1, 3, 5, 7), ((), (2,))
_HEADS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
_REDUCTIONS = (2, 3, 4, 8, 12, 16, 24)
_PATCHES = (2, 4, 8, 16)
_ACTIVATIONS = ("ReLU", "ReLU6", "SiLU", "hard-swish", "GELU")


def common_operators() -> dict[str, str]:
    """Return the descriptions of common operators by name."""
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
    for activation in map(_activation, _ACTIVATIONS):
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
    yield from map(Operator, map(_activation, _ACTIVATIONS))
    for kind in ("identity", "concatenation", "multiply", "product", "softmax", "resize"):
        yield Operator(Term(kind))


def _normalisation(name: str) -> Term:
    return Term("normalisation", f"{name} normalisation")


def _activation(name: str) -> Term:
    return Term("activation", name)

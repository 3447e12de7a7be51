"""Architectures unlike any that the predictor was calibrated on: no promise is made of them."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from snap_gcn.predictor import Predictor
from snap_gcn.reliability.trust import Trust, assess
from snap_graphs import Cell, graph_table

KNOWN = {"conv": "Convolution 3x3", "pointwise": "Convolution 1x1", "pool": "Max pooling 3x3"}
NETWORK = {**KNOWN, "add": "Sum of two tensors", "fc": "Fully connected layer"}
NONSENSE = {"a": "asdf qwer", "b": "zxcv uiop", "c": "hjkl hjkl"}


def chain(operators: Sequence[str]) -> Cell:
    nodes = ("input", *operators, "output")
    return Cell(nodes, tuple((i, i + 1) for i in range(len(nodes) - 1)))


def dense(operators: Sequence[str]) -> Cell:
    nodes = ("input", *operators, "output")
    return Cell(nodes, tuple((i, j) for j in range(len(nodes)) for i in range(j)))


def wide(operators: Sequence[str]) -> Cell:
    """Lay out branches of two operators, joined by the output."""
    nodes, edges = ["input", *operators, "output"], []
    for i in range(1, len(operators), 2):
        edges += [(0, i), (i, i + 1), (i + 1, len(nodes) - 1)]
    if len(operators) % 2:
        edges += [(0, len(operators)), (len(operators), len(nodes) - 1)]
    return Cell(tuple(nodes), tuple(sorted(edges)))


def residual(operators: Sequence[str]) -> Cell:
    """Lay out a network of residual blocks: an operator, and the sum with its input."""
    nodes = [
        "input",
        *(node for operator in operators for node in (operator, "add")),
        "fc",
        "output",
    ]
    edges = [(i, i + 1) for i in range(len(nodes) - 1)]
    edges += [(i, i + 2) for i in range(0, 2 * len(operators), 2)]
    return Cell(tuple(nodes), tuple(sorted(edges)))


@cache
def reading(texts: str) -> Predictor:
    """Return a predictor that reads operators described in JSON."""
    return Predictor.bundled().with_described(pa.schema([], metadata={"snap.operators": texts}))


def judged(shape: Callable[[Sequence[str]], Cell], sizes: range, texts: Mapping[str, str]) -> Trust:
    """Judge 120 architectures of operators drawn from all but `add` and `fc`."""
    random = np.random.default_rng(0)
    drawn = [name for name in texts if name not in ("add", "fc")]
    cells = [shape(random.choice(drawn, random.choice(sizes)).tolist()) for _ in range(120)]
    table = graph_table("elsewhere", cells, arch_ids=[str(i) for i in range(len(cells))])
    reader = reading(json.dumps(texts))
    return assess(reader, table, reader.predict(table))


@pytest.mark.parametrize(
    ("shape", "sizes", "texts"),
    [
        pytest.param(chain, range(1, 18), KNOWN, id="chains"),
        pytest.param(chain, range(2, 127), KNOWN, id="deep chains"),
        pytest.param(dense, range(3, 41), KNOWN, id="dense graphs"),
        pytest.param(wide, range(8, 25), KNOWN, id="wide cells"),
        pytest.param(residual, range(2, 9), NETWORK, id="small networks"),
        pytest.param(residual, range(2, 63), NETWORK, id="networks of up to 128 nodes"),
        pytest.param(chain, range(1, 8), NONSENSE, id="chains of nonsense"),
        pytest.param(dense, range(1, 4), NONSENSE, id="small graphs of nonsense"),
    ],
)
def test_what_is_far_from_all_that_was_tried_is_not_relied_on(
    shape: Callable[[Sequence[str]], Cell], sizes: range, texts: Mapping[str, str]
) -> None:
    told = judged(shape, sizes, texts)
    assert told.verdict.startswith("do not rely on this ranking: ")
    assert told.expected is None or told.expected.low < 0.3


def test_small_cells_of_operators_in_the_catalog_s_words_are_relied_on() -> None:
    told = judged(wide, range(1, 6), KNOWN)
    assert told.verdict.startswith("rely on this ranking with care: this space was never measured")

"""The linear model of the paths through a cell."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_gcn.data.views import viewed
from snap_gcn.data.vocabulary import Vocabulary
from snap_gcn.model.path_model import KINDS, REACH, VIEWS, PathModel, kinds, statistics
from snap_graphs import Graphs

SPATIAL, POINTWISE, POOLING, IDENTITY = range(4)
ENDS = 4
SHARES = np.vstack([np.eye(4), np.full(4, 0.25)])


def _statistics(op: list[int], edges: list[tuple[int, int]]) -> list[float]:
    adjacency = np.zeros((1, len(op), len(op)), np.bool_)
    for src, dst in edges:
        adjacency[0, src, dst] = True
    graphs = Graphs.from_dense((), np.array([op]), adjacency)
    (found,) = statistics(graphs, graphs.op, SHARES)
    values: list[float] = found.tolist()
    return values


def test_statistics_of_a_residual_cell_are_those_counted_by_hand() -> None:
    op = [ENDS, SPATIAL, POINTWISE, IDENTITY, ENDS]
    found = _statistics(op, [(0, 1), (1, 2), (2, 4), (0, 3), (3, 4)])
    assert found == pytest.approx([1, np.log(1.5), 0, np.log(2)])


def test_statistics_of_a_cell_without_operators_are_nothing() -> None:
    assert _statistics([ENDS, ENDS], [(0, 1)]) == [0, 0, 0, 0]
    assert _statistics([ENDS, ENDS], []) == [0, 0, 0, 0]


@given(st.data())
def test_the_number_of_paths_and_the_shortest_are_those_of_all_paths_listed(
    data: st.DataObject,
) -> None:
    size = data.draw(st.integers(3, 7))
    inner = st.integers(SPATIAL, IDENTITY)
    op = [ENDS, *data.draw(st.lists(inner, min_size=size - 2, max_size=size - 2)), ENDS]
    spare = set(data.draw(st.sets(st.sampled_from(list(itertools.combinations(range(size), 2))))))
    edges = sorted(spare | {(i, i + 1) for i in range(size - 1)})
    paths = [[op[node] for node in path[1:-1]] for path in _paths(edges, size - 1)]
    convolutions = [sum(o in (SPATIAL, POINTWISE) for o in path) for path in paths]
    pointwise, _, fewest, number = _statistics(op, edges)
    assert pointwise == op.count(POINTWISE)
    assert fewest == min(convolutions)
    assert np.exp(number) == pytest.approx(len(paths))


def _paths(edges: list[tuple[int, int]], last: int) -> list[list[int]]:
    """List the paths from node 0 to the last one."""
    found, going = [], [[0]]
    while going:
        path = going.pop()
        if path[-1] == last:
            found.append(path)
        going += [[*path, dst] for src, dst in edges if src == path[-1]]
    return found


@pytest.mark.parametrize(
    ("space", "op", "kind"),
    [
        ("nb201", "nor_conv_3x3", SPATIAL),
        ("nb201", "nor_conv_1x1", POINTWISE),
        ("nb201", "avg_pool_3x3", POOLING),
        ("nb201", "skip_connect", IDENTITY),
        ("darts", "sep_conv_5x5", SPATIAL),
        ("darts", "dil_conv_5x5", SPATIAL),
        ("darts", "max_pool_3x3", POOLING),
        ("nds", "max_pool_7x7", POOLING),
    ],
)
def test_an_operator_is_of_the_kind_that_its_description_is_nearest_to(
    vocabulary: Vocabulary, space: str, op: str, kind: int
) -> None:
    examples = vocabulary.vectors[[vocabulary.rows[key] for key in KINDS.values()]]
    shares = kinds(vocabulary.vectors[[vocabulary.rows[space, op]]], examples)[0]
    assert shares.sum() == pytest.approx(1)
    assert shares.argmax() == kind
    assert shares[kind] > 0.8


def test_a_fitted_model_gives_back_what_is_linear_in_the_statistics(
    vocabulary: Vocabulary, cells: pa.Table
) -> None:
    seen = viewed(cells, VIEWS)
    graphs = Graphs.from_table(seen)
    op = vocabulary.find(seen["space"], graphs, "cells")
    examples = vocabulary.vectors[[vocabulary.rows[key] for key in KINDS.values()]]
    weights = np.array([0.3, 1.5, -0.5, -0.2])
    found = statistics(graphs, op, kinds(vocabulary.vectors, examples))
    targets = found @ weights + 2
    model = PathModel.fit(graphs, op, vocabulary, targets)
    assert model.weights == pytest.approx(weights)
    again = PathModel.from_tensors(model.tensors(), vocabulary.vectors.shape[1], "model")
    assert again.score(graphs, found) == pytest.approx(targets)


def test_a_model_says_less_of_graphs_of_other_shapes(
    vocabulary: Vocabulary, cells: pa.Table
) -> None:
    graphs = Graphs.from_table(viewed(cells, VIEWS))
    op = vocabulary.find(cells["space"], graphs, "cells")
    model = PathModel.fit(graphs, op, vocabulary, np.arange(len(graphs), dtype=np.float64))
    narrow = model._replace(shapes={"nodes": [3, 3]})
    faded = np.exp(-REACH * np.log((graphs.sizes + 1) / 4))
    found = statistics(graphs, op, kinds(vocabulary.vectors, model.examples))
    scores = model.score(graphs, found)
    assert narrow.score(graphs, found) == pytest.approx(scores * faded)


def test_a_table_without_an_example_of_a_kind_is_refused(vocabulary: Vocabulary) -> None:
    names = vocabulary.table["op"].to_pylist()
    few = vocabulary.table.filter(pa.array([name != "maxpool3x3" for name in names]))
    graphs = Graphs.from_dense((), np.zeros((0, 2), np.int64), np.zeros((0, 2, 2), np.bool_))
    with pytest.raises(SnapError, match="no vector for maxpool3x3 of space nb101"):
        PathModel.fit(graphs, graphs.op, Vocabulary.from_table(few), np.empty(0))

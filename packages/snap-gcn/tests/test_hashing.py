import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_gcn.data.hashing import combined, network_keys
from snap_graphs import Cell, Graphs, graph_table


def keys_of(*cells: Cell, rounds: int = 3) -> list[int]:
    graphs = Graphs.from_table(
        graph_table("mine", cells, arch_ids=list(map(str, range(len(cells)))))
    )
    words = np.array([hash(word) % 1000 for word in graphs.vocabulary])
    found: list[int] = network_keys(graphs, words[graphs.op], rounds).tolist()
    return found


def test_isomorphic_graphs_share_a_key() -> None:
    one = Cell(("input", "a", "b", "output"), ((0, 1), (0, 2), (1, 3), (2, 3)))
    other = Cell(("input", "b", "a", "output"), ((0, 1), (0, 2), (1, 3), (2, 3)))
    assert len(set(keys_of(one, other))) == 1


@pytest.mark.parametrize(
    "other",
    [
        Cell(("input", "b", "output"), ((0, 1), (1, 2))),
        Cell(("input", "a", "output"), ((0, 1), (0, 2), (1, 2))),
        Cell(("input", "a", "a", "output"), ((0, 1), (1, 2), (2, 3))),
    ],
)
def test_graphs_that_a_network_distinguishes_have_different_keys(other: Cell) -> None:
    one = Cell(("input", "a", "output"), ((0, 1), (1, 2)))
    assert len(set(keys_of(one, other))) == 2


def test_the_direction_of_edges_counts() -> None:
    one = Cell(("input", "a", "b", "output"), ((0, 1), (1, 2), (2, 3)))
    other = Cell(("input", "b", "a", "output"), ((0, 1), (1, 2), (2, 3)))
    assert len(set(keys_of(one, other))) == 2


@given(st.lists(st.integers(0, 3), min_size=2, max_size=6))
def test_combined_keys_are_equal_where_all_parts_are(values: list[int]) -> None:
    parts = [np.array(values, np.uint64), np.array(values, np.uint64) * np.uint64(7)]
    whole = combined(parts)
    for a in range(len(values)):
        for b in range(len(values)):
            assert (whole[a] == whole[b]) == (values[a] == values[b])


def test_no_graphs_have_no_keys() -> None:
    empty = Graphs.from_dense((), np.empty((0, 2), np.int64), np.empty((0, 2, 2), np.bool_))
    assert network_keys(empty, empty.op, 3).tolist() == []

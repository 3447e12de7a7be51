import numpy as np
import pytest
from snap_gcn.reliability.shape import extent, oversize, shape_distance, shapes
from snap_graphs import Cell, Graphs, graph_table


def chain(length: int) -> Cell:
    nodes = ("input", *["conv3x3-bn-relu"] * length, "output")
    return Cell(nodes, tuple((i, i + 1) for i in range(length + 1)))


def graphs_of(*cells: Cell) -> Graphs:
    arch_ids = [str(i) for i in range(len(cells))]
    return Graphs.from_table(graph_table("nb101", cells, arch_ids=arch_ids))


def test_a_shape_is_nodes_edges_and_the_most_edges_into_a_node() -> None:
    nodes = ("input", "maxpool3x3", "output")
    found = shapes(graphs_of(chain(3), Cell(nodes, ((0, 1), (0, 2), (1, 2)))))
    assert {name: values.tolist() for name, values in found.items()} == {
        "nodes": [5, 3],
        "edges": [4, 3],
        "inputs": [1, 2],
    }


def test_shapes_within_what_is_known_have_no_distance() -> None:
    known = extent(graphs_of(chain(1), chain(4)))
    assert known == {"nodes": [3, 6], "edges": [2, 5], "inputs": [1, 1]}
    assert shape_distance(graphs_of(chain(1), chain(3), chain(4)), known).tolist() == [0, 0, 0]


def test_larger_and_smaller_shapes_than_any_known_have_a_distance() -> None:
    known = extent(graphs_of(chain(4)))
    smaller, larger = shape_distance(graphs_of(chain(2), chain(10)), known)
    assert smaller == pytest.approx(np.log(7 / 5 * 6 / 4) / 3)
    assert larger == pytest.approx(np.log(13 / 7 * 12 / 6) / 3)


def test_only_larger_shapes_are_oversize() -> None:
    known = extent(graphs_of(chain(4)))
    smaller, equal, larger = oversize(graphs_of(chain(2), chain(4), chain(10)), known)
    assert (smaller, equal) == (0, 0)
    assert larger == pytest.approx(np.log(13 / 7 * 12 / 6) / 3)


def test_without_a_range_nothing_is_oversize() -> None:
    assert oversize(graphs_of(chain(50)), {}).tolist() == [0]

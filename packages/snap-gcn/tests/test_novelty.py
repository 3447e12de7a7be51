import numpy as np
import pyarrow as pa
import pytest
from snap_gcn.model.recipe import Recipe
from snap_gcn.reliability.training_space import Familiar, ranges
from snap_graphs import Cell, Graphs, graph_table


def chain(length: int) -> Cell:
    nodes = ("input", *["conv3x3-bn-relu"] * length, "output")
    return Cell(nodes, tuple((i, i + 1) for i in range(length + 1)))


def graphs_of(*cells: Cell) -> Graphs:
    return Graphs.from_table(table_of(*cells))


def table_of(*cells: Cell) -> pa.Table:
    return graph_table("nb101", cells, arch_ids=[str(i) for i in range(len(cells))])


def test_ranges_are_those_of_the_cells_as_the_members_see_them() -> None:
    cells = table_of(chain(1), chain(4))
    plain = ranges(cells, [Recipe()])
    assert plain == {"nodes": [3, 6], "edges": [2, 5], "inputs": [1, 1]}
    longer = ranges(cells, [Recipe(), Recipe(identities=1.0)])
    assert longer == {"nodes": [3, 11], "edges": [2, 10], "inputs": [1, 1]}


def test_novelty_is_nought_for_what_was_trained_on_and_grows_with_operators_and_size() -> None:
    known = Familiar(np.array([0.0, 0.4]), ranges(table_of(chain(1), chain(4)), [Recipe()]))
    graphs = graphs_of(chain(2), chain(4), chain(8), chain(30))
    near = known.novelty(graphs, np.zeros(len(graphs.op), np.int64))
    assert near[:2].tolist() == [0, 0]
    assert 0 < near[2] < near[3]
    far = known.novelty(graphs, np.ones(len(graphs.op), np.int64))
    np.testing.assert_allclose(far - near, 0.4)


def test_without_ranges_only_operators_count() -> None:
    graphs = graphs_of(chain(50))
    known = Familiar(np.array([0.25]), {})
    assert known.novelty(graphs, np.zeros(52, np.int64)) == pytest.approx([0.25])


def test_no_graphs_have_no_novelty() -> None:
    assert len(Familiar(np.zeros(1), {"nodes": [1, 2]}).novelty(graphs_of(), np.zeros(0, int))) == 0

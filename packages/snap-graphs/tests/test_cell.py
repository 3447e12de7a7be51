import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_graphs.cell import Cell, edge_labelled


def test_an_edge_labelled_cell_gets_one_node_a_labelled_edge() -> None:
    """The paper's rule, section 3.1: sources feed the edges that leave their target."""
    cell = edge_labelled({(0, 1): "a", (1, 2): "b", (0, 2): "c"})
    assert cell.nodes == ("input", "a", "c", "b", "output")
    assert cell.edges == ((0, 1), (0, 2), (1, 3), (2, 4), (3, 4))


@pytest.mark.parametrize("edges", [((1, 0),), ((1, 1),), ((0, 3),), ((-1, 1),)])
def test_an_edge_against_the_topological_order_is_refused(
    edges: tuple[tuple[int, int], ...],
) -> None:
    with pytest.raises(SnapError, match="topological order"):
        Cell(("input", "a", "output"), edges)


@pytest.mark.parametrize("nodes", [(), ("input",), ("output", "input"), ("input", "a")])
def test_a_cell_without_both_ends_is_refused(nodes: tuple[str, ...]) -> None:
    with pytest.raises(SnapError, match="from input to output"):
        Cell(nodes, ())


@given(st.integers(2, 6), st.data())
def test_every_path_of_labels_survives_the_change_to_nodes(size: int, data: st.DataObject) -> None:
    pairs = [(s, d) for d in range(size) for s in range(d)]
    labels = {pair: f"{pair[0]}>{pair[1]}" for pair in pairs if pair[1] - pair[0] == 1}
    labels |= {pair: f"{pair[0]}>{pair[1]}" for pair in pairs if data.draw(st.booleans())}
    cell = edge_labelled(labels)
    assert _node_paths(cell) == _edge_paths(labels, size - 1)


def _node_paths(cell: Cell, node: int = 0) -> set[tuple[str, ...]]:
    if node == len(cell.nodes) - 1:
        return {()}
    tails = {d: _node_paths(cell, d) for s, d in cell.edges if s == node}
    return {
        (cell.nodes[d], *path) if cell.nodes[d] != "output" else path
        for d, paths in tails.items()
        for path in paths
    }


def _edge_paths(
    labels: dict[tuple[int, int], str], last: int, vertex: int = 0
) -> set[tuple[str, ...]]:
    if vertex == last:
        return {()}
    return {
        (label, *path)
        for (s, d), label in labels.items()
        if s == vertex
        for path in _edge_paths(labels, last, d)
    }

from pathlib import Path

import networkx as nx
import pytest
from networkx.algorithms.isomorphism import categorical_node_match
from snap_graphs import Cell, space
from snap_graphs.convert import convert
from snap_graphs.spaces.nb101_cells import distinct_cells


def graph(cell: Cell) -> nx.DiGraph:
    found = nx.DiGraph(cell.edges)
    found.add_nodes_from((i, {"op": op}) for i, op in enumerate(cell.nodes))
    return found


def test_no_two_listed_cells_are_isomorphic_and_all_vertices_are_used() -> None:
    cells = list(distinct_cells(("a", "b"), 5, 9))
    match = categorical_node_match("op", None)
    graphs = [graph(cell) for cell in cells]
    for i, one in enumerate(graphs):
        last = len(one) - 1
        assert {0} | nx.descendants(one, 0) == {last} | nx.ancestors(one, last) == set(one)
        for other in graphs[:i]:
            alike = len(one) == len(other) and one.size() == other.size()
            assert not alike or not nx.is_isomorphic(one, other, node_match=match)


def test_the_number_of_small_cells_is_what_counting_by_hand_gives() -> None:
    """With one operator: the edge alone; one vertex, with or without the edge beside it; ..."""
    by_size: dict[int, int] = {}
    for cell in distinct_cells(("a",), 4, 9):
        by_size[len(cell.nodes)] = by_size.get(len(cell.nodes), 0) + 1
    # Two vertices in a row or side by side, each with the shortcuts that leave both on a path.
    assert by_size == {2: 1, 3: 2, 4: 10}


def test_edges_are_limited() -> None:
    assert max(len(cell.edges) for cell in distinct_cells(("a",), 5, 6)) == 6


@pytest.mark.slow
def test_the_listing_is_the_published_benchmark(shared_data: Path) -> None:
    home = space("nb101")
    listed = {home.format(cell) for cell in home.enumerate()}
    published = convert("nb101", shared_data / "nb101.csv.gz")["arch_id"].to_pylist()
    assert len(listed) == home.count() == 423_624
    assert listed == set(published)

import itertools
from collections import defaultdict
from random import Random

import networkx as nx
import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from networkx.algorithms.isomorphism import categorical_node_match
from snap_graphs import Cell, Graphs
from snap_graphs.structure import MOST_PATHS, Structure, structure

OPERATORS = ("conv", "pool", "skip_connect", "none")


@st.composite
def cells(draw: st.DrawFn, most: int = 7) -> Cell:
    interior = draw(st.lists(st.sampled_from(OPERATORS), max_size=most - 2))
    pairs = list(itertools.combinations(range(len(interior) + 2), 2))
    edges = draw(st.lists(st.sampled_from(pairs), unique=True))
    return Cell(("input", *interior, "output"), tuple(sorted(edges)))


def of(*cells: Cell) -> Structure:
    columns = {
        "nodes": pa.array([c.nodes for c in cells], pa.list_(pa.string())),
        "src": pa.array([[s for s, _ in c.edges] for c in cells], pa.list_(pa.int16())),
        "dst": pa.array([[d for _, d in c.edges] for c in cells], pa.list_(pa.int16())),
    }
    return structure(Graphs.from_table(pa.table(columns)))


def live_graph(cell: Cell) -> nx.DiGraph:
    """The cell without dead operators, by networkx."""
    last = len(cell.nodes) - 1
    graph = nx.DiGraph(e for e in cell.edges if "none" not in (cell.nodes[e[0]], cell.nodes[e[1]]))
    graph.add_nodes_from((i, {"op": cell.nodes[i]}) for i in range(last + 1))
    live = ({0} | nx.descendants(graph, 0)) & ({last} | nx.ancestors(graph, last))
    return graph.subgraph(live | {0, last}).copy()


@given(cells())
def test_dead_operators_depth_and_paths_agree_with_networkx(cell: Cell) -> None:
    facts, graph, last = of(cell), live_graph(cell), len(cell.nodes) - 1
    paths = list(nx.all_simple_paths(graph, 0, last))
    assert facts.n_dead[0] == len(cell.nodes) - len(graph)
    assert facts.n_paths[0] == len(paths)
    assert facts.depth[0] == max((len(path) - 2 for path in paths), default=0)


@given(cells(), st.randoms())
def test_cell_hash_ignores_the_order_of_nodes_and_dead_operators(
    cell: Cell, random: Random
) -> None:
    graph = live_graph(cell)
    order = _some_topological_order(graph, len(cell.nodes) - 1, random)
    place = {node: i for i, node in enumerate(order)}
    renamed = Cell(
        tuple(cell.nodes[node] for node in order),
        tuple(sorted((place[s], place[d]) for s, d in graph.edges)),
    )
    assert of(cell).cell_hash == of(renamed).cell_hash


def _some_topological_order(graph: nx.DiGraph, last: int, random: Random) -> list[int]:
    weights = {node: random.random() for node in graph}
    key = {**weights, 0: -1.0, last: 2.0}
    return list(nx.lexicographical_topological_sort(graph, key=key.__getitem__))


@settings(max_examples=30, deadline=None)
@given(st.lists(cells(5), min_size=30, max_size=30))
def test_equal_cell_hashes_mean_isomorphic_cells(many: list[Cell]) -> None:
    groups = defaultdict(list)
    for cell, digest in zip(many, of(*many).cell_hash, strict=True):
        groups[digest].append(live_graph(cell))
    same_operator = categorical_node_match("op", None)
    representatives = [group[0] for group in groups.values()]
    for first, *others in groups.values():
        assert all(nx.is_isomorphic(first, other, same_operator) for other in others)
    for a, b in itertools.combinations(representatives, 2):
        assert not nx.is_isomorphic(a, b, same_operator)


def test_cell_hash_tells_apart_graphs_that_colour_refinement_cannot() -> None:
    """Eight operators in a ring of eight links, against two rings of four."""
    nodes = ("input", *["conv"] * 8, "output")
    ends = [(0, i) for i in range(1, 5)] + [(i, 9) for i in range(5, 9)]
    ring = [(1 + i, 5 + (i + step) % 4) for i in range(4) for step in (0, 1)]
    rings = [(1 + i, 5 + 2 * (i // 2) + step) for i in range(4) for step in (0, 1)]
    one, two = (Cell(nodes, tuple(sorted(ends + links))) for links in (ring, rings))
    hashes = of(one, two).cell_hash
    assert hashes[0] != hashes[1]


def test_cell_hash_is_stable_between_releases() -> None:
    cell = Cell(("input", "conv", "pool", "output"), ((0, 1), (0, 2), (1, 3), (2, 3)))
    assert of(cell).cell_hash == ["41464230f9891801c4fce7b1f742cb54"]


def test_an_unconnected_cell_has_no_path_and_only_dead_operators() -> None:
    facts = of(Cell(("input", "none", "output"), ((0, 1), (1, 2))))
    assert (facts.n_dead[0], facts.depth[0], facts.n_paths[0]) == (1, 0, 0)


def test_batches_give_what_single_cells_give() -> None:
    rng = np.random.default_rng(0)
    many = [_random_cell(rng) for _ in range(200)]
    together = of(*many)
    for i, cell in enumerate(many):
        alone = of(cell)
        assert together.cell_hash[i] == alone.cell_hash[0]
        assert together.n_paths[i] == alone.n_paths[0]


def _random_cell(rng: np.random.Generator) -> Cell:
    size = int(rng.integers(2, 8))
    pairs = itertools.combinations(range(size), 2)
    edges = tuple(pair for pair in pairs if rng.random() < 0.5)
    return Cell(("input", *rng.choice(OPERATORS, size - 2).tolist(), "output"), edges)


def test_the_number_of_paths_saturates() -> None:
    """Thirty-two pairs of operators in a row have 2^32 paths, more than the column can hold."""
    edges = [(0, 1), (0, 2)]
    for pair in range(32):
        first = 2 * pair + 1
        last = (first + 2, first + 3) if pair < 31 else (first + 2,)
        edges += [(node, after) for node in (first, first + 1) for after in last]
    cell = Cell(("input", *["conv"] * 64, "output"), tuple(sorted(edges)))
    assert of(cell).n_paths[0] == MOST_PATHS == 2**31 - 1

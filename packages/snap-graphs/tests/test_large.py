"""Graphs of thousands of nodes, as whole networks are."""

import itertools
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_catalog.parquet import read, write
from snap_catalog.rules import MOST_NODES
from snap_graphs import Cell, Graphs, graph_table, space, views
from snap_graphs.structure import MOST_PATHS, structure

NAMES = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
NODES, EDGES = 5_000, 10_000
MEGABYTES = 2**20


def residual_chain(size: int) -> Cell:
    """Operators in a row, with an edge past two of them at every third."""
    edges = {*itertools.pairwise(range(size)), *((i, i + 3) for i in range(0, size - 3, 3))}
    names = itertools.islice(itertools.cycle(NAMES), size - 2)
    return Cell(("input", *names, "output"), tuple(sorted(edges)))


def random_graph(seed: int) -> Cell:
    """As many nodes and edges as the largest networks have; some operators are on no path."""
    rng = Random(seed)
    edges = {(max(0, i - rng.randint(1, 40)), i) for i in range(1, NODES)}
    while len(edges) < EDGES:
        src = rng.randrange(NODES - 1)
        edges.add((src, rng.randint(src + 1, NODES - 1)))
    names = rng.choices((*NAMES, "skip_connect"), (9, 9, 9, 1), k=NODES - 2)
    return Cell(("input", *names, "output"), tuple(sorted(edges)))


@pytest.fixture(scope="module")
def table() -> pa.Table:
    cells = [residual_chain(NODES), random_graph(0)]
    return graph_table("unknown", cells, arch_ids=["chain", "random"])


def longest_and_number(cell: Cell) -> tuple[int, int]:
    """Operators on the longest path to the output, and the number of paths, edge by edge."""
    length, number = [-1] * len(cell.nodes), [0] * len(cell.nodes)
    length[0], number[0] = 0, 1
    for src, dst in sorted(cell.edges, key=lambda edge: edge[1]):
        if number[src]:
            length[dst] = max(length[dst], length[src] + 1)
            number[dst] += number[src]
    return length[-1] - 1, number[-1]


@pytest.mark.parametrize("row", [0, 1])
def test_depth_and_paths_are_those_of_the_edges_followed_one_by_one(
    table: pa.Table, row: int
) -> None:
    (cell,) = Graphs.from_table(table.slice(row, 1)).cells()
    depth, number = longest_and_number(cell)
    assert table["depth"][row].as_py() == depth
    assert table["n_paths"][row].as_py() == min(number, MOST_PATHS)


def test_large_graphs_are_written_read_and_viewed(table: pa.Table, tmp_path: Path) -> None:
    path = tmp_path / "large.parquet"
    write(table, path, "graphs", producer="snap-graphs")
    assert read(path, "graphs").equals(table)
    pruned = views.prune(table)
    assert pruned["cell_hash"].equals(table["cell_hash"])
    assert pruned["n_dead"].to_pylist() == [0, 0]
    sizes = Graphs.from_table(table).sizes - table["n_dead"].to_numpy()
    assert Graphs.from_table(pruned).sizes.tolist() == sizes.tolist()
    assert views.show_implicit(table).equals(table)


@pytest.mark.parametrize(
    "view",
    [
        views.prune,
        views.show_implicit,
        lambda graphs: views.contract_skips(as_of(graphs, "darts")),
        lambda graphs: views.insert_identities(graphs, np.random.default_rng(0), 0.5),
    ],
    ids=["prune", "show_implicit", "contract_skips", "insert_identities"],
)
def test_memory_grows_with_nodes_and_edges(
    table: pa.Table, view: Callable[[pa.Table], pa.Table]
) -> None:
    """A matrix of truth values alone would take 24 MB a graph."""
    tracemalloc.start()
    try:
        view(table.select(["space", "nodes", "src", "dst"]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * MEGABYTES


def as_of(graphs: pa.Table, name: str) -> pa.Table:
    return graphs.set_column(0, "space", pa.array([name] * graphs.num_rows))


def test_hashes_of_large_graphs_differ_with_operators_and_edges() -> None:
    cell = residual_chain(200)
    further = Cell(cell.nodes, tuple(sorted([(0, 199), *cell.edges])))
    swapped = Cell((*cell.nodes[:5], *cell.nodes[6:4:-1], *cell.nodes[7:]), cell.edges)
    table = graph_table("x", [cell, further, swapped], arch_ids=list("abc"))
    assert len(set(table["cell_hash"].to_pylist())) == 3


def test_hashes_of_large_graphs_ignore_the_order_of_nodes() -> None:
    """Two branches of different operators, listed one after the other or in turn."""
    half = 100
    names = [
        "input",
        *[f"a{i % 7}" for i in range(half)],
        *[f"b{i % 5}" for i in range(half)],
        "output",
    ]
    last = 2 * half + 1
    links = [*itertools.pairwise([0, *range(1, half + 1), last])]
    links += itertools.pairwise([0, *range(half + 1, last), last])
    turn = [
        0,
        *(n for pair in zip(range(1, half + 1), range(half + 1, last), strict=True) for n in pair),
        last,
    ]
    place = {node: i for i, node in enumerate(turn)}
    one = Cell(tuple(names), tuple(sorted(links)))
    moved = tuple(sorted((place[src], place[dst]) for src, dst in links))
    other = Cell(tuple(names[node] for node in turn), moved)
    assert one != other
    first, second = graph_table("x", [one, other], arch_ids=["a", "b"])["cell_hash"].to_pylist()
    assert first == second


@settings(deadline=None, max_examples=20)
@given(st.data())
def test_contracting_edge_by_edge_is_contracting_by_matrices(data: st.DataObject) -> None:
    names = st.sampled_from(["conv", "skip_connect"])
    cells = []
    for _ in range(5):
        nodes = ("input", *data.draw(st.lists(names, max_size=7)), "output")
        pairs = list(itertools.combinations(range(len(nodes)), 2))
        edges = data.draw(st.lists(st.sampled_from(pairs), unique=True))
        cells.append(Cell(nodes, tuple(sorted(edges))))
    for home in ("nb201", "darts"):
        some = graph_table("x", cells, arch_ids=list("abcde"))
        by_matrix = views.contract_skips(as_of(some, home))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("snap_graphs.contraction._MOST_DENSE", 0)
            assert views.contract_skips(as_of(some, home)).equals(by_matrix)


@pytest.mark.parametrize("size", [9, 300])
def test_a_graph_whose_parallel_paths_no_file_can_hold_is_not_contracted(size: int) -> None:
    """Every pair of skips doubles the paths."""
    stages = 40
    nodes = ["input", *["skip_connect"] * (2 * stages), *["conv"] * size, "output"]
    edges = [(0, 1), (0, 2)]
    for first in range(1, 2 * stages - 1, 2):
        edges += [(node, after) for node in (first, first + 1) for after in (first + 2, first + 3)]
    edges += [(2 * stages - 1, len(nodes) - 1), (2 * stages, len(nodes) - 1)]
    cell = Cell(tuple(nodes), tuple(sorted(edges)))
    graphs = as_of(graph_table("x", [cell], arch_ids=["a"]), "nb201")
    with pytest.raises(SnapError, match=r"row 1: without skips .* 32,767 parallel edges"):
        views.contract_skips(graphs)


def test_skips_that_join_too_many_nodes_are_refused_before_memory_is_spent() -> None:
    half = 1_500
    nodes = ("input", *["conv"] * half, "skip_connect", *["conv"] * half, "output")
    skip, last = half + 1, 2 * half + 2
    edges = [(0, i) for i in range(1, skip)] + [(i, skip) for i in range(1, skip)]
    edges += [(skip, i) for i in range(skip + 1, last)] + [(i, last) for i in range(skip + 1, last)]
    graphs = as_of(graph_table("x", [Cell(nodes, tuple(edges))], arch_ids=["a"]), "nb201")
    with pytest.raises(SnapError, match=r"row 1: .* joins more than 1,048,576 pairs of nodes"):
        views.contract_skips(graphs)


def test_a_graph_with_more_nodes_than_a_file_can_number_is_refused_by_name() -> None:
    chain = residual_chain(MOST_NODES + 1)
    with pytest.raises(SnapError, match="'huge': 32,768 nodes are more than the 32,767"):
        graph_table("unknown", [space("nb201").sample(1, 0)[0], chain], arch_ids=["a", "huge"])


def test_an_input_far_from_the_output_is_counted_dead_with_all_that_follows_it() -> None:
    chain = residual_chain(300)
    broken = Cell(chain.nodes, tuple(edge for edge in chain.edges if edge[1] < 150))
    facts = structure(Graphs.from_table(graph_table("x", [broken], arch_ids=["a"])))
    assert (facts.n_dead[0], facts.depth[0], facts.n_paths[0]) == (298, 0, 0)

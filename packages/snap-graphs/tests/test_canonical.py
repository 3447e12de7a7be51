import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from snap_graphs import Cell, graph_table
from snap_graphs.canonical import canonical, prune

OPERATORS = ("conv", "pool", "skip_connect", "none")


@st.composite
def cells(draw: st.DrawFn, most: int = 6, inputs: int = 1) -> Cell:
    interior = draw(st.lists(st.sampled_from(OPERATORS), max_size=most - 2))
    nodes = ("input", *["input"] * (inputs - 1), *interior, "output")
    pairs = list(itertools.combinations(range(len(nodes)), 2))
    edges = draw(st.lists(st.sampled_from(pairs), unique=True))
    return Cell(nodes, tuple(sorted(edges)))


def hashes(*cells: Cell) -> list[str]:
    names = [str(i) for i in range(len(cells))]
    found: list[str] = graph_table("own", cells, arch_ids=names)["cell_hash"].to_pylist()
    return found


@st.composite
def shuffled(draw: st.DrawFn) -> tuple[Cell, Cell]:
    """A cell, and the same with its nodes in another topological order."""
    cell = draw(cells(7))
    order = draw(st.permutations(range(1, len(cell.nodes) - 1)))
    order = [0, *order, len(cell.nodes) - 1]
    place = {node: i for i, node in enumerate(order)}
    edges = [(place[s], place[d]) for s, d in cell.edges if place[s] < place[d]]
    kept = tuple((s, d) for s, d in cell.edges if place[s] < place[d])
    other = Cell(tuple(cell.nodes[node] for node in order), tuple(sorted(edges)))
    return Cell(cell.nodes, kept), other


@settings(deadline=None)
@given(shuffled())
def test_the_canonical_cell_does_not_depend_on_the_order_of_nodes(pair: tuple[Cell, Cell]) -> None:
    assert canonical(pair[0]) == canonical(pair[1])


@settings(deadline=None)
@given(cells(5), cells(5))
def test_two_cells_share_a_canonical_cell_exactly_if_they_share_a_hash(a: Cell, b: Cell) -> None:
    first, second = hashes(a, b)
    assert (canonical(a) == canonical(b)) == (first == second)


@settings(deadline=None)
@given(cells(6, inputs=2))
def test_the_canonical_cell_is_of_its_own_class_and_stands_for_itself(cell: Cell) -> None:
    once = canonical(cell)
    assert canonical(once) == once
    assert len(set(hashes(cell, once, prune(cell)))) == 1


def test_many_equal_branches_do_not_take_forever() -> None:
    """Forty like nodes side by side have 40! orders, all of them the same."""
    edges = [edge for i in range(1, 41) for edge in ((0, i), (i, 41))]
    cell = Cell(("input", *["conv"] * 40, "output"), tuple(sorted(edges)))
    assert canonical(cell) == cell


def test_pruning_drops_nones_and_what_they_cut_off() -> None:
    nodes = ("input", "conv", "none", "pool", "conv", "output")
    cell = Cell(nodes, ((0, 1), (0, 2), (1, 5), (2, 3), (3, 5), (0, 4)))
    assert prune(cell) == Cell(("input", "conv", "output"), ((0, 1), (1, 2)))

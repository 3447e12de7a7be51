"""Search spaces that a user defines in TOML."""

import itertools
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from snap_catalog import SnapError
from snap_catalog.parquet import decode_metadata, read, write
from snap_graphs import Cell, graph_table, space
from snap_graphs.space_tables import list_space, sample_space
from snap_graphs.spaces import ProductSpace, defined_space
from snap_graphs.spaces.darts import OPERATORS as DARTS_OPERATORS
from snap_graphs.spaces.genotypes import to_genotype
from snap_graphs.spaces.nb201 import OPERATORS as NB201_OPERATORS
from snap_graphs.table import table_space


def operators(names: tuple[str, ...]) -> str:
    return "\n".join(["[operators]", *(f'"{name}" = "Operator {name}"' for name in names)])


NB201 = 'name = "own-nb201"\nnodes = 4\nedges = "all"\n' + operators(NB201_OPERATORS)
DARTS = 'name = "own-darts"\nnodes = 7\ninputs = 2\nin_degree = 2\n' + operators(DARTS_OPERATORS)
LISTED = 'name = "listed"\nnodes = 4\ninputs = 2\nedges = [[1, 3], [0, 2], [2, 3]]\n' + operators(
    ("none", "up", "down")
)
WIDE = 'name = "wide"\nnodes = 6\ninputs = 3\nin_degree = 2\n' + operators(("up", "down"))
MACRO = (
    'name = "macro"\nnodes = 3\nedges = "all"\n'
    + operators(("none", "up"))
    + """
[[skeleton.stages]]
repeats = [1, 2]
width = 16
[[skeleton.stages]]
repeats = [1, 2, 3]
width = [16, 24]
stride = [2, 1]
"""
)
SPACES = {text.split('"')[1]: text for text in (NB201, DARTS, LISTED, WIDE, MACRO)}


def own(text: str) -> ProductSpace:
    home = defined_space(text, "own.toml")
    assert isinstance(home, ProductSpace)
    return home


@st.composite
def definitions(draw: st.DrawFn) -> str:
    """Definitions of all kinds."""
    inputs = draw(st.integers(1, 3))
    nodes = inputs + draw(st.integers(2, 4))
    names = tuple(draw(st.sets(st.sampled_from(["none", "a", "b.1", "c-2", "d_3"]), min_size=1)))
    wiring = draw(st.sampled_from(['edges = "all"', f"in_degree = {draw(st.integers(1, inputs))}"]))
    return f'name = "drawn"\nnodes = {nodes}\ninputs = {inputs}\n{wiring}\n{operators(names)}'


def choices(highest: int) -> st.SearchStrategy[int | list[int]]:
    one = st.integers(1, highest)
    return one | st.lists(one, min_size=1, max_size=3, unique=True)


@st.composite
def skeletons(draw: st.DrawFn) -> str:
    """Skeletons with and without open choices."""
    stages = draw(st.lists(st.tuples(choices(3), choices(48), choices(4)), min_size=1, max_size=3))
    return "\n[skeleton]\nimage = 32\n" + "\n".join(
        f"[[skeleton.stages]]\nrepeats = {repeats}\nwidth = {width}\nstride = {stride}"
        for repeats, width, stride in stages
    )


@settings(deadline=None)
@given(definitions(), skeletons(), st.data())
def test_every_point_of_a_space_with_a_skeleton_is_a_graph_that_its_string_and_point_give_back(
    text: str, skeleton: str, data: st.DataObject
) -> None:
    home = own(text + skeleton)
    point = data.draw(arrays(np.float64, home.n_variables, elements=st.floats(0, 1)))
    cell = home.decode(point)
    entered = {dst for _, dst in cell.edges}
    assert all(place in entered for place, name in enumerate(cell.nodes) if name != "input")
    assert home.parse(home.format(cell)) == cell
    assert home.decode(home.encode(cell)) == cell
    assert home.compose(home.choices(cell)) == cell
    other = home.mutate(cell, np.random.default_rng(0)) if max(home.options) > 1 else None
    if other is not None:
        differing = zip(home.choices(cell), home.choices(other), strict=True)
        assert sum(mine != theirs for mine, theirs in differing) == 1
        assert other != cell


@settings(deadline=None)
@given(definitions(), st.data())
def test_every_point_is_an_acyclic_cell_that_its_string_and_its_point_give_back(
    text: str, data: st.DataObject
) -> None:
    home = own(text)
    point = data.draw(arrays(np.float64, home.n_variables, elements=st.floats(0, 1)))
    cell = home.decode(point)
    graph = nx.DiGraph(cell.edges)
    assert nx.is_directed_acyclic_graph(graph)
    inner = {i for i, name in enumerate(cell.nodes) if name not in ("input", "output")}
    assert all(graph.in_degree(node) for node in inner)
    assert nx.ancestors(graph, len(cell.nodes) - 1) >= inner
    assert home.parse(home.format(cell)) == cell
    assert home.decode(home.encode(cell)) == cell
    assert home.compose(home.choices(cell)) == cell


@pytest.mark.parametrize("name", SPACES)
def test_neighbours_are_other_cells_each_once(name: str) -> None:
    home = own(SPACES[name])
    (cell,) = home.sample(1, seed=0)
    strings = [home.format(other) for other in home.neighbours(cell)]
    assert home.format(cell) not in strings
    assert len(set(strings)) == len(strings) == sum(home.options) - len(home.options)


@pytest.mark.parametrize(
    ("name", "count"), [("listed", 3**3), ("wide", 3 * 6 * 2**4), ("macro", 2**3 * 2 * 12)]
)
def test_a_small_space_lists_as_many_cells_as_it_counts(name: str, count: int) -> None:
    home = own(SPACES[name])
    assert home.enumerable
    assert home.count() == count == len({home.format(cell) for cell in home.enumerate()})
    assert count == len({(cell.nodes, cell.edges) for cell in home.enumerate()})


def test_networks_of_equal_cells_that_differ_in_a_stage_have_hashes_of_their_own() -> None:
    home = own(MACRO)
    cells = [
        cell for cell in home.enumerate() if home.format(cell).startswith("|up~0|+|up~0|up~1|")
    ]
    hashes = graph_table(home, cells)["cell_hash"].to_pylist()
    assert len(cells) == len(set(hashes)) == 24


def test_the_graph_of_a_skeleton_s_choice_shows_the_whole_network() -> None:
    cell = own(MACRO).parse("|up~0|+|none~0|up~1|@d1w16s1-d2w24s2")
    first, second = ("stage-c16-s1", "stage-c24-s2")
    block = ("up", "none", "up")
    expected = ("input", "stem", first, *block, second, *block, *block, "classifier", "output")
    assert cell.nodes == expected
    ends = [src for src, dst in cell.edges if dst == len(cell.nodes) - 2]
    assert ends == [11, 12]
    assert {(0, 1), (1, 2), (2, 3), (4, 6), (5, 6), (6, 7)} <= set(cell.edges)


def test_a_file_of_networks_describes_the_skeleton_s_nodes_too() -> None:
    described = own(MACRO).metadata["snap.operators"]
    assert '"stage-c24-s2": "Stage of 24 channels, stride 2"' in described
    assert '"stem": "Convolution 3x3, batch normalisation, ReLU"' in described


def test_a_large_space_says_that_it_is_too_large_to_list() -> None:
    assert own(DARTS).count() == 8**8 * 3 * 6 * 10
    with pytest.raises(SnapError, match="own-darts is too large to list"):
        next(own(DARTS).enumerate())


def test_nas_bench_201_defined_anew_has_its_points_strings_and_cells() -> None:
    home, known = own(NB201), space("nb201")
    assert home.count() == known.count()
    points = np.random.default_rng(0).random((200, known.n_variables))
    mine, theirs = ([s.decode(point) for point in points] for s in (home, known))
    assert mine == theirs
    assert [home.format(cell) for cell in mine] == [known.format(cell) for cell in mine]
    tables = [graph_table(home, mine), graph_table("nb201", theirs)]
    assert tables[0]["cell_hash"].equals(tables[1]["cell_hash"])


def test_the_normal_cell_of_darts_defined_anew_is_that_of_darts() -> None:
    home = own(DARTS)
    cells = space("darts").sample(100, seed=0)
    mine, theirs = [], []
    for cell in cells:
        pairs = to_genotype(cell).normal
        nodes = [sorted(pairs[i : i + 2], key=lambda pair: pair[1]) for i in range(0, 8, 2)]
        strings = ("".join(f"{op}~{source}|" for op, source in node) for node in nodes)
        mine.append(home.parse("+".join(f"|{string}" for string in strings)))
        theirs.append(normal_cell(cell))
    names = [str(i) for i in range(len(cells))]
    tables = [graph_table(home.name, some, arch_ids=names) for some in (mine, theirs)]
    assert tables[0]["cell_hash"].equals(tables[1]["cell_hash"])


def normal_cell(cell: Cell) -> Cell:
    """Cut the normal cell, its output included, out of the graph that joins both."""
    last = len(cell.nodes) - 1
    place = {**{node: node for node in range(10)}, last: 10}
    edges = tuple((place[s], place[d]) for s, d in cell.edges if s in place and d in place)
    return Cell((*cell.nodes[:10], "output"), edges)


def test_each_node_takes_in_as_many_different_nodes_as_the_in_degree() -> None:
    for cell in own(WIDE).sample(20, seed=0):
        groups = [group.strip("|").split("|") for group in own(WIDE).format(cell).split("+")]
        sources = [[int(pair.split("~")[1]) for pair in group] for group in groups]
        assert [len(set(group)) for group in sources] == [2, 2]
        assert all(max(group) < node for node, group in enumerate(sources, start=3))


def test_a_file_is_a_space_of_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "any.toml"
    path.write_text(LISTED)
    assert space(str(path)).name == "listed"
    table = list_space(str(path), lambda _: None)
    assert (table.num_rows, table["space"].unique().to_pylist()) == (27, ["listed"])
    assert sample_space(str(path), 5, seed=1).num_rows == 5


def test_a_file_of_graphs_tells_descriptions_and_definition(tmp_path: Path) -> None:
    home = own(LISTED)
    path = tmp_path / "some.parquet"
    write(graph_table(home, list(home.enumerate())), path, "graphs", producer="snap-graphs")
    table = read(path, "graphs")
    described = decode_metadata(table.schema)["snap.operators"]
    assert described == '{"none": "Operator none", "up": "Operator up", "down": "Operator down"}'
    again = table_space(table)
    assert [again.format(cell) for cell in again.enumerate()] == table["arch_id"].to_pylist()


def test_the_space_of_a_table_is_the_one_all_its_graphs_are_of() -> None:
    cell = space("nb201").decode(np.zeros(6))
    table = graph_table("nb201", [cell])
    assert table_space(table) is space("nb201")
    with pytest.raises(SnapError, match="belong to 0 search spaces; keep one"):
        table_space(table.slice(1))
    with pytest.raises(SnapError, match="unknown search space 'elsewhere'"):
        table_space(graph_table("elsewhere", [cell], arch_ids=["a"]))


@pytest.mark.parametrize(
    ("string", "fault"),
    [
        ("|up~0|", "node 3 takes in"),
        ("|up~0|+|up~1|up~2|+|up~1|", "wrong form"),
        ("|up~0|+|up~2|up~1|", "node 3 takes in"),
        ("|up~0|+|up~1|sideways~2|", "unknown operator 'sideways'"),
        ("|up~0|+|up~1|\nup~2|", "wrong form"),
        ("|up~0|+up~1|up~2|", "wrong form"),
        ("|up~0|+|up~1|up~2|@d1w16s1", "no @ is expected"),
        ("|up~00|+|up~1|up~2|", "wrong form"),
        ("", "node 2 takes in"),
    ],
)
def test_a_string_of_another_form_is_refused(string: str, fault: str) -> None:
    with pytest.raises(
        SnapError, match=rf"is not a cell of listed \({fault}.*expected \|none~0\|\+"
    ):
        own(LISTED).parse(string)


HUGE = "0x" + "f" * 5000
HEAD, TAIL = 'name = "own"\nnodes = 4\n', '\n[operators]\nup = "Upsampling"\n'
EDGES = "edges = 'all'\n"
MODULE = "[operators.up]\ndescription = 'Up'\n"
STAGE = "[skeleton]\n[[skeleton.stages]]\n"
ENDLESS = "\n[[skeleton.stages]]\nwidth = 8\nrepeats = 200"
MANY = "\n".join(f'o{i} = "Operator"' for i in range(257))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name = ", r"not TOML \(Invalid value .*\); correct it"),
        ("a = " + "[" * 5000, "not TOML"),
        ("a" + ".a" * 20_000 + " = 1", "nested more than 16 levels deep"),
        (f"name = 'own'\nnodes = {HUGE}", "nodes = <int too long to show> must be a whole number"),
        (HEAD + f"edges = [[0, {HUGE}]]" + TAIL, "has 0-><int too long to show>; an edge leads"),
        (HEAD + f"edges = 'all'\n[operators]\nup = {HUGE}", r"operators\.up = <int too long"),
        ("#" * 70_000, "larger than 64 KiB"),
        (HEAD + "steps = 3" + TAIL, "steps = 3 is unknown; the keys are name, nodes"),
        ("nodes = 4\nedges = 'all'" + TAIL, "name must be a name of letters"),
        ("name = 'a b'\nnodes = 4\nedges = 'all'" + TAIL, "name = 'a b' must be a name of"),
        ("name = 'darts'\nnodes = 4\nedges = 'all'" + TAIL, "'darts' is the name of a known space"),
        ("name = 'own'\nedges = 'all'" + TAIL, "nodes must be a whole number from 2 to 128"),
        ("name = 'own'\nnodes = 129\nedges = 'all'" + TAIL, "nodes = 129 must be a whole number"),
        ("name = 'own'\nnodes = true\nedges = 'all'" + TAIL, "nodes = True must be a whole"),
        ("name = 'own'\nnodes = 30\nedges = 'all'" + TAIL, "nodes = 30 gives a graph of 437 nodes"),
        (HEAD + "inputs = 0\nedges = 'all'" + TAIL, "inputs = 0 must be a whole number from 1"),
        (HEAD + "inputs = 4\nedges = 'all'" + TAIL, "nodes = 4 must be a whole number from 5"),
        (HEAD + TAIL, "edges or in_degree is missing; add one"),
        (
            HEAD + "edges = 'all'\nin_degree = 1" + TAIL,
            "in_degree = 1 cannot be combined with edges; remove one",
        ),
        (HEAD + "edges = 'some'" + TAIL, "edges = 'some' must be \"all\" or a list of pairs"),
        (HEAD + "edges = [[0, 1.0]]" + TAIL, 'must be "all" or a list of pairs'),
        (HEAD + "edges = [[0, 1], [2, 1]]" + TAIL, "has 2->1; an edge leads from a lower to a"),
        (HEAD + "edges = [[0, 4]]" + TAIL, "has 0->4; an edge leads"),
        (HEAD + "inputs = 2\nedges = [[0, 1]]" + TAIL, "has 0->1; an edge leads"),
        (HEAD + "edges = [[0, 1], [0, 1]]" + TAIL, "has 0->1 twice; remove one"),
        (HEAD + "edges = [[0, 1], [1, 3]]" + TAIL, "has no edge out of node 2; add one"),
        (HEAD + "edges = [[0, 1], [1, 3], [2, 3]]" + TAIL, "has no edge into node 2; add one"),
        (HEAD + "in_degree = 2" + TAIL, "in_degree = 2 is more than the 1 inputs; increase inputs"),
        (HEAD + "inputs = 3\nin_degree = 1" + TAIL, "nodes = 4 leaves no node between 3 inputs"),
        (
            "name = 'own'\nnodes = 24\ninputs = 11\nin_degree = 11" + TAIL,
            "in_degree = 11 gives node 17 a choice of [0-9,]+ source sets, more than 10,000",
        ),
        (HEAD + "edges = 'all'", "operators must describe one operator per line"),
        (HEAD + "edges = 'all'\n[operators]", "operators = {} must describe one operator per line"),
        (HEAD + "edges = 'all'\n[operators]\n" + MANY, "257 operators; at most 256 are allowed"),
        (HEAD + "edges = 'all'\n[operators]\nup = 3", r"operators\.up = 3 must be a description"),
        (HEAD + "edges = 'all'\n[operators]\nup = ' '", r"operators\.up = ' ' must be a descr"),
        (
            HEAD + "edges = 'all'\n[operators]\ninput = 'I'",
            r"operators\.input: is a node of every cell",
        ),
        (
            HEAD + "edges = 'all'\n[operators]\n'a|b' = 'I'",
            r"operators\.a\|b: the name may only have",
        ),
        (HEAD + EDGES + "[operators]\nup = {module = 'a:B'}", r"operators\.up = .* a description"),
        (
            HEAD + EDGES + MODULE + "code = 'a:B'",
            r"operators\.up\.code = 'a:B' is unknown; the keys are",
        ),
        (
            HEAD + EDGES + MODULE + "module = 3",
            r"operators\.up\.module = 3 must name a class, such as",
        ),
        (HEAD + EDGES + MODULE + "module = 'a b:C'", r"operators\.up\.module = 'a b:C' must name"),
        (
            HEAD + EDGES + "[operators]\ndown = 'Pool'\n" + MODULE + "module = 'a:B'",
            r"operators\.down has no module, but others have; add one",
        ),
        (HEAD + EDGES + "skeleton = 3" + TAIL, r"skeleton = 3 must be a table \[skeleton\]"),
        (HEAD + EDGES + TAIL + "[skeleton]", r"skeleton\.stages must list 1 to 32 stages"),
        (HEAD + EDGES + TAIL + "[skeleton]\ndepth = 3", r"skeleton\.depth = 3 is unknown; the"),
        (
            HEAD + EDGES + TAIL + STAGE + "width = 0",
            r"stages\[0\]\.width = 0 must be a whole",
        ),
        (HEAD + EDGES + TAIL + STAGE + "width = [8, 8]", r"stages\[0\]\.width = \[8, 8\] must be"),
        (HEAD + EDGES + TAIL + STAGE + "width = []", r"stages\[0\]\.width = \[\] must be a whole"),
        (HEAD + EDGES + TAIL + STAGE + "repeats = 2", r"stages\[0\]\.width must be a whole number"),
        (
            HEAD + EDGES + TAIL + STAGE + "width = 8\nstride = 5",
            "stride = 5 must be a whole",
        ),
        (
            HEAD + EDGES + TAIL + "[skeleton]\nimage = 4096" + STAGE[10:] + "width = 8",
            "image = 4096",
        ),
        (
            HEAD + EDGES + "[operators]\nstem = 'Stem'\n" + STAGE + "width = [8, 16]",
            r"operators\.stem: the name is reserved for the skeleton; rename it",
        ),
        (
            HEAD + EDGES + TAIL + (STAGE + "width = [8, 16]\nrepeats = 200") + 4 * ENDLESS,
            "skeleton: gives graphs of up to 6,009 nodes, more than 5,000; decrease repeats",
        ),
    ],
)
def test_a_definition_that_is_wrong_is_refused_in_one_line(text: str, problem: str) -> None:
    with pytest.raises(SnapError, match=rf"^own\.toml: .*{problem}") as caught:
        own(text)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"name = '\xe9'")
    (tmp_path / "folder.toml").mkdir()
    for name, problem in (
        ("gone", "no such file"),
        ("latin", "cannot be read"),
        ("folder", "cannot"),
    ):
        with pytest.raises(SnapError, match=rf"{name}\.toml: {problem}"):
            space(str(tmp_path / f"{name}.toml"))


def test_descriptions_may_fill_several_lines() -> None:
    text = HEAD + "edges = 'all'\n[operators]\nup = '''\nUpsampling\n  by two'''"
    assert own(text).metadata["snap.operators"] == '{"up": "Upsampling by two"}'


def test_points_at_the_ends_of_the_cube_are_the_first_and_the_last_options() -> None:
    home = own(WIDE)
    first, last = (home.decode(np.full(home.n_variables, x)) for x in (0.0, 1.0))
    assert home.format(first) == "|up~0|up~1|+|up~0|up~1|"
    assert home.format(last) == "|down~1|down~2|+|down~2|down~3|"
    assert list(itertools.islice(home.enumerate(), 1)) == [first]

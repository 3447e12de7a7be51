import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_graphs import graph_table, space
from snap_graphs.spaces.genotypes import (
    Genotype,
    Pair,
    format_genotype,
    parse_genotype,
    to_cell,
    to_genotype,
)

V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), "
    "('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), "
    "('dil_conv_3x3', 2)], normal_concat=range(2, 6), reduce=[('max_pool_3x3', 0), "
    "('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=range(2, 6))"
)
"""The cell that the DARTS paper found (second order)."""

OPERATORS = ("skip_connect", "sep_conv_3x3", "none", "conv_1x1")
INDICES = ("max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3")


@st.composite
def genotypes(draw: st.DrawFn) -> Genotype:
    steps = draw(st.integers(1, 5))

    def pairs() -> tuple[Pair, ...]:
        return tuple(
            (draw(st.sampled_from(OPERATORS)), draw(st.integers(0, 1 + place // 2)))
            for place in range(2 * steps)
        )

    inner = st.sets(st.integers(2, 1 + steps), min_size=1).map(lambda s: tuple(sorted(s)))
    return Genotype(pairs(), draw(inner), pairs(), draw(inner))


@given(genotypes())
def test_string_and_graph_give_the_genotype_back(parts: Genotype) -> None:
    assert parse_genotype(format_genotype(parts), ()) == parts
    assert to_genotype(to_cell(parts)) == parts


@given(genotypes())
@settings(deadline=None, max_examples=30)
def test_the_order_of_pairs_in_a_node_does_not_change_the_class(parts: Genotype) -> None:
    def turned(pairs: tuple[Pair, ...]) -> tuple[Pair, ...]:
        couples = (pairs[i : i + 2][::-1] for i in range(0, len(pairs), 2))
        return tuple(itertools.chain(*couples))

    other = parts._replace(normal=turned(parts.normal), reduce=turned(parts.reduce))
    table = graph_table("own", [to_cell(parts), to_cell(other)], arch_ids=["a", "b"])
    assert len(set(table["cell_hash"].to_pylist())) == 1


def test_exchanging_the_two_cells_or_the_two_inputs_changes_the_class() -> None:
    parts = parse_genotype(V2, ())
    exchanged = parts._replace(normal=parts.reduce, reduce=parts.normal)
    mirrored = parts._replace(normal=tuple((op, 1 - s if s < 2 else s) for op, s in parts.normal))
    cells = [to_cell(p) for p in (parts, exchanged, mirrored)]
    table = graph_table("own", cells, arch_ids=["a", "b", "c"])
    assert len(set(table["cell_hash"].to_pylist())) == 3


def test_the_reduction_cell_takes_in_the_normal_cells_output_and_second_input() -> None:
    cell = to_cell(parse_genotype(V2, ()))
    into = {v: {s for s, d in cell.edges if d == v} for v in range(len(cell.nodes))}
    assert cell.nodes[:2] == ("input", "input")
    assert into[10] == {1}
    assert into[11] == set(range(2, 10))
    assert into[12] == {10, 11}
    assert into[18] == set(range(2, 18))


def test_neither_cell_is_dead_where_the_other_ignores_it() -> None:
    pairs = (("sep_conv_3x3", 0), ("none", 1))
    parts = Genotype(pairs, (2,), pairs, (2,))
    table = graph_table("own", [to_cell(parts)], arch_ids=["a"])
    assert table["n_dead"].to_pylist() == [2]


@pytest.mark.parametrize(
    "form",
    [
        V2,
        V2.replace("range(2, 6)", "[2, 3, 4, 5]"),
        V2.replace("range(2, 6)", "(2, 3, 4, 5)"),
        V2.replace("range(2, 6)", "range(6)[2:]".replace("range(6)[2:]", "[5, 4, 3, 2]")),
        "Genotype({normal}, range(2, 6), {reduce}, range(2, 6))",
        "Genotype(normal={normal}, reduce={reduce})",
        "({normal}, {reduce})",
        "[{normal_tuple}, {reduce_tuple}]",
        "[{normal_nested}, {reduce_nested}]",
        "({normal_turned}, {reduce_turned})",
        "({normal_compact}, {reduce_compact})",
        "({normal}, range(2, 6), {reduce}, [2, 3, 4, 5])",
        "{{'normal': {normal}, 'reduce': {reduce}}}",
        "{{'normal': {normal}, 'normal_concat': range(2, 6), 'reduce': {reduce_nested}}}",
        "Genotype(normal={normal_gdas}, normal_concat=[2, 3, 4, 5], reduce={reduce_gdas}, "
        "reduce_concat=[2, 3, 4, 5], connectN=None, connects=None)",
        "Genotype(normal={normal_numpy}, normal_concat=array([2, 3, 4, 5]), reduce={reduce_numpy})",
        "genotype = Genotype(normal={normal}, reduce={reduce}) \n",
    ],
)
def test_every_form_of_a_genotype_is_the_same_cell(form: str) -> None:
    from snap_graphs.spaces.darts import INDICES as NASLIB

    parts = parse_genotype(V2, ())
    shapes = {}
    for name, pairs in (("normal", parts.normal), ("reduce", parts.reduce)):
        shapes[name] = str(list(pairs))
        shapes[f"{name}_tuple"] = str(pairs)
        shapes[f"{name}_nested"] = str([list(pairs[i : i + 2]) for i in range(0, 8, 2)])
        weighted = [(op, source, 0.25) for op, source in pairs]
        shapes[f"{name}_gdas"] = str([tuple(weighted[i : i + 2]) for i in range(0, 8, 2)])
        shapes[f"{name}_numpy"] = str([(np.str_(op), np.int64(source)) for op, source in pairs])
        shapes[f"{name}_turned"] = str([(source, op) for op, source in pairs])
        shapes[f"{name}_compact"] = str([(source, NASLIB.index(op)) for op, source in pairs])
    text = form if form.startswith("Genotype(normal=[") else form.format(**shapes)
    assert space("darts").format(space("darts").parse(text)) == V2


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Genotype(", "SyntaxError"),
        ("", "SyntaxError"),
        ("__import__('os').system('true')", "malformed: it calls"),
        ("Genotype(normal=__import__('os').getcwd(), reduce=[])", "malformed"),
        (V2.replace("range(2, 6)", "range(2, 10**9)"), "malformed|small numbers"),
        (V2.replace("range(2, 6)", "range(2, 999999999)"), "small numbers"),
        (V2.replace("range(2, 6)", "range(2, 6, 1)"), "one or two small numbers"),
        (
            V2.replace("range(2, 6)", "range(2, 9)"),
            "concat must name at least one of the nodes 2 to 5",
        ),
        (V2.replace("'sep_conv_3x3', 0", "'sep_conv_3x3', 7"), "cannot take its input from 7"),
        (V2.replace("reduce=", "reduced="), "Genotype has no field 'reduced'"),
        (V2.replace("Genotype", "Network"), "malformed: it calls 'Network'"),
        (
            V2.replace("range(2, 6)", "[4, 4]"),
            "concat must name at least one of the nodes 2 to 5, without repeats",
        ),
        (
            V2.replace("range(2, 6)", "[2, 3.0]"),
            "concat must name at least one of the nodes 2 to 5",
        ),
        (
            V2.replace("'sep_conv_3x3', 0", "'sep_conv_3x3', 0, 'a'"),
            "a weight that is not a number",
        ),
        (V2.replace("'sep_conv_3x3', 0", "'sep_conv_3x3', np.float64(0.0)"), "not a pair"),
        (V2[:-1] + ", connects=[1])", "Genotype has no field 'connects'"),
        (" " * 70_000 + V2, "longer than 65,536 characters"),
        (V2.replace("('sep_conv_3x3', 0), ", "", 1), "the same number of nodes"),
        ("[]", "neither Genotype"),
        ("[1, 2]", "a cell is a list of pairs"),
        ("[[(0, 1)], [(0, 99)]]", "not a pair of operator and input"),
        ("[" * 2000, "not a genotype"),
        ("-" * 20_000 + "1", "not a genotype"),
        ("9" * 5000, "not a genotype"),
    ],
)
def test_what_is_no_genotype_is_refused_in_one_line(text: str, fault: str) -> None:
    with pytest.raises(SnapError, match=fault) as caught:
        parse_genotype(text, INDICES)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@given(st.text(max_size=200) | st.text("Genotype(normal=[',0]reduce)", max_size=80))
@settings(max_examples=300)
def test_no_text_makes_the_parser_fail_otherwise(text: str) -> None:
    try:
        parse_genotype(text, INDICES)
    except SnapError as error:
        refusals = str(error).splitlines()
        if len(refusals) != 1:
            raise


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (V2.replace("sep_conv_3x3", "conv_1x1"), "DARTS has no operator 'conv_1x1'"),
        ("([('skip_connect', 0), ('skip_connect', 1)],) * 2", "malformed"),
        (str(([("none", 0), ("none", 1)],) * 2), "has the nodes 2 to 5"),
        (V2.replace("'sep_conv_3x3', 1", "'sep_conv_3x3', 0"), "takes both inputs from 0"),
    ],
)
def test_the_darts_space_refuses_cells_of_others(text: str, fault: str) -> None:
    with pytest.raises(SnapError, match=fault):
        space("darts").parse(text)


def test_only_the_nodes_in_concat_are_the_output_of_a_darts_cell() -> None:
    darts = space("darts")
    cell = darts.parse(V2.replace("normal_concat=range(2, 6)", "normal_concat=[4, 5]"))
    whole = darts.parse(V2)
    assert {dst for src, dst in cell.edges if src in range(2, 6)} == {
        dst for src, dst in whole.edges if src in range(2, 6) and dst < 10
    }
    assert "normal_concat=range(4, 6)" in darts.format(cell)
    assert darts.parse(darts.format(cell)) == cell
    with pytest.raises(SnapError, match="output has all four nodes"):
        darts.encode(cell)


def test_fewer_output_nodes_make_a_smaller_network() -> None:
    """The cells after, and the classifier, take in half as many channels."""
    whole, half = (
        graph_table("darts", [space("darts").parse(text)])["params"][0].as_py()
        for text in (V2, V2.replace("range(2, 6)", "[4, 5]"))
    )
    assert (whole, half) == (3_349_342, 2_675_134)


def test_a_graph_of_another_shape_is_no_genotype() -> None:
    cell = space("nb201").decode(np.zeros(6))
    with pytest.raises(SnapError, match="does not join a normal and a reduction cell"):
        to_genotype(cell)


@given(st.lists(st.floats(0, 1), min_size=24, max_size=24))
@settings(max_examples=50, deadline=None)
def test_every_point_is_a_darts_cell_with_two_different_inputs_a_node(point: list[float]) -> None:
    darts = space("darts")
    cell = darts.decode(np.array(point))
    assert darts.parse(darts.format(cell)) == cell


def test_nds_cells_keep_design_space_width_and_depth_out_of_the_graph() -> None:
    nds = space("nds")
    assert nds.parse(f"DARTS_fix-w-d:w16:d20:{V2}") == nds.parse(V2) == space("darts").parse(V2)
    with pytest.raises(SnapError, match="no NDS family has the operator 'conv_9x9'"):
        nds.parse(V2.replace("sep_conv_3x3", "conv_9x9"))
    with pytest.raises(SnapError, match="cells of five nodes"):
        nds.encode(nds.parse(V2))

import math
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_catalog.parquet import validate
from snap_catalog.schemas import Name

Make = Callable[..., pa.Table]
_GOOD = ["input", "output"]
_NO_NODE_COLUMNS = dict.fromkeys(("node_shape", "node_params", "node_flops"))


@pytest.mark.parametrize(
    ("column", "values", "problem"),
    [
        ("dst", [[0, 2, 2], [1]], "the edge 0->0 does not lead from a lower to a higher node of 3"),
        ("dst", [[1, 3, 2], [1]], "the edge 0->3 does not lead from a lower to a higher node of 3"),
        ("src", [[-1, 0, 1], [0]], "the edge -1->1 does not lead"),
        ("src", [[0, 2, 1], [0]], "the edge 2->2 does not lead"),
        ("src", [[0, 0], [0]], "src and dst differ in length"),
        ("dst", [[1, 1, 2], [1]], "the edge 0->1 is listed twice"),
        ("nodes", [["conv", "input", "output"], _GOOD], "the first node must be `input`"),
        ("nodes", [["input", "output", "conv"], _GOOD], "the last one the only `output`"),
        ("nodes", [["input", "output", "output"], _GOOD], "the last one the only `output`"),
        ("nodes", [["input"], _GOOD], "a cell needs an `input` and an `output` node"),
        ("nodes", [[], _GOOD], "a cell needs an `input` and an `output` node"),
        ("node_shape", [[[3]], None], "1 entries of node_shape for 3 nodes; give one per node"),
        ("node_params", [[1, 2, 3, 4], None], "4 entries of node_params for 3 nodes"),
        ("node_flops", [[], None], "0 entries of node_flops for 3 nodes"),
        ("cell_hash", ["0" * 31, "0" * 32], "cell_hash is not 32 hexadecimal digits"),
        ("cell_hash", ["A" * 32, "0" * 32], "cell_hash is not 32 hexadecimal digits"),
        ("cell_hash", ["0" * 32 + "\n", "0" * 32], "cell_hash is not 32 hexadecimal digits"),
    ],
)
def test_a_bad_cell_is_named_by_file_row_and_architecture(
    make: Make, column: str, values: list[Any], problem: str
) -> None:
    with pytest.raises(SnapError) as refusal:
        validate(make("graphs", **{column: values}), "graphs", source="x.parquet")
    assert str(refusal.value).startswith("x.parquet: row 1 (a): ")
    assert problem in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_graph_with_more_nodes_than_indices_is_refused(make: Make) -> None:
    nodes = ["input", *["conv"] * 2**15, "output"]
    table = make("graphs", nodes=[nodes, _GOOD], **_NO_NODE_COLUMNS)
    with pytest.raises(SnapError, match=r"row 1 \(a\): 32,770 nodes are more than the 32,767"):
        validate(table, "graphs")


def test_a_cycle_is_refused_with_the_remedy(make: Make) -> None:
    table = make("graphs", src=[[0, 2, 1], [0]], dst=[[1, 1, 2], [1]])
    with pytest.raises(SnapError, match=r"2->1 .*topological order \(a cycle has none\)"):
        validate(table, "graphs")


def test_the_row_at_fault_is_found_in_a_table_of_several_chunks(make: Make) -> None:
    good = make("graphs")
    bad = make("graphs", arch_id=["c", "d"], dst=[[1, 2, 2], [2]])
    with pytest.raises(SnapError, match=r"row 4 \(d\): the edge 0->2"):
        validate(pa.concat_tables([good, bad]), "graphs")


def test_a_table_that_is_part_of_a_larger_one_is_checked_as_it_is(make: Make) -> None:
    table = make("graphs", dst=[[1, 1, 2], [1]])
    validate(table.slice(1), "graphs")


def test_an_edge_may_be_in_several_cells_but_only_once_in_each(make: Make) -> None:
    table = make("graphs", src=[[0, 1], [0]], dst=[[1, 2], [1]])
    validate(table, "graphs")
    repeated = make("graphs", src=[[0, 1, 0], [0]], dst=[[1, 2, 1], [1]])
    with pytest.raises(SnapError, match="the edge 0->1 is listed twice"):
        validate(repeated, "graphs")


def _dags() -> st.SearchStrategy[list[tuple[int, int]]]:
    pairs = st.tuples(st.integers(0, 8), st.integers(1, 9)).filter(lambda edge: edge[0] < edge[1])
    return st.lists(pairs, unique=True, max_size=12)


def _cells(edges: list[list[tuple[int, int]]]) -> dict[str, Any]:
    return {
        "nodes": [["input", *["conv"] * 8, "output"]] * 2,
        "src": [[src for src, _ in cell] for cell in edges],
        "dst": [[dst for _, dst in cell] for cell in edges],
    }


@given(first=_dags(), second=_dags(), data=st.data())
def test_every_graph_in_topological_order_is_accepted_until_an_edge_is_repeated_or_turned(
    make: Make, first: list[tuple[int, int]], second: list[tuple[int, int]], data: st.DataObject
) -> None:
    validate(make("graphs", **_cells([first, second]), **_NO_NODE_COLUMNS), "graphs")
    if not second:
        return
    src, dst = data.draw(st.sampled_from(second))
    for spoilt in ((src, dst), (dst, src)):
        cells = _cells([first, [*second, spoilt]])
        table = make("graphs", **cells, **_NO_NODE_COLUMNS)
        with pytest.raises(SnapError, match=r"row 2 \(b\)"):
            validate(table, "graphs")


@pytest.mark.parametrize(
    ("name", "changed", "named"),
    [
        ("graphs", {"arch_id": ["a", "a"]}, "2 rows share space 'toy', arch_id 'a'"),
        ("scores", {"arch_id": ["a", "a"], "scorer": None}, "share space 'toy', arch_id 'a'; it"),
        ("scores", {"arch_id": ["a", "a"], "scorer": ["x", "x"]}, "arch_id 'a', scorer 'x'; it"),
        ("scores", {"arch_id": ["a", "a"], "scorer": [None, None]}, "arch_id 'a', scorer None; it"),
        ("operators", {"space": [None, None]}, "2 rows share space None, op 'conv'"),
        ("search", {"evaluation": [7, 7]}, "2 rows share evaluation 7"),
    ],
)
def test_rows_that_share_a_key_are_refused(
    make: Make, name: Name, changed: dict[str, Any], named: str
) -> None:
    with pytest.raises(SnapError, match=named):
        validate(make(name, **changed), name)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["scores", "search"])
def test_a_score_that_is_not_finite_is_refused(make: Make, name: Name, value: float) -> None:
    with pytest.raises(SnapError, match=r"row 2 \(.\): the score is not a finite number"):
        validate(make(name, score=[0.0, value]), name)


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_a_measurement_that_is_not_finite_is_refused(make: Make, value: float) -> None:
    with pytest.raises(SnapError, match=r"row 2 \(a\): the value is not a finite number"):
        validate(make("measurements", value=[None, value]), "measurements")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_vector_that_is_not_finite_is_refused(make: Make, value: float) -> None:
    table = make("operators", embedding=[[0.0, 1.0], [0.0, value]])
    with pytest.raises(SnapError, match="row 2: the embedding is not finite"):
        validate(table, "operators")


@pytest.mark.parametrize("setting", ["layers=3", "[3]", "null", ""])
def test_a_setting_that_is_no_json_object_is_refused(make: Make, setting: str) -> None:
    table = make("trials", setting=['{"layers": 3}', setting])
    with pytest.raises(SnapError, match=r"row 2: the setting .* is not a JSON object"):
        validate(table, "trials")


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("predicted", float("inf"), "`predicted` is not finite"),
        ("predicted", float("nan"), "`predicted` is not finite"),
        ("predicted_std", float("nan"), "`predicted_std` is negative or not finite"),
        ("predicted_std", -0.1, "`predicted_std` is negative or not finite"),
        ("seconds", -0.1, "`seconds` is negative or not finite"),
        ("scorer", "", "the scorer's name '' is not printable"),
        ("scorer", "a\nb", r"the scorer's name 'a\\nb' is not printable"),
    ],
)
def test_predictions_times_and_names_that_are_none_are_refused(
    make: Make, column: str, value: float, problem: str
) -> None:
    with pytest.raises(SnapError, match=rf"row 2 \(.\): {problem}"):
        validate(make("scores", **{column: [None, value]}), "scores")
    validate(make("scores", **{column: [None, None]}), "scores")

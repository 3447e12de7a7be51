from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from snap_catalog import SnapError
from snap_evo.objectives import Limit, front, parse_objectives
from snap_evo.scorers import cost
from snap_graphs import graph_table


def test_objectives_have_names_directions_and_values(
    three_cells: pa.Table, three_cells_file: Path
) -> None:
    text = "score,params,latency:edge,cifar10/test"
    score, params, latency, accuracy = parse_objectives(text, str(three_cells_file))
    assert (score.name, score.direction, score.values) == ("score", "max", None)
    assert (params.name, params.direction) == ("params", "min")
    assert (latency.name, latency.direction) == ("latency:edge", "min")
    assert (accuracy.name, accuracy.direction) == ("cifar10/test", "max")
    measured = three_cells.slice(0, 2)
    assert params.values is not None
    assert params.values(measured).tolist() == measured["params"].to_pylist()
    assert latency.values is not None
    assert latency.values(measured).tolist() == [3.0, 5.0]
    assert latency.oriented(np.array([3.0, 5.0])).tolist() == [-3.0, -5.0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("params,flops", "do not name 'score'"),
        ("score,params,params", "every other once"),
        ("score,latency:edge", "name a graphs.parquet that has it with --table"),
    ],
)
def test_senseless_objectives_are_refused(text: str, problem: str) -> None:
    with pytest.raises(SnapError, match=problem):
        parse_objectives(text)


def test_a_metric_missing_from_the_table_is_refused(three_cells_file: Path) -> None:
    with pytest.raises(SnapError, match="'phone/latency' fits no metric column"):
        parse_objectives("score,latency:phone", str(three_cells_file))


def test_the_excess_over_a_limit_is_a_share_of_it() -> None:
    values = np.array([100.0, 200.0, 300.0])
    assert Limit("params", 200).excess(values).tolist() == [0, 0, 0.5]
    assert Limit("params", least=200).excess(values).tolist() == [0.5, 0, 0]
    assert Limit("params", 250, 200).excess(values).tolist() == pytest.approx([0.5, 0, 0.2])


def test_limits_are_written_with_their_bounds() -> None:
    assert str(Limit("flops", 6e8)) == "flops <= 600,000,000"
    assert str(Limit("params", 6e6, 5e6)) == "5,000,000 <= params <= 6,000,000"
    assert str(Limit("params", least=5e6)) == "5,000,000 <= params"


def test_a_space_without_costs_cannot_be_limited(three_cells: pa.Table) -> None:
    from snap_graphs import Graphs

    cells = list(Graphs.from_table(three_cells).cells())
    table = graph_table("own", cells, arch_ids=["a", "b", "c"])
    with pytest.raises(SnapError, match="own: the params of its cells are unknown"):
        cost(table, "params")


@given(
    st.integers(1, 4).flatmap(
        lambda m: arrays(
            np.float64,
            st.tuples(st.integers(1, 30), st.just(m)),
            elements=st.integers(0, 4).map(float),
        )
    )
)
def test_the_front_is_what_no_other_row_beats(values: np.ndarray) -> None:
    kept = front(values).tolist()
    assert kept == sorted(kept)
    assert len({tuple(values[row]) for row in kept}) == len(kept)
    for row in range(len(values)):
        beaten = any(
            (values[other] >= values[row]).all() and (values[other] > values[row]).any()
            for other in range(len(values))
        )
        twin = any((values[other] == values[row]).all() for other in range(row))
        assert (row in kept) == (not beaten and not twin)

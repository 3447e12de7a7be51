from collections.abc import Callable
from typing import Any, get_args

import pyarrow as pa
import pytest
from snap_catalog import SnapError
from snap_catalog.parquet import validate
from snap_catalog.schemas import Name, contract

NAMES: tuple[Name, ...] = get_args(Name)
_COLUMNS = [(name, column) for name in NAMES for column in contract(name).columns]
_IDS = [f"{name}-{column.name}" for name, column in _COLUMNS]
Make = Callable[..., pa.Table]


@pytest.mark.parametrize("name", NAMES)
def test_a_table_that_keeps_the_contract_is_accepted(make: Make, name: Name) -> None:
    validate(make(name), name)


@pytest.mark.parametrize("name", NAMES)
def test_a_table_without_rows_is_accepted(make: Make, name: Name) -> None:
    validate(make(name).slice(0, 0), name)
    validate(make(name).schema.empty_table(), name)


@pytest.mark.parametrize(("name", "column"), _COLUMNS, ids=_IDS)
def test_a_missing_column_is_named_with_its_type(make: Make, name: Name, column: Any) -> None:
    table = make(name, **{column.name: None})
    if column.optional:
        validate(table, name)
        return
    with pytest.raises(SnapError) as refusal:
        validate(table, name, source="x.parquet")
    assert str(refusal.value) == f"x.parquet: column '{column.name}' ({column.type}) is missing"


@pytest.mark.parametrize(("name", "column"), _COLUMNS, ids=_IDS)
def test_a_column_of_another_type_is_named_with_both_types(
    make: Make, name: Name, column: Any
) -> None:
    table = make(name, **{column.name: pa.array([True] * make(name).num_rows)})
    with pytest.raises(SnapError) as refusal:
        validate(table, name, source="x.parquet")
    expected = f"x.parquet: column '{column.name}' must be {column.type}, but is bool"
    assert str(refusal.value) == expected


@pytest.mark.parametrize(("name", "column"), _COLUMNS, ids=_IDS)
def test_nulls_are_refused_where_the_contract_has_none(make: Make, name: Name, column: Any) -> None:
    table = make(name)
    position = table.column_names.index(column.name)
    rows = table[column.name].to_pylist()[:-1]
    spoilt_column = pa.array([*rows, None], table.schema.field(position).type)
    spoilt = table.set_column(position, column.name, spoilt_column)
    if column.nullable:
        validate(spoilt, name)
        return
    with pytest.raises(SnapError, match=rf"column '{column.name}' \({column.type}\) has nulls"):
        validate(spoilt, name)


@pytest.mark.parametrize(
    ("name", "column", "values"),
    [
        ("graphs", "nodes", [["input", None, "output"], ["input", "output"]]),
        ("graphs", "src", [[0, None, 1], [0]]),
        ("operators", "embedding", [[0.5, None], [0.0, 0.0]]),
    ],
)
def test_nulls_inside_a_list_are_refused(
    make: Make, name: Name, column: str, values: list[Any]
) -> None:
    with pytest.raises(SnapError, match=f"column '{column}' .* has nulls"):
        validate(make(name, **{column: values}), name)


@pytest.mark.parametrize("name", ["operators", "scores", "correlations"])
def test_a_column_that_a_closed_contract_does_not_know_is_refused(make: Make, name: Name) -> None:
    table = make(name, extra=pa.array([1.0] * make(name).num_rows))
    with pytest.raises(SnapError, match=f"column 'extra' is not part of a '{name}' file"):
        validate(table, name)


def test_a_column_that_is_there_twice_is_refused(make: Make) -> None:
    table = make("scores")
    twice = table.append_column("score", table["score"])
    with pytest.raises(SnapError, match="2 columns are called 'score'"):
        validate(twice, "scores")


def _with_metric(make: Make, name: str, metadata: dict[str, str], values: pa.Array) -> pa.Table:
    field = pa.field(name, values.type, metadata=metadata)
    return make("graphs").append_column(field, values)


DOUBLES = pa.array([93.5, None], pa.float64())


@pytest.mark.parametrize("direction", ["max", "min"])
def test_metric_columns_may_hold_nulls_and_say_their_direction(make: Make, direction: str) -> None:
    table = _with_metric(make, "cifar10/test/accuracy@200", {"direction": direction}, DOUBLES)
    validate(table, "graphs")


@pytest.mark.parametrize("metadata", [{}, {"direction": "up"}, {"unit": "percent"}])
def test_a_metric_column_without_a_direction_is_refused(
    make: Make, metadata: dict[str, str]
) -> None:
    table = _with_metric(make, "cifar10/test/accuracy", metadata, DOUBLES)
    with pytest.raises(SnapError, match=r"'cifar10/test/accuracy' must carry .*'direction'"):
        validate(table, "graphs", source="x.parquet")


def test_a_further_column_that_is_named_like_no_metric_is_refused(make: Make) -> None:
    table = _with_metric(make, "accuracy", {"direction": "max"}, DOUBLES)
    with pytest.raises(SnapError, match="'accuracy' is not a metric name"):
        validate(table, "graphs")


def test_a_metric_column_of_another_type_is_refused(make: Make) -> None:
    floats = pa.array([1.0, 2.0], pa.float32())
    table = _with_metric(make, "cifar10/test/accuracy", {"direction": "max"}, floats)
    with pytest.raises(SnapError, match="'cifar10/test/accuracy' must be double, but is float"):
        validate(table, "graphs")


def test_a_search_may_have_objectives_of_any_name(make: Make) -> None:
    validate(make("search", latency=pa.array([1.0, 2.0])), "search")
    with pytest.raises(SnapError, match="'latency' must be double, but is int64"):
        validate(make("search", latency=pa.array([1, 2])), "search")


def test_only_the_wanted_columns_must_be_there_and_are_checked(make: Make) -> None:
    some = make("graphs").select(["space", "nodes"])
    validate(some, "graphs", partial=["space", "nodes"])
    with pytest.raises(SnapError, match="column 'src'"):
        validate(some, "graphs", partial=["space", "src"])

"""Tables for people and for programs."""

import csv
import io
import json
from decimal import Decimal

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from snap_eval import show
from snap_eval.csv_text import csv_text
from snap_eval.plain import distinct

NAMES = st.lists(st.sampled_from(["v", "v_1", "v_2", "v_1_1", "w"]), max_size=8)


def _table(names: list[str]) -> pa.Table:
    columns = [pa.array([place]) for place in range(len(names))]
    return pa.Table.from_arrays(columns, names)


@settings(deadline=None)
@given(NAMES)
def test_distinct_names_collide_with_none_and_keep_the_first(names: list[str]) -> None:
    found = distinct(names)
    assert len(set(found)) == len(names)
    for place, name in enumerate(names):
        if name not in names[:place]:
            assert found[place] == name


def test_the_second_column_of_a_name_is_numbered() -> None:
    assert distinct(["v", "v", "w"]) == ["v", "v_1", "w"]
    assert distinct(["v", "v", "v_1"]) == ["v", "v_2", "v_1"]


@settings(deadline=None)
@given(NAMES.filter(bool))
def test_columns_of_equal_names_are_shown_in_every_form(names: list[str]) -> None:
    table, values = _table(names), list(range(len(names)))
    (row,) = json.loads(show.rows_as_json(table))
    assert list(row.values()) == values
    _, line = csv.reader(io.StringIO(show.as_csv(table)))
    assert line == [*map(str, values)]
    assert show.rows(table).split()[-len(names) :] == [*map(str, values)]


def _strict(text: str) -> object:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_json_has_numbers_only_where_they_are_exact() -> None:
    numbers = pa.array([float("nan"), float("inf"), float("-inf"), 0.5, None])
    wide = ["1.5", "12345678901234567890.123456789", "3", "0.1", None]
    decimals = pa.array([None if d is None else Decimal(d) for d in wide], pa.decimal128(38, 9))
    table = pa.table({"n": numbers, "d": decimals, "l": [[n] for n in numbers.to_pylist()]})
    rows = _strict(show.rows_as_json(table))
    assert isinstance(rows, list)
    assert [row["n"] for row in rows] == ["NaN", "Infinity", "-Infinity", 0.5, None]
    assert [row["l"] for row in rows] == [["NaN"], ["Infinity"], ["-Infinity"], [0.5], [None]]
    assert [row["d"] for row in rows] == [1.5, "12345678901234567890.123456789", 3, 0.1, None]


def test_lists_structs_and_booleans_are_json_in_a_table_and_in_csv() -> None:
    table = pa.table({"l": [[1, None]], "s": [{"a": "x"}], "b": [True]})
    _, line = csv.reader(io.StringIO(show.as_csv(table)))
    assert line == ["[1, null]", '{"a": "x"}', "true"]
    for text in line:
        assert text in show.rows(table)


def test_control_characters_do_not_reach_the_terminal() -> None:
    shown = show.rows(pa.table({"a\x1bb": ["two\nlines\x1b[31m"]}))
    assert "\x1b" not in shown
    assert "two\\nlines\\x1b[31m" in shown
    assert len(shown.splitlines()) == 4


def test_texts_that_spreadsheets_would_run_are_escaped_and_numbers_are_not() -> None:
    texts = ["=1+1", "+x", "-x", "@sum", "\tx", "\rx", "-0.5", "+1e5", "-inf", "a=b", ""]
    written = csv_text(["=name"], [[text] for text in texts] + [[-0.5], [None]])
    rows = [row[0] if row else "" for row in csv.reader(io.StringIO(written, newline=""))]
    escaped = ["'=name", "'=1+1", "'+x", "'-x", "'@sum", "'\tx", "'\rx"]
    assert rows == [*escaped, "-0.5", "+1e5", "-inf", "a=b", "", "-0.5", ""]

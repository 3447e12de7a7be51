from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_catalog.casting import cast, contract_schema
from snap_catalog.parquet import read, write
from snap_catalog.schemas import Name, contract
from snap_catalog.streams import Stream

NAMES: tuple[Name, ...] = get_args(Name)
Make = Callable[..., pa.Table]

_TEXT = [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
_ALIKE: dict[str, list[pa.DataType]] = {
    "string": _TEXT,
    "int16": [pa.int64(), pa.int8(), pa.float64(), pa.decimal128(9, 0)],
    "int32": [pa.int64(), pa.uint32(), pa.float64()],
    "int64": [pa.int32(), pa.uint64(), pa.float64(), pa.decimal128(18, 0)],
    "double": [pa.float32(), pa.float16()],
    "timestamp": [pa.timestamp("ms", tz="UTC"), pa.timestamp("ns", tz="Europe/Berlin")],
    "list<string>": [pa.large_list(pa.large_string()), pa.list_(_TEXT[1]), pa.list_(_TEXT[2])],
    "list<int16>": [pa.list_(pa.int64()), pa.large_list(pa.uint8()), pa.list_(pa.uint32())],
    "list<int64>": [pa.large_list(pa.uint32()), pa.list_(pa.uint16())],
    "list<list<int32>>": [
        pa.list_(pa.list_(pa.int64())),
        pa.large_list(pa.large_list(pa.uint8())),
        pa.list_(pa.list_(pa.float64())),
    ],
    "fixed_size_list<float>": [
        pa.list_(pa.float32()),
        pa.large_list(pa.float64()),
        pa.list_(pa.float64(), 2),
        pa.list_(pa.float16()),
    ],
}
"""By the contracts' types: those that other programs write for them."""

_CASES = [
    pytest.param(name, column.name, kind, id=f"{name}-{column.name}-{kind}")
    for name in NAMES
    for column in contract(name).columns
    for kind in _ALIKE[column.type]
]


def _exact(make: Make, name: Name) -> pa.Table:
    """Rows whose numbers even a `float16` holds."""
    halves: dict[str, dict[str, list[float | None]]] = {
        "scores": {
            "spread": [None, 0.25],
            "predicted": [None, 93.25],
            "predicted_std": [None, 0.5],
            "seconds": [None, 0.25],
        },
        "search": {"seconds": [0.0, 0.125]},
        "trials": {"reported": [None, 0.5]},
    }
    return make(name, **halves.get(name, {}))


def _stored(table: pa.Table, path: Path, name: Name, column: str, values: Any) -> Path:
    """Write a file of a contract in which another program wrote one column."""
    write(table, path, name, producer="snap-catalog")
    stamped = table.replace_schema_metadata(pq.read_schema(path).metadata)
    place = table.column_names.index(column)
    pq.write_table(stamped.set_column(place, column, values), path)
    return path


def _as(table: pa.Table, column: str, kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return table[column].dictionary_encode()
    if kind == pa.list_(_TEXT[2]):
        whole = table[column].combine_chunks()
        return pa.ListArray.from_arrays(whole.offsets, whole.values.dictionary_encode())
    if pa.types.is_decimal(kind):
        numbers = table[column].to_pylist()
        return pa.array([None if n is None else Decimal(n) for n in numbers], kind)
    values = table[column].to_pylist()
    if pa.types.is_float16(getattr(kind, "value_type", kind)):
        return table[column].combine_chunks().cast(kind)
    return pa.array(values, kind)


@pytest.mark.parametrize(("name", "column", "kind"), _CASES)
def test_a_column_as_another_program_writes_it_is_read_as_the_contract_has_it(
    make: Make, tmp_path: Path, name: Name, column: str, kind: pa.DataType
) -> None:
    table = _exact(make, name)
    path = _stored(table, tmp_path / "x.parquet", name, column, _as(table, column, kind))
    assert pq.read_schema(path).field(column).type != table.schema.field(column).type
    found = read(path, name)
    assert found.schema.equals(table.schema)
    assert found.equals(table)
    stream = Stream(path, name)
    parts = list(stream.parts(1))
    for part in parts:
        stream.check(part)
    assert stream.schema.equals(found.schema, check_metadata=True)
    assert pa.concat_tables([part.table for part in parts]).equals(table)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_without_rows_is_read_whatever_its_types(
    make: Make, tmp_path: Path, name: Name
) -> None:
    table = make(name)
    for column in table.column_names:
        path = tmp_path / f"{column}.parquet"
        none = pa.array([], pa.null())
        _stored(table.slice(0, 0), path, name, column, none)
        assert read(path, name).num_rows == 0
        assert list(Stream(path, name).parts(5)) == []


def test_columns_that_may_not_be_null_by_their_type_are_columns_like_others(
    make: Make, tmp_path: Path
) -> None:
    table = make("scores")
    path = tmp_path / "x.parquet"
    write(table, path, "scores", producer="snap-catalog")
    filled = ("space", "arch_id", "score")
    fields = [field.with_nullable(field.name not in filled) for field in table.schema]
    metadata = pq.read_schema(path).metadata
    pq.write_table(table.cast(pa.schema(fields)).replace_schema_metadata(metadata), path)
    assert read(path, "scores").schema.equals(table.schema)
    assert next(Stream(path, "scores").parts(5)).table.schema.equals(table.schema)


def test_items_are_called_alike_whoever_wrote_them(make: Make, tmp_path: Path) -> None:
    table = make("graphs")
    other = pa.list_(pa.field("element", pa.int16(), nullable=False))
    values = pa.array(table["src"].to_pylist(), other)
    path = _stored(table, tmp_path / "x.parquet", "graphs", "src", values)
    kind = read(path, "graphs").schema.field("src").type
    assert str(kind) == str(pa.list_(pa.int16()))


@pytest.mark.parametrize("kind", [pa.float32(), pa.int64(), pa.uint8(), pa.decimal128(9, 3)])
def test_metrics_and_objectives_are_numbers_of_any_type(
    make: Make, tmp_path: Path, kind: pa.DataType
) -> None:
    entries = {"direction": "min", "unit": "ms"}
    field = pa.field("a/b/c", pa.float64(), metadata=entries)
    table = make("graphs").append_column(field, pa.array([4.0, None]))
    values = pa.array([Decimal(4) if pa.types.is_decimal(kind) else 4, None], kind)
    path = tmp_path / "x.parquet"
    write(table, path, "graphs", producer="snap-catalog")
    stamped = table.replace_schema_metadata(pq.read_schema(path).metadata)
    last = table.num_columns - 1
    pq.write_table(stamped.set_column(last, field.with_type(kind), values), path)
    assert read(path, "graphs").equals(table)
    assert read(path, "graphs").schema.field("a/b/c").metadata == field.metadata


_LOSSY: list[tuple[Name, str, pa.Array]] = [
    ("graphs", "n_dead", pa.array([0, 70_000])),
    ("graphs", "depth", pa.array([0.5, 1.0])),
    ("graphs", "params", pa.array([float("nan"), 1.0])),
    ("graphs", "n_paths", pa.array([1, 2**40])),
    ("graphs", "flops", pa.array([1, 2**63], pa.uint64())),
    ("graphs", "src", pa.array([[0, 0, 1], [-70_000]])),
    ("graphs", "node_shape", pa.array([[[3, 8, 2**40], None, [10]], None])),
    ("graphs", "node_shape", pa.array([[[0.5], None, [10.0]], None])),
    ("operators", "embedding", pa.array([[0.1, 0.0], [0.0, 0.0]], pa.list_(pa.float64()))),
    ("operators", "embedding", pa.array([[0.5, 0.0], [1e300, 0.0]], pa.list_(pa.float64(), 2))),
    ("operators", "embedding", pa.array([[0.5, 0.0], [0.0]], pa.list_(pa.float32()))),
    ("scores", "score", pa.array([2**60 + 1, 0])),
    ("scores", "score", pa.array([Decimal("0." + "1" * 30), Decimal(0)])),
]


@pytest.mark.parametrize(("name", "column", "values"), _LOSSY)
def test_a_column_that_would_lose_something_is_refused_in_one_line(
    make: Make, tmp_path: Path, name: Name, column: str, values: pa.Array
) -> None:
    path = _stored(make(name), tmp_path / "x.parquet", name, column, values)
    for reading in (lambda: read(path, name), lambda: list(Stream(path, name).parts(1))):
        with pytest.raises(SnapError) as refusal:
            reading()
        text = str(refusal.value)
        assert text.startswith(f"{path}: column {column!r} ")
        assert "cannot hold its values" in text
        assert "\n" not in text


@pytest.mark.parametrize(
    "values",
    [
        pa.array([["a"], ["b"]]),
        pa.array([{"a": 1}, {"a": 2}]),
        pa.array([b"a", b"b"]),
        pa.array([1, 2]),
        pa.array([True, False]),
        pa.array([0, 1], pa.timestamp("s")),
    ],
    ids=lambda values: str(values.type),
)
@pytest.mark.parametrize("column", ["space", "arch_id"])
def test_ids_that_are_no_text_are_refused_in_one_line(
    make: Make, tmp_path: Path, column: str, values: pa.Array
) -> None:
    path = _stored(make("scores"), tmp_path / "x.parquet", "scores", column, values)
    kind = pq.read_schema(path).field(column).type
    expected = f"{path}: column {column!r} must be string, but is {kind}"
    for reading in (lambda: read(path, "scores"), lambda: Stream(path, "scores")):
        with pytest.raises(SnapError) as refusal:
            reading()
        assert str(refusal.value) == expected


@given(st.lists(st.floats(width=32) | st.none()))
def test_every_float_is_the_same_as_a_double_and_back(values: list[float | None]) -> None:
    rules = contract("search")
    for kind in (pa.float32(), pa.float64()):
        table = pa.table({"seconds": pa.array(values, kind)})
        found = cast(table, contract_schema(table, rules), "x")["seconds"].to_numpy()
        np.testing.assert_array_equal(found, np.array(values, np.float64))


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_doubles_are_vectors_of_floats_only_where_every_one_is_a_float(values: list[float]) -> None:
    table = pa.table({"embedding": pa.array([values])})
    schema = contract_schema(table, contract("operators"))
    with np.errstate(over="ignore"):
        narrow = np.array(values).astype(np.float32)
    if np.array_equal(narrow, values):
        (vector,) = cast(table, schema, "x")["embedding"].to_pylist()
        assert vector == values
    else:
        with pytest.raises(SnapError, match="cannot hold its values"):
            cast(table, schema, "x")

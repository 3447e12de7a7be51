import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_catalog.tables import TEXT_COLUMNS, doubles, identifiers, read_table


def _csv(path: Path, text: str) -> Path:
    path.write_text(text, newline="")
    return path


def _refusal(path: Path) -> str:
    with pytest.raises(SnapError) as refusal:
        read_table(path)
    text = str(refusal.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")


@pytest.mark.parametrize("column", sorted(TEXT_COLUMNS))
def test_names_are_text_whatever_they_look_like(tmp_path: Path, column: str) -> None:
    names = ["001", "1e5", "true", "nan", "NA", "2020-01-01", " a", "0x1F", "-0"]
    path = _csv(tmp_path / "t.csv", f"x,{column}\n" + "".join(f"1,{name}\n" for name in names))
    table = read_table(path)
    assert table[column].to_pylist() == names
    assert identifiers(table, column, "t").to_pylist() == names


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text("0123456789.eE+-xnatrueNA ", min_size=1), min_size=1))
def test_any_name_is_read_as_it_was_written(tmp_path: Path, names: list[str]) -> None:
    path = _csv(tmp_path / "t.csv", "arch_id,x\n" + "".join(f"{name},1\n" for name in names))
    assert read_table(path)["arch_id"].to_pylist() == names


@pytest.mark.parametrize(
    ("values", "kind", "found"),
    [
        ("1,2", "int64", [1, 2]),
        ("1, 2.5 ", "double", [1, 2.5]),
        ("1,,NA,null", "int64", [1, None, None, None]),
        ("1e5,inf", "double", [1e5, float("inf")]),
        ("1,high", "string", ["1", "high"]),
        (f"0.5,{2**53 + 1}", "string", ["0.5", str(2**53 + 1)]),
        ("1,1e400", "string", ["1", "1e400"]),
        ("true,false", "string", ["true", "false"]),
    ],
)
def test_other_columns_are_numbers_where_all_values_are(
    tmp_path: Path, values: str, kind: str, found: list[object]
) -> None:
    path = _csv(tmp_path / "t.csv", "x,k\n" + "".join(f"{v},k\n" for v in values.split(",")))
    column = read_table(path)["x"]
    assert str(column.type) == kind
    assert column.to_pylist() == found


def test_a_column_is_of_the_type_of_all_its_values_not_of_the_first(tmp_path: Path) -> None:
    path = _csv(tmp_path / "t.csv", "x\n" + "1\n" * 700_000 + "2.5\n")
    assert read_table(path)["x"][-1].as_py() == 2.5


def test_a_nan_is_a_number_and_not_missing(tmp_path: Path) -> None:
    column = read_table(_csv(tmp_path / "t.csv", "x,y\nnan,1\nNaN,2\n"))["x"]
    assert column.null_count == 0
    assert [v != v for v in column.to_pylist()] == [True, True]


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet", "txt"])
def test_the_first_bytes_show_what_a_file_is(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"t.{ending}"
    if ending == "parquet":
        pq.write_table(pa.table({"arch": ["001"], "x": [1]}), path)
    elif ending == "csv.gz":
        path.write_bytes(gzip.compress(b"arch,x\n001,1\n"))
    else:
        _csv(path, "\ufeffarch,x\r\n001,1\r\n")
    assert read_table(path).to_pydict() == {"arch": ["001"], "x": [1]}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("arch_id,score,score\na,1,2\n", "2 columns are called 'score'; rename all but one"),
        ("a,b\n1,2,3\n", "not a readable CSV table (CSV parse error: "),
        ("", "not a readable CSV table (Empty CSV file"),
        ("\0", "not a readable CSV table ("),
    ],
)
def test_a_bad_csv_file_is_refused_in_one_line(tmp_path: Path, text: str, fault: str) -> None:
    assert _refusal(_csv(tmp_path / "t.csv", text)).startswith(fault)


def test_a_missing_damaged_or_packed_file_is_refused_in_one_line(tmp_path: Path) -> None:
    assert _refusal(tmp_path / "none.csv") == "no such file"
    assert _refusal(tmp_path).startswith("cannot be read (Is a directory)")
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress("".join(f"{i}\n" for i in range(999)).encode())[:-99])
    assert _refusal(path).startswith("cannot be unpacked")
    path.write_bytes(gzip.compress(b"x\n" + b"1\n" * (1 << 26)))
    assert _refusal(path).endswith("refused")
    path.write_bytes(b"PAR1" * 4)
    assert _refusal(path).startswith("not a readable Parquet file")
    path.write_bytes(b"arch\n\xff\n")
    assert _refusal(path).startswith("not a readable CSV table")


def test_columns_of_equal_name_are_refused_in_parquet_too(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["x", "x"])
    pq.write_table(table, tmp_path / "t.parquet")
    assert _refusal(tmp_path / "t.parquet").startswith("2 columns are called 'x'")


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["a"], pa.large_string()),
        pa.array(["a"], pa.string_view()),
        pa.array(["a"]).dictionary_encode(),
    ],
    ids=lambda values: str(values.type),
)
def test_text_is_text_in_all_its_types(tmp_path: Path, values: pa.Array) -> None:
    pq.write_table(pa.table({"arch": values}), tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert table.schema.field("arch").type == pa.string()
    assert identifiers(table, "arch", "t").to_pylist() == ["a"]


def test_a_folder_that_looks_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    folder = tmp_path / "arch=x"
    folder.mkdir()
    pq.write_table(pa.table({"arch": ["001"]}), folder / "t.parquet")
    assert read_table(folder / "t.parquet")["arch"].to_pylist() == ["001"]


def test_whole_numbers_are_names_and_keep_their_digits(tmp_path: Path) -> None:
    table = pa.table({"arch_id": pa.array([1, -2], pa.int64())})
    assert identifiers(table, "arch_id", "t").to_pylist() == ["1", "-2"]


@pytest.mark.parametrize("missing", [None, ""])
def test_a_row_without_a_name_is_refused(missing: str | None) -> None:
    table = pa.table({"arch_id": ["a", missing]})
    with pytest.raises(SnapError, match=r"^t: row 2: column 'arch_id' is empty"):
        identifiers(table, "arch_id", "t")


@given(st.lists(st.integers(), min_size=1))
def test_whole_numbers_become_doubles_only_if_those_distinguish_them(whole: list[int]) -> None:
    far = next((i for i, value in enumerate(whole, 1) if abs(value) > 2**53), None)
    table = pa.table({"x": [str(value) for value in whole]})
    if far is None:
        assert doubles(table, "x", "t").to_pylist() == whole
    else:
        with pytest.raises(SnapError, match=rf"^t: row {far}: column 'x' holds '?-?\d"):
            doubles(table, "x", "t")


@pytest.mark.parametrize(
    "values",
    [pa.array([["a"]]), pa.array([{"a": 1}]), pa.array([b"a"]), pa.array([1.0]), pa.array([True])],
    ids=lambda values: str(values.type),
)
def test_other_values_are_no_names(values: pa.Array) -> None:
    expected = f"^t: column 'arch_id' must hold text, not {values.type}"
    with pytest.raises(SnapError, match=expected):
        identifiers(pa.table({"arch_id": values}), "arch_id", "t")

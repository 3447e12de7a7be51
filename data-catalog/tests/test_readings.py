from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from snap_catalog.parquet import decode_metadata, read, write
from snap_catalog.readings import COLUMNS, Understood, listed, understood

Make = Callable[..., pa.Table]

DOUBT = "not recognised as an operator"


@pytest.mark.parametrize(
    ("confidence", "doubt", "line"),
    [
        (0.974, None, "conv: read as convolution, kernel 3x3 (0.97); check"),
        (0.41, None, "conv: perhaps convolution, kernel 3x3 (0.41); check"),
        (0.002, DOUBT, f"conv: perhaps convolution, kernel 3x3 (0.00); {DOUBT}"),
    ],
)
def test_a_line_says_what_was_read_how_surely_and_what_to_do(
    confidence: float, doubt: str | None, line: str
) -> None:
    assert str(Understood("conv", "convolution, kernel 3x3", confidence, doubt)) == line


def test_rows_that_were_not_read_and_tables_without_readings_have_none() -> None:
    table = pa.table(
        {
            "op": ["conv", "pool"],
            "reading": ["convolution", None],
            "confidence": [0.9, None],
            "doubt": pa.array([None, None], pa.string()),
        }
    )
    assert list(understood(table)) == [Understood("conv", "convolution", 0.9, None)]
    assert list(understood(table.select(["op"]))) == []


def test_a_report_lists_twelve_and_those_in_doubt_first() -> None:
    plain = [Understood(f"conv{i}", "convolution", 0.9, None) for i in range(14)]
    lines = listed([*plain, Understood("blob", "convolution", 0.1, DOUBT)])
    assert len(lines) == 13
    assert lines[0].startswith("blob: perhaps")
    assert lines[1].startswith("conv0: read as")
    assert lines[-1] == "and 3 more"
    assert listed([]) == []


@pytest.fixture
def table(make: Make) -> pa.Table:
    """Operators of which only the first was read."""
    return make("operators", reading=["convolution", None], confidence=[0.9, None])


def test_readings_are_kept_in_a_file(table: pa.Table, tmp_path: Path) -> None:
    path = tmp_path / "operators.parquet"
    write(table, path, "operators", producer="snap-catalog")
    found = read(path, "operators")
    assert list(understood(found)) == list(understood(table))
    assert decode_metadata(found.schema)["snap.schema_version"] == "2"


def test_a_file_without_readings_is_read_without_them(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "operators.parquet"
    plain = make("operators").drop_columns([*COLUMNS])
    write(plain, path, "operators", producer="snap-catalog")
    found = read(path, "operators")
    assert set(COLUMNS).isdisjoint(found.column_names)
    assert list(understood(found)) == []

import pyarrow as pa
import pytest
from snap_catalog.readings import Understood, listed, understood

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

import pyarrow as pa
import pytest
from snap_catalog import benchmarks, conventional_metric, direction_of


@pytest.mark.parametrize(
    ("column", "direction", "unit"),
    [
        ("svhn/valid/accuracy", "max", "percent"),
        ("svhn/test/top1@20#3", "max", "percent"),
        ("my-data/top5", "max", "percent"),
        ("my-data/test/error", "min", "percent"),
        ("my-data/test/loss", "min", ""),
        ("my-data/train/seconds", "min", "s"),
        ("hw/phone/latency_ms", "min", "ms"),
        ("hw/phone/latency", "min", ""),
        ("proxy/svhn/zen", "max", ""),
        ("proxy/svhn/loss", "max", ""),
    ],
)
def test_a_conventional_name_says_direction_and_unit(
    column: str, direction: str, unit: str
) -> None:
    facts = conventional_metric(column)
    assert facts is not None
    assert (facts.direction, facts.unit, facts.role) == (direction, unit, "test")


@pytest.mark.parametrize("column", ["accuracy", "a/b/zen", "a/b/accuracy_std", "a/b/Accuracy", ""])
def test_another_name_says_nothing(column: str) -> None:
    assert conventional_metric(column) is None


def test_conventions_and_the_catalog_agree() -> None:
    agreeing = 0
    for entry in (entry for benchmark in benchmarks().values() for entry in benchmark.metrics):
        facts = conventional_metric(entry.pattern.replace("*/", "x/").rstrip("*"))
        if facts is not None:
            agreeing += 1
            assert facts.direction == entry.direction, entry.pattern
            assert (facts.unit == "percent") == (entry.unit == "percent"), entry.pattern
    assert agreeing > 10


def test_what_a_table_states_of_a_metric_goes_before_its_name() -> None:
    name = "svhn/valid/accuracy@20"
    stated = pa.schema([pa.field(name, pa.float64(), metadata={"direction": "min"})])
    assert direction_of(stated, name) == "min"
    assert direction_of(pa.schema([pa.field(name, pa.float64())]), name) == "max"
    assert direction_of(pa.schema([]), name) == "max"
    assert direction_of(pa.schema([]), "mine") is None

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_catalog.metrics import is_metric, oriented, resolve_metric

_SEGMENT = st.from_regex(r"[A-Za-z0-9_.-]+", fullmatch=True)
_SUFFIX = st.from_regex(r"(@[0-9]{1,4})?(#[0-9]{1,2})?", fullmatch=True)
_METRICS = st.builds(
    lambda segments, suffix: "/".join(segments) + suffix,
    st.lists(_SEGMENT, min_size=2, max_size=3),
    _SUFFIX,
)

COLUMNS = [
    "arch_id",
    "cifar10/test/accuracy@200",
    "cifar10/test/accuracy_deviation",
    "cifar10/validate/accuracy@200",
    "cifar100/test/accuracy@200",
    "hw/pixel3/latency_ms",
    "proxy/cifar10/synflow",
]


@pytest.mark.parametrize(
    "name",
    [
        "cifar10/test/accuracy",
        "cifar10/test/accuracy@200",
        "cifar10/test/accuracy@200#2",
        "imagenet16-120/test/accuracy#0",
        "hw/edge_gpu/latency_ms",
        "proxy/cifar10/nwot",
        "dataset/metric",
    ],
)
def test_names_of_the_contract_are_metrics(name: str) -> None:
    assert is_metric(name)


@pytest.mark.parametrize(
    "name",
    [
        "accuracy",
        "",
        "/test/accuracy",
        "a//b",
        "a/b/",
        "a/b/c/d",
        "a/b c/d",
        "a/b/c@",
        "a/b/c#",
        "a/b/c#1@2",
        "a/b/c@x",
        "a/b/c\n",
    ],
)
def test_other_names_are_no_metrics(name: str) -> None:
    assert not is_metric(name)


@pytest.mark.parametrize(
    ("wanted", "column"),
    [
        ("cifar10/test/accuracy", "cifar10/test/accuracy@200"),
        ("cifar10/test/accuracy_", "cifar10/test/accuracy_deviation"),
        ("cifar100", "cifar100/test/accuracy@200"),
        ("cifar100/t/acc", "cifar100/test/accuracy@200"),
        ("val/accuracy", "cifar10/validate/accuracy@200"),
        ("latency", "hw/pixel3/latency_ms"),
        ("proxy", "proxy/cifar10/synflow"),
    ],
)
def test_a_run_of_neighbouring_beginnings_names_the_one_column_it_fits(
    wanted: str, column: str
) -> None:
    assert resolve_metric(wanted, COLUMNS, source="x.parquet") == column


def test_a_shortening_of_several_columns_is_refused_with_these_columns() -> None:
    with pytest.raises(SnapError, match="fits more than one") as refusal:
        resolve_metric("test/accuracy", COLUMNS, source="x.parquet")
    message = str(refusal.value)
    assert message.startswith("x.parquet: 'test/accuracy'")
    assert message.endswith(": cifar10/test/accuracy@200, cifar100/test/accuracy@200")


def test_a_dataset_given_whole_is_not_one_whose_name_is_longer() -> None:
    with pytest.raises(SnapError) as refusal:
        resolve_metric("cifar10/test", COLUMNS, source="x.parquet")
    assert "cifar10/test/accuracy@200, cifar10/test/accuracy_deviation" in str(refusal.value)
    assert "cifar100" not in str(refusal.value)


@pytest.mark.parametrize("wanted", ["loss", "cifar10/accuracy", "arch_id", "a/b/c/d"])
def test_what_fits_nothing_is_refused_with_every_metric_of_the_file(wanted: str) -> None:
    with pytest.raises(SnapError, match="fits no metric column") as refusal:
        resolve_metric(wanted, COLUMNS, source="x.parquet")
    assert all(column in str(refusal.value) for column in COLUMNS[1:])
    assert "arch_id," not in str(refusal.value)


def test_a_file_without_metrics_says_so() -> None:
    with pytest.raises(SnapError, match="choose one of: none"):
        resolve_metric("accuracy", ["space", "arch_id"], source="x.parquet")


@given(st.lists(_METRICS, min_size=1, max_size=6, unique=True), st.data())
def test_a_full_name_always_stands_for_itself(columns: list[str], data: st.DataObject) -> None:
    wanted = data.draw(st.sampled_from(columns))
    assert is_metric(wanted)
    assert resolve_metric(wanted, [*columns, f"{wanted}0"], source="x") == wanted


@given(_METRICS, st.data())
def test_any_beginning_of_the_only_metric_is_enough(column: str, data: st.DataObject) -> None:
    wanted = column[: data.draw(st.integers(1, len(column)))].rstrip("/")
    assert resolve_metric(wanted, [column, "arch_id"], source="x") == column


def test_oriented_values_are_the_higher_the_better() -> None:
    values = np.array([3.0, np.nan, -1.0])
    np.testing.assert_array_equal(oriented(values, "max"), values)
    np.testing.assert_array_equal(oriented(values, "min"), [-3.0, np.nan, 1.0])

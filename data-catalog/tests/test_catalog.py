from typing import get_args

import pytest
from snap_catalog import SnapError, benchmark, benchmarks, operators
from snap_catalog.catalog import Direction, Role


@pytest.mark.parametrize("name", benchmarks())
def test_every_benchmark_says_what_it_is_and_what_it_may_be_used_for(name: str) -> None:
    known = benchmark(name)
    assert known.name == name
    assert known.space in operators()
    assert all((known.title, known.licence, known.metrics))
    assert known.citation.strip().startswith("@")
    for facts in known.metrics:
        assert facts.role in get_args(Role)
        assert facts.direction in get_args(Direction)
        assert facts.unit


@pytest.mark.parametrize("name", benchmarks())
def test_a_benchmark_s_files_say_where_they_are_and_state_no_impossible_size_or_sum(
    name: str,
) -> None:
    for file in benchmark(name).files:
        assert benchmark(name).package or file.url or file.page
        assert file.bytes is None or file.bytes > 0
        assert file.sha256 is None or len(bytes.fromhex(file.sha256)) == 32


@pytest.mark.parametrize(
    ("name", "metric", "role", "direction"),
    [
        ("nb101", "cifar10/test/accuracy@108", "train", "max"),
        ("nb201", "cifar10/test/accuracy@200", "develop", "max"),
        ("nb201", "cifar10/valid/accuracy@200", "test", "max"),
        ("nb201", "cifar100/validate/accuracy", "test", "max"),
        ("nb201", "imagenet16-120/test/accuracy@200#1", "test", "max"),
        ("analog-nasbench", "cifar10/test/noisy_accuracy", "test", "max"),
        ("analog-nasbench", "cifar10/test/accuracy_uncertainty", "test", "min"),
    ],
)
def test_the_first_pattern_that_matches_a_metric_gives_its_role_and_direction(
    name: str, metric: str, role: Role, direction: Direction
) -> None:
    facts = benchmark(name).facts(metric)
    assert facts is not None
    assert (facts.role, facts.direction, facts.unit) == (role, direction, "percent")


@pytest.mark.parametrize("metric", ["cifar10", "svhn/test/accuracy", "CIFAR10/test/accuracy"])
def test_nothing_is_known_of_a_metric_that_no_pattern_matches(metric: str) -> None:
    assert benchmark("nb201").facts(metric) is None


@pytest.mark.parametrize("name", ["transnas-micro", "transnas-macro"])
@pytest.mark.parametrize(
    ("metric", "unit", "role"),
    [
        ("class_object/valid/top1", "percent", "develop"),
        ("room_layout/valid/neg_loss", "negative squared error", "develop"),
        ("class_object/test/top1", "percent", "test"),
        ("room_layout/test/neg_loss", "negative squared error", "test"),
        ("class_scene/valid/top1", "percent", "test"),
        ("jigsaw/valid/top1", "percent", "test"),
    ],
)
def test_of_transnas_the_validation_metrics_of_two_tasks_are_for_development(
    name: str, metric: str, unit: str, role: Role
) -> None:
    facts = benchmark(name).facts(metric)
    assert facts is not None
    assert (facts.unit, facts.role) == (unit, role)


def test_only_nas_bench_101_may_be_trained_on() -> None:
    trained = {n for n, b in benchmarks().items() if any(m.role == "train" for m in b.metrics)}
    assert trained == {"nb101"}


def test_an_unknown_benchmark_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SnapError, match=r"unknown benchmark 'nb999'; the catalog has .*nb101"):
        benchmark("nb999")

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import spearmanr
from snap_catalog import SnapError
from snap_catalog.parquet import validate
from snap_catalog.tables import read_table
from snap_graphs.convert import convert
from snap_graphs.formats.base import Request
from snap_graphs.formats.suite_zero import SENTINEL

ZEN, ACCURACY = "proxy/cifar10/zen", "cifar10-valid/test/accuracy@200"


def record(arch: str, **others: object) -> dict[str, Any]:
    scores = {"zen": {"score": 1.5, "time": 0.1}, "nwot": {"score": 700, "time": 0.1}}
    return {"idx": "0", "arch": arch, **scores, "val_accuracy": 80.0, **others}


def shard(folder: Path, *records: object, dataset: str = "cifar10", first: int = 0) -> Path:
    path = folder / f"benchmark--nasbench201--{dataset}--{first}.json"
    path.write_text(json.dumps(records))
    return path


def real(shared_data: Path) -> Path:
    return shared_data / "official" / "naslib-zc-json" / "nasbench201"


def test_the_official_shards_give_every_cell_once_without_the_sentinels(shared_data: Path) -> None:
    request = Request()
    table = convert("nb201", real(shared_data), request)
    validate(table, "graphs")
    assert table.num_rows == 15_625
    assert table[ZEN].null_count == 341
    assert request.notes == ["341 of proxy/cifar10/zen are no scores and left empty"]


def test_the_official_scores_are_those_of_the_published_table(shared_data: Path) -> None:
    """A wrong digit or edge order would scramble the join."""
    table = convert("nb201", real(shared_data)).select(["arch_id", ZEN])
    published = read_table(shared_data / "nb201_proxies_cifar10.csv.gz").select(["arch", ZEN])
    both = published.join(table, "arch", "arch_id", right_suffix=" shards")
    assert both.num_rows == 9_445
    expected = [None if score == SENTINEL else score for score in both[ZEN].to_pylist()]
    assert both[f"{ZEN} shards"].to_pylist() == expected


def test_what_the_official_shards_call_validation_is_the_test_accuracy_of_one_seed(
    shared_data: Path,
) -> None:
    shards = convert("nb201", real(shared_data)).select(["arch_id", ACCURACY])
    folder = shared_data / "official" / "NATS-tss-v1_0-3ffb9-simple"
    seeds = convert("nb201", folder, Request(repeat="all"))
    seed_888 = seeds.select(["arch_id", f"{ACCURACY}#1"])
    both = seed_888.join(shards, "arch_id")
    assert both.num_rows == 3
    assert both[ACCURACY].to_pylist() == both[f"{ACCURACY}#1"].to_pylist()


def test_that_accuracy_ranks_the_cells_as_their_validation_accuracy_does(shared_data: Path) -> None:
    shards = convert("nb201", real(shared_data)).select(["arch_id", ACCURACY])
    valid = "cifar10/valid/accuracy@200"
    published = read_table(shared_data / "nb201_cifar10.csv.gz").select(["arch", valid])
    both = published.join(shards, "arch", "arch_id")
    assert spearmanr(both[valid], both[ACCURACY]).statistic == pytest.approx(0.991, abs=1e-3)


def test_one_shard_is_a_source_too(tmp_path: Path) -> None:
    table = convert("nb201", shard(tmp_path, record("(4, 0, 3, 1, 4, 3)")))
    assert table["arch_id"].to_pylist() == [
        "|avg_pool_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_1x1~2|"
    ]
    assert table["proxy/cifar10/nwot"].to_pylist() == [700.0]
    assert table[ACCURACY].to_pylist() == [80.0]


def test_data_sets_of_a_folder_are_joined_by_architecture(tmp_path: Path) -> None:
    shard(tmp_path, record("(0, 0, 0, 0, 0, 0)"), record("(1, 1, 1, 1, 1, 1)"))
    shard(tmp_path, record("(1, 1, 1, 1, 1, 1)", val_accuracy=40.0), dataset="ImageNet16-120")
    rows = {row["arch_id"].count("none"): row for row in convert("nb201", tmp_path).to_pylist()}
    assert rows.keys() == {0, 6}
    for name, expected in (
        ("imagenet16-120/valid/accuracy@200", (None, 40.0)),
        ("proxy/imagenet16-120/zen", (None, 1.5)),
        (ACCURACY, (80.0, 80.0)),
    ):
        assert (rows[0][name], rows[6][name]) == expected


@pytest.mark.parametrize("score", [-1e8, float("nan"), float("inf")])
def test_a_score_that_is_none_is_left_empty_and_counted(tmp_path: Path, score: float) -> None:
    request = Request()
    unscored = record("(0, 0, 0, 0, 0, 0)", zen={"score": score, "time": 0.1})
    table = convert("nb201", shard(tmp_path, unscored, record("(1, 1, 1, 1, 1, 1)")), request)
    assert table[ZEN].to_pylist() == [None, 1.5]
    assert request.notes == ["1 of proxy/cifar10/zen are no scores and left empty"]


def without(key: str) -> dict[str, Any]:
    return {k: v for k, v in record("(1, 1, 1, 1, 1, 1)").items() if k != key}


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (record("(0, 0, 0, 0, 0, 0)"), "comes twice for cifar10"),
        (record("(0, 0, 0, 0, 0)"), "no architecture of six digits"),
        (record("(0, 0, 0, 0, 0, 9)"), "index out of range"),
        (record("__import__('os')"), "no architecture of six digits"),
        (record("(1, 1, 1, 1, 1, 1)", val_accuracy=float("nan")), "val_accuracy nan is not"),
        (record("(1, 1, 1, 1, 1, 1)", val_accuracy="high"), "could not convert"),
        (record("(1, 1, 1, 1, 1, 1)", zen={}), "score"),
        (without("val_accuracy"), "val_accuracy"),
        (without("arch"), "arch"),
        (7, "not subscriptable"),
    ],
)
def test_a_bad_record_is_refused_by_number_or_counted(
    tmp_path: Path, bad: object, fault: str
) -> None:
    path = shard(tmp_path, record("(0, 0, 0, 0, 0, 0)"), bad, record("(2, 2, 2, 2, 2, 2)"))
    with pytest.raises(SnapError, match=rf"--0\.json: record 2: .*{fault}"):
        convert("nb201", path)
    request = Request(skip_bad=True)
    assert convert("nb201", tmp_path, request).num_rows == 2
    assert request.skipped == 1


@pytest.mark.parametrize("cut", [lambda text: text[:-20], lambda _text: "[1, 2"])
def test_a_truncated_shard_is_refused(tmp_path: Path, cut: Callable[[str], str]) -> None:
    path = shard(tmp_path, record("(0, 0, 0, 0, 0, 0)"))
    path.write_text(cut(path.read_text()))
    with pytest.raises(SnapError, match=r"--0\.json: "):
        convert("nb201", path)

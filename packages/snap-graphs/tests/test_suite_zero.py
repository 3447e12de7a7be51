import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import spearmanr
from snap_catalog import SnapError
from snap_catalog.parquet import validate
from snap_catalog.scores import NO_SCORE
from snap_catalog.tables import read_table
from snap_graphs import space
from snap_graphs.convert import convert
from snap_graphs.formats.base import Request

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
    assert request.notes == ["341 of proxy/cifar10/zen are not scores and left empty"]


def test_the_official_scores_are_those_of_the_published_table(shared_data: Path) -> None:
    """A wrong digit or edge order would scramble the join."""
    table = convert("nb201", real(shared_data)).select(["arch_id", ZEN])
    published = read_table(shared_data / "nb201_proxies_cifar10.csv.gz").select(["arch", ZEN])
    both = published.join(table, "arch", "arch_id", right_suffix=" shards")
    assert both.num_rows == 9_445
    expected = [None if score == NO_SCORE else score for score in both[ZEN].to_pylist()]
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
    assert request.notes == ["1 of proxy/cifar10/zen are not scores and left empty"]


def without(key: str) -> dict[str, Any]:
    return {k: v for k, v in record("(1, 1, 1, 1, 1, 1)").items() if k != key}


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (record("(0, 0, 0, 0, 0, 0)"), "is repeated for cifar10"),
        (record("(0, 0, 0, 0, 0)"), "not six digits from 0 to 4"),
        (record("(0, 0, 0, 0, 0, 9)"), "not six digits from 0 to 4"),
        (record("(0, 0, 0, 0, 0, -1)"), "not an architecture written as digits"),
        (record("__import__('os')"), "malformed: it calls '__import__'"),
        (record("(1, 1, 1, 1, 1, 1)", **{"a b": {"score": 1}}), "cannot be the name of a metric"),
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


def document(folder: Path, space: str, content: object) -> Path:
    path = folder / f"zc_{space}.json"
    path.write_text(json.dumps(content))
    return path


SCORES = {
    "id": "0",
    "zen": {"score": 1.5, "time": 0.1},
    "nwot": {"score": -1e8, "time": 0.1},
    "val_accuracy": 80.0,
}
PAIRS = tuple((source, 3) for node in range(4) for source in (0, 1))
NB101 = (0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 4, 2, 1)
DOCUMENTS = [
    (
        "nb201",
        "nasbench201",
        "cifar10",
        "(4, 0, 3, 1, 4, 3)",
        "|avg_pool_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_1x1~2|",
        ACCURACY,
    ),
    ("nb101", "nasbench101", "cifar10", str(NB101), "4:110011:3m", "cifar10/valid/accuracy@108"),
    (
        "nb301",
        "nasbench301",
        "cifar10",
        str((PAIRS, PAIRS)),
        str(([("sep_conv_3x3", s) for s, _ in PAIRS],) * 2),
        "cifar10/valid/accuracy_of_surrogate",
    ),
    (
        "transnas-micro",
        "transbench101_micro",
        "jigsaw",
        "(2, 3, 1, 3, 2, 3)",
        "64-41414-2_31_323",
        "jigsaw/valid/top1@10",
    ),
    (
        "transnas-macro",
        "transbench101_macro",
        "autoencoder",
        "(1, 2, 3, 4, 0, 0)",
        "64-1234-basic",
        "autoencoder/valid/ssim@30",
    ),
]


@pytest.mark.parametrize(
    ("name", "label", "dataset", "key", "arch_id", "accuracy"), DOCUMENTS, ids=lambda part: part[:9]
)
def test_the_one_file_of_a_space_is_read_as_its_download_stores_it(
    tmp_path: Path, name: str, label: str, dataset: str, key: str, arch_id: str, accuracy: str
) -> None:
    request = Request()
    path = document(tmp_path, label, {dataset: {key: SCORES}})
    table = convert(name, path, request)
    validate(table, "graphs")
    home = space(table["space"][0].as_py())
    assert table["arch_id"].to_pylist() == [home.format(home.parse(arch_id))]
    assert table[f"proxy/{dataset}/zen"].to_pylist() == [1.5]
    assert table[accuracy].to_pylist() == [80.0]
    assert request.notes == [f"1 of proxy/{dataset}/nwot are not scores and left empty"]


def test_the_one_file_and_the_official_shards_made_into_it_agree(
    shared_data: Path, tmp_path: Path
) -> None:
    shards = [json.loads(path.read_text()) for path in sorted(real(shared_data).iterdir())[:4]]
    entries = {r["arch"]: r for shard in shards for r in shard}
    path = document(tmp_path, "nasbench201", {"cifar10": entries, "cifar100": entries})
    both = convert("nb201", path)
    alone = convert("nb201", real(shared_data)).select(["arch_id", ZEN, ACCURACY])
    joined = both.select(["arch_id", ZEN, ACCURACY]).join(alone, "arch_id", right_suffix=" shards")
    assert both.num_rows == len(entries) == 1000
    for column in (ZEN, ACCURACY):
        assert joined[column].to_pylist() == joined[f"{column} shards"].to_pylist()
    assert both["proxy/cifar100/zen"].to_pylist() == both[ZEN].to_pylist()


def test_an_architecture_without_an_accuracy_keeps_its_scores(tmp_path: Path) -> None:
    scores = {"zen": {"score": 1.5, "time": 0.1}}
    path = document(tmp_path, "nasbench201", {"cifar10": {"(0, 0, 0, 0, 0, 0)": scores}})
    table = convert("nb201", path)
    assert table[ZEN].to_pylist() == [1.5]
    assert ACCURACY not in table.column_names


def test_what_is_neither_score_nor_description_is_left_out_with_a_note(tmp_path: Path) -> None:
    request = Request()
    scores = {**SCORES, "nwot": {"score": None}, "seconds": 3.0}
    convert(
        "nb201",
        document(tmp_path, "nasbench201", {"cifar10": {"(0, 0, 0, 0, 0, 0)": scores}}),
        request,
    )
    assert request.notes == [
        "1 of proxy/cifar10/nwot are not scores and left empty",
        "1 of 'seconds' are not scores and left out",
    ]


ONE = '"(0, 0, 0, 0, 0, 0)": {"zen": {"score": 1.5}}'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f'{{"cifar10": {{{ONE}, {ONE}}}}}', r"record cifar10 \(0.*is repeated for cifar10"),
        ('{"cifar10": {"(0, 0)": {}}}', r"record cifar10 \(0, 0\): .*not six digits"),
        ('{"cifar10": {"(0, 0, 0, 0, 0, 0)": [1]}}', "no attribute 'items'"),
        (f"{{{ONE}}}", "record .* zen: 'zen' is no|no Name"),
        (f'{{"cifar10": [{ONE[:20]}]}}', "not JSON records"),
        ("[1]", "not JSON records"),
        ('{"cifar10": 3}', "not JSON records"),
        ('{"cifar10": {}}', "contains no readable architecture"),
        (f'{{"cifar10": {{{ONE}}}', "not JSON records"),
        (f'{{"a b": {{{ONE}}}}}', "cannot be the name of a metric"),
    ],
)
def test_a_file_of_another_layout_is_refused_in_one_line(
    tmp_path: Path, text: str, fault: str
) -> None:
    path = tmp_path / "zc_nasbench201.json"
    path.write_text(text)
    with pytest.raises(SnapError, match=rf"zc_nasbench201\.json: .*{fault}") as caught:
        convert("nb201", path)
    assert "\n" not in str(caught.value)


def test_endless_names_of_proxies_are_refused(tmp_path: Path) -> None:
    scores = {f"p{i}": {"score": 1.0} for i in range(300)}
    path = document(tmp_path, "nasbench201", {"cifar10": {"(0, 0, 0, 0, 0, 0)": scores}})
    with pytest.raises(SnapError, match="more than 256 metrics"):
        convert("nb201", path)


@pytest.mark.parametrize(
    ("name", "label", "key", "fault"),
    [
        ("nb101", "nasbench101", "(0, 1, 0)", "no matrix of n x n digits"),
        ("nb101", "nasbench101", "(0, 1, 0, 0, 0, 9)", "no matrix of n x n digits"),
        ("nb101", "nasbench101", "(0, 2, 0, 0, 0, 1)", "not a square matrix of 0"),
        ("nb101", "nasbench101", "(0, 0, 0, 0, 0, 1)", "no path leads"),
        ("nb101", "nasbench101", "(0, 1, 0, 0, 1, 0)", "do not define a cell"),
        ("nb101", "nasbench101", "()", "no matrix of n x n digits"),
        ("nb301", "nasbench301", "(1, 2)", "not a genotype"),
        ("transnas-micro", "transbench101_micro", "(4, 0, 0, 0, 0, 0)", "six digits of 0 to 3"),
        ("transnas-macro", "transbench101_macro", "(12, 34, 1, 1)", "written as digits"),
        ("transnas-macro", "transbench101_macro", "(1, 2, 0, 3, 4, 0)", "no TransNAS-Bench-101"),
    ],
)
def test_an_architecture_that_the_space_lacks_is_refused(
    tmp_path: Path, name: str, label: str, key: str, fault: str
) -> None:
    path = document(tmp_path, label, {"class_scene": {key: SCORES}})
    with pytest.raises(SnapError, match=rf"record class_scene \(.*{fault}"):
        convert(name, path)

import csv
import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from snap_catalog import SnapError
from snap_catalog.parquet import validate
from snap_graphs import graph_table, space
from snap_graphs.convert import convert
from snap_graphs.formats.base import Request

Generator = Callable[[str], ModuleType]
TOP1 = "class_object/valid/top1"
TASKS = 7


@pytest.fixture(scope="module")
def table(shared_data: Path) -> pa.Table:
    return convert("transnas-micro", shared_data / "tnb101_micro_2tasks.csv.gz")


def test_the_table_has_every_cell_and_the_best_published_metrics(table: pa.Table) -> None:
    validate(table, "graphs")
    assert table.num_rows == len(set(table["arch_id"].to_pylist())) == 4_096
    assert pc.max(table[TOP1]).as_py() == pytest.approx(46.32, abs=0.005)
    assert pc.max(table["room_layout/valid/neg_loss"]).as_py() == pytest.approx(-0.5938, abs=5e-5)


def test_directions_follow_the_metric(table: pa.Table) -> None:
    directions = {
        name: table.schema.field(name).metadata[b"direction"].decode()
        for name in table.column_names
        if "/" in name
    }
    least = {name for name, direction in directions.items() if direction == "min"}
    assert least == {n for n in directions if n.endswith(("/loss", "/seconds"))}


def test_suite_zeros_accuracy_is_that_of_the_last_epoch(table: pa.Table, shared_data: Path) -> None:
    """It equals the table's best where the last epoch is the best, and is never above it."""
    shards = convert(
        "transnas-micro", shared_data / "official" / "naslib-zc-json" / "transbench101_micro"
    )
    validate(shards, "graphs")
    assert shards.num_rows == 4_096
    final = "class_object/valid/top1@25"
    both = shards.select(["arch_id", final]).join(table.select(["arch_id", TOP1]), "arch_id")
    gap = pc.subtract(both[TOP1], both[final]).to_numpy()
    assert (gap > -1e-3).all()
    assert (abs(gap) < 1e-3).sum() == 1_372


def test_suite_zeros_sentinels_are_left_empty(shared_data: Path) -> None:
    shards = convert(
        "transnas-micro", shared_data / "official" / "naslib-zc-json" / "transbench101_micro"
    )
    zen = shards["proxy/class_object/zen"]
    assert zen.null_count == 169
    assert pc.min(zen).as_py() > -1e8


def test_a_shard_of_another_task_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "benchmark--transbench101_micro--svhn--0.json"
    path.write_text(json.dumps([{"idx": "0", "arch": "(0, 1, 2, 3, 0, 1)", "val_accuracy": 1.0}]))
    with pytest.raises(SnapError, match="'svhn' is not a task of TransNAS-Bench-101"):
        convert("transnas-micro", path)


@pytest.mark.parametrize("arch", ["(0, 1, 2, 3, 0, 4)", "(0, 1, 2)", "(0, 1, 2, 3, 0, x)"])
def test_a_shards_bad_digits_are_a_bad_record(tmp_path: Path, arch: str) -> None:
    path = tmp_path / "benchmark--transbench101_micro--jigsaw--0.json"
    path.write_text(json.dumps([{"idx": "0", "arch": arch, "val_accuracy": 1.0}]))
    with pytest.raises(SnapError, match="record 1"):
        convert("transnas-micro", path)


@pytest.fixture(scope="module")
def saved(
    shared_data: Path, generator: Generator, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The benchmark's `.pth` with 200 real cells and three made-up macro networks."""
    path = tmp_path_factory.mktemp("transnas") / "transnas-bench_v10141024.pth"
    fixtures = generator("transnas_pth")
    rows = list(fixtures.rows(shared_data / "tnb101_micro_2tasks.csv.gz"))
    fixtures.write(path, rows[::21])
    return path


def test_the_saved_file_gives_the_tables_values(saved: Path, table: pa.Table) -> None:
    read = convert("transnas-micro", saved)
    validate(read, "graphs")
    columns = [TOP1, "class_object/test/top5", "room_layout/valid/neg_loss"]
    both = read.select(["arch_id", *columns]).join(
        table.select(["arch_id", *columns]), "arch_id", right_suffix=" of the table"
    )
    assert both.num_rows == read.num_rows == 196
    for column in columns:
        assert both[column].to_pylist() == both[f"{column} of the table"].to_pylist()
    seconds = "class_object/train/seconds"
    assert read[seconds].to_pylist() == table[seconds].to_pylist()[::21]


def test_the_best_loss_is_the_lowest_not_the_highest_as_in_the_authors_reader(
    saved: Path, table: pa.Table
) -> None:
    loss = "class_object/valid/loss"
    read = convert("transnas-micro", saved)
    assert read[loss][0].as_py() == pytest.approx(table[loss][0].as_py() - 0.024)
    assert read[f"{loss}@25"][0].as_py() == read[loss][0].as_py()


def test_all_seven_tasks_come_with_their_last_epoch_and_costs(saved: Path) -> None:
    read = convert("transnas-macro", saved)
    assert read["arch_id"].to_pylist() == ["64-1234-basic", "64-4111-basic", "64-421134-basic"]
    finals = {"jigsaw/valid/top1@10", "autoencoder/valid/ssim@30", "room_layout/test/loss@25"}
    assert finals <= set(read.column_names)
    assert len({name.split("/")[0] for name in read.column_names if "/" in name}) == TASKS
    assert read["normal/model/params"].to_pylist() == [1e6] * 3


def test_epochs_are_taken_off_the_curve(saved: Path) -> None:
    read = convert("transnas-macro", saved, Request(epochs=frozenset({5, 20})))
    accuracies = [c for c in read.column_names if c.startswith("jigsaw/valid/top1")]
    assert accuracies == ["jigsaw/valid/top1", "jigsaw/valid/top1@5"]


def test_a_saved_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    import torch

    path = tmp_path / "a.pth"
    torch.save({"data": {"macro": 3}}, path)
    for name in ("transnas-micro", "transnas-macro"):
        with pytest.raises(SnapError, match="not laid out as TransNAS-Bench-101"):
            convert(name, path)


def test_a_bad_network_is_named_or_counted(tmp_path: Path, generator: Generator) -> None:
    import torch

    content = generator("transnas_pth").content([])
    networks = content["data"]["macro"]
    networks["64-1234-basic"]["jigsaw"]["metrics"]["valid_top1"][3] = float("inf")
    networks["64-4444-basic"] = networks["64-4111-basic"]
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(SnapError, match="record 1: jigsaw/valid/top1 is not finite"):
        convert("transnas-macro", tmp_path / "a.pth")
    request = Request(skip_bad=True)
    assert convert("transnas-macro", tmp_path / "a.pth", request).num_rows == 2
    assert request.skipped == 2


def test_blanks_around_a_saved_string_are_no_part_of_it(
    tmp_path: Path, generator: Generator
) -> None:
    path = tmp_path / "a.pth"
    generator("transnas_pth").write(path, [{"arch": "64-41414-1_23_012 "}])
    assert convert("transnas-micro", path)["arch_id"].to_pylist() == ["64-41414-1_23_012"]


def test_a_truncated_file_is_refused(saved: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.pth"
    shutil.copy(saved, path)
    path.write_bytes(path.read_bytes()[:-3_000])
    with pytest.raises(SnapError):
        convert("transnas-micro", path)


@pytest.mark.parametrize(
    ("name", "arch_id", "costs"),
    [
        ("transnas-micro", "64-41414-0_00_000", (57_963, 68_679_168, 602_187)),
        ("transnas-micro", "64-41414-1_02_033", (16_434_539, 2_528_507_392, 2_734_667)),
        ("transnas-micro", "64-41414-3_30_321", (19_288_683, 3_145_070_080, 3_211_339)),
        ("transnas-macro", "64-1234-basic", (3_419_499, 3_061_558_016, 4_164_683)),
        ("transnas-macro", "64-421134-basic", (18_227_051, 6_709_573_120, 4_089_419)),
    ],
)
def test_costs_are_those_of_the_network_built_with_torch(
    name: str, arch_id: str, costs: tuple[int, int, int]
) -> None:
    (row,) = graph_table(name, [space(name).parse(arch_id)]).to_pylist()
    assert (row["params"], row["flops"], row["activations"]) == costs


def test_the_macro_space_has_the_benchmarks_3256_networks() -> None:
    home = space("transnas-macro")
    strings = [home.format(cell) for cell in home.enumerate()]
    assert len(set(strings)) == len(strings) == 3_256
    lengths = [sum(len(s) == len(f"64-{'1' * n}-basic") for s in strings) for n in (4, 5, 6)]
    assert lengths == [210, 750, 2_296]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("transnas-micro", "64-41414-0_00_004"),
        ("transnas-micro", "64-41414-000000"),
        ("transnas-micro", "64-1234-basic"),
        ("transnas-macro", "64-41414-0_00_000"),
        ("transnas-macro", "64-1111-basic"),
        ("transnas-macro", "64-4444-basic"),
        ("transnas-macro", "64-123-basic"),
        ("transnas-macro", "64-12345-basic"),
    ],
)
def test_a_string_of_another_space_is_refused(name: str, text: str) -> None:
    with pytest.raises(SnapError, match="is no TransNAS-Bench-101"):
        space(name).parse(text)


def test_a_bad_row_of_a_table_is_named(tmp_path: Path, shared_data: Path) -> None:
    with gzip.open(shared_data / "tnb101_micro_2tasks.csv.gz", "rt") as lines:
        rows = list(csv.reader(lines))[:5]
    rows[2][0] = "64-41414-9_99_999"
    path = tmp_path / "a.csv"
    path.write_text("\n".join(",".join(row) for row in rows) + "\n")
    with pytest.raises(SnapError, match="record 2: '64-41414-9_99_999' is no TransNAS"):
        convert("transnas-micro", path)

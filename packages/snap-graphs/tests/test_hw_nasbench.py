import os
import pickle
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from snap_catalog import SnapError
from snap_catalog.parquet import decode_metadata, validate
from snap_graphs import space
from snap_graphs.convert import convert
from snap_graphs.formats.base import Request
from snap_graphs.formats.hw_nasbench import NETWORKS, names

Generator = Callable[[str], ModuleType]


@pytest.fixture(scope="module")
def table(shared_data: Path) -> pa.Table:
    return convert("hw", shared_data / "nb201_hardware_cifar10.csv.gz")


@pytest.fixture
def content(shared_data: Path, generator: Generator) -> dict[str, Any]:
    """The pickle's dictionary for every tenth cell of NAS-Bench-201."""
    fixtures = generator("hw_nasbench")
    rows = list(fixtures.rows(shared_data / "nb201_hardware_cifar10.csv.gz"))
    built: dict[str, Any] = fixtures.content(rows[::10])
    return built


def write(path: Path, content: Any) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=4))
    return path


def test_the_table_has_all_cells_and_what_less_is_better(table: pa.Table) -> None:
    validate(table, "graphs")
    assert table.num_rows == 15_625
    assert decode_metadata(table.schema)["snap.benchmark"] == "hw-nas-bench"
    latency = table.schema.field("hw/edgegpu/latency").metadata
    intensity = table.schema.field("hw/eyeriss/arithmetic_intensity").metadata
    assert latency == {b"direction": b"min", b"unit": b"ms"}
    assert intensity[b"direction"] == b"max"


def test_the_pickle_gives_the_tables_values(
    content: dict[str, Any], table: pa.Table, tmp_path: Path
) -> None:
    read = convert("hw", write(tmp_path / "HW-NAS-Bench-v1_0.pickle", content))
    validate(read, "graphs")
    assert read["arch_id"].to_pylist() == table["arch_id"].to_pylist()[::10]
    for column in (name for name in table.column_names if name.startswith("hw/")):
        assert read[column].to_pylist() == table[column].to_pylist()[::10]
    assert sum(name.startswith("hw/") for name in read.column_names) == 30
    larger = read["hw/fpga-imagenet16-120/energy"].to_numpy()
    assert np.allclose(larger, 2 * read["hw/fpga/energy"].to_numpy())


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda c: c.pop("nasbench201"), "'nasbench201' is missing"),
        (lambda c: c["nasbench201"]["cifar100"].pop("fpga_energy"), "'fpga_energy' is missing"),
        (lambda c: c["nasbench201"]["cifar10"]["fpga_latency"].pop(), "1,562 values of fpga_late"),
        (lambda c: c["nasbench201"]["cifar100"]["config"].pop(), "cifar100 lists other cells"),
        (lambda c: c["nasbench201"]["cifar10"].update(edgegpu_energy=3.0), "1 values of edgegpu"),
        (lambda c: c["nasbench201"]["cifar10"].update(config=[{}]), "'arch_str' is missing"),
        (lambda c: c["nasbench201"]["cifar10"].update(edgegpu_energy=["x"]), "not laid out"),
    ],
)
def test_another_layout_is_refused(
    content: dict[str, Any], tmp_path: Path, spoil: Callable[[Any], Any], fault: str
) -> None:
    spoil(content)
    path = write(tmp_path / "a.pickle", content)
    with pytest.raises(SnapError, match=fault) as caught:
        convert("hw", path)
    assert str(caught.value).startswith(f"{path}: not laid out as HW-NAS-Bench v1.0")


def test_bad_records_are_named_or_counted(content: dict[str, Any], tmp_path: Path) -> None:
    datasets = content["nasbench201"]
    datasets["cifar10"]["edgegpu_energy"][1] = float("inf")
    for entries in datasets.values():
        entries["config"][4]["arch_str"] = "|oops~0|"
    path = write(tmp_path / "a.pickle", content)
    with pytest.raises(SnapError, match="record 2: a metric is not finite"):
        convert("hw", path)
    request = Request(skip_bad=True)
    assert convert("hw", path, request).num_rows == 1_563 - 2
    assert request.skipped == 2


def test_nothing_of_a_hostile_pickle_is_run(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "made"),)

    path = write(tmp_path / "a.pickle", {"nasbench201": Hostile()})
    with pytest.raises(SnapError, match="which is not admitted"):
        convert("hw", path)
    assert not (tmp_path / "made").exists()


NAMES = (
    "ConvNorm_H224_W224_Cin3_Cout16_kernel3_stride2_group1",
    "ConvBlock_H112_W112_Cin16_Cout16_exp1_kernel3_stride1_group2",
    "ConvBlock_H112_W112_Cin16_Cout24_exp6_kernel5_stride2_group1",
    "Skip_H56_W56_Cin24_Cout24_stride1",
    "ConvBlock_H7_W7_Cin184_Cout352_exp3_kernel3_stride1_group1",
    "ConvNorm_H7_W7_Cin352_Cout1984_kernel1_stride1_group1",
    "AvgP_H7_W7_Cin1984_Cout1984_kernel7_stride1",
    "FC_Cin1984_Cout1000",
    "ConvBlock_H8_W8_Cin64_Cout64_exp1_kernel5_stride1_group2",
    "AvgP_H4_W4_Cin1504_Cout1504_kernel4_stride1",
    "FC_Cin1504_Cout100",
)
"""As the benchmark's own reader spells them."""


@pytest.mark.parametrize("name", NAMES)
def test_blocks_of_fbnet_have_the_benchmarks_names(name: str) -> None:
    known: set[str] = set()
    for network in NETWORKS:
        fixed, blocks = names(network)
        assert len(blocks) == 22
        known.update(fixed, *blocks)
    assert name in known


def test_an_fbnet_network_costs_the_sum_of_its_blocks(
    content: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snap_graphs.formats.hw_nasbench.SAMPLED", 500)
    path = write(tmp_path / "a.pickle", content)
    read = convert("hw-fbnet", path)
    validate(read, "graphs")
    assert read.num_rows == 500
    fixed, blocks = names(NETWORKS[1])
    costs = content["fbnet"]["fpga_latency"]
    for row in (0, 499):
        choices = space("fbnet").encode(space("fbnet").parse(read["arch_id"][row].as_py()))
        chosen = [block[int(9 * x)] for block, x in zip(blocks, choices, strict=True)]
        expected = sum(costs[name] for name in (*fixed, *chosen))
        assert read["hw/fpga-imagenet/latency"][row].as_py() == pytest.approx(expected)
    assert convert("hw-fbnet", path).equals(read)


def test_a_block_without_a_cost_is_named(content: dict[str, Any], tmp_path: Path) -> None:
    content["fbnet"]["pixel3_latency"].pop("FC_Cin1504_Cout100")
    with pytest.raises(SnapError, match="'FC_Cin1504_Cout100' is missing"):
        convert("hw-fbnet", write(tmp_path / "a.pickle", content))

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow.compute as pc
import pytest
from snap_catalog import SnapError
from snap_catalog.parquet import decode_metadata, validate
from snap_graphs import space
from snap_graphs.convert import convert
from snap_graphs.formats.base import Request

Generator = Callable[[str], ModuleType]
SWEEPS = (
    "Amoeba.json",
    "DARTS.json",
    "DARTS_fix-w-d.json",
    "ENAS.json",
    "ENAS_fix-w-d.json",
    "NASNet.json",
    "PNAS.json",
    "PNAS_fix-w-d.json",
)
ACCURACY = "cifar10/test/accuracy@100"


@pytest.fixture
def sweeps(tmp_path: Path, generator: Generator) -> Path:
    """Every design space of cells on CIFAR-10, one on ImageNet, and one of no cells."""
    for seed, name in enumerate((*SWEEPS, "NASNet_in.json")):
        generator("nds").write(tmp_path / name, 20, seed)
    (tmp_path / "ResNet.json").write_text('[{"net": {"block_type": "res_basic_block"}}]')
    return tmp_path


def test_a_folder_gives_the_networks_of_all_cell_based_sweeps(sweeps: Path) -> None:
    table = convert("nds", sweeps)
    validate(table, "graphs")
    assert table.num_rows == 20 * 9
    assert table[ACCURACY].null_count == table["imagenet/model/params"].null_count - 140 == 20
    assert pc.min(table["cifar10/test/best_accuracy"]).as_py() > 80.0
    assert table["params"].null_count == table.num_rows
    assert decode_metadata(table.schema)["snap.benchmark"] == "nds"


@pytest.mark.parametrize("name", SWEEPS)
def test_a_sweep_keeps_its_genotypes_and_final_errors(sweeps: Path, name: str) -> None:
    records = json.loads((sweeps / name).read_text())
    table = convert("nds", sweeps / name)
    assert table.num_rows == len(records) == 20
    errors = [record["test_ep_top1"][-1] for record in records]
    assert table[ACCURACY].to_pylist() == pytest.approx([100.0 - error for error in errors])
    for arch_id, record in zip(table["arch_id"].to_pylist(), records, strict=True):
        net = record["net"]
        prefix, text = arch_id.split(":Genotype", 1)
        assert prefix == f"{name.removesuffix('.json')}:w{net['width']}:d{net['depth']}"
        plain = space("nds").format(space("nds").parse(arch_id))
        assert plain == f"Genotype{text}"
        pairs = [tuple(pair) for pair in net["genotype"]["normal"]]
        assert plain.startswith(f"Genotype(normal={pairs}, ")


def test_the_imagenet_files_have_two_arrays_and_fifty_epochs(sweeps: Path) -> None:
    table = convert("nds", sweeps / "NASNet_in.json")
    assert table.num_rows == 20
    assert table["imagenet/test/accuracy@50"].null_count == 0


def test_epochs_are_taken_off_the_curve(sweeps: Path) -> None:
    table = convert("nds", sweeps / "DARTS.json", Request(epochs=frozenset({1, 10, 500})))
    accuracies = [c for c in table.column_names if c.startswith("cifar10/test/accuracy")]
    assert accuracies == ["cifar10/test/accuracy@1", "cifar10/test/accuracy@10"]
    earlier, later = (table[c].to_numpy() for c in accuracies)
    assert (earlier < later).all()


def change(network: dict[str, Any], *keys: str, to: Any) -> None:
    for key in keys[:-1]:
        network = network[key]
    network[keys[-1]] = to


@pytest.mark.parametrize(
    ("keys", "value", "fault"),
    [
        (
            ("net", "genotype", "normal", 0, 0),
            "conv_9x9",
            "no operator|has the operator 'conv_9x9'",
        ),
        (("net", "genotype", "normal", 0, 1), 6, "cannot take its input from 6"),
        (("net", "genotype", "reduce_concat"), [9], "concat must name"),
        (("net", "genotype"), {}, "'normal' is missing"),
        (("test_ep_top1", -1), float("nan"), "is not finite"),
        (("params"), "many", "record 3"),
        (("net"), None, "record 3"),
    ],
)
def test_a_bad_network_is_named_or_counted(sweeps: Path, keys: Any, value: Any, fault: str) -> None:
    path = sweeps / "PNAS.json"
    records = json.loads(path.read_text())
    change(records[2], *((keys,) if isinstance(keys, str) else keys), to=value)
    path.write_text(json.dumps(records))
    with pytest.raises(SnapError, match=fault) as caught:
        convert("nds", path)
    assert str(caught.value).startswith(f"{path}: record 3: ")
    request = Request(skip_bad=True)
    assert convert("nds", path, request).num_rows == 19
    assert request.skipped == 1


def test_a_network_that_comes_twice_is_refused(sweeps: Path) -> None:
    path = sweeps / "ENAS.json"
    records = json.loads(path.read_text())
    path.write_text(json.dumps([*records, records[0]]))
    with pytest.raises(SnapError, match=r"record 21: ENAS:w.* is repeated"):
        convert("nds", path)


def test_a_file_of_another_design_space_is_not_recognised(sweeps: Path) -> None:
    with pytest.raises(SnapError, match="not a known source of nds; supported are an NDS"):
        convert("nds", sweeps / "ResNet.json")


def test_a_truncated_sweep_is_refused(sweeps: Path) -> None:
    path = sweeps / "DARTS.json"
    path.write_text(path.read_text()[:-500])
    with pytest.raises(SnapError, match="not JSON records"):
        convert("nds", path)

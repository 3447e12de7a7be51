import csv
import gzip
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from snap_catalog import SnapError
from snap_catalog.parquet import validate
from snap_graphs import graph_table, space
from snap_graphs.convert import convert
from snap_graphs.formats.base import Request

Generator = Callable[[str], ModuleType]
SEPARABLE = [("sep_conv_3x3", 0), ("sep_conv_3x3", 1)]
SKIP = [("skip_connect", 0)]
VALID = "cifar10/valid/accuracy@50"


def test_darts_v2_has_its_published_size() -> None:
    """3.3 million parameters, as the paper's table says; 3,349,342 is what its code counts."""
    normal = [*SEPARABLE * 2, ("sep_conv_3x3", 1), *SKIP * 2, ("dil_conv_3x3", 2)]
    pooled = [("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("max_pool_3x3", 1)]
    reduce = [("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 1)]
    table = graph_table("darts", [space("darts").parse(str((normal, reduce + pooled)))])
    assert table["params"].to_pylist() == [3_349_342]
    assert table["flops"].to_pylist() == [528_359_040]


def published(shared_data: Path) -> list[dict[str, str]]:
    with gzip.open(shared_data / "darts_cifar10_50ep.csv.gz", "rt") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def table(shared_data: Path) -> pa.Table:
    return convert("darts", shared_data / "darts_cifar10_50ep.csv.gz")


def test_every_row_keeps_its_string_and_has_the_published_parameters(
    table: pa.Table, shared_data: Path
) -> None:
    rows = published(shared_data)
    validate(table, "graphs")
    assert table.num_rows == 545
    assert table["arch_id"].to_pylist() == [row["arch"] for row in rows]
    assert table["params"].to_pylist() == [round(1e6 * float(row["params_M"])) for row in rows]
    assert pc.max(table[VALID]).as_py() == 94.37


def test_published_flops_differ_by_what_normalisations_and_average_pooling_cost(
    table: pa.Table, shared_data: Path
) -> None:
    """Over the multiply-adds, each operator costs the published count a constant of its own."""
    flops = [round(1e6 * float(row["flops_M"])) for row in published(shared_data)]
    excess = np.array(flops) - table["flops"].to_numpy()
    assert (excess > 0).all()
    counts = np.array([operator_counts(text) for text in table["arch_id"].to_pylist()])
    cost, *_ = np.linalg.lstsq(counts, excess, rcond=None)
    assert np.abs(counts @ cost - excess).max() < 1e-3


def operator_counts(text: str) -> np.ndarray:
    """Count a genotype's operators by cell, name and whether they read the cell's input."""
    from snap_graphs.spaces.darts import OPERATORS
    from snap_graphs.spaces.genotypes import parse_genotype

    parts = parse_genotype(text, ())
    counts = np.zeros((2, 2, len(OPERATORS)))
    for cell, pairs in enumerate((parts.normal, parts.reduce)):
        for operator, source in pairs:
            counts[cell, int(source < 2), OPERATORS.index(operator)] += 1
    return counts.ravel()


def test_genotypes_with_none_have_dead_operators(table: pa.Table) -> None:
    with_none = pc.sum(pc.match_substring(table["arch_id"], "'none'")).as_py()
    assert with_none == 359
    assert pc.sum(pc.greater(table["n_dead"], 0)).as_py() == 359


@pytest.fixture
def runs(shared_data: Path, tmp_path: Path, generator: Generator) -> Path:
    """Result files of the 186 genotypes without `none`; 167 cells, some of them written twice."""
    fixtures = generator("nasbench301")
    fixtures.write(tmp_path / "nb301", fixtures.rows(shared_data / "darts_cifar10_50ep.csv.gz"))
    return tmp_path / "nb301"


def test_nasbench301_runs_are_the_cells_they_were_made_of(runs: Path, table: pa.Table) -> None:
    converted = convert("nb301", runs)
    validate(converted, "graphs")
    names = converted["cell_hash"].to_pylist()
    hashes = {name: i for i, name in enumerate(names)}
    assert converted.num_rows == len(hashes) == 167
    original = table.filter(pc.invert(pc.match_substring(table["arch_id"], "'none'")))
    expected: dict[str, list[float]] = {name: [] for name in names}
    for name, accuracy in zip(
        *(original[c].to_pylist() for c in ("cell_hash", VALID)), strict=True
    ):
        expected[name].append(accuracy)
    means = [sum(values) / len(values) for values in expected.values()]
    assert converted[VALID].to_pylist() == pytest.approx(means)
    counted = pytest.approx(converted["params"].to_pylist())
    assert converted["cifar10/model/params"].to_pylist() == counted


def test_one_file_and_an_archive_read_as_the_folder_does(runs: Path, tmp_path: Path) -> None:
    archive = tmp_path / "nb301.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(runs, arcname="nb301")
    whole = convert("nb301", runs)
    assert convert("nb301", archive).to_pydict() == whole.to_pydict()
    one = convert("nb301", runs / "rs" / "results_0.json")
    assert one["arch_id"][0].as_py() in whole["arch_id"].to_pylist()


def test_runs_of_one_cell_are_repeats(runs: Path) -> None:
    first = json.loads((runs / "rs" / "results_0.json").read_text())
    first["info"][0]["val_accuracy"] += 2.0
    (runs / "rs" / "results_z.json").write_text(json.dumps(first))
    mean = convert("nb301", runs)
    every = convert("nb301", runs, Request(repeat="all"))
    assert mean.num_rows == every.num_rows == 167
    assert f"{VALID}#1" in every.column_names
    repeats = [every[c][0].as_py() for c in every.column_names if c.startswith(f"{VALID}#")]
    there = [value for value in repeats if value is not None]
    assert first["info"][0]["val_accuracy"] in there
    assert mean[VALID][0].as_py() == pytest.approx(sum(there) / len(there))


def test_other_budgets_are_left_out(runs: Path) -> None:
    with pytest.raises(SnapError, match="contains no readable architecture"):
        convert("nb301", runs, Request(epochs=frozenset({100})))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"budget": None}, "record rs/results_0.json"),
        ({"optimized_hyperparamater_config": {}}, "'Network"),
        ({"info": []}, "record rs/results_0.json"),
        ({"test_accuracy": float("nan")}, "cifar10/test/accuracy@50 is not finite"),
    ],
)
def test_a_bad_run_is_named_or_counted(runs: Path, change: dict[str, object], fault: str) -> None:
    file = runs / "rs" / "results_0.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(SnapError, match=fault):
        convert("nb301", runs)
    request = Request(skip_bad=True)
    assert convert("nb301", runs, request).num_rows >= 166
    assert request.skipped == 1


@pytest.mark.parametrize(
    "sources", [("0_1_2", "0"), ("0", "0_1_2"), ("-1_0", "0_1"), ("0_9", "0_1")]
)
def test_a_node_with_other_inputs_than_two_before_it_is_a_bad_run(
    runs: Path, sources: tuple[str, str]
) -> None:
    """Three of one node and one of the next are as many pairs as two and two."""
    file = runs / "rs" / "results_0.json"
    record = json.loads(file.read_text())
    for node, names in zip((3, 4), sources, strict=True):
        key = f"NetworkSelectorDatasetInfo:darts:inputs_node_normal_{node}"
        record["optimized_hyperparamater_config"][key] = names
    file.write_text(json.dumps(record))
    with pytest.raises(SnapError, match=r"node [34] of the normal cell has invalid inputs"):
        convert("nb301", runs)


def test_a_run_on_another_skeleton_is_no_repeat(runs: Path) -> None:
    file = runs / "rs" / "results_9.json"
    record = json.loads(file.read_text())
    record["optimized_hyperparamater_config"]["NetworkSelectorDatasetInfo:darts:layers"] = 20
    file.write_text(json.dumps(record))
    with pytest.raises(SnapError, match="trained with 20 layers of 16 channels, the first with 8"):
        convert("nb301", runs)


def test_a_file_that_is_no_json_is_named(runs: Path) -> None:
    (runs / "rs" / "results_5.json").write_text("{")
    with pytest.raises(SnapError, match=r"record rs/results_5\.json"):
        convert("nb301", runs)

"""Every tool takes graphs that were written before the contract said anything of activations."""

from pathlib import Path

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import snap_eval.cli
import snap_evo.cli
import snap_gcn.cli
import snap_graphs.cli
from click.testing import CliRunner
from snap_catalog.parquet import read, write
from snap_graphs import graph_table, space
from snap_graphs.table import Metric

METRIC = "cifar10/test/accuracy@200"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with cells in a file of version 1, and with others in one of version 2."""
    made = tmp_path_factory.mktemp("versions")
    cells = list(dict.fromkeys(space("nb201").sample(40, seed=0)))
    for name, some in (("first", cells[:20]), ("second", cells[20:])):
        accuracy = {METRIC: Metric(np.linspace(50, 90, len(some)), "max", "percent")}
        table = graph_table("nb201", some, metrics=accuracy)
        write(table, made / f"{name}.parquet", "graphs", producer="snap-graphs")
    table = pq.read_table(made / "first.parquet").drop_columns("activations")
    entries = {**table.schema.metadata, b"snap.schema_version": b"1"}
    pq.write_table(table.replace_schema_metadata(entries), made / "first.parquet")
    return made


def run(command: click.Command, *arguments: object) -> str:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_snap_graphs_writes_the_present_version_of_earlier_files(folder: Path) -> None:
    first, second, out = (folder / f"{name}.parquet" for name in ("first", "second", "out"))
    run(snap_graphs.cli.main, "validate", first)
    run(snap_graphs.cli.main, "view", "--prune", first, out)
    assert pq.read_schema(out).metadata[b"snap.schema_version"] == b"2"
    run(snap_graphs.cli.main, "concat", first, second, "-o", out)
    unknown = read(first, "graphs").num_rows
    activations = read(out, "graphs")["activations"]
    assert activations.null_count == unknown
    assert pa.types.is_int64(activations.type)


def test_earlier_files_are_scored_ranked_and_searched(folder: Path) -> None:
    first, scores = folder / "first.parquet", folder / "scores.parquet"
    run(snap_gcn.cli.main, "predict", first, "-o", scores)
    assert read(scores, "scores")["score"].null_count == 0
    ranked = ("--scores", scores, "--scores", ":params", "--graphs", first, "--metric", METRIC)
    run(snap_eval.cli.main, "correlate", *ranked, "--bootstrap", 5, "-o", folder / "c.parquet")
    table = ("--scorer", "params", "--table", first, "--budget", 30, "--out", folder / "found")
    run(snap_evo.cli.main, "run", "--space", "nb201", *table)
    assert (folder / "found" / "best.json").exists()


@pytest.mark.parametrize("version", [b"1", b"2"])
def test_scores_of_earlier_versions_are_ranked(folder: Path, version: bytes) -> None:
    first, scores = folder / "first.parquet", folder / "old.parquet"
    run(snap_gcn.cli.main, "predict", first, "-o", scores)
    table = pq.read_table(scores)
    entries = {**table.schema.metadata, b"snap.schema_version": version}
    pq.write_table(table.replace_schema_metadata(entries), scores)
    assert "predicted" not in read(scores, "scores").column_names
    ranked = ("--scores", scores, "--graphs", first, "--metric", METRIC, "--bootstrap", 5)
    run(snap_eval.cli.main, "correlate", *ranked, "-o", folder / "ranked.parquet")

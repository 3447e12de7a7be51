"""The report of compared searches that measure."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from snap_catalog.parquet import write
from snap_eval.cli import main
from snap_eval.report.figures import Absent, Chart, Skipped, Table
from snap_eval.report.results import Results, read_results
from snap_eval.report.sections.best_so_far import best_so_far
from snap_eval.report.sections.tables import tables

FACTS = {
    "snap.title": "Searching mine",
    "snap.command": "compare mine",
    "snap.population": "Looked up",
}
FOUND = "trainings until the best (5)"
Row = tuple[dict[str, object], str, int, float | None]


def curve(algorithm: str, seed: int, *best: float | None) -> list[Row]:
    return [
        ({"algorithm": algorithm, "trainings": number}, "accuracy", seed, value)
        for number, value in enumerate(best, start=1)
    ]


def until(algorithm: str, *needed: float | None) -> list[Row]:
    return [({"algorithm": algorithm}, FOUND, seed, value) for seed, value in enumerate(needed)]


def results(folder: Path, rows: Iterable[Row], name: str = "trials") -> Results:
    names = ("setting", "quantity", "seed", "value")
    found = [dict(zip(names, (json.dumps(row[0]), *row[1:]), strict=True)) for row in rows]
    types = [pa.string(), pa.string(), pa.int64(), pa.float64(), pa.float64()]
    schema = pa.schema(list(zip((*names, "reported"), types, strict=True)))
    table = pa.Table.from_pylist(found, schema=schema)
    write(table, folder / f"{name}.parquet", "trials", producer="snap-eval", metadata=FACTS)
    return read_results(folder)


def drawn(found: Results) -> tuple[Chart, Table]:
    chart, table = best_so_far(found)
    assert isinstance(chart, Chart)
    assert isinstance(table, Table)
    return chart, table


RUNS = [
    *curve("ls", 0, None, 2.0, 4.0, 4.0),
    *curve("ls", 1, 1.0, 4.0),
    *curve("re", 0, 5.0),
    *until("ls", None, None),
    *until("re", 1.0),
]


def test_a_curve_is_the_mean_of_the_runs_from_where_all_have_a_value(tmp_path: Path) -> None:
    chart, _ = drawn(results(tmp_path, RUNS))
    rows = chart.data.to_pylist()
    assert [(r["x"], r["mean"]) for r in rows if r["series"] == "ls"] == [(2, 3), (3, 4), (4, 4)]


def test_a_run_that_ended_keeps_its_value_to_the_end_of_the_longest(tmp_path: Path) -> None:
    chart, _ = drawn(results(tmp_path, RUNS))
    rows = [row for row in chart.data.to_pylist() if row["series"] == "re"]
    assert [(r["x"], r["mean"], r["low"], r["high"]) for r in rows] == [(1, 5, 5, 5), (4, 5, 5, 5)]


def test_the_band_is_a_bootstrap_interval_of_the_mean_over_the_seeds(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(90, 2, 40)
    rows = [row for seed, value in enumerate(values) for row in curve("ls", seed, float(value))]
    chart, _ = drawn(results(tmp_path, rows))
    (point,) = chart.data.to_pylist()
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    assert point["mean"] == pytest.approx(values.mean())
    assert point["high"] - point["low"] == pytest.approx(2 * half, rel=0.15)
    assert point["low"] < values.mean() < point["high"]


def test_bad_values_of_the_first_trainings_do_not_flatten_the_curve(tmp_path: Path) -> None:
    best = [10.0, 20.0, *np.linspace(93.0, 94.0, 18).tolist()]
    chart, _ = drawn(results(tmp_path, curve("ls", 0, *best)))
    assert chart.data["low"].to_pylist()[0] == 10
    assert f'"domain": [{best[9]}, 94.0]' in json.dumps(chart.spec)


def test_a_table_gives_the_median_trainings_and_how_many_runs_found_the_best(
    tmp_path: Path,
) -> None:
    rows = [row for seed in range(3) for row in curve("ls", seed, 5.0)]
    _, table = drawn(results(tmp_path, [*rows, *until("ls", 7.0, None, 9.0)]))
    (row,) = table.data.to_pylist()
    assert (row["algorithm"], row["runs"], row["best accuracy, mean"]) == ("ls", 3, 5.0)
    assert (row[f"{FOUND}, median"], row[f"{FOUND}, runs"]) == (9, 2)


def test_a_median_is_empty_where_half_of_the_runs_did_not_find_the_best(tmp_path: Path) -> None:
    _, table = drawn(results(tmp_path, RUNS))
    rows = {row["algorithm"]: row for row in table.data.to_pylist()}
    assert (rows["ls"][f"{FOUND}, median"], rows["ls"][f"{FOUND}, runs"]) == (None, 0)
    assert (rows["re"][f"{FOUND}, median"], rows["re"][f"{FOUND}, runs"]) == (1, 1)


def test_a_comparison_is_no_table_of_the_paper(tmp_path: Path) -> None:
    found = results(tmp_path, RUNS)
    assert [part for part in tables(found) if isinstance(part, Table)] == []


@pytest.mark.parametrize("setting", [{"trainings": 3}, {"algorithm": "ls", "trainings": "many"}])
def test_other_trials_are_no_comparison(tmp_path: Path, setting: dict[str, object]) -> None:
    found = results(tmp_path, [(setting, "accuracy", 0, 1.0)])
    (part,) = best_so_far(found)
    assert isinstance(part, Absent)
    assert "snap-evo compare" in part.command
    assert len([part for part in tables(found) if isinstance(part, Table)]) == 1


def test_a_comparison_without_a_value_is_named(tmp_path: Path) -> None:
    chart, table = best_so_far(results(tmp_path, curve("ls", 0, None)))
    assert isinstance(chart, Skipped)
    assert chart.what == "trials.parquet: the curve of accuracy"
    assert isinstance(table, Table)


def test_comparisons_in_several_folders_are_on_one_page(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        results(tmp_path / folder, RUNS)
    out = tmp_path / "report.html"
    done = CliRunner().invoke(main, ["report", str(out), "--results", str(tmp_path)])
    assert done.exit_code == 0, done.output
    page = out.read_text("utf-8")
    assert "Search by measuring" in page
    for name in ("best-so-far-one-trials-accuracy", "best-so-far-two-trials-accuracy"):
        assert f'id="{name}"' in page
        assert f'download="{name}.csv"' in page

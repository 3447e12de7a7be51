import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from snap_catalog import SnapError
from snap_catalog.parquet import write
from snap_evo import comparison
from snap_evo.cli import main
from snap_evo.comparison import carry_out
from snap_evo.measuring.replay import Replay
from snap_evo.plan import Plan
from snap_graphs import Metric, graph_table, space

METRIC = "hw/edge/latency_ms"


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """80 NAS-Bench-201 cells with a metric of which less is better; the first was not measured."""
    cells = list(dict.fromkeys(space("nb201").sample(90, 0)))[:80]
    values = np.arange(80.0)[::-1]
    values[0] = np.nan
    path = tmp_path / "few.parquet"
    metrics = {METRIC: Metric(values, "min", "ms")}
    write(graph_table("nb201", cells, metrics=metrics), path, "graphs", producer="snap-graphs")
    return path


def replay(file: Path, algorithm: str = "random", seed: int = 0, **options: float) -> Replay:
    plan = Plan("nb201", "params", algorithm, seed=seed, **options)  # type: ignore[arg-type]
    return Replay(plan, str(file), METRIC, "counts", 200)


def test_the_goal_is_the_best_value_of_the_table(few: Path) -> None:
    assert replay(few).goal() == (0.0, 0.0)


def test_limits_hold_for_the_goal_too(few: Path) -> None:
    assert replay(few, max_params=0.3e6).goal().best < 0
    with pytest.raises(SnapError, match="no architecture keeps to the limits; widen them"):
        replay(few, max_params=10).goal()


@pytest.mark.parametrize("algorithm", ["random", "surrogate"])
def test_a_search_ends_where_the_best_of_the_table_is_found(few: Path, algorithm: str) -> None:
    run = carry_out(replay(few, algorithm))
    assert run.best[-1] == 0
    assert run.evaluations_to(0.0) == run.distinct == len(run.best) <= 80


def test_a_table_without_the_space_is_refused(few: Path) -> None:
    with pytest.raises(SnapError, match=r"has no value of .* for darts; name a table of the space"):
        Replay(Plan("darts"), str(few), METRIC, "counts", 5).goal()


def test_a_table_of_a_part_of_a_space_without_choices_is_refused(three_cells_file: Path) -> None:
    plan = Plan("nb101", "params", "random")
    with pytest.raises(SnapError, match=r"has 3 of the 423,624 cells of nb101; name a table"):
        Replay(plan, str(three_cells_file), "accuracy", "counts", 5).carry_out(None)  # type: ignore[arg-type]


def compare(*words: str) -> str:
    result = CliRunner().invoke(main, ["compare", "--quiet", *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_searches_that_measure_are_compared(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "compare", lambda plans, jobs: map(carry_out, plans))
    command = ["--scorer", "params", "--measure", f"table:{few}:{METRIC}", "--seeds", "2"]
    command += ["--surrogate", "counts", "--measurements", "6"]
    out = tmp_path / "out"
    text = compare(*command, "--algorithms", "surrogate,ls", "--out", str(out))
    assert text.startswith("| algorithm | best value, mean +- deviation | trainings until the best")
    assert "| surrogate | " in text
    assert {path.name for path in out.iterdir()} == {
        "runs.csv",
        "best-so-far.svg",
        "best-so-far.png",
    }
    with (out / "runs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["algorithm"] for row in rows] == ["surrogate", "surrogate", "ls", "ls"]
    assert all(int(row["distinct"]) <= 6 for row in rows)
    found = json.loads(compare(*command, "--algorithms", "random", "--out", str(out), "--json"))
    assert (found["best"], found["top"]) == (0.0, 0.0)
    assert found["algorithms"]["best"][0]["runs"] == 2


@pytest.mark.parametrize("spec", ["command:train {arch}", "table:x.parquet"])
def test_only_tables_are_compared_on(spec: str) -> None:
    result = CliRunner().invoke(main, ["compare", "--measure", spec])
    assert result.exit_code == 1
    assert "is no table of measurements; write table:FILE:COLUMN" in result.output

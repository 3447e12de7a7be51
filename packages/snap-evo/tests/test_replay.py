import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from snap_catalog import SnapError
from snap_catalog.parquet import decode_metadata, read, write
from snap_evo.algorithm_comparison import Run, Subject, run_search, write_trials
from snap_evo.cli import main
from snap_evo.measuring.replay import Goal, Replay
from snap_evo.search_options import ScoredSearch
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


def replay(file: Path, algorithm: str = "random", seed: int = 0, **options: Any) -> Replay:
    search = ScoredSearch(space="nb201", scorer="params", algorithm=algorithm, seed=seed, **options)
    return Replay(search, str(file), METRIC, "counts", 200)


def test_the_goal_is_the_best_value_of_the_table(few: Path) -> None:
    assert replay(few).goal() == (0.0, 0.0)


def test_limits_hold_for_the_goal_too(few: Path) -> None:
    assert replay(few, max_params=0.3e6).goal().best < 0
    with pytest.raises(SnapError, match="no architecture keeps to the limits; widen them"):
        replay(few, max_params=10).goal()


@pytest.mark.parametrize("algorithm", ["random", "surrogate"])
def test_a_search_ends_where_the_best_of_the_table_is_found(few: Path, algorithm: str) -> None:
    run = run_search(replay(few, algorithm))
    assert run.best[-1] == 0
    assert run.evaluations_to(0.0) == run.distinct == len(run.best) <= 80


def test_a_table_without_the_space_is_refused(few: Path) -> None:
    with pytest.raises(SnapError, match=r"has no value of .* for darts; name a table of the space"):
        Replay(ScoredSearch(space="darts"), str(few), METRIC, "counts", 5).goal()


def test_a_table_of_a_part_of_a_space_without_choices_is_refused(three_cells_file: Path) -> None:
    search = ScoredSearch(space="nb101", scorer="params", algorithm="random")
    with pytest.raises(SnapError, match=r"has 3 of the 423,624 cells of nb101; name a table"):
        Replay(search, str(three_cells_file), "accuracy", "counts", 5).run(None)  # type: ignore[arg-type]


def compare(*words: str) -> str:
    result = CliRunner().invoke(main, ["compare", "--quiet", "--jobs", "1", *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_searches_that_measure_are_compared(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
        "trials.parquet",
    }
    with (out / "runs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["algorithm"] for row in rows] == ["surrogate", "surrogate", "ls", "ls"]
    assert all(int(row["distinct"]) <= 6 for row in rows)
    found = json.loads(compare(*command, "--algorithms", "random", "--out", str(out), "--json"))
    assert (found["best"], found["top"]) == (0.0, 0.0)
    assert found["algorithms"]["best"][0]["runs"] == 2


def test_trials_hold_the_best_value_after_every_training_in_the_direction_of_the_metric(
    tmp_path: Path,
) -> None:
    runs = [
        Run("ls", 0, "a", np.array([-np.inf, -3.0, -1.0]), 3, 1.0),
        Run("ls", 1, "b", np.array([-2.0]), 1, 1.0),
    ]
    subject = Subject("nb201", METRIC, "min", Goal(best=-1.0, top=-2.0), "snap-evo compare")
    rows = read(write_trials(runs, subject, tmp_path), "trials").to_pylist()
    found = [(json.loads(r["setting"]), r["quantity"], r["seed"], r["value"]) for r in rows]
    first, second = {"algorithm": "ls", "trainings": 1}, {"algorithm": "ls", "trainings": 2}
    third, until = {"algorithm": "ls", "trainings": 3}, "trainings until the best"
    assert found == [
        (first, METRIC, 0, None),
        (second, METRIC, 0, 3.0),
        (third, METRIC, 0, 1.0),
        ({"algorithm": "ls"}, f"{until} 0.1 % (2)", 0, 3.0),
        ({"algorithm": "ls"}, f"{until} (1)", 0, 3.0),
        (first, METRIC, 1, 2.0),
        ({"algorithm": "ls"}, f"{until} 0.1 % (2)", 1, 1.0),
        ({"algorithm": "ls"}, f"{until} (1)", 1, None),
    ]


def test_trials_name_the_whole_metric_and_the_command_that_makes_them(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ["--scorer", "params", "--algorithms", "random,random", "--seeds", "1"]
    given += ["--measure", f"table:{few}:edge/latency", "--measurements", "2"]
    compare(*given, "--max-params", "2M", "--jobs", "1", "--out", str(tmp_path))
    table = read(tmp_path / "trials.parquet", "trials")
    assert table["quantity"][0].as_py() == METRIC
    facts = decode_metadata(table.schema)
    assert facts["snap.title"] == f"Searching nb201 by measuring {METRIC}"
    words = facts["snap.command"].split()
    assert words[:2] == ["snap-evo", "compare"]
    assert {f"table:{few}:edge/latency", "--max-params"} <= {*words}
    assert not {"--jobs", "--out", "--quiet"} & {*words}


def test_a_table_of_somebody_else_is_not_replaced_by_trials(few: Path, tmp_path: Path) -> None:
    mine = tmp_path / "trials.parquet"
    mine.write_bytes(few.read_bytes())
    command = ["compare", "--measure", f"table:{few}:{METRIC}", "--out", str(tmp_path)]
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert f"{mine}: exists and is of another kind" in result.stderr
    assert mine.read_bytes() == few.read_bytes()


@pytest.mark.parametrize("spec", ["command:train {arch}", "table:x.parquet"])
def test_only_tables_are_compared_on(spec: str) -> None:
    result = CliRunner().invoke(main, ["compare", "--measure", spec])
    assert result.exit_code == 1
    assert "is no table of measurements; write table:FILE:COLUMN" in result.output

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from snap_catalog import SnapError
from snap_catalog.parquet import decode_metadata, read, write
from snap_evo import plugins, ranking, search
from snap_evo.algorithm_comparison import Run
from snap_evo.cli import main
from snap_evo.engines import LocalEngine
from snap_evo.scorers import ParamsScorer
from snap_evo.search_options import ScoredSearch
from snap_graphs.spaces import defined_space

Start = Callable[..., subprocess.Popen[str]]

FILES = ["best.json", "best.svg", "search.parquet"]


def run(*options: str) -> Result:
    return CliRunner().invoke(main, ["run", *options])


def params(out: Path, *options: str) -> Result:
    return run(
        "--space", "nb201", "--scorer", "params", "--budget", "60", "--out", str(out), *options
    )


def refused(result: Result, code: int = 1) -> str:
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.exception is None or isinstance(result.exception, SystemExit)
    message = result.stderr.splitlines()[-1]
    assert message.startswith("Error: ")
    return message


@pytest.fixture(autouse=True)
def _unmeasurable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare searches the reading of measurements, which takes longer than they do."""
    monkeypatch.setattr(ranking, "installed_file", lambda _facts: None)


@pytest.fixture
def measurable(measured: pa.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let them have what was read already."""
    monkeypatch.setattr(ranking, "installed_file", lambda _facts: Path("data.anb"))
    monkeypatch.setattr(ranking, "convert", lambda _space, _source: measured)


def content(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "best.json").read_text())
    return found


@pytest.mark.usefixtures("measurable")
def test_a_search_prints_a_summary_and_leaves_four_files(tmp_path: Path) -> None:
    result = params(tmp_path / "found")
    assert result.exit_code == 0, result.output
    labels = [line[:15].rstrip() for line in result.stdout.splitlines()]
    assert labels == [
        "best cell",
        "score",
        "measured",
        "best in space",
        "random search",
        "mean of space",
        "searched",
        "time",
        "files",
    ]
    assert content(tmp_path / "found")["arch_id"] in result.stdout
    assert "60 evaluations by de (seed 0)" in result.stdout
    assert "search nb201: 60 of 60" in result.stderr
    assert sorted(p.name for p in (tmp_path / "found").iterdir()) == FILES


def test_the_history_keeps_its_contract(tmp_path: Path) -> None:
    params(tmp_path, "--seed", "3")
    history = read(tmp_path / "search.parquet", "search")
    entries = decode_metadata(history.schema)
    assert history.num_rows == 60
    assert (entries["snap.scorer"], entries["snap.algorithm"], entries["snap.seed"]) == (
        "params",
        "de",
        "3",
    )


@pytest.mark.usefixtures("measurable")
def test_the_best_cell_is_reported_in_full(tmp_path: Path) -> None:
    params(tmp_path)
    best = content(tmp_path)
    history = read(tmp_path / "search.parquet", "search")
    assert best["score"] == best["metrics"]["params"] == max(history["score"].to_pylist())
    assert best["nodes"][0] == "input"
    assert len(best["src"]) == len(best["dst"])
    assert (best["space"], best["scorer"], best["algorithm"]) == ("nb201", "params", "de")
    assert (best["evaluations"], best["seed"]) == (60, 0)
    assert best["distinct"] == len(set(history["cell_hash"].to_pylist()))
    assert best["rank"] >= 1
    assert best["measured"]["role"] == "test"
    assert best["metrics"]["cifar10/test/baseline_accuracy"] == best["measured"]["value"]


def test_json_prints_what_best_json_holds_and_nothing_else(tmp_path: Path) -> None:
    result = params(tmp_path, "--json", "--quiet")
    assert result.stdout == (tmp_path / "best.json").read_text()
    assert result.stderr == ""


@pytest.mark.parametrize("algorithm", ["de", "random"])
def test_equal_seeds_give_equal_bytes_once_the_clock_is_dropped(
    tmp_path: Path, algorithm: str
) -> None:
    tables, bests = [], []
    for name in ("first", "again"):
        params(tmp_path / name, "--algorithm", algorithm, "--seed", "4")
        history = read(tmp_path / name / "search.parquet", "search").drop_columns(["seconds"])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, history.schema) as stream:
            stream.write_table(history)
        tables.append(sink.getvalue().to_pybytes())
        lines = (tmp_path / name / "best.json").read_text().splitlines()
        bests.append([line for line in lines if not line.startswith('  "seconds":')])
    assert tables[0] == tables[1]
    assert bests[0] == bests[1]


def test_without_the_data_package_the_search_goes_on(tmp_path: Path) -> None:
    result = params(tmp_path)
    assert result.exit_code == 0
    assert "measured       not available: the data package analog-nasbench" in result.stdout
    assert content(tmp_path)["measured"] is None
    assert sorted(p.name for p in tmp_path.iterdir()) == FILES


def test_a_space_that_cannot_be_listed_is_searched_all_the_same(tmp_path: Path) -> None:
    result = run(
        *("--space", "nb101", "--scorer", "flops", "--budget", "30", "--out", str(tmp_path))
    )
    assert result.exit_code == 0
    assert "not available: no data package holds measurements of nb101" in result.stdout
    assert content(tmp_path)["rank"] is None


def test_cells_that_share_the_best_score_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snap_evo.scorers.ParamsScorer.score", lambda _, g: [1.0] * g.num_rows)
    result = params(tmp_path)
    distinct = content(tmp_path)["distinct"]
    assert f"rank 1 (shared with {distinct - 1} more) of the {distinct} cells" in result.stdout
    assert "1 (shared with 15,624 more) of all 15,625" in result.stdout


def test_a_table_is_searched_by_its_column(tmp_path: Path, measured_file: Path) -> None:
    scorer = f"table:{measured_file}:qat_accuracy"
    result = run("--space", "nb201", "--scorer", scorer, "--budget", "40", "--out", str(tmp_path))
    assert result.exit_code == 0, result.output
    assert content(tmp_path)["scorer"] == scorer


def test_a_table_without_a_candidate_is_refused(tmp_path: Path, three_cells_file: Path) -> None:
    scorer = f"table:{three_cells_file}:accuracy"
    result = run("--space", "nb101", "--scorer", scorer, "--out", str(tmp_path / "out"))
    assert "no value of cifar10/test/accuracy for" in refused(result)
    assert list((tmp_path / "out").iterdir()) == []


def test_several_objectives_leave_their_front(tmp_path: Path) -> None:
    result = params(tmp_path, "--objective", "score,flops", "--max-params", "600k")
    assert result.exit_code == 0, result.output
    assert "by nsga2 (seed 0), ended by the budget of 60" in result.stdout
    front = read(tmp_path / "front.parquet", "search")
    assert f"front          {front.num_rows} cells that no other beats in score, flops" in (
        result.stdout
    )
    beyond = content(tmp_path)["beyond_limits"]
    assert f"params <= 600,000: {beyond} candidates beyond, not scored" in result.stdout
    assert (tmp_path / "front.svg").stat().st_size > 0
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")


def test_an_exhaustive_search_lists_the_whole_space(tmp_path: Path) -> None:
    result = run(
        *("--space", "transnas-micro", "--scorer", "flops", "--algorithm", "exhaustive"),
        *("--out", str(tmp_path)),
    )
    assert result.exit_code == 0, result.output
    assert content(tmp_path)["evaluations"] == 4096
    assert content(tmp_path)["rank"] == 1


def test_patience_and_its_reason_are_told(tmp_path: Path) -> None:
    result = params(tmp_path, "--budget", "5000", "--patience", "100")
    assert "candidates without a better score" in result.stdout
    assert content(tmp_path)["evaluations"] < 5000


OWN = """
name = "mine"
nodes = 3
edges = "all"
[operators]
conv = "Convolution 3x3"
pool = "Max pooling"
"""


class Convolutions:
    """Counts convolutions."""

    def score(self, graphs: pa.Table) -> list[float]:
        return [float(nodes.count("conv")) for nodes in graphs["nodes"].to_pylist()]


@pytest.fixture
def own_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a search in a space that a file next to it defines."""
    entry = SimpleNamespace(name="convolutions", load=lambda: Convolutions)
    monkeypatch.setattr(plugins, "entry_points", lambda group: (entry,))
    (tmp_path / "mine.toml").write_text(OWN)
    options = ("--scorer", "convolutions", "--budget", "20", "--out", str(tmp_path / "out"))
    result = run("--space", str(tmp_path / "mine.toml"), *options)
    assert result.exit_code == 0, result.output
    return tmp_path / "out"


def test_a_search_in_a_space_of_ones_own_records_its_definition(own_search: Path) -> None:
    history = read(own_search / "search.parquet", "search")
    entries = decode_metadata(history.schema)
    assert entries["snap.space_definition"] == content(own_search)["space_definition"] == OWN
    assert json.loads(entries["snap.operators"]) == {
        "conv": "Convolution 3x3",
        "pool": "Max pooling",
    }
    own = defined_space(entries["snap.space_definition"], "search.parquet")
    assert {own.name} == set(history["space"].to_pylist())
    assert all(own.format(own.parse(arch)) == arch for arch in history["arch_id"].to_pylist())


def test_a_catalogued_space_needs_no_definition(tmp_path: Path) -> None:
    params(tmp_path)
    assert content(tmp_path)["space_definition"] is None
    entries = decode_metadata(read(tmp_path / "search.parquet", "search").schema)
    assert "snap.space_definition" not in entries


@pytest.mark.parametrize("change", ["gone", "other"])
def test_a_search_goes_on_in_its_space_whatever_became_of_the_file(
    own_search: Path, change: str
) -> None:
    file = own_search.parent / "mine.toml"
    if change == "gone":
        file.unlink()
    else:
        file.write_text(OWN.replace("Max pooling", "Convolution 5x5").replace("conv ", "dw "))
    result = CliRunner().invoke(main, ["resume", str(own_search), "--budget", "40"])
    assert result.exit_code == 0, result.output
    assert content(own_search)["space_definition"] == OWN
    assert content(own_search)["arch_id"] == "|conv~0|+|conv~0|conv~1|"


def damaged_plan(folder: Path, plan: str, definition: str | None = None) -> Result:
    """Resume a search whose file has another plan."""
    history = read(folder / "search.parquet", "search")
    entries = {**decode_metadata(history.schema), "snap.plan": plan}
    if definition is not None:
        entries["snap.space_definition"] = definition
    pq.write_table(history.replace_schema_metadata(entries), folder / "search.parquet")
    return CliRunner().invoke(main, ["resume", str(folder), "--quiet"])


@pytest.mark.parametrize(
    "plan",
    [
        "",
        "[]",
        "{}",
        '{"space": "nb201", "more": 1}',
        '{"space": ["nb201"]}',
        '{"space": "nb201", "budget": "many"}',
        '{"space": "nb201", "budget": true}',
        '{"space": "nb201", "budget": NaN}',
        '{"space": "nb201", "seed": -1}',
        '{"space": "nb201", "seed": 1e999}',
        '{"space": "nb201", "scorer": "params", "max_params": Infinity}',
        '{"space": "nb201", "scorer": "params", "seed": ' + "9" * 4000 + "}",
        '{"space": "nb201", "budget": ' + "9" * 5000 + "}",
        '{"space": ' * 100_000,
        '{"space": "nowhere"}',
        '{"space": "nb201", "objective": {}}',
        '{"space": "nb201", "scorer": "params", "algorithm": null}',
    ],
    ids=lambda plan: plan[:60],
)
def test_a_damaged_plan_is_one_line(tmp_path: Path, plan: str) -> None:
    params(tmp_path)
    before = (tmp_path / "best.json").read_bytes()
    result = damaged_plan(tmp_path, plan)
    refused(result)
    assert len(result.stderr.splitlines()) == 1
    assert (tmp_path / "best.json").read_bytes() == before


def test_a_damaged_definition_is_one_line(own_search: Path) -> None:
    plan = decode_metadata(read(own_search / "search.parquet", "search").schema)["snap.plan"]
    for definition in ("", "name = 1", "a" + ".a" * 20_000 + " = 1", "x = " + "[" * 60_000):
        result = damaged_plan(own_search, plan, definition)
        assert "mine.toml: " in refused(result)
        assert len(result.stderr.splitlines()) == 1


SLOW = """
import time
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from snap_evo import plugins, scorers

class Slow(scorers.ParamsScorer):
    def score(self, graphs):
        time.sleep(0.4)
        return super().score(graphs)

plugins.entry_points = lambda group: (EntryPoint("slow", "__main__:Slow", group),)
from snap_evo.cli import main
from snap_evo.scorers import ParamsScorer
main()
"""


def slow(*arguments: str) -> list[str]:
    return [sys.executable, "-c", SLOW, *arguments]


def begun(start: Start, out: Path) -> subprocess.Popen[str]:
    """Start a search that takes seconds, and wait for the first of its history."""
    options = ("--space", "nb101", "--scorer", "slow", "--budget", "100", "--out", str(out))
    return start(slow("run", *options, "--quiet"), (out / "search.parquet").exists)


def test_a_search_that_was_killed_is_resumed_to_the_same_history(
    tmp_path: Path, start: Start
) -> None:
    process = begun(start, tmp_path)
    process.kill()
    process.communicate(timeout=60)
    kept = read(tmp_path / "search.parquet", "search")
    assert 0 < kept.num_rows < 100
    resumed = start(slow("resume", str(tmp_path), "--quiet"))
    _, errors = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, errors
    whole = search("nb101", ParamsScorer(), budget=100).history
    history = read(tmp_path / "search.parquet", "search")
    assert history.drop_columns("seconds").equals(whole.drop_columns("seconds"))
    assert content(tmp_path)["evaluations"] == 100


def test_ctrl_c_keeps_the_history_and_says_how_to_go_on(tmp_path: Path, start: Start) -> None:
    process = begun(start, tmp_path)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    kept = read(tmp_path / "search.parquet", "search").num_rows
    assert errors == f"{kept} candidates kept; to continue: snap-evo resume {tmp_path}\n"


def test_progress_counts_what_was_done_before_as_done(tmp_path: Path) -> None:
    params(tmp_path)
    result = CliRunner().invoke(main, ["resume", str(tmp_path), "--budget", "80"])
    assert result.stderr == "search nb201: 80 of 80\n"


def test_a_full_disk_leaves_what_was_written_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_table, calls = pq.write_table, []

    def filling(table: pa.Table, path: Path, **options: Any) -> None:
        calls.append(path)
        if len(calls) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_table(table, path, **options)

    monkeypatch.setattr(pq, "write_table", filling)
    monkeypatch.setattr("snap_evo.search_files._SECONDS_BETWEEN_WRITES", 0.0)
    result = params(tmp_path)
    assert "search.parquet: cannot write here (no space left on device)" in refused(result)
    assert f"40 candidates kept; to continue: snap-evo resume {tmp_path}" in result.stderr
    assert read(tmp_path / "search.parquet", "search").num_rows == 40
    assert [path.name for path in tmp_path.iterdir()] == ["search.parquet"]


def test_a_resumed_search_may_have_a_larger_budget(tmp_path: Path) -> None:
    params(tmp_path, "--seed", "2")
    result = CliRunner().invoke(main, ["resume", str(tmp_path), "--budget", "90", "--json"])
    assert result.exit_code == 0, result.output
    whole = search("nb201", ParamsScorer(), budget=90, seed=2).history
    history = read(tmp_path / "search.parquet", "search")
    assert history.drop_columns("seconds").equals(whole.drop_columns("seconds"))


@pytest.mark.parametrize("made", [False, True])
def test_a_folder_without_a_search_cannot_be_resumed(tmp_path: Path, made: bool) -> None:
    if made:
        table = search("nb201", ParamsScorer(), budget=5).history
        entries = {"snap.scorer": "params", "snap.algorithm": "de", "snap.seed": "0"}
        write(table, tmp_path / "search.parquet", "search", producer="snap-evo", metadata=entries)
    message = refused(CliRunner().invoke(main, ["resume", str(tmp_path)]))
    assert ("describes no search of this version" if made else "no such file") in message


def test_algorithms_are_compared_in_a_table_and_a_picture(tmp_path: Path) -> None:
    options = ("--space", "nb201", "--scorer", "params", "--algorithms", "de,random")
    result = CliRunner().invoke(
        main,
        ["compare", *options, "--seeds", "2", "--budget", "40", "--out", str(tmp_path)],
    )
    assert result.exit_code == 0, result.output
    header, _, *rows = result.stdout.splitlines()
    assert "runs that reached 1.53155e+06" in header
    assert [row.split(" | ")[0] for row in rows] == ["| de", "| random"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["regret.png", "regret.svg", "runs.csv"]
    with (tmp_path / "runs.csv").open() as file:
        runs = list(csv.DictReader(file))
    assert [(run["algorithm"], run["seed"]) for run in runs] == [
        ("de", "0"),
        ("de", "1"),
        ("random", "0"),
        ("random", "1"),
    ]
    for run in runs[:2]:
        alone = search("nb201", ParamsScorer(), budget=40, seed=int(run["seed"]))
        assert float(run["score"]) == alone.score


def workers(process: subprocess.Popen[str]) -> list[int]:
    """Return the processes that a comparison has started its searches in."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
    return [pid for pid, command in commands.items() if b"spawn_main" in command]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("worker", "number", "code", "message"),
    [
        (False, signal.SIGINT, 130, ""),
        (False, signal.SIGKILL, -9, ""),
        (True, signal.SIGKILL, 1, "Error: a worker process was killed, perhaps for lack of m"),
    ],
)
def test_a_comparison_that_is_stopped_leaves_no_process_behind(
    tmp_path: Path, start: Start, worker: bool, number: signal.Signals, code: int, message: str
) -> None:
    options = ("--space", "nb101", "--scorer", "params", "--budget", "1000000", "--jobs", "2")
    program = str(Path(sys.executable).with_name("snap-evo"))
    process = start([program, "compare", *options, "--out", str(tmp_path)])
    deadline = time.monotonic() + 120
    while len(found := workers(process)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(2)  # to let them search
    os.kill(found[0] if worker else process.pid, number)
    _, errors = process.communicate(timeout=60)  # all who hold the pipe have ended
    assert process.returncode == code
    assert message in errors
    assert "Traceback" not in errors
    assert "Aborted" not in errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("end", [KeyboardInterrupt(), SnapError("no memory")])
def test_a_comparison_that_ends_early_keeps_the_searches_that_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: BaseException
) -> None:
    def ending(
        _engine: LocalEngine, function: Callable[[ScoredSearch], Run], searches: list[ScoredSearch]
    ) -> Iterator[Run]:
        yield from map(function, searches[:2])
        raise end

    monkeypatch.setattr(LocalEngine, "map", ending)
    options = ("--space", "nb201", "--scorer", "params", "--budget", "40", "--seeds", "3")
    out = ("--out", str(tmp_path), "--quiet")
    result = CliRunner().invoke(main, ["compare", *options, "--algorithms", "random", *out])
    assert result.exit_code == (130 if isinstance(end, KeyboardInterrupt) else 1)
    assert result.stderr.splitlines()[0] == (
        f"{tmp_path / 'runs.csv'} has 2 of 3 searches; for all, give the command again"
    )
    assert (tmp_path / "runs.csv").read_text().count("\n") == 3


def test_a_comparison_that_fails_says_so_in_one_line(tmp_path: Path) -> None:
    options = ("--space", "nb201", "--scorer", "params", "--algorithms", "swarm", "--seeds", "1")
    result = CliRunner().invoke(main, ["compare", *options, "--out", str(tmp_path), "--quiet"])
    assert "unknown algorithm 'swarm'" in refused(result)


@pytest.mark.parametrize("amount", ["x", "0", "-5M", "inf"])
def test_a_limit_that_is_no_amount_is_wrong_usage(tmp_path: Path, amount: str) -> None:
    message = refused(params(tmp_path, "--max-flops", amount), code=2)
    assert f"{amount!r} is no amount; write it as 600M" in message


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--space", "nb301"), "unknown search space 'nb301'"),
        (("--scorer", "best"), "unknown scorer 'best'; installed are"),
        (("--scorer", "table:x"), "write it as table:FILE:COLUMN"),
        (("--scorer", "table:gone.parquet:acc"), "gone.parquet: no such file"),
        (("--algorithm", "swarm"), "unknown algorithm 'swarm'"),
    ],
)
def test_bad_options_are_reported_in_one_line(
    tmp_path: Path, options: tuple[str, str], problem: str
) -> None:
    assert problem in refused(params(tmp_path, *options))
    assert list(tmp_path.iterdir()) == []


def test_the_default_space_is_nas_bench_201(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("--scorer", "params", "--budget", "20")
    assert result.exit_code == 0, result.output
    assert content(tmp_path)["space"] == "nb201"


_NUMBERS = (
    ("run", "--budget"),
    ("run", "--patience"),
    ("run", "--time-limit"),
    ("run", "--seed"),
    ("run", "--min-params"),
    ("run", "--max-params"),
    ("run", "--max-flops"),
    ("resume", "--budget"),
    ("resume", "--time-limit"),
    ("compare", "--budget"),
    ("compare", "--seeds"),
    ("compare", "--jobs"),
    ("compare", "--best"),
    ("build", "--layers"),
    ("build", "--channels"),
    ("build", "--classes"),
    ("build", "--input"),
)
_SENSIBLE = {
    ("--best", "-1"),
    ("--best", "0"),
    ("--best", "1e300"),
    ("--max-flops", "1e300"),
    ("--min-params", "1e300"),
    ("--max-params", "1e300"),
    ("--seed", "0"),
}


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        (command, option, value)
        for command, option in _NUMBERS
        for value in ("nan", "inf", "-inf", "-1", "0", "1e300", "many", "9" * 5000)
        if (option, value) not in _SENSIBLE
    ],
)
def test_a_number_that_makes_no_sense_is_wrong_usage(
    tmp_path: Path, command: str, option: str, value: str
) -> None:
    arguments = ["x"] if command in ("resume", "build") else ["--out", str(tmp_path)]
    message = refused(CliRunner().invoke(main, [command, *arguments, option, value]), code=2)
    assert f"Invalid value for '{option}'" in message
    assert list(tmp_path.iterdir()) == []


def test_jobs_without_use_are_wrong_usage(tmp_path: Path) -> None:
    options = ("--engine", "ray", "--jobs", "2", "--out", str(tmp_path))
    message = refused(CliRunner().invoke(main, ["compare", *options]), code=2)
    assert "--jobs goes with --engine local" in message


@pytest.mark.parametrize("objective", ["score", "score,params"])
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("gone.parquet", "gone.parquet: no such file"),
        ("damaged.parquet", "damaged.parquet: not a readable Parquet file"),
        ("three.parquet", "three.parquet: holds cells of nb101, none of nb201"),
        ("empty.parquet", "empty.parquet: holds cells of no space, none of nb201"),
    ],
)
def test_a_table_is_checked_whether_or_not_an_objective_uses_it(
    tmp_path: Path,
    three_cells: pa.Table,
    three_cells_file: Path,
    objective: str,
    name: str,
    problem: str,
) -> None:
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1")
    write(three_cells.slice(0, 0), tmp_path / "empty.parquet", "graphs", producer="snap-graphs")
    options = ("--table", str(three_cells_file.with_name(name)), "--objective", objective)
    assert problem in refused(params(tmp_path / "out", *options))
    assert list((tmp_path / "out").iterdir()) == []


def test_the_default_scorer_names_its_package_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "entry_points", lambda group: ())
    result = run("--space", "nb201", "--out", str(tmp_path))
    assert "run: pip install snap-gcn" in refused(result)


def test_a_missing_ray_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snap_catalog.extras.find_spec", lambda _package: None)
    assert "pip install 'snap-evo[ray]'" in refused(params(tmp_path, "--engine", "ray"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused_before_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> None:
        pytest.fail("the search began")

    monkeypatch.setattr("snap_evo.search_loop.search", never)
    (tmp_path / "file").write_text("")
    message = refused(params(tmp_path / "file" / "out"))
    assert f"{tmp_path / 'file' / 'out'}: cannot write here (not a directory)" in message


class Failing:
    """Scores two generations, and then does something else."""

    def __init__(self, failure: Callable[[int], Any]) -> None:
        self.left, self.failure = 2, failure

    def score(self, graphs: pa.Table) -> Any:
        self.left -= 1
        return ParamsScorer().score(graphs) if self.left >= 0 else self.failure(graphs.num_rows)


def install(monkeypatch: pytest.MonkeyPatch, failure: Callable[[int], Any]) -> None:
    """Let `params` be a scorer that fails."""
    entry = SimpleNamespace(name="params", load=lambda: lambda: Failing(failure))
    monkeypatch.setattr(plugins, "entry_points", lambda group: (entry,))


def no_weight(_rows: int) -> Any:
    raise ValueError("no such weight")


@pytest.mark.parametrize(
    ("failure", "problem"),
    [
        (no_weight, "the scorer Failing failed (ValueError: no such weight); fix it"),
        (lambda rows: np.full(rows, np.nan), "the score nan; scores must be finite"),
        (lambda rows: np.zeros(rows + 1), "it must return one number each"),
    ],
)
def test_a_scorer_that_fails_later_leaves_the_history_and_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: Callable[[int], Any],
    problem: str,
) -> None:
    install(monkeypatch, failure)
    result = params(tmp_path, "--quiet")
    assert problem in refused(result)
    assert result.stderr.splitlines()[:-1] == [
        f"40 candidates kept; to continue: snap-evo resume {tmp_path}"
    ]
    assert read(tmp_path / "search.parquet", "search").num_rows == 40
    assert [path.name for path in tmp_path.iterdir()] == ["search.parquet"]


def test_a_scorer_that_hangs_is_left_behind_and_the_best_so_far_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, lambda _rows: Event().wait(60))
    result = params(tmp_path, "--time-limit", "0.5")
    assert result.exit_code == 0, result.output
    assert "ended by the time limit of 0.5 s" in result.stdout
    assert "not available: the time limit ended the search" in result.stdout
    assert content(tmp_path)["evaluations"] == 40
    assert sorted(p.name for p in tmp_path.iterdir()) == FILES


def test_limits_that_nothing_keeps_to_leave_the_history_and_one_line(tmp_path: Path) -> None:
    message = refused(params(tmp_path, "--min-params", "900M", "--quiet"))
    assert "none of 60 candidates keeps to 900,000,000 <= params (candidates have" in message
    assert read(tmp_path / "search.parquet", "search")["score"].null_count == 60


def test_the_mobile_setting_is_searched_and_resumed(tmp_path: Path) -> None:
    options = ("--min-params", "5M", "--max-params", "6M", "--max-flops", "600M")
    result = run(
        *("--space", "darts", "--scorer", "params", "--budget", "150", "--out", str(tmp_path)),
        *(*options, "--network", "imagenet"),
    )
    assert result.exit_code == 0, result.output
    assert "5,000,000 <= params <= 6,000,000, flops <= 600,000,000:" in result.stdout
    best = content(tmp_path)
    assert 5e6 <= best["metrics"]["params"] <= 6e6
    assert best["network"] == "imagenet"
    resumed = CliRunner().invoke(main, ["resume", str(tmp_path), "--json", "--quiet"])
    assert json.loads(resumed.stdout)["metrics"] == best["metrics"]


def test_a_scorer_that_fails_leaves_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = EntryPoint("fake", "builtins:object", "snap.scorers")
    monkeypatch.setattr(plugins, "entry_points", lambda group: (fake,))
    result = run("--space", "nb201", "--scorer", "fake", "--out", str(tmp_path))
    assert "the scorer object failed (AttributeError" in refused(result)
    assert list(tmp_path.iterdir()) == []


def test_help_needs_no_heavy_library() -> None:
    code = (
        "import sys, snap_evo.cli; print(*{'numpy', 'pyarrow', 'pymoo', 'torch'} & {*sys.modules})"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""

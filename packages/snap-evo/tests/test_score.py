"""`snap-evo score`: any scorers over any file of graphs."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from snap_catalog import SnapError
from snap_catalog.parquet import read, write
from snap_catalog.scores import by_scorer
from snap_evo import load_scorer
from snap_evo.cli import main
from snap_evo.scorers import Measured, Scores
from snap_evo.scoring import job as asked
from snap_evo.scoring import score_table, tasks
from snap_evo.scoring.job import Job
from snap_evo.scoring.partial_scores import Kept
from snap_graphs import Space, graph_table, space

NAMES = ["space", "arch_id", "nodes", "src", "dst", "cell_hash"]
SMALL = "batch=4,input=8,layers=3,channels=8"


class Counting:
    """A scorer of networks that notes which it runs, and is stopped before some."""

    names = ("first", "second")
    images = "none"
    space = None

    def __init__(self, stop: int | None = None) -> None:
        self.ran: list[str] = []
        self.stop = stop

    def score(self, graphs: pa.Table) -> Scores:
        raise AssertionError("networks are scored one by one")

    def measure(self, space: Space, arch_id: str) -> Measured:
        if len(self.ran) == self.stop:
            raise SnapError("out of memory")
        self.ran.append(arch_id)
        values = {"first": float(len(space.parse(arch_id).nodes)), "part": float(len(arch_id))}
        return Measured(values, {"forward": 0.5, "backward": 1.0}, self.images)

    def measure_network(self, network: Any, side: int | None) -> Measured:
        raise AssertionError("there is no source")

    def together(self, rows: Sequence[Mapping[str, float]]) -> dict[str, Scores]:
        first = np.array([row["first"] for row in rows])
        return {"first": first, "second": np.array([row["part"] for row in rows]) - first.mean()}

    def seconds(self, steps: Mapping[str, float]) -> dict[str, float]:
        return {"first": steps["forward"], "second": sum(steps.values())}


@pytest.fixture
def graphs(three_cells: pa.Table) -> pa.Table:
    return three_cells


def score(job: Job, kept: Kept) -> pa.Table:
    return score_table.score(job, kept, map, lambda units, note: None)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    """Stand in for every scorer whose name begins with `net:`."""
    scorer = Counting()
    for module in (asked, tasks):
        monkeypatch.setattr(
            module,
            "load_scorer",
            lambda spec: scorer if spec.startswith("net:") else load_scorer(spec),
        )
    tasks._loaded.cache_clear()
    return scorer


def test_what_was_scored_before_a_failure_is_not_scored_again(
    graphs: pa.Table, counting: Counting, tmp_path: Path
) -> None:
    job = Job(graphs, ("net:one", "params"))
    counting.stop = 2
    kept = Kept(tmp_path / "scores.parquet", job.question)
    with pytest.raises(SnapError, match="out of memory"):
        score(job, kept)
    assert len(counting.ran) == 2
    counting.stop = None
    again = Kept(tmp_path / "scores.parquet", job.question)
    table = score(job, again)
    assert counting.ran == graphs["arch_id"].to_pylist()
    assert table.num_rows == 3 * 3
    again.remove()
    assert not list(tmp_path.iterdir())


def test_a_line_that_was_cut_off_is_scored_again(
    graphs: pa.Table, counting: Counting, tmp_path: Path
) -> None:
    job = Job(graphs, ("net:one",))
    kept = Kept(tmp_path / "scores.parquet", job.question)
    expected = score(job, kept)
    content = kept.path.read_bytes()
    kept.path.write_bytes(content[:-20])
    assert score(job, Kept(tmp_path / "scores.parquet", job.question)).equals(expected)
    assert len(counting.ran) == 4


def test_scores_and_seconds_stand_next_to_their_scorers(
    graphs: pa.Table, counting: Counting, tmp_path: Path
) -> None:
    job = Job(graphs, ("params", "net:one"))
    table = score(job, Kept(tmp_path / "s.parquet", job.question))
    write(table, tmp_path / "s.parquet", "scores", producer="snap-evo")
    found = by_scorer(read(tmp_path / "s.parquet", "scores"), "s.parquet")
    assert [*found] == ["params", "net:first", "net:second"]
    assert found["params"]["score"].to_pylist() == graphs["params"].to_pylist()
    first = [float(len(nodes)) for nodes in graphs["nodes"].to_pylist()]
    assert found["net:first"]["score"].to_pylist() == first
    assert found["net:first"]["seconds"].to_pylist() == [0.5] * 3
    assert found["net:second"]["seconds"].to_pylist() == [1.5] * 3


def test_networks_are_compared_within_their_spaces(
    graphs: pa.Table, counting: Counting, tmp_path: Path
) -> None:
    cells = [space("nb201").parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")]
    both = pa.concat_tables([graphs.select(NAMES), graph_table("nb201", cells).select(NAMES)])
    job = Job(both, ("net:one",))
    found = by_scorer(score(job, Kept(tmp_path / "s.parquet", job.question)), "s.parquet")
    alone = Job(graphs.select(NAMES), ("net:one",))
    expected = by_scorer(score(alone, Kept(tmp_path / "t.parquet", alone.question)), "t.parquet")
    assert found["net:second"]["score"][:3].equals(expected["net:second"]["score"])


def test_another_question_goes_on_with_nothing(graphs: pa.Table, counting: Counting) -> None:
    questions = {
        Job(graphs, ("net:one",)).question,
        Job(graphs, ("net:two",)).question,
        Job(graphs.slice(1), ("net:one",)).question,
        Job(graphs, ("net:one",), source="nets.py:all").question,
    }
    assert len(questions) == 4


def test_two_scores_of_one_name_are_refused(graphs: pa.Table, counting: Counting) -> None:
    with pytest.raises(SnapError, match="two scorers give scores called net:first"):
        _ = Job(graphs, ("net:one", "net:two")).scorers


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["score", *map(str, arguments)])


def test_one_scorer_needs_no_column_for_its_name(three_cells_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.parquet"
    result = run(three_cells_file, "--scorer", "params", "-o", out)
    assert result.exit_code == 0, result.output
    table = read(out, "scores")
    assert "scorer" not in table.column_names
    assert result.stdout.startswith("params: 3 architectures, ")


def test_a_sample_is_drawn_by_the_seed(three_cells_file: Path, tmp_path: Path) -> None:
    drawn = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        out = tmp_path / f"{name}.parquet"
        found = run(
            three_cells_file, "--scorer", "params", "--sample", 2, "--seed", seed, "-o", out
        )
        assert found.exit_code == 0, found.output
        drawn.append(read(out, "scores")["arch_id"].to_pylist())
    assert drawn[0] == drawn[1]
    assert all(len(each) == 2 for each in drawn)
    sample = json.loads(pq.read_schema(tmp_path / "c.parquet").metadata[b"snap.sample"])
    assert sample == {"architectures": 2, "seed": 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scorer", "proxi:synflow"], "unknown scorer 'proxi'"),
        (["--scorer", "proxy:synflo"], "unknown proxy 'synflo'"),
        (["--scorer", "params", "--jobs", "2", "--engine", "ray"], "--jobs goes with"),
        ([], "Missing option '--scorer'"),
    ],
)
def test_misuse_is_reported_before_any_work(
    three_cells_file: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    pytest.importorskip("torch")
    result = run(three_cells_file, *arguments, "-o", tmp_path / "s.parquet")
    assert result.exit_code != 0
    assert message in result.output
    assert not (tmp_path / "s.parquet").exists()


def test_a_file_that_holds_something_else_is_not_replaced(
    three_cells_file: Path, tmp_path: Path
) -> None:
    result = run(three_cells_file, "--scorer", "params", "-o", three_cells_file)
    assert result.exit_code == 1
    assert read(three_cells_file, "graphs").num_rows == 3


def test_processes_score_as_one_does(three_cells_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = []
    for jobs in (1, 2):
        out = tmp_path / f"{jobs}.parquet"
        result = run(
            three_cells_file, "--scorer", f"proxy:synflow+az_nas,{SMALL}", "--jobs", jobs, "-o", out
        )
        assert result.exit_code == 0, result.output
        found.append(read(out, "scores").select(["arch_id", "scorer", "score"]).to_pylist())
    assert found[0] == found[1]
    assert [row["scorer"] for row in found[0]] == ["proxy:synflow"] * 3 + ["proxy:az_nas"] * 3


def test_a_run_that_is_killed_goes_on(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    search_space = space("nb201")
    path, out = tmp_path / "nb201.parquet", tmp_path / "scores.parquet"
    cells = search_space.sample(40, 0)
    write(graph_table("nb201", cells), path, "graphs", producer="snap-graphs")
    command = [sys.executable, "-m", "snap_evo.cli", "score", path, "--jobs", 1, "-o", out]
    words = [*map(str, command), "--scorer", f"proxy:synflow,{SMALL}"]
    code = "import sys; from snap_evo.cli import main; main(sys.argv[1:])"
    words[1:3] = ["-c", code]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        while not (kept := [*tmp_path.glob("*.partial")]) or kept[0].stat().st_size < 200:
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    done = kept[0].read_text().count("\n")
    result = CliRunner().invoke(main, words[3:])
    assert result.exit_code == 0, result.output
    assert read(out, "scores").num_rows == len(cells)
    assert not [*tmp_path.glob("*.partial")]
    assert done >= 1


SOURCE = """
import torch
from torch import nn


def networks():
    for width in (4, 8, 16):
        layers = [nn.Conv2d(3, width, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        yield f"net{width}", nn.Sequential(*layers, nn.Linear(width, 10)), (3, 16, 16)
"""


@pytest.fixture
def traced(tmp_path: Path) -> tuple[Path, str]:
    """Networks of a user's function, and the function."""
    pytest.importorskip("torch")
    from snap_graphs.cli import main as graphs

    (tmp_path / "nets.py").write_text(SOURCE)
    source, path = f"{tmp_path / 'nets.py'}:networks", tmp_path / "nets.parquet"
    result = CliRunner().invoke(graphs, ["trace", source, str(path), "--quiet"])
    assert result.exit_code == 0, result.output
    return path, source


def test_networks_of_a_users_function_are_scored(traced: tuple[Path, str], tmp_path: Path) -> None:
    path, source = traced
    out = tmp_path / "scores.parquet"
    arguments = [path, "--source", source, "--scorer", "proxy:params+synflow,batch=4", "-o", out]
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    found = by_scorer(read(out, "scores"), "scores.parquet")
    assert found["proxy:params"]["arch_id"].to_pylist() == ["net4", "net8", "net16"]
    params = read(path, "graphs")["params"].to_pylist()
    assert found["proxy:params"]["score"].to_pylist() == params
    assert np.isfinite(found["proxy:synflow"]["score"].to_numpy()).all()
    assert run(*arguments).exit_code == 0
    again = by_scorer(read(out, "scores"), "scores.parquet")
    assert again["proxy:synflow"]["score"].equals(found["proxy:synflow"]["score"])


def test_traced_networks_without_their_source_are_refused(
    traced: tuple[Path, str], tmp_path: Path
) -> None:
    path, _ = traced
    result = run(path, "--scorer", "proxy:synflow", "--jobs", 1, "-o", tmp_path / "s.parquet")
    assert result.exit_code == 1
    assert "--source" in result.output


def run_edited(traced: tuple[Path, str], code: str) -> Result:
    """Score the networks of a source that was edited after they were traced."""
    path, source = traced
    path.with_name("nets.py").write_text(code)
    arguments = ["--source", source, "--scorer", "proxy:params"]
    return run(path, *arguments, "-o", path.with_name("s.parquet"))


def test_a_source_that_makes_other_networks_is_refused(
    traced: tuple[Path, str], tmp_path: Path
) -> None:
    result = run_edited(traced, SOURCE.replace("8, 16", "32"))
    assert result.exit_code == 1
    assert "makes no network called 'net8'" in result.output


@pytest.mark.parametrize(
    ("shape", "expected"),
    [("(3, 16, 24)", "'net4' takes (3, 16, 24)"), ("(1, 16, 16)", "'net4' takes (1, 16, 16)")],
)
def test_networks_of_other_than_square_colour_images_are_named(
    traced: tuple[Path, str], tmp_path: Path, shape: str, expected: str
) -> None:
    result = run_edited(traced, SOURCE.replace("(3, 16, 16)", shape))
    assert result.exit_code == 1
    assert f"{expected}; proxies need networks for square images" in result.output


def test_a_network_of_the_source_that_fails_is_named(
    traced: tuple[Path, str], tmp_path: Path
) -> None:
    result = run_edited(traced, SOURCE.replace("nn.Linear(width", "nn.Linear(4"))
    assert result.exit_code == 1
    assert f"{traced[1]}: cannot score 'net8': the network fails in inference" in result.output


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"scores":{', '"scores":{"more":[],'),
        ('"forward"', '"sideways"'),
        ('"part":[', '"part":[1,'),
        ('"first"', '"second"'),
    ],
)
def test_kept_scores_that_are_no_scores_are_reported(
    graphs: pa.Table, counting: Counting, tmp_path: Path, old: str, new: str
) -> None:
    job = Job(graphs, ("net:one",))
    kept = Kept(tmp_path / "s.parquet", job.question)
    score(job, kept)
    kept.path.write_text(kept.path.read_text().replace(old, new))
    with pytest.raises(SnapError, match="partial: "):
        score(job, Kept(tmp_path / "s.parquet", job.question))


@pytest.mark.parametrize("length", [240, 300])
def test_a_name_that_is_too_long_is_refused_in_one_line(
    three_cells_file: Path, tmp_path: Path, length: int
) -> None:
    result = run(three_cells_file, "--scorer", "params", "-o", tmp_path / ("a" * length))
    assert result.exit_code == 1
    assert "(file name too long)" in result.output
    assert not list(tmp_path.glob("a*"))


def test_edited_code_of_a_source_is_another_question(graphs: pa.Table, tmp_path: Path) -> None:
    source = tmp_path / "nets.py"
    source.write_text("first")
    before = Job(graphs, ("params",), source=f"{source}:nets").question
    source.write_text("second")
    assert Job(graphs, ("params",), source=f"{source}:nets").question != before


def test_networks_that_cannot_be_scored_are_left_out_on_request(
    traced: tuple[Path, str], tmp_path: Path
) -> None:
    path, source = traced
    (tmp_path / "nets.py").write_text(SOURCE.replace("nn.Linear(width, 10)", "nn.Linear(8, 10)"))
    out = tmp_path / "scores.parquet"
    arguments = [path, "--source", source, "--scorer", "proxy:synflow,batch=4", "-o", out]
    assert run(*arguments).exit_code == 1
    result = run(*arguments, "--skip-bad")
    assert result.exit_code == 0, result.output
    assert "left out 2 networks, the first because " in result.stderr
    assert read(out, "scores")["arch_id"].to_pylist() == ["net8"]


def test_a_file_of_which_no_network_can_be_scored_is_refused(
    traced: tuple[Path, str], tmp_path: Path
) -> None:
    path, source = traced
    (tmp_path / "nets.py").write_text(SOURCE.replace("nn.Linear(width, 10)", "nn.Linear(7, 10)"))
    arguments = [path, "--source", source, "--scorer", "proxy:synflow,batch=4", "--skip-bad"]
    result = run(*arguments, "-o", tmp_path / "s.parquet")
    assert result.exit_code == 1
    assert "no network could be scored" in result.output

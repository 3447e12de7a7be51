"""The tools, one after the other, through their command lines and files alone."""

import csv
import gzip
import io
import itertools
import json
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pyarrow.parquet as pq
import pytest

POOR = "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|none~1|skip_connect~2|"
GOOD = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|"
    "+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
)
BASELINE = "cifar10/test/baseline_accuracy"
TOLERANCE = 1e-5
"""How far a cell's scores in a search and in a file may be apart: sums of 32-bit floats depend on
the batch and the processor."""


def tool(folder: Path, command: str) -> str:
    """Run a tool in a folder and return its standard output."""
    done = subprocess.run(command.split(), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where the bundled predictor scored and searched NAS-Bench-201."""
    folder = tmp_path_factory.mktemp("bundled")
    tool(folder, "snap-graphs convert nb201 nb201.parquet")
    tool(folder, "snap-gcn predict nb201.parquet -o scores.parquet")
    tool(folder, "snap-evo run --space nb201 --out found --quiet")
    return folder


@pytest.fixture(scope="module")
def trained(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where a small predictor was trained on 20,000 cells and scored NAS-Bench-201."""
    folder = tmp_path_factory.mktemp("trained")
    with gzip.open(shared_data / "nb101.csv.gz", "rt") as lines:
        sample = "".join(itertools.islice(lines, 20_001))
    (folder / "nb101.csv").write_text(sample)
    tool(folder, "snap-encode --space nb101 --space nb201 -o operators.parquet")
    tool(folder, "snap-graphs convert nb101 nb101.parquet --source nb101.csv")
    tool(folder, "snap-graphs convert nb201 nb201.parquet")
    fit_and_predict(folder, "model")
    return folder


def fit_and_predict(folder: Path, model: str) -> None:
    data = "nb101.parquet --operators operators.parquet --metric cifar10/test"
    tool(folder, f"snap-gcn fit {data} --preset paper --schedule short --seed 0 --out {model}")
    tool(folder, f"snap-gcn predict nb201.parquet --model {model} -o {model}.parquet")


def correlations(folder: Path, scores: str, graphs: str, metric: str) -> dict[str, float]:
    files = f"--scores {scores} --graphs {graphs} --metric {metric}"
    printed = tool(folder, f"snap-eval correlate {files} --bootstrap 50 --json --quiet")
    rows = json.loads(printed)["correlations"]
    return {row["statistic"]: row["value"] for row in rows if row["population"] == "all"}


def by_arch(path: Path, column: str) -> dict[str, float]:
    table = pq.read_table(path)
    return dict(zip(table["arch_id"].to_pylist(), table[column].to_pylist(), strict=True))


def test_the_bundled_predictor_orders_two_cells_that_are_20_points_apart(bundled: Path) -> None:
    measured, scores = (
        by_arch(bundled / "nb201.parquet", BASELINE),
        by_arch(bundled / "scores.parquet", "score"),
    )
    assert measured[GOOD] > measured[POOR] + 20
    assert scores[GOOD] > scores[POOR]


def test_the_bundled_predictor_ranks_nas_bench_201_by_its_measured_accuracy(bundled: Path) -> None:
    found = correlations(bundled, "scores.parquet", "nb201.parquet", BASELINE)
    assert found["spearman"] > 0.8
    assert found["kendall_tau_b"] > 0.6


def test_the_search_ends_among_the_good_cells(bundled: Path) -> None:
    best = json.loads((bundled / "found" / "best.json").read_text())
    measured = by_arch(bundled / "nb201.parquet", BASELINE)
    scores = by_arch(bundled / "scores.parquet", "score")
    assert best["metrics"][BASELINE] == measured[best["arch_id"]]
    assert best["score"] == pytest.approx(scores[best["arch_id"]], abs=TOLERANCE)
    assert best["score"] >= sorted(scores.values())[-20] - TOLERANCE
    assert measured[best["arch_id"]] > sum(measured.values()) / len(measured)
    for name in ("best.svg", "search.parquet"):
        assert (bundled / "found" / name).stat().st_size > 1000


def test_a_predictor_trained_on_nas_bench_101_ranks_both_benchmarks(trained: Path) -> None:
    tool(trained, "snap-gcn predict nb101.parquet --model model -o own.parquet")
    own = correlations(trained, "own.parquet", "nb101.parquet", "cifar10")
    assert own["spearman"] > 0.75
    unseen = correlations(trained, "model.parquet", "nb201.parquet", BASELINE)
    assert unseen["spearman"] > 0.4


def test_a_trained_predictor_guides_a_search(trained: Path) -> None:
    tool(trained, "snap-evo run --space nb201 --scorer gcn:model --budget 300 --out own --quiet")
    best = json.loads((trained / "own" / "best.json").read_text())
    scores = by_arch(trained / "model.parquet", "score")
    assert best["score"] == pytest.approx(scores[best["arch_id"]], abs=TOLERANCE)
    assert best["score"] > sorted(scores.values())[-200] - TOLERANCE


def test_equal_seeds_give_equal_bytes(trained: Path) -> None:
    fit_and_predict(trained, "again")
    weights = [trained / model / "model.safetensors" for model in ("model", "again")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    one, two = (by_arch(trained / f"{model}.parquet", "score") for model in ("model", "again"))
    assert one == two
    for out in ("first", "second"):
        tool(trained, f"snap-evo run --space nb101 --scorer params --seed 3 --out {out} --quiet")
    assert _history(trained / "first") == _history(trained / "second")
    assert _best(trained / "first") == _best(trained / "second")


def test_a_report_draws_a_comparison_of_searches_that_measure(
    shared_data: Path, tmp_path: Path
) -> None:
    source = shared_data / "nb201_cifar10.csv.gz"
    tool(tmp_path, f"snap-graphs convert nb201 nb201.parquet --source {source}")
    how = "--scorer params --algorithms re,random --seeds 2 --measurements 12 --jobs 1 --quiet"
    measure = "--measure table:nb201.parquet:cifar10/valid"
    compared = json.loads(tool(tmp_path, f"snap-evo compare {measure} {how} --json --out turns"))
    tool(tmp_path, "snap-eval report report.html --results turns --quiet")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "Searching nb201 by measuring cifar10/valid/accuracy@200" in page
    links = dict(re.findall(r'download="([^"]*)\.csv" href="[^",]*,([^"]*)"', page))
    (curve,) = (unquote(text) for name, text in links.items() if name.startswith("best-so-far"))
    ends = {row["series"]: row for row in csv.DictReader(io.StringIO(curve)) if row["last"] == "1"}
    for algorithm in compared["algorithms"]["best"]:
        end = ends[algorithm["algorithm"]]
        assert float(end["mean"]) == pytest.approx(algorithm["score"], abs=TOLERANCE)
        assert float(end["low"]) <= float(end["mean"]) <= float(end["high"])


def _history(folder: Path) -> list[dict[str, object]]:
    """What a search wrote, but for what the clock decides."""
    rows: list[dict[str, object]] = pq.read_table(folder / "search.parquet").to_pylist()
    return [{key: row[key] for key in row if key != "seconds"} for row in rows]


def _best(folder: Path) -> list[str]:
    lines = (folder / "best.json").read_text().splitlines()
    return [line for line in lines if not line.startswith('  "seconds":')]

"""All statistics of 16 scorers on 12 metrics, next to an earlier commit and to scipy in a loop.

    uv run --all-groups pytest benchmarks/test_eval.py

The earlier commit bootstraps every interval. The loop over resamples is run for one scorer and
metric, with a hundredth of the resamples, and its time is scaled up: in full it would take hours.
Needs `pip install analog-nasbench`, and a clone with its history.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from snap_eval import Scorer, Target, as_measured, read_scorers, targets
from snap_graphs.convert import convert

RESAMPLES = 1000
METRICS, SCORERS = 12, 16
COUNTED = ("params", "flops", "depth", "n_paths", "count:*conv*", "count:skip_connect", "n_dead")
SHARE = 100
"""The loop of scipy takes one in this many resamples."""
EARLIER = "33853a7"
ROOT = Path(__file__).parents[2]
SOURCES = ("data-catalog", "packages/snap-graphs/src", "packages/snap-eval/src")
POPULATIONS = [["all"], ["all", "unique", "unique_reachable"]]
_RUN = """
import sys, time
sys.path[:0] = [*sys.argv[1].split(","), sys.argv[2]]
from test_eval import RESAMPLES, made
import snap_eval
scorers, aims = made()
begin = time.perf_counter(), time.process_time()
options = {"populations": sys.argv[3].split(","), "bootstrap": RESAMPLES}
print(len(snap_eval.correlate(scorers, aims, **options)))
print(time.perf_counter() - begin[0], time.process_time() - begin[1], snap_eval.__file__)
"""


def made() -> tuple[Sequence[Scorer], Sequence[Target]]:
    """Return the scorers, and the metrics, of the 15,625 cells of AnalogNAS-Bench."""
    cells = as_measured(convert("nb201", None))
    columns = [name for name in cells.graphs.column_names if "/test/" in name]
    specs = [f":{name}" for name in (*COUNTED, *columns[METRICS:])][:SCORERS]
    return read_scorers(specs, [cells]), targets([cells], columns[:METRICS])


@pytest.fixture(scope="module")
def contest() -> tuple[Sequence[Scorer], Sequence[Target]]:
    return made()


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of the earlier commit."""
    folder = tmp_path_factory.mktemp(EARLIER)
    packed = subprocess.run(
        ["git", "archive", EARLIER, *SOURCES], cwd=ROOT, capture_output=True, check=True
    )
    subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
    return folder


@pytest.mark.benchmark(group=f"{SCORERS} scorers, {METRICS} metrics, {RESAMPLES:,} resamples")
@pytest.mark.parametrize("populations", POPULATIONS)
@pytest.mark.parametrize("commit", ["now", EARLIER])
def test_all_statistics(benchmark: Any, earlier: Path, commit: str, populations: list[str]) -> None:
    root = ROOT if commit == "now" else earlier
    found = []

    def run() -> None:
        sources = ",".join(str(root / source) for source in SOURCES)
        arguments = [sources, str(Path(__file__).parent), ",".join(populations)]
        command = [sys.executable, "-c", _RUN, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.extend(done.stdout.split())

    benchmark.pedantic(run, rounds=1)
    rows, seconds, processor, file = found
    assert int(rows) == 17 * SCORERS * METRICS * len(populations)
    assert Path(file).is_relative_to(root)
    benchmark.extra_info["seconds"] = round(float(seconds), 1)
    benchmark.extra_info["processor seconds"] = round(float(processor), 1)


@pytest.mark.benchmark(group=f"1 scorer, 1 metric, {RESAMPLES // SHARE:,} resamples")
def test_scipy_in_a_loop(benchmark: Any, contest: Any) -> None:
    scorers, aims = contest
    x, y = scorers[0].place(aims[0].measured).score, aims[0].measured.oriented(aims[0].metric)
    rng = np.random.default_rng(0)

    def loop() -> None:
        for _ in range(RESAMPLES // SHARE):
            cells = rng.integers(0, x.size, x.size)
            pair = x[cells], y[cells]
            for statistic in (stats.pearsonr, stats.spearmanr, stats.kendalltau, stats.weightedtau):
                statistic(*pair)

    benchmark.pedantic(loop, rounds=3)
    whole = benchmark.stats.stats.min * SHARE * METRICS * SCORERS
    benchmark.extra_info["seconds for all, correlations alone"] = round(whole)

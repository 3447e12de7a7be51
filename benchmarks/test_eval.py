"""All statistics of 16 scorers on 12 metrics, beside scipy called in a loop over resamples.

    uv run --all-groups pytest benchmarks/test_eval.py

The loop over resamples is run for one scorer and metric, with a hundredth of the resamples, and
its time is scaled up: in full it would take hours. Needs `pip install analog-nasbench`.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy import stats
from snap_eval import Scorer, Target, as_measured, correlate, read_scorers, targets
from snap_graphs.convert import convert

RESAMPLES = 1000
METRICS, SCORERS = 12, 16
COUNTED = ("params", "flops", "depth", "n_paths", "count:*conv*", "count:skip_connect", "n_dead")
SHARE = 100
"""The loop of scipy takes one in so many resamples."""


@pytest.fixture(scope="module")
def contest() -> tuple[Sequence[Scorer], Sequence[Target]]:
    """Scorers and metrics of the 15,625 cells of AnalogNAS-Bench."""
    cells = as_measured(convert("nb201", None))
    columns = [name for name in cells.graphs.column_names if "/test/" in name]
    specs = [f":{name}" for name in (*COUNTED, *columns[METRICS:])][:SCORERS]
    return read_scorers(specs, [cells]), targets([cells], columns[:METRICS])


@pytest.mark.benchmark(group=f"{SCORERS} scorers, {METRICS} metrics, {RESAMPLES:,} resamples")
@pytest.mark.parametrize("populations", [["all"], ["all", "unique", "unique_reachable"]])
def test_snap_eval(benchmark: Any, contest: Any, populations: list[str]) -> None:
    scorers, aims = contest
    begin = time.process_time()
    table = benchmark.pedantic(
        correlate,
        (scorers, aims),
        {"populations": populations, "bootstrap": RESAMPLES},
        rounds=1,
    )
    benchmark.extra_info["processor seconds"] = round(time.process_time() - begin, 1)
    assert len({*zip(table["scorer"].to_pylist(), table["metric"].to_pylist(), strict=True)}) == (
        SCORERS * METRICS
    )


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

"""How well scorers order cells by measured metrics, as a table."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError, benchmarks
from snap_catalog.console import Advance
from snap_catalog.parquet import decode_metadata
from snap_catalog.schemas import contract

from snap_eval.bootstrap import interval, over_seeds, replicates, workers
from snap_eval.estimate import Estimate, Floats, Ints
from snap_eval.measured import POPULATIONS, Bools, Target
from snap_eval.scorers import Placed, Scorer, by_name
from snap_eval.statistics import Family, families

_SCHEMA = contract("correlations").schema()

BASELINES = "snap.baselines"
"""The metadata entry that lists, in JSON, the scorers that are columns of the benchmarks."""

# What a graphs file says of where its measurements come from goes on to the result.
_PROVENANCE = ("snap.source", "snap.source_sha256", "snap.licence", "snap.citation")


def unseen(units: int, note: str = "") -> None:
    """Let a step of progress pass unreported."""


def correlate(
    scorers: Sequence[Scorer],
    targets: Sequence[Target],
    *,
    statistics: Collection[str] = (),
    populations: Collection[str] = POPULATIONS,
    flip: bool = False,
    bootstrap: int = 1000,
    seed: int = 0,
    advance: Advance = unseen,
) -> pa.Table:
    """Tell how well scorers predict metrics of benchmarks.

    A metric where less is better is negated, so that a positive correlation is always good;
    `best@k` is told as it was measured. Of a scorer with several seeds the mean is told, over the
    cells that all of them score.

    Args:
        scorers: one a model; those with one name are seeds of one scorer.
        targets: the metrics. A scorer without a score of any cell there has no rows.
        statistics: names of `snap_eval.statistics`; all where there is none.
        populations: sets of cells, of `POPULATIONS`.
        flip: judge every scorer with its scores negated as well.
        bootstrap: resamples for the 95 % intervals; 0 gives none.
        seed: of the resamples. All scorers of a target see the same ones.
        advance: called with 1 after each population of a target.

    Returns:
        A table of the `correlations` contract, nulls where a statistic is undefined.

    Raises:
        SnapError: no target has a measured cell with a score, or of several models of one name
            one has no seed.
    """
    rows: list[dict[str, Any]] = []
    groups = by_name(scorers)
    for target in targets:
        contenders = list(contend(groups, target, flip))
        for population in populations:
            rows += _rows(contenders, target, population, statistics, bootstrap, seed)
            advance(1)
    if not rows:
        raise SnapError(_nothing(scorers, targets))
    baselines = sorted({scorer.name for scorer in scorers if scorer.is_baseline})
    entries = {
        "snap.bootstrap": str(bootstrap),
        "snap.bootstrap_seed": str(seed),
        BASELINES: json.dumps(baselines),
    }
    return pa.Table.from_pylist(rows, _SCHEMA.with_metadata(_provenance(targets) | entries))


@dataclass(frozen=True)
class Contender:
    """A scorer, as it is or negated, over the n cells of a benchmark.

    Attributes:
        name: what it is called.
        sign: 1 or -1.
        seeds: of its models, where they have any.
        scores: (models, n) the scores, times the sign; NaN in all models where one has none.
        found: (n,) whether all models have a row for the cell.
    """

    name: str
    sign: int
    seeds: tuple[int, ...]
    scores: Floats
    found: Bools

    def estimates(self, family: Family, measured: Floats, cells: Ints) -> list[Estimate]:
        """Return for each model the statistics over those of the cells that have a score.

        Args:
            family: the statistics.
            measured: (n,) what the scores are to predict, higher is better.
            cells: (m,) a population; the estimates are of its cells.
        """
        scores = self.scores[:, cells]
        (scored,) = np.nonzero(~np.isnan(scores[0]))
        oriented = measured[cells][scored]
        return [
            family.estimate(score[scored], oriented).placed(scored, cells.size) for score in scores
        ]


def contend(
    groups: dict[str, list[Scorer]], target: Target, flip: bool = False
) -> Iterator[Contender]:
    """Yield the scorers that have scores of measured cells of a target, negated ones too."""
    chosen = ~np.isnan(target.measured.oriented(target.metric))
    for name, models in groups.items():
        placed = [(m.seed, m.place(target.measured)) for m in models]
        there = [(seed, p) for seed, p in placed if (p.found & chosen).any()]
        if there:
            seeds = tuple(seed for seed, _ in there if seed is not None)
            scores, found = _common([p for _, p in there])
            for sign in (1, -1) if flip else (1,):
                yield Contender(name, sign, seeds, sign * scores, found)


def _common(placed: Sequence[Placed]) -> tuple[Floats, Bools]:
    scores = np.stack([p.score for p in placed])
    scores[:, np.isnan(scores).any(axis=0)] = np.nan
    return scores, np.all([p.found for p in placed], axis=0)


def _rows(
    contenders: Sequence[Contender],
    target: Target,
    population: str,
    statistics: Collection[str],
    bootstrap: int,
    seed: int,
) -> Iterator[dict[str, Any]]:
    oriented = target.measured.oriented(target.metric)
    (cells,) = np.nonzero(target.measured.populations(~np.isnan(oriented))[population])
    pairs = [(contender, family) for contender in contenders for family in families(statistics)]
    with workers() as pool:
        found = [*pool.map(lambda pair: pair[0].estimates(pair[1], oriented, cells), pairs)]
    every = [estimate for estimates in found for estimate in estimates]
    resampled = iter(replicates(every, cells.size, resamples=bootstrap, seed=seed))
    target_facts = _target_facts(target) | {"population": population}
    for (contender, family), estimates in zip(pairs, found, strict=True):
        draws = over_seeds([next(resampled) for _ in estimates], seed)
        facts = target_facts | _facts(contender, cells) | {"ties": family.ties}
        for column, statistic in enumerate(family.names):
            if not statistics or statistic in statistics:
                values = np.array([estimate.values[column] for estimate in estimates])
                sign = measured_sign(statistic, target)
                yield (
                    facts
                    | {"statistic": statistic}
                    | _figures(sign * values, sign * draws[:, column], estimates[0])
                )


def measured_sign(statistic: str, target: Target) -> int:
    """Return -1 for a measurement that was negated since less is better, else 1."""
    is_min = target.measured.direction(target.metric) == "min"
    return -1 if is_min and statistic.startswith("best@") else 1


def _figures(values: Floats, draws: Floats, estimate: Estimate) -> dict[str, Any]:
    low, high = interval(draws)
    over = "cells and seeds" if values.size > 1 else "cells"
    numbers = {
        "value": values.mean(),
        "deviation": values.std(ddof=1) if values.size > 1 else np.nan,
        "low": low,
        "high": high,
    }
    figures: dict[str, Any] = {k: None if np.isnan(v) else float(v) for k, v in numbers.items()}
    made = "none" if np.isnan(low) else f"{estimate.method} over {over}"
    return figures | {"n": estimate.of, "interval": made}


def _facts(contender: Contender, cells: Ints) -> dict[str, Any]:
    found, usable = contender.found[cells], ~np.isnan(contender.scores[0, cells])
    return {
        "scorer": contender.name,
        "sign": contender.sign,
        "seeds": list(contender.seeds),
        "missing": int((~found).sum()),
        "failed": int((found & ~usable).sum()),
    }


def _target_facts(target: Target) -> dict[str, Any]:
    known = benchmarks().get(target.measured.name)
    facts = known.facts(target.metric) if known else None
    return {
        "benchmark": target.measured.name,
        "metric": target.metric,
        "direction": target.measured.direction(target.metric),
        "role": facts.role if facts else "unknown",
    }


def _provenance(targets: Sequence[Target]) -> dict[str, str]:
    """Return what is said of the origin of the measurements, where all have the same."""
    origins = [decode_metadata(target.measured.graphs.schema) for target in targets]
    return {
        key: origins[0][key]
        for key in _PROVENANCE
        if key in origins[0] and all(origin.get(key) == origins[0][key] for origin in origins)
    }


def _nothing(scorers: Sequence[Scorer], targets: Sequence[Target]) -> str:
    files = ", ".join(dict.fromkeys(target.measured.source for target in targets))
    metrics = ", ".join(dict.fromkeys(target.metric for target in targets))
    scored = ", ".join(dict.fromkeys(scorer.source for scorer in scorers))
    return (
        f"{files}: no cell that {scored} scores has a value of {metrics}; choose another --metric"
    )

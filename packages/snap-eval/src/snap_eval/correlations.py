"""How well scorers order cells by measured metrics, as a table."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError, benchmarks
from snap_catalog.console import Advance
from snap_catalog.parquet import decode_metadata
from snap_catalog.schemas import contract

from snap_eval import scanned
from snap_eval.arrays import Bools, Floats, Ints, cached
from snap_eval.measured import Target
from snap_eval.relations import POPULATIONS, Cells
from snap_eval.resampling import Resamples, fisher, interval, over_seeds, workers
from snap_eval.scorers import Placed, Scorer, by_name
from snap_eval.statistics import Statistic, chosen

Intervals = Literal["closed", "bootstrap"]

BASELINES = "snap.baselines"
"""The metadata entry that lists, in JSON, the scorers that are columns of the benchmarks."""

# What a graphs file states about the origin of its measurements goes into the result.
_PROVENANCE = ("snap.source", "snap.source_sha256", "snap.licence", "snap.citation")


def unseen(units: int, note: str = "") -> None:
    """Let a step of progress pass unreported."""


def correlate(
    scorers: Sequence[Scorer],
    targets: Sequence[Target],
    *,
    statistics: Collection[str] = (),
    populations: Collection[str] = tuple(POPULATIONS),
    where: str = "",
    by: str = "",
    flip: bool = False,
    intervals: Intervals = "closed",
    bootstrap: int = 1000,
    seed: int = 0,
    advance: Advance = unseen,
) -> pa.Table:
    """Compute how well scorers predict metrics of benchmarks.

    A metric where less is better is negated, so that a positive correlation is always good;
    `best@k` is given as it was measured. The figure of a scorer with several seeds is the mean,
    over the cells that all of them score.

    Args:
        scorers: one per model; those with one name are seeds of one scorer.
        targets: the metrics. A scorer without a score of any of their cells has no rows.
        statistics: names of `snap_eval.statistics`; all if empty.
        populations: keys of `snap_eval.relations.POPULATIONS`.
        where: a condition on the columns of the graphs, in SQL; all cells if empty.
        by: a column of the graphs, or an expression in them, in SQL: one row per value.
        flip: judge every scorer with its scores negated as well.
        intervals: `closed` for closed forms if a statistic has one and the scorer one seed, else
            the bootstrap; `bootstrap` for the bootstrap alone.
        bootstrap: resamples for the 95 % intervals; 0 for no intervals.
        seed: seed of the resamples.
        advance: called with 1 after each population of a target.

    Returns:
        A table of the `correlations` contract, with nulls for undefined statistics.

    Raises:
        SnapError: no target has a measured cell with a score; one of several models of one name
            has no seed; graphs from CSV do not have the columns of a population; or `where` or `by`
            is no expression in the columns of the graphs.
    """
    groups = by_name(scorers)
    judge = Judge(chosen(statistics), intervals, bootstrap, seed)
    rows: list[dict[str, Any]] = []
    relations: dict[int, Cells] = {}
    scans: dict[int, scanned.Scan] = {}
    for target in targets:
        measured = target.measured
        facts, sign = _target_facts(target), measured_sign(target)
        for population in populations:
            measured.require(population)
        if measured.scan:
            if id(measured) not in scans:
                if intervals == "bootstrap":
                    raise SnapError(
                        f"{measured.source}: has too many rows to resample; leave --intervals out"
                    )
                scanning = measured, measured.scan, groups, judge.statistics
                scans[id(measured)] = scanned.Scan(*scanning, where, by, intervals=bootstrap > 0)
            signs = (1, -1) if flip else (1,)
            found = scans[id(measured)].rows(target.metric, sign, populations, signs)
            rows += (facts | row for row in found)
            advance(len(populations))
            continue
        if id(measured) not in relations:
            some = Cells(measured.graphs, where, by) if where or by else measured.relation
            relations[id(measured)] = some
        oriented = measured.oriented(target.metric)
        parts = relations[id(measured)].populations(~np.isnan(oriented))
        contenders = list(contend(groups, target, flip))
        for population in populations:
            for part, cells in parts[population].items():
                shown = facts | {"population": population, "group": part}
                rows += (shown | row for row in judge.rows(contenders, oriented, cells, sign))
            advance(1)
    if not rows:
        raise SnapError(_nothing(scorers, targets))
    schema = contract("correlations").schema()
    if not by:
        schema = schema.remove(schema.get_field_index("group"))
    baselines = sorted({scorer.name for scorer in scorers if scorer.is_baseline})
    entries = {
        "snap.bootstrap": str(bootstrap),
        "snap.bootstrap_seed": str(seed),
        BASELINES: json.dumps(baselines),
    }
    entries |= {f"snap.{key}": text for key, text in (("where", where), ("by", by)) if text}
    return pa.Table.from_pylist(rows, schema.with_metadata(_provenance(targets) | entries))


@dataclass(frozen=True)
class Contender:
    """A scorer, as it is or negated, over the n cells of a benchmark.

    Attributes:
        name: its name.
        sign: 1 or -1.
        seeds: the seeds of its models, if they have any.
        scores: (models, n) the scores, times the sign; NaN in all models if one has none.
        found: (n,) whether all models have a row for the cell.
    """

    name: str
    sign: int
    seeds: tuple[int, ...]
    scores: Floats
    found: Bools


def contend(
    groups: dict[str, list[Scorer]], target: Target, flip: bool = False
) -> Iterator[Contender]:
    """Yield the scorers that have scores of measured cells of a target, negated ones too."""
    chosen = ~np.isnan(target.measured.oriented(target.metric))
    for name, models in groups.items():
        placed = [(m.seed, m.place(target.measured)) for m in models]
        present = [(seed, p) for seed, p in placed if (p.found & chosen).any()]
        if present:
            seeds = tuple(seed for seed, _ in present if seed is not None)
            scores, found = _common([p for _, p in present])
            for sign in (1, -1) if flip else (1,):
                yield Contender(name, sign, seeds, sign * scores, found)


def _common(placed: Sequence[Placed]) -> tuple[Floats, Bools]:
    scores = np.stack([p.score for p in placed])
    scores[:, np.isnan(scores).any(axis=0)] = np.nan
    return scores, np.all([p.found for p in placed], axis=0)


@dataclass(frozen=True)
class Figure:
    """A statistic of a scorer over some cells.

    Attributes:
        statistic: which one.
        n: cells.
        values: (models,) the statistic of each model; NaN if it is undefined.
        ends: (2,) the 95 % interval of their mean; NaN if there is none.
        draws: (r,) their mean in each resample; empty if nothing was resampled.
        method: how the interval was made.
    """

    statistic: Statistic
    n: int
    values: Floats
    ends: Floats
    draws: Floats
    method: str


@dataclass(frozen=True)
class Judge:
    """Computes statistics with their intervals.

    Attributes:
        statistics: what to compute.
        intervals: `closed`, `bootstrap`, or `paired` for a bootstrap whose resamples are the same
            for all scorers.
        bootstrap: resamples; 0 for no intervals.
        seed: seed of the resamples.
    """

    statistics: Sequence[Statistic]
    intervals: Literal["closed", "bootstrap", "paired"]
    bootstrap: int
    seed: int

    def rows(
        self, contenders: Sequence[Contender], oriented: Floats, cells: Ints, sign: int
    ) -> list[dict[str, Any]]:
        """Return the rows of contenders over some cells of a benchmark.

        Args:
            contenders: the scorers.
            oriented: (n,) the metric, higher is better.
            cells: (m,) the cells of a population, of n.
            sign: of figures in the unit of the metric: -1 if the metric was negated.
        """
        with workers() as pool:
            found = [*pool.map(lambda one: self.figures(one, oriented, cells), contenders)]
        return [
            _facts(contender, cells) | _row(figure, sign)
            for contender, figures in zip(contenders, found, strict=True)
            for figure in figures
        ]

    def figures(self, contender: Contender, oriented: Floats, cells: Ints) -> list[Figure]:
        """Compute the statistics of a contender over those of the cells that have a score."""
        scores = contender.scores[:, cells]
        usable = ~np.isnan(scores[0])
        scored, measured = (
            np.flatnonzero(usable),
            _measured(oriented, cells, usable.tobytes()),
        )
        several = len(scores) > 1
        exact = several or self.intervals == "paired"
        resamples = Resamples(cells.size, self.bootstrap, self.seed, exact, scored)
        samples = [(score[scored], measured, resamples) for score in scores]
        return [self._figure(statistic, samples) for statistic in self.statistics]

    def _figure(
        self, statistic: Statistic, samples: Sequence[tuple[Floats, Floats, Resamples]]
    ) -> Figure:
        if statistic.within and samples[0][1].size:
            cells, measured = _within(samples[0][1], statistic.within)
            samples = [(x[cells], measured, drawn.within(cells)) for x, _, drawn in samples]
        n = samples[0][0].size
        values = np.array([statistic.compute(x, y) if n else np.nan for x, y, _ in samples])
        undefined = Figure(statistic, n, values, np.full(2, np.nan), np.empty(0), "none")
        if not self.bootstrap or np.isnan(values).all():
            return undefined
        over = "cells and seeds" if len(samples) > 1 else "cells"
        if self.intervals == "closed" and statistic.error and len(samples) == 1:
            error = statistic.error(values[0], *samples[0][:2])
            ends = fisher(values[0], error)
            return Figure(statistic, n, values, ends, np.empty(0), f"closed form over {over}")
        draw, way = statistic.bootstrap(n)
        drawn = [draw(value, *sample) for value, sample in zip(values, samples, strict=True)]
        draws = over_seeds(drawn, self.seed)
        ends = interval(draws)
        method = "none" if np.isnan(ends[0]) else f"{way} over {over}"
        return Figure(statistic, n, values, ends, draws, method)


# Scorers of the same cells are given the same arrays, by which ranks are cached.
@cached(4)
def _measured(oriented: Floats, cells: Ints, usable: bytes) -> Floats:
    chosen: Floats = oriented[cells][np.frombuffer(usable, bool)]
    return chosen


@cached(16)
def _within(measured: Floats, within: Callable[[Floats], Ints]) -> tuple[Ints, Floats]:
    cells = within(measured)
    return cells, measured[cells]


def measured_sign(target: Target) -> int:
    """Return -1 for a metric that was negated since less is better, else 1."""
    return -1 if target.measured.direction(target.metric) == "min" else 1


def _row(figure: Figure, sign: int) -> dict[str, Any]:
    sign = sign if figure.statistic.direction == "metric" else 1
    low, high = sorted(sign * figure.ends)
    numbers = {
        "value": sign * figure.values.mean(),
        "deviation": figure.values.std(ddof=1) if figure.values.size > 1 else np.nan,
        "low": low,
        "high": high,
    }
    found: dict[str, Any] = {k: None if np.isnan(v) else float(v) for k, v in numbers.items()}
    return found | {
        "statistic": figure.statistic.name,
        "ties": figure.statistic.ties,
        "n": figure.n,
        "interval": figure.method,
    }


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
    """Return what the files state about the origin of the measurements, if all state the same."""
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

"""Several scorers as one: the weighted mean of their ranks."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from snap_catalog import Benchmark, SnapError, benchmarks
from snap_catalog.parquet import decode_metadata

from snap_eval.arrays import Floats
from snap_eval.measured import Measured, Target
from snap_eval.scorers import Scorer, by_name, common_ranks, ranked

Weights = Mapping[str, float]


def combine(
    scorers: Sequence[Scorer], weights: Sequence[Weights], measured: Sequence[Measured]
) -> pa.Table:
    """Score the cells of benchmarks by the weighted mean of scorers' ranks.

    Ranks go from 0 to 1 among the cells of the benchmark that all scorers score; ties get their
    average, and a cell on which a scorer failed is last by that scorer. A scorer with several seeds
    counts by its mean rank. A weight below 0 negates a scorer.

    Args:
        scorers: one per model; those with one name are seeds of one scorer.
        weights: for each benchmark, by scorer.
        measured: the benchmarks, which share no cell.

    Returns:
        A table of the `scores` contract, `snap.weights` in its metadata.

    Raises:
        SnapError: a weight is of no scorer, all are 0, no cell has a score by all scorers, or two
            benchmarks share a cell.
    """
    groups = by_name(scorers)
    refuse_shared(measured)
    parts = []
    for benchmark, chosen in zip(measured, weights, strict=True):
        _check(chosen, groups)
        negated = [name for name, weight in chosen.items() if weight < 0]
        cells, ranks = common_ranks({name: groups[name] for name in chosen}, benchmark, negated)
        factors = np.array([*chosen.values()])
        score = factors @ ranks / np.abs(factors).sum()
        keys = benchmark.graphs.select(["space", "arch_id"]).take(cells)
        parts.append(keys.append_column("score", pa.array(score)))
    table = pa.concat_tables(parts)
    for column in ("spread", "novelty"):
        table = table.append_column(column, pa.nulls(len(table), pa.float64()))
    shown = {m.name: dict(chosen) for m, chosen in zip(measured, weights, strict=True)}
    entries = {"snap.scorer": "combination", "snap.weights": json.dumps(shown)}
    return table.replace_schema_metadata(entries)


def leave_one_out(
    scorers: Sequence[Scorer], targets: Sequence[Target], measured: Sequence[Measured]
) -> list[Weights]:
    """Fit for each benchmark the weights that predict the metrics of the others best.

    Non-negative least squares of the measured ranks; every metric counts alike. A scorer that does
    not help in its own direction has the weight 0, since a sign that fits some benchmarks misleads
    on others.

    Raises:
        SnapError: there is one benchmark alone, one has the role `test`, two share a cell, or no
            cell has a score by all scorers, or no scorer helps.
    """
    from scipy.optimize import nnls

    for target in targets:
        _refuse_test(target)
    if len(measured) < 2:
        raise SnapError(f"{measured[0].source}: leaving one out takes two or more benchmarks")
    refuse_shared(measured)
    groups = by_name(scorers)
    systems = {id(target): _system(groups, target) for target in targets}
    found: list[Weights] = []
    for left_out in measured:
        others = [systems[id(t)] for t in targets if t.measured is not left_out]
        if not any(len(vector) for _, vector in others):
            raise SnapError(
                f"{left_out.source}: no other benchmark has a value of the metrics to fit its "
                "weights to; give another --metric or one more benchmark"
            )
        matrix, vector = (np.concatenate(parts) for parts in zip(*others, strict=True))
        weights = nnls(matrix, vector)[0]
        if not weights.any():
            raise SnapError(
                f"{left_out.source}: no scorer orders the other benchmarks in its own direction; "
                "give others, or weights by --weight"
            )
        found.append(dict(zip(groups, map(float, weights), strict=True)))
    return found


def refuse_shared(measured: Sequence[Measured]) -> None:
    """Refuse benchmarks that have a cell in common."""
    for i, benchmark in enumerate(measured):
        for other in measured[:i]:
            shared = benchmark.cells.filter(pc.is_in(benchmark.cells, value_set=other.cells))
            if len(shared):
                raise SnapError(
                    f"{other.source} and {benchmark.source} share {len(shared):,} cells; give "
                    "benchmarks of different ones"
                )


def _system(groups: Mapping[str, list[Scorer]], target: Target) -> tuple[Floats, Floats]:
    """Return the centred ranks of the scorers and of the metric, (m, scorers) and (m,)."""
    cells, ranks = common_ranks(groups, target.measured)
    oriented = target.measured.oriented(target.metric)[cells]
    there = ~np.isnan(oriented)
    given, wanted = np.stack([ranked(r[there]) for r in ranks]), ranked(oriented[there])
    scale = np.sqrt(max(there.sum(), 1))
    return (given - 0.5).T / scale, (wanted - 0.5) / scale


def _check(weights: Weights, groups: Mapping[str, list[Scorer]]) -> None:
    for name in weights:
        if name not in groups:
            raise SnapError(f"no scorer is called {name!r}; there are {', '.join(groups)}")
    if not any(weights.values()):
        raise SnapError("all weights are 0; give one that is not")


def _refuse_test(target: Target) -> None:
    roles = {facts.role for one in _known(target.measured) if (facts := one.facts(target.metric))}
    if "test" in roles:
        raise SnapError(
            f"{target.measured.source}: {target.metric} of {target.measured.name} has the role "
            "'test', and nothing may be fitted on it; leave it out or give --weight"
        )


def _known(measured: Measured) -> list[Benchmark]:
    """Return the benchmarks of the catalog that the file or the user's name for it names."""
    known = benchmarks()
    stated = decode_metadata(measured.graphs.schema).get("snap.benchmark", "")
    return [known[name] for name in {stated, measured.name} if name in known]

"""How well scores order cells by a measured metric, as a table."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError, benchmarks
from snap_catalog.console import Advance
from snap_catalog.metrics import resolve_metric
from snap_catalog.parquet import decode_metadata, validate

from snap_eval.bootstrap import percentile_intervals, unseen
from snap_eval.join import TABLES, Pairs, Sources, join
from snap_eval.ranks import Floats, Statistic, kendall_tau_b, spearman


class _Kind(NamedTuple):
    function: Statistic
    ties: str


_STATISTICS = {
    "spearman": _Kind(spearman, "average ranks"),
    "kendall_tau_b": _Kind(kendall_tau_b, "tau-b"),
}

_SCHEMA = pa.schema(
    {
        "benchmark": pa.string(),
        "metric": pa.string(),
        "scorer": pa.string(),
        "statistic": pa.string(),
        "population": pa.string(),
        "value": pa.float64(),
        "low": pa.float64(),
        "high": pa.float64(),
        "n": pa.int64(),
        "ties": pa.string(),
        "role": pa.string(),
        "seed": pa.int64(),
    }
)

# What a graphs file says of where its measurements come from goes on to the result.
_PROVENANCE = ("snap.source", "snap.source_sha256", "snap.licence", "snap.citation")


def correlate(
    scores: pa.Table,
    graphs: pa.Table,
    metric: str,
    *,
    bootstrap: int = 1000,
    seed: int = 0,
    benchmark: str | None = None,
    sources: Sources = TABLES,
    advance: Advance = unseen,
) -> pa.Table:
    """Correlate scores with a metric, over all cells and over unique reachable cells.

    A metric where less is better is negated, so that a positive correlation is always good.

    Args:
        scores: a table of the `scores` contract, `snap.scorer` in its metadata.
        graphs: a table of the `graphs` contract.
        metric: a metric column of `graphs`, or an unambiguous shortening of one.
        bootstrap: resamples for the 95 % interval; 0 gives none.
        seed: of the resamples.
        benchmark: its name; where None, what the graphs' metadata says, else their space.
        sources: what to call the tables in an error.
        advance: called with the number of resamples just finished, of two times `bootstrap`.

    Returns:
        A table of the `correlations` contract: one row a statistic and population, nulls where a
        statistic is undefined. Its metadata tells the metric's direction, the bootstrap's
        resamples and seed, and how many rows had no partner or no measurement.

    Raises:
        SnapError: a table breaks its contract, the metric fits no column or several, no cell has
            both a score and a measurement, or the benchmark has no name.
    """
    validate(scores, "scores", source=sources.scores)
    validate(graphs, "graphs", source=sources.graphs)
    column = resolve_metric(metric, graphs.column_names, source=sources.graphs)
    pairs = join(scores, graphs, column, sources)
    name = benchmark or _benchmark(graphs, pairs, sources.graphs)
    facts = {
        "benchmark": name,
        "metric": column,
        "scorer": _scorer(scores, sources.scores),
        "role": _role(name, column),
        "seed": _seed(scores, sources.scores),
    }
    direction = graphs.schema.field(column).metadata[b"direction"].decode()
    rows = [facts | row for row in _rows(pairs, direction, bootstrap, seed, advance)]
    circumstances = _circumstances(pairs, direction, bootstrap, seed)
    schema = _SCHEMA.with_metadata(_provenance(graphs) | circumstances)
    return pa.Table.from_pylist(rows, schema=schema)


def _rows(
    pairs: Pairs, direction: str, bootstrap: int, seed: int, advance: Advance
) -> Iterator[dict[str, Any]]:
    goodness = pairs.measured if direction == "max" else -pairs.measured
    everyone = np.ones_like(pairs.unique_reachable)
    for population, chosen in {"all": everyone, "unique_reachable": pairs.unique_reachable}.items():
        x, y = pairs.score[chosen], goodness[chosen]
        functions = [kind.function for kind in _STATISTICS.values()]
        intervals = percentile_intervals(
            functions, x, y, resamples=bootstrap, seed=seed, advance=advance
        )
        for (statistic, kind), interval in zip(_STATISTICS.items(), intervals, strict=True):
            yield {
                "statistic": statistic,
                "population": population,
                **_estimate(kind.function(x, y), interval),
                "n": x.size,
                "ties": kind.ties,
            }


def _estimate(value: float, interval: Floats) -> dict[str, float | None]:
    numbers = {"value": value, "low": float(interval[0]), "high": float(interval[1])}
    return {name: None if np.isnan(number) else number for name, number in numbers.items()}


def _benchmark(graphs: pa.Table, pairs: Pairs, source: str) -> str:
    stated = decode_metadata(graphs.schema).get("snap.benchmark")
    if stated is None and len(pairs.spaces) > 1:
        raise SnapError(
            f"{source}: holds cells of several spaces ({', '.join(pairs.spaces)}) and names no "
            "benchmark; give --benchmark"
        )
    return stated or pairs.spaces[0]


def _scorer(scores: pa.Table, source: str) -> str:
    entries = decode_metadata(scores.schema)
    if "snap.scorer" not in entries:
        raise SnapError(f"{source}: the metadata lacks 'snap.scorer'; say what gave the scores")
    return entries["snap.scorer"]


def _seed(scores: pa.Table, source: str) -> int | None:
    seed = decode_metadata(scores.schema).get("snap.seed")
    if seed is None:
        return None
    if not seed.isdecimal():
        raise SnapError(f"{source}: the metadata's 'snap.seed' is {seed!r}; give a whole number")
    return int(seed)


def _role(benchmark: str, metric: str) -> str:
    known = benchmarks().get(benchmark)
    facts = known.facts(metric) if known else None
    return facts.role if facts else "unknown"


def _provenance(graphs: pa.Table) -> dict[str, str]:
    return {k: v for k, v in decode_metadata(graphs.schema).items() if k in _PROVENANCE}


def _circumstances(pairs: Pairs, direction: str, bootstrap: int, seed: int) -> dict[str, str]:
    return {
        "snap.direction": direction,
        "snap.bootstrap": str(bootstrap),
        "snap.bootstrap_seed": str(seed),
        "snap.scores_without_graph": str(pairs.scores_without_graph),
        "snap.graphs_without_score": str(pairs.graphs_without_score),
        "snap.cells_without_metric": str(pairs.cells_without_metric),
    }

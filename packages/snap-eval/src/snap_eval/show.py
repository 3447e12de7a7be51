"""Correlations as people and programs read them."""

import json
from collections.abc import Iterator
from typing import Any

import click
import pyarrow as pa
from snap_catalog.parquet import decode_metadata

from snap_eval.join import Sources

_UNMATCHED = ("scores_without_graph", "graphs_without_score", "cells_without_metric")


def as_json(table: pa.Table) -> str:
    """Return one JSON object: direction, counts of rows left out, and the rows themselves."""
    facts = decode_metadata(table.schema)
    counts = {key: int(facts[f"snap.{key}"]) for key in _UNMATCHED}
    result = {"direction": facts["snap.direction"], **counts, "correlations": table.to_pylist()}
    return json.dumps(result, indent=2)


def print_table(table: pa.Table) -> None:
    """Print a heading and a table with one line a statistic and population."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    grid = Table(box=box.SIMPLE)
    for heading in ("population", "statistic"):
        grid.add_column(heading)
    for heading in ("n", "value", "95 % interval"):
        grid.add_column(heading, justify="right")
    for row in table.to_pylist():
        cells = (row["population"], row["statistic"], f"{row['n']:,}")
        grid.add_row(*cells, _number(row["value"]), _interval(row["low"], row["high"]))
    click.echo(_heading(table))
    Console().print(grid)


def notes(table: pa.Table, sources: Sources) -> Iterator[str]:
    """Yield what a reader of the figures ought to know: rows left out, what is undefined."""
    facts = decode_metadata(table.schema)
    first = table.slice(0, 1).to_pylist()[0]
    lone_scores, lone_graphs, unmeasured = (int(facts[f"snap.{key}"]) for key in _UNMATCHED)
    yield (
        f"Cells compared: {first['n']:,}. Left out: {lone_scores:,} of {sources.scores} (no "
        f"graph), {lone_graphs:,} of {sources.graphs} (no score), {unmeasured:,} in both (no value "
        f"of {first['metric']})."
    )
    if first["role"] == "unknown":
        yield f"The catalog knows no {first['metric']} of {first['benchmark']!r}: role unknown."
    for row in table.to_pylist():
        if row["value"] is None:
            yield (
                f"{row['statistic']} over {row['population']} cells is undefined: it takes two or "
                "more cells whose scores differ and whose measurements differ."
            )


def _heading(table: pa.Table) -> str:
    row: dict[str, Any] = table.slice(0, 1).to_pylist()[0]
    seed = "" if row["seed"] is None else f" (seed {row['seed']})"
    is_max = decode_metadata(table.schema)["snap.direction"] == "max"
    direction = "higher is better" if is_max else "lower is better: negated, so positive is good"
    return (
        f"{row['scorer']}{seed} on {row['benchmark']} ({row['role']})\n"
        f"{row['metric']} ({direction})"
    )


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:+.4f}"


def _interval(low: float | None, high: float | None) -> str:
    return "none" if low is None or high is None else f"{low:+.4f} to {high:+.4f}"

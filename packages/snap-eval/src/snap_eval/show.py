"""Results as people and programs read them."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import pyarrow as pa
from snap_catalog.parquet import decode_metadata

from snap_eval.comparison import Comparison

Row = Mapping[str, Any]

_WIDE = 400  # columns of text: tables are not folded, whatever they are printed on
_BESIDE = (
    "pearson",
    "spearman",
    "kendall_tau_b",
    "weighted_tau",
    "spearman@top10%",
    "precision@10",
    "best@10",
    "regret@10",
)
"""Statistics that are shown where scorers are compared; the file has all."""


def as_json(table: pa.Table) -> str:
    """Return correlations as one JSON object: the resamples, and the rows."""
    facts = decode_metadata(table.schema)
    resamples = {key: int(facts[f"snap.{key}"]) for key in ("bootstrap", "bootstrap_seed")}
    return json.dumps({**resamples, "correlations": table.to_pylist()}, indent=2)


def correlations(table: pa.Table) -> str:
    """Return correlations as tables, one a metric: all of one scorer, or the main ones of many."""
    parts = []
    for _, rows in groupby(table.to_pylist(), lambda row: (row["benchmark"], row["metric"])):
        found = list(rows)
        many = len({(row["scorer"], row["sign"]) for row in found}) > 1
        parts += [_heading(found[0], many), _beside(found) if many else _alone(found)]
    return "\n".join(parts)


def notes(table: pa.Table) -> Iterator[str]:
    """Yield what a reader of correlations ought to know of each scorer."""
    key = ("benchmark", "metric", "role", "scorer", "sign")
    rows = table.to_pylist()
    for target in dict.fromkeys((row["benchmark"], row["metric"], row["role"]) for row in rows):
        if target[2] == "unknown":
            yield f"The catalog knows no {target[1]} of {target[0]!r}: role unknown."
    for values in dict.fromkeys(tuple(row[k] for k in key) for row in rows):
        own = [row for row in rows if tuple(row[k] for k in key) == values]
        yield from _notes(f"{_scorer(own[0])} on {values[0]}, {values[1]}", own)


def _notes(what: str, rows: Sequence[Row]) -> Iterator[str]:
    first = rows[0]
    if first["missing"] or first["failed"]:
        yield (
            f"{what}: {first['n']:,} cells ({first['population']}) compared; {first['missing']:,} "
            f"have no score, {first['failed']:,} a failed one (NaN, infinite or -1e8)."
        )
    for row in rows:
        if row["statistic"] == "spearman" and row["low"] is not None:
            found = f"(Spearman {_interval(row)}, {row['population']})"
            if row["low"] <= 0 <= row["high"]:
                yield f"{what}: no better than chance {found}."
            elif row["high"] < 0:
                yield f"{what}: the order is the wrong way round {found}."
    undefined = [f"{r['statistic']} ({r['population']})" for r in rows if r["value"] is None]
    if undefined:
        yield (
            f"{what}: undefined, since scores or measurements do not differ or there are too few: "
            f"{', '.join(undefined)}."
        )


def comparison(found: Comparison) -> str:
    """Return a comparison of two scorers as a table."""
    first, second = found.names
    rows = [
        (
            d.statistic,
            _number(d.first),
            _number(d.second),
            _number(d.difference),
            _ends(d.low, d.high),
            d.better,
        )
        for d in found.differences
    ]
    head = ("statistic", first, second, "difference", "95 % interval", "better")
    return f"{found.n:,} cells that both score\n{_grid(head, rows)}"


def plain(found: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON has it; null for what is undefined."""
    differences = [
        {k: None if v != v else v for k, v in d._asdict().items()} for d in found.differences
    ]
    return found._asdict() | {"differences": differences}


def independence(table: pa.Table) -> str:
    """Return correlations between scorers as tables, one a benchmark."""
    parts = []
    for benchmark, rows in groupby(table.to_pylist(), lambda row: row["benchmark"]):
        found = list(rows)
        places = {row["scorer"]: row["place"] for row in found}
        names = sorted(places, key=lambda name: places[name])
        rho = {(row["scorer"], row["other"]): row["spearman"] for row in found}
        lines = [(name, *(_number(rho[name, other], 2) for other in names)) for name in names]
        heading = f"{benchmark}: Spearman between scorers over {found[0]['n']:,} cells"
        parts += [heading, _grid(("", *names), lines)]
    return "\n".join(parts)


def rows(table: pa.Table) -> str:
    """Return any table as one for people."""
    return _grid(table.column_names, ([_text(v) for v in r.values()] for r in table.to_pylist()))


def rows_as_json(table: pa.Table) -> str:
    """Return any table as a JSON list of objects."""
    return json.dumps(table.to_pylist(), indent=2, default=str)


def as_csv(table: pa.Table) -> str:
    """Return any table as CSV with a line of names."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows(row.values() for row in table.to_pylist())
    return text.getvalue()


def _heading(row: Row, many: bool) -> str:
    direction = "higher is better" if row["direction"] == "max" else "lower is better: negated"
    scorer = "" if many else f"{_scorer(row)} on "
    return f"{scorer}{row['benchmark']} ({row['role']}), {row['metric']} ({direction})"


def _alone(rows: Sequence[Row]) -> str:
    lines = [
        (
            row["population"],
            row["statistic"],
            f"{row['n']:,}",
            _number(row["value"]),
            *([_number(row["deviation"])] if row["deviation"] is not None else []),
            _interval(row),
        )
        for row in rows
    ]
    spread = ["deviation"] if any(row["deviation"] is not None for row in rows) else []
    return _grid(("population", "statistic", "n", "value", *spread, "95 % interval"), lines)


def _beside(rows: Sequence[Row]) -> str:
    shown = [s for s in dict.fromkeys(row["statistic"] for row in rows) if s in _BESIDE]
    shown = shown or [*dict.fromkeys(row["statistic"] for row in rows)]
    by_line: dict[tuple[str, ...], dict[str, Row]] = {}
    for row in rows:
        by_line.setdefault((row["population"], _scorer(row)), {})[row["statistic"]] = row
    lines = [
        (
            *line,
            f"{max(row['n'] for row in found.values()):,}",
            *(_number(found[statistic]["value"]) for statistic in shown),
        )
        for line, found in by_line.items()
    ]
    return _grid(("population", "scorer", "n", *shown), lines)


def _scorer(row: Row) -> str:
    seeds = row["seeds"]
    told = f" ({len(seeds)} seeds)" if len(seeds) > 1 else f" (seed {seeds[0]})" if seeds else ""
    return f"{row['scorer']}{told}" + (", flipped" if row["sign"] < 0 else "")


def _grid(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE)
    rows = [list(line) for line in lines]
    for place, name in enumerate(head):
        is_text = place == 0 or any(row[place][:1].isalpha() for row in rows)
        grid.add_column(Text(name), justify="left" if is_text else "right")
    for row in rows:
        grid.add_row(*map(Text, row))
    console = Console(file=io.StringIO(), width=_WIDE)
    with console.capture() as captured:
        console.print(grid)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _number(value: float | None, digits: int = 4) -> str:
    return "undefined" if value is None or value != value else f"{value:+.{digits}f}"


def _interval(row: Row) -> str:
    return _ends(row["low"], row["high"])


def _ends(low: float | None, high: float | None) -> str:
    if low is None or high is None or low != low:
        return "none"
    return f"{low:+.4f} to {high:+.4f}"


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)

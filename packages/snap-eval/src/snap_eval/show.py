"""Results as people and programs read them."""

import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

import pyarrow as pa
from snap_catalog import benchmarks
from snap_catalog.parquet import decode_metadata

from snap_eval.comparison import Comparison
from snap_eval.csv_text import csv_text
from snap_eval.plain import distinct
from snap_eval.statistics import DEFAULT

Row = Mapping[str, Any]

_WIDE = 400  # columns of text: tables are not folded, whatever they are printed on


def as_json(table: pa.Table) -> str:
    """Return correlations as one JSON object: the resamples, and the rows."""
    facts = decode_metadata(table.schema)
    resamples = {key: int(facts[f"snap.{key}"]) for key in ("bootstrap", "bootstrap_seed")}
    return json.dumps({**resamples, "correlations": table.to_pylist()}, indent=2)


def correlations(table: pa.Table) -> str:
    """Return correlations as tables, one per metric; of several scorers the main statistics."""
    parts = []
    for _, rows in groupby(table.to_pylist(), lambda row: (row["benchmark"], row["metric"])):
        found = list(rows)
        many = len({(row["scorer"], row["sign"]) for row in found}) > 1
        parts += [_heading(found[0], many), _side_by_side_tables(found) if many else _alone(found)]
    return "\n".join(parts)


def notes(table: pa.Table) -> Iterator[str]:
    """Yield what a reader of correlations ought to know of each scorer."""
    key = ("benchmark", "metric", "role", "scorer", "sign")
    rows = table.to_pylist()
    for target in dict.fromkeys((row["benchmark"], row["metric"], row["role"]) for row in rows):
        if target[2] == "unknown" and target[0] in benchmarks():
            yield f"The catalog knows no {target[1]} of {target[0]!r}: role unknown."
    for values in dict.fromkeys(tuple(row[k] for k in key) for row in rows):
        own = [row for row in rows if tuple(row[k] for k in key) == values]
        yield from _notes(f"{_scorer(own[0])} on {values[0]}, {values[1]}", own)


def _notes(what: str, rows: Sequence[Row]) -> Iterator[str]:
    first = rows[0]
    if first["missing"] or first["failed"]:
        yield (
            f"{what}: {first['n']:,} cells ({first['population']}) compared; {first['missing']:,} "
            f"have no score, {first['failed']:,} a failed one (NaN or -1e8)."
        )
    for row in rows:
        if row["statistic"] == "spearman" and row["low"] is not None:
            group = f", {_group(row)}" if "group" in row else ""
            found = f"(Spearman {_interval(row)}, {row['population']}{group})"
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
    """Return correlations between scorers as tables, one per benchmark."""
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
    """Return a table of plain values (`snap_eval.plain`) as one for people."""
    names = [_printable(name) for name in table.column_names]
    return _grid(names, ([*map(_text, row)] for row in _rows(table)))


def rows_as_json(table: pa.Table) -> str:
    """Return a table of plain values as a JSON list of objects.

    Of several columns of one name the second is called `name_1`, or `name_2` if a column is called
    `name_1`, and so on. What JSON has no number for is text: `NaN`, `Infinity`, `-Infinity`, and
    decimals that a double does not hold.
    """
    names = distinct(table.column_names)
    found = [dict(zip(names, map(_json_value, row), strict=True)) for row in _rows(table)]
    return json.dumps(found, indent=2, allow_nan=False)


def as_csv(table: pa.Table) -> str:
    """Return a table of plain values as CSV with a line of names; lists and structs are JSON."""
    return csv_text(table.column_names, (map(_csv_value, row) for row in _rows(table)))


def _rows(table: pa.Table) -> Iterator[tuple[object, ...]]:
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


def _json_value(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Decimal):
        return _json_number(value)
    if isinstance(value, list):
        return [*map(_json_value, value)]
    if isinstance(value, dict):
        return {key: _json_value(entry) for key, entry in value.items()}
    return value


def _json_number(value: Decimal) -> int | float | str:
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


def _csv_value(value: object) -> object:
    is_json = isinstance(value, bool | list | dict)
    return json.dumps(_json_value(value)) if is_json else value


def _heading(row: Row, many: bool) -> str:
    direction = "higher is better" if row["direction"] == "max" else "lower is better: negated"
    scorer = "" if many else f"{_scorer(row)} on "
    role = "" if row["role"] == "unknown" else f" ({row['role']})"
    return f"{scorer}{row['benchmark']}{role}, {row['metric']} ({direction})"


def _alone(rows: Sequence[Row]) -> str:
    grouped = any("group" in row for row in rows)
    lines = [
        (
            *([_group(row)] if grouped else []),
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
    head = ("population", "statistic", "n", "value", *spread, "95 % interval")
    return _grid(("group", *head) if grouped else head, lines)


def _group(row: Row) -> str:
    value = row.get("group")
    return "" if value is None else _printable(value)


def _side_by_side_tables(rows: Sequence[Row]) -> str:
    """Return a table per population and group: a line per scorer, its main statistics in a row."""
    parts = []
    for cells, found in groupby(sorted(rows, key=_cells), _cells):
        by_scorer: dict[str, dict[str, Row]] = {}
        for row in found:
            by_scorer.setdefault(_scorer(row), {})[row["statistic"]] = row
        parts += [cells, _side_by_side(by_scorer)]
    return "\n".join(parts)


def _cells(row: Row) -> str:
    group = f", group: {_group(row)}" if "group" in row else ""
    return f"population: {row['population']}{group}"


def _side_by_side(by_scorer: Mapping[str, Mapping[str, Row]]) -> str:
    known = list(dict.fromkeys(name for found in by_scorer.values() for name in found))
    shown = [name for name in known if name in DEFAULT] or known
    lines = [
        (
            scorer,
            f"{max(row['n'] for row in found.values()):,}",
            *(_number(found[statistic]["value"]) for statistic in shown),
        )
        for scorer, found in by_scorer.items()
    ]
    return _grid(("scorer", "n", *map(_broken, shown)), lines)


def _broken(statistic: str) -> str:
    """Break the name of a statistic into two short lines."""
    return statistic.replace("@", "\n@").replace("_", "\n", 1)


def _scorer(row: Row) -> str:
    seeds = row["seeds"]
    shown = f" ({len(seeds)} seeds)" if len(seeds) > 1 else f" (seed {seeds[0]})" if seeds else ""
    return f"{row['scorer']}{shown}" + (", flipped" if row["sign"] < 0 else "")


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
    return "" if value is None else _printable(str(_csv_value(value)))


def _printable(text: str) -> str:
    """Write line breaks and other control characters as escapes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)

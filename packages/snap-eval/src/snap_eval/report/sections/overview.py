"""How well each scorer orders the cells of each benchmark (paper, Figures 1 and 3)."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

import pyarrow as pa

from snap_eval.report import charts
from snap_eval.report.correlated import (
    COMMAND,
    Row,
    by_target,
    chosen,
    grouped,
    is_predictor,
    ranked,
    role,
    scorer,
    target,
)
from snap_eval.report.correlated import rows as every_row
from snap_eval.report.figures import Absent, Chart, Entry, Part, Table, entry, plain_table, spread
from snap_eval.report.results import Results

_STRONGEST = 4
# The columns of the table, of the statistics in `snap_eval.statistics`.
_STATISTICS = (
    "spearman",
    "kendall_tau_b",
    "weighted_tau",
    "pearson",
    "spearman@top10%",
    "precision@10",
    "best@10",
    "regret@10",
)
_POPULATIONS = ("all", "unique_reachable")
_GROUPS = {
    "develop": "develop",
    "test": "test",
    "validate": "validate",
    "train": "train",
    "": "not in the catalog",
}
"""The roles whose metrics are averaged, and what the columns are called."""
_KEYS = ("benchmark", "metric", "role", "population", "scorer")
_NOTHING = Absent("how well scores order the cells of benchmarks (Figures 1 and 3)", COMMAND)


def summary(results: Results) -> Iterator[Part]:
    """Summarise each predictor: mean correlations, and how often it beats all baselines."""
    rows = chosen(results, "spearman")
    best = {
        name: max((row["value"] for row in same if not is_predictor(row)), default=None)
        for name, same in by_target(rows).items()
    }
    predictors = grouped(filter(is_predictor, rows), lambda row: row["scorer"])
    groups = {name: title for name, title in _GROUPS.items() if _has_role(rows, name)}
    lines = [
        _summed(name, predictors[name], best, groups) for name in ranked(rows) if name in predictors
    ]
    if not lines:
        yield _NOTHING
        return
    any_role = any(map(role, rows))
    averaged = "the metrics of a role" if any_role else "all metrics"
    claim = " Nothing was chosen by a metric of the role test." if _has_role(rows, "test") else ""
    yield plain_table(
        "summary",
        "Predictors in short",
        f"Spearman's rho over all cells, averaged over {averaged}. Ahead: on how many of them no "
        "baseline (a proxy, a cost, a count of the benchmark's own), with the sign that favours "
        f"it, does better.{claim}",
        COMMAND,
        lines,
    )


def _has_role(rows: Sequence[Row], name: str) -> bool:
    return any(role(row) == name for row in rows)


def _summed(
    name: str, rows: Sequence[Row], best: Mapping[str, Any], groups: Mapping[str, str]
) -> dict[str, object]:
    line: dict[str, object] = {"predictor": name, "seeds": max(len(row["seeds"]) for row in rows)}
    for group, title in groups.items():
        own = [row for row in rows if role(row) == group]
        rivalled = [row for row in own if best[target(row)] is not None]
        ahead = sum(row["value"] > best[target(row)] for row in rivalled)
        line[f"{title}: mean rho"] = fmean(row["value"] for row in own) if own else None
        line[f"{title}: ahead"] = f"{ahead} of {len(rivalled)}" if rivalled else None
    return line


def correlations(results: Results) -> Iterator[Part]:
    """Show Spearman's rho of all scorers on all benchmarks, and more statistics in a table."""
    rows = chosen(results, "spearman")
    if not rows:
        yield _NOTHING
        return
    yield _heat_map(rows)
    yield _bars(rows)
    yield _table(results)


def _heat_map(rows: list[Row]) -> Chart:
    columns = ranked(rows)
    sizes = {name: _sizes(same) for name, same in by_target(rows).items()}
    fields = [
        {
            "row": f"{target(row)}, n = {sizes[target(row)]}",
            "column": row["scorer"],
            "value": row["sign"] * row["value"],
            "cells": row["n"],
            "seeds": len(row["seeds"]),
        }
        for row in rows
    ]
    names = list(dict.fromkeys(field["row"] for field in fields))
    fields.sort(key=lambda field: (columns.index(field["column"]), names.index(field["row"])))
    return Chart(
        "heat-map",
        "Every scorer on every benchmark (Figure 3)",
        "Spearman's rho over all cells that a scorer scored, with the sign that the scorer has; "
        "blue is good, orange means that the order is the wrong way round. Predictors stand left "
        "of baselines; of either, those with more benchmarks further left, then those that are "
        "better on average. Of several seeds, the mean. n lists how many cells the scorers of a "
        "row scored: fewer by proxies, which have to run a network for each."
        + (" The benchmark's role is in brackets." if any(map(role, rows)) else ""),
        pa.Table.from_pylist(fields),
        COMMAND,
        charts.heat_map(len(names), two_lines=True),
        width=220 + 40 * len(columns),
        most=220 + 80 * len(columns),
    )


def _sizes(rows: Sequence[Row]) -> str:
    """Format the numbers of scored cells, largest first: `15,625 / 830`."""
    return " / ".join(f"{n:,}" for n in sorted({row["n"] for row in rows}, reverse=True))


def _bars(rows: list[Row]) -> Chart:
    panels = {name: _strongest(same) for name, same in by_target(rows).items()}
    bars = [_bar(name, row) for name, same in panels.items() for row in same]
    low = min(0.0, *(bar["low"] - 0.05 for bar in bars))
    return Chart(
        "bars",
        "Predictors next to the four strongest baselines (Figure 1)",
        "Spearman's rho over all cells, with its 95 % interval. Baselines (grey) are the four "
        "best of that very benchmark, each with the sign that favours it there: nobody could have "
        "chosen so well beforehand.",
        pa.Table.from_pylist(bars),
        COMMAND,
        charts.bars(max(map(len, panels.values())), low),
        panel="benchmark",
        panels=list(panels),
    )


def _strongest(rows: list[Row]) -> list[Row]:
    order = sorted(rows, key=lambda row: -row["value"])
    baselines = [row for row in order if not is_predictor(row)][:_STRONGEST]
    return [row for row in order if is_predictor(row) or row in baselines]


def _bar(name: str, row: Row) -> dict[str, Any]:
    value = row["value"]
    low, high = (value if row[key] is None else row[key] for key in ("low", "high"))
    return {
        "benchmark": name,
        "role": role(row),
        "scorer": scorer(row),
        "kind": "predictor" if is_predictor(row) else "baseline",
        "value": value,
        "low": low,
        "high": high,
        "end": max(high, 0.0),
        "cells": row["n"],
        "interval": row["interval"],
    }


def _table(results: Results) -> Table:
    lines = {
        key: found
        for population in _POPULATIONS
        for key, found in _lines(results, population).items()
    }
    shown = [statistic for statistic in _STATISTICS if any(statistic in v for v in lines.values())]
    return Table(
        "correlations",
        "More statistics",
        "Over all cells, and over one cell per class without unreachable operators. Means over "
        "seeds ± their standard deviation; the download adds the 95 % intervals. Baselines have "
        "the sign that favours them.",
        pa.Table.from_pylist([_data(found, shown) for found in lines.values()]),
        f"{COMMAND} --all",
        [*_KEYS, "cells", *shown],
        [_line(found, shown) for found in lines.values()],
        {},
    )


def _lines(results: Results, population: str) -> dict[Hashable, dict[str, Row]]:
    """Return the row of each statistic, by benchmark, metric, population and scorer."""
    signs = {_key(row): row["sign"] for row in chosen(results, "spearman", population)}
    found = [row for row in every_row(results) if signs.get(_key(row)) == row["sign"]]
    groups = grouped(found, _key)
    return {key: {row["statistic"]: row for row in groups[key]} for key in signs}


def _key(row: Row) -> Hashable:
    return tuple(row[name] for name in _KEYS)


def _line(found: dict[str, Row], shown: Sequence[str]) -> list[Entry]:
    row = found["spearman"]
    texts = [row["benchmark"], row["metric"], role(row), row["population"], scorer(row)]
    of = [found.get(statistic, {}) for statistic in shown]
    values = [spread(one.get("value"), one.get("deviation")) for one in of]
    return [*map(Entry, texts), entry(row["n"]), *values]


def _data(found: dict[str, Row], shown: Sequence[str]) -> dict[str, object]:
    row = found["spearman"]
    facts = {name: row[name] for name in (*_KEYS, "sign", "n", "missing", "failed", "interval")}
    facts["role"] = role(row)
    for statistic in shown:
        of = found.get(statistic, {})
        facts |= {
            f"{statistic} {part}": of.get(part) for part in ("value", "deviation", "low", "high")
        }
    return facts

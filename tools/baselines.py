"""Rank every benchmark at hand with the predictors, and with all that costs nothing.

    uv run --all-groups tools/baselines.py

Prints Markdown. Beside the predictors stand parameters, multiply-adds, numbers of convolutions and
of skips, and each zero-cost proxy whose scores are in the data, on the same cells; all but the
predictors with the sign that favours them on those cells. Predictors that are not trained yet are
trained first, six minutes a seed on one core (`paper` one).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import click
import printed
import pyarrow as pa
import pyarrow.compute as pc
from pipeline import DATA, SCHEDULES, prepare, run, seeded
from rankings import rank
from snap_catalog.parquet import read
from snap_gcn import Predictor
from snap_gcn.model.recipe import BUNDLED
from yardsticks import Column, Row, paired, scored, yardsticks

_PROXIES = "nb201_proxies_cifar10.csv.gz"
_SHARDS = "official/naslib-zc-json/transbench101_micro"
_NB201, _DARTS = "cifar10/test/accuracy@200", "cifar10/valid/accuracy@50"
_OBJECT, _ROOM = "class_object/valid/top1", "room_layout/valid/neg_loss"
_ANALOG = ("baseline", "ptq", "qat", "noisy", "analog")

_FIGURES = {
    "rho": "Spearman",
    "tau": "tau",
    "top": "within top 10 %",
    "best_1": "best of top 1",
    "best_10": "best of top 10",
}
"""Of a `Ranking`, and how tables head them."""

Predictors = Mapping[str, Iterable[Predictor]]
"""Predictors by their titles, one a seed."""


@click.command()
@click.option("--data", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option("--work", default="build/gcn/baselines", type=click.Path(path_type=Path))
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(min=2))
def main(data: Path, work: Path, seeds: int) -> None:
    """Print a table for every develop benchmark, and one for each that is only reported."""
    prepare(data)
    work.mkdir(parents=True, exist_ok=True)
    predictors = dict(trained(data, seeds))
    found = [(column, list(ranked(column, predictors))) for column in develop(data, work)]
    click.echo("### Spearman correlations (role develop)\n")
    click.echo(overview({column.title: rows for column, rows in found}))
    for column, rows in found:
        click.echo(f"\n{heading(column)}\n\n{detailed(rows)}\n\n{ahead(rows)}")
    for title, columns in reported(data, work).items():
        told = {column.title: list(ranked(column, predictors)) for column in columns}
        click.echo(f"\n### {title} (role test, reported only)\n\n{overview(told)}")


def trained(data: Path, seeds: int) -> Iterator[tuple[str, list[Predictor]]]:
    """Yield each preset's predictors, one a seed, and those that come with the package."""
    for preset, schedule in SCHEDULES.items():
        yield f"**{preset}**, {schedule} schedule, {seeds} seeds", seeded(data, preset, seeds)
    for name in BUNDLED:
        yield f"**{name}**, as bundled", [Predictor.bundled(name)]


def develop(data: Path, work: Path) -> Iterator[Column]:
    """Read the develop benchmarks, with the proxies' scores of their cells."""
    nb201 = _joined(work, data / "nb201.parquet", DATA / _PROXIES)
    yield Column("NAS-Bench-201, all cells", nb201, _NB201)
    yield scored("NAS-Bench-201, cells that every proxy scored", nb201, _NB201)
    convert = ["snap-graphs", "convert", "transnas-micro", "zen.parquet"]
    zen = run(work, "zen.parquet", [*convert, "--source", str(DATA / _SHARDS)])
    micro = _joined(work, data / "transnas-micro.parquet", zen)
    yield Column("TransNAS micro object classification, all cells", micro, _OBJECT)
    yield scored("TransNAS micro object classification, cells that zen scored", micro, _OBJECT)
    yield Column("TransNAS micro room layout, all cells", micro, _ROOM)
    yield Column("DARTS, all cells", read(data / "darts.parquet", "graphs"), _DARTS)


def _joined(work: Path, graphs: Path, scores: Path) -> pa.Table:
    files = [str(graphs.resolve()), str(scores.resolve()), "-o", graphs.name]
    return read(run(work, graphs.name, ["snap-graphs", "join", *files]), "graphs")


def reported(data: Path, work: Path) -> dict[str, list[Column]]:
    """Read the benchmarks of role `test`, each with all that it measured."""
    analog = read(data / "analog.parquet", "graphs")
    convert = ["snap-graphs", "convert", "nb-graph", "nb-graph.parquet"]
    networks = read(run(work, "nb-graph.parquet", convert), "graphs")
    metrics = [name for name in networks.column_names if "/test/" in name]
    return {
        "AnalogNAS-Bench, CIFAR-10 test accuracy by kind, all cells": [
            Column(kind, analog, f"cifar10/test/{kind}_accuracy") for kind in _ANALOG
        ],
        "NAS-Bench-Graph, test metric by dataset, all cells": [
            Column(name, networks, metric, {"parameters": f"{name}/model/params"})
            for metric in metrics
            for name in [metric.split("/")[0]]
        ],
    }


def ranked(column: Column, predictors: Predictors) -> Iterator[Row]:
    """Rank a column's cells with the predictors and the yardsticks."""
    for title, models in predictors.items():
        pairs = [paired(column, pa.array(model.score(column.graphs))) for model in models]
        yield Row(title, "", [rank(*pair) for pair in pairs])
    yield from yardsticks(column)


def heading(column: Column) -> str:
    """Tell what a table is about, and the best measurement there is."""
    measured = column.graphs[column.metric]
    note = f" ({column.note})" if column.note else ""
    best = printed.short(pc.max(measured).as_py())
    return (
        f"### {column.title}\n\n`{column.metric}`, {len(measured):,} cells{note}; "
        f"the best of all has {best}."
    )


def detailed(rows: Iterable[Row]) -> str:
    """Write all figures of one benchmark, the highest Spearman correlation first."""
    order = sorted(rows, key=lambda row: -row.mean("rho"))
    head = ["scorer", "sign", *_FIGURES.values()]
    return printed.table(
        head,
        ([row.scorer, row.sign, *(row.spread(figure) for figure in _FIGURES)] for row in order),
    )


def ahead(rows: Sequence[Row]) -> str:
    """Return which yardsticks beat the first row, the default predictor, and in what."""
    first, others = rows[0], [row for row in rows if row.sign]
    winners = {
        title: [row.scorer for row in others if row.mean(figure) > first.mean(figure)]
        for figure, title in _FIGURES.items()
    }
    told = (f"{title}: {', '.join(names) or 'none'}" for title, names in winners.items())
    return f"Ahead of {first.scorer}: {'; '.join(told)}."


def overview(found: Mapping[str, Sequence[Row]]) -> str:
    """Write the Spearman correlations of several columns beside one another."""
    scorers = dict.fromkeys(row.scorer for rows in found.values() for row in rows)
    return printed.table(["scorer", *found], ([name, *_across(found, name)] for name in scorers))


def _across(found: Mapping[str, Sequence[Row]], scorer: str) -> Iterator[str]:
    for rows in found.values():
        row = next((row for row in rows if row.scorer == scorer), None)
        yield f"{row.sign} {row.spread('rho')}".strip() if row else ""


if __name__ == "__main__":
    main()

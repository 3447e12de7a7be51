"""The command `snap-gcn`."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from snap_catalog.console import OneLineErrors, progress, say

from snap_gcn.recipe import PRESETS, Schedule, recipe

if TYPE_CHECKING:
    from snap_gcn.fit import Fitted

_FILE = click.Path(dir_okay=False)
_FOLDER = click.Path(file_okay=False)


@click.group(cls=OneLineErrors)
@click.version_option(package_name="snap-gcn")
def main() -> None:
    """Rank architectures with a graph convolutional network."""


@main.command()
@click.argument("graphs", type=_FILE)
@click.option("--operators", required=True, type=_FILE, help="Vectors of the operators.")
@click.option("--metric", required=True, help="What to regress; any unambiguous shortening.")
@click.option("--out", required=True, type=_FOLDER, help="Model folder to write.")
@click.option("--preset", type=click.Choice(sorted(PRESETS)), default="paper", show_default=True)
@click.option("--schedule", type=click.Choice(["full", "short"]), default="full", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def fit(
    graphs: str,
    operators: str,
    metric: str,
    out: str,
    preset: str,
    schedule: Schedule,
    seed: int,
    quiet: bool,
) -> None:
    """Train a predictor on the Parquet file GRAPHS.

    A tenth of the cells, chosen by their hash, is held out and only measured on.
    """
    from snap_catalog.metrics import resolve_metric
    from snap_catalog.parquet import check_writable, read

    from snap_gcn.fit import fit as fit_predictor
    from snap_gcn.folder import Model, save
    from snap_gcn.vocabulary import Vocabulary

    check_writable(out)
    table = read(graphs, "graphs")
    column = resolve_metric(metric, table.column_names, source=graphs)
    vocabulary = Vocabulary.from_table(read(operators, "operators"))
    chosen = recipe(preset, schedule)
    with progress("training epochs", chosen.epochs, quiet=quiet) as advance:
        fitted = fit_predictor(
            table,
            vocabulary,
            column,
            chosen,
            seed=seed,
            source=graphs,
            on_epoch=lambda _number, epoch: advance(
                1, f"loss {epoch.loss:.5f} tau {epoch.tau:.4f}"
            ),
        )
    last = fitted.history[-1]
    config = _config(fitted, table.schema, vocabulary.table.schema, preset, schedule, seed, column)
    save(Model({"name": Path(out).name, **config}, fitted.weights, vocabulary.table), Path(out))
    say(f"{out}: Kendall's tau {last.tau:.4f} on {fitted.n_validate:,} held-out cells", quiet=quiet)


def _config(
    fitted: "Fitted",
    graphs: Any,
    operators: Any,
    preset: str,
    schedule: Schedule,
    seed: int,
    metric: str,
) -> dict[str, Any]:
    from dataclasses import asdict

    from snap_catalog.parquet import decode_metadata

    data, encoder = decode_metadata(graphs), decode_metadata(operators)
    return {
        "preset": preset,
        "schedule": schedule,
        "seed": seed,
        "recipe": asdict(recipe(preset, schedule)),
        "encoder": {
            "model": encoder["snap.model"],
            "sha256": encoder["snap.model_sha256"],
            "length": encoder.get("snap.length", "own"),
        },
        "training": {
            "benchmark": data.get("snap.benchmark", "own data"),
            "metric": metric,
            "source_sha256": data.get("snap.source_sha256", "unknown"),
            "n_train": fitted.n_train,
            "n_validate": fitted.n_validate,
            "loss": fitted.history[-1].loss,
            "tau": fitted.history[-1].tau,
            "seconds": sum(epoch.seconds for epoch in fitted.history),
        },
        "trained_operators": fitted.trained,
        "command": shlex.join(["snap-gcn", *sys.argv[1:]]),
    }


@main.command()
@click.argument("graphs", type=_FILE)
@click.option("--model", type=_FOLDER, help="Model folder; the bundled predictor where not given.")
@click.option("--operators", type=_FILE, help="Vectors of operators that the model does not know.")
@click.option("-o", "--out", type=_FILE, default="scores.parquet", show_default=True)
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def predict(graphs: str, model: str | None, operators: str | None, out: str, quiet: bool) -> None:
    """Score every architecture of the Parquet file GRAPHS; higher is better."""
    from snap_catalog.parquet import read, write

    from snap_gcn.predictor import Predictor

    table = read(graphs, "graphs", columns=["space", "arch_id", "nodes", "src", "dst"])
    predictor = Predictor.bundled() if model is None else Predictor.load(model)
    if operators is not None:
        predictor = predictor.with_operators(read(operators, "operators"), operators)
    scores = predictor.predict(table, graphs)
    write(scores, out, "scores", producer="snap-gcn")
    say(f"{out}: {scores.num_rows:,} architectures scored by {predictor.name}", quiet=quiet)

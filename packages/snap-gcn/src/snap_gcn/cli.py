"""The command `snap-gcn`."""

import shlex
import sys
from pathlib import Path

import click
from snap_catalog.console import OneLineErrors, progress, say

from snap_gcn.recipe import BUNDLED, PRESETS, Schedule, members

_FILE = click.Path(dir_okay=False)
_FOLDER = click.Path(file_okay=False)
_SEED_STEP = 1000
"""Between the seeds of a predictor's members."""
_GRAPH_COLUMNS = ("space", "arch_id", "nodes", "src", "dst")


@click.group(cls=OneLineErrors)
@click.version_option(package_name="snap-gcn")
def main() -> None:
    """Rank architectures with a graph convolutional network."""


@main.command()
@click.argument("graphs", type=_FILE)
@click.option("--operators", required=True, type=_FILE, help="Vectors of the operators.")
@click.option("--metric", required=True, help="What to regress; any unambiguous shortening.")
@click.option("--out", required=True, type=_FOLDER, help="Model folder to write.")
@click.option("--preset", type=click.Choice(sorted(PRESETS)), default="snap", show_default=True)
@click.option("--schedule", type=click.Choice(["full", "short"]), default="full", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all randomness.")
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
    from snap_catalog.parquet import check_writable, column_names, read

    from snap_gcn.config import configuration
    from snap_gcn.fit import fit as fit_member
    from snap_gcn.folder import Model, joined, save
    from snap_gcn.vocabulary import Vocabulary

    check_writable(out)
    names = column_names(graphs)
    column = resolve_metric(metric, names, source=graphs)
    needed = [*_GRAPH_COLUMNS, "cell_hash", "module_hash", column]
    table = read(graphs, "graphs", columns=[name for name in needed if name in names])
    vectors = read(operators, "operators")
    vocabulary = Vocabulary.from_table(vectors)
    recipes = members(preset, schedule)
    fitted = []
    with progress("training epochs", sum(r.epochs for r in recipes), quiet=quiet) as advance:
        for number, chosen in enumerate(recipes):
            member = fit_member(
                table,
                vocabulary,
                column,
                chosen,
                seed=seed + _SEED_STEP * number,
                source=graphs,
                on_epoch=lambda epoch: advance(1, f"loss {epoch.loss:.5f} tau {epoch.tau:.4f}"),
            )
            fitted.append(member)
    config = configuration(
        fitted,
        table.schema,
        vectors.schema,
        metric=column,
        preset=preset,
        schedule=schedule,
        seed=seed,
    )
    command = shlex.join(["snap-gcn", *sys.argv[1:]])
    config |= {"name": Path(out).name, "command": command}
    save(Model(config, joined([member.weights for member in fitted]), vectors), Path(out))
    tau, held = config["training"]["tau"], config["training"]["n_validate"]
    say(f"{out}: Kendall's tau {tau:.4f} on {held:,} held-out cells", quiet=quiet)


@main.command()
@click.argument("graphs", type=_FILE)
@click.option(
    "--model",
    default=BUNDLED[0],
    show_default=True,
    help="Model folder, or one of the bundled predictors: snap, paper.",
)
@click.option("--operators", type=_FILE, help="Vectors of operators that the model does not know.")
@click.option(
    "-o", "--out", type=_FILE, default="scores.parquet", show_default=True, help="File to write."
)
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def predict(graphs: str, model: str, operators: str | None, out: str, quiet: bool) -> None:
    """Score every architecture of the Parquet file GRAPHS; higher is better."""
    from snap_catalog.parquet import read, write

    from snap_gcn.predictor import Predictor

    table = read(graphs, "graphs", columns=_GRAPH_COLUMNS)
    predictor = Predictor.load(model)
    if operators is not None:
        predictor = predictor.with_operators(read(operators, "operators"), operators)
    scores = predictor.predict(table, graphs)
    write(scores, out, "scores", producer="snap-gcn")
    say(f"{out}: {scores.num_rows:,} architectures scored by {predictor.name}", quiet=quiet)

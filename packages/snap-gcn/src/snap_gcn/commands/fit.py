"""`snap-gcn fit`."""

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from snap_catalog.console import say

from snap_gcn.commands.options import DEVICE, FILE, QUIET
from snap_gcn.recipe import PRESETS, Schedule, members

if TYPE_CHECKING:
    import pyarrow as pa
    from torch import Tensor

    from snap_gcn.fit import Fitted
    from snap_gcn.recipe import Recipe
    from snap_gcn.vocabulary import Vocabulary

_FOLDER = click.Path(file_okay=False)
_INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


@click.command()
@click.argument("graphs", type=FILE)
@click.option("--operators", required=True, type=FILE, help="Vectors of the operators.")
@click.option("--metric", required=True, help="What to regress; any unambiguous shortening.")
@click.option("--out", required=True, type=_FOLDER, help="Model folder to write.")
@click.option("--preset", type=click.Choice(sorted(PRESETS)), default="snap", show_default=True)
@click.option("--schedule", type=click.Choice(["full", "short"]), default="full", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all randomness.")
@click.option(
    "--patience",
    type=click.IntRange(min=1),
    metavar="N",
    help="Stop a member after N epochs without a better tau on the held-out cells.",
)
@DEVICE
@click.option("--resume", is_flag=True, help="Go on where the same command was stopped.")
@click.option("--tensorboard", type=_FOLDER, metavar="DIR", help="Log loss and tau there.")
@QUIET
def fit(
    graphs: str,
    operators: str,
    metric: str,
    out: str,
    preset: str,
    schedule: Schedule,
    seed: int,
    patience: int | None,
    device: str,
    resume: bool,
    tensorboard: str | None,
    quiet: bool,
) -> None:
    """Train a predictor on the Parquet file GRAPHS.

    A tenth of the cells, chosen by their hash, is held out and only measured on. After every epoch
    OUT.partial holds what --resume goes on from.
    """
    from snap_catalog.parquet import check_writable, read

    from snap_gcn import learning, processes
    from snap_gcn.checkpoint import Checkpoint
    from snap_gcn.config import Settings, configuration
    from snap_gcn.data import held_out
    from snap_gcn.ensemble import fit_members
    from snap_gcn.folder import Model, check_free, joined, save
    from snap_gcn.novelty import ranges
    from snap_gcn.vocabulary import Vocabulary

    check_writable(out)
    check_free(Path(out))
    partial = Path(f"{Path(out)}.partial")
    recipes = members(preset, schedule)
    with processes.joined(device), _told_how_to_resume(partial):
        quiet = quiet or processes.rank() > 0
        table, column = _training_table(graphs, metric)
        vectors = read(operators, "operators")
        vocabulary = Vocabulary.from_table(vectors)
        paths = _paths(preset, table, vocabulary, column, recipes, seed=seed, source=graphs)
        settings = Settings(column, preset, schedule, seed, patience, device, processes.count())
        checkpoint = Checkpoint.of(partial, settings, {"graphs": graphs, "operators": operators})
        begun = checkpoint.begun(resume=resume)
        with (
            learning.tensorboard(tensorboard) as log,
            learning.bar(recipes, begun, quiet=quiet) as show,
        ):

            def on_epoch(fitted: Sequence["Fitted"]) -> None:
                log(fitted)
                checkpoint.save(fitted)
                show(fitted)

            fitted = fit_members(
                table,
                vocabulary,
                column,
                recipes,
                seed=seed,
                source=graphs,
                patience=patience,
                device=device,
                begun=begun,
                on_epoch=on_epoch,
            )
        if processes.rank() > 0:
            return
    config = configuration(fitted, table.schema, vectors.schema, settings)
    config["training"]["shapes"] = ranges(table.filter(~held_out(table)), recipes)
    config |= {"name": Path(out).name, "command": _command(settings.processes)}
    weights = joined([member.weights for member in fitted], paths)
    save(Model(config, weights, vectors), Path(out))
    partial.unlink(missing_ok=True)
    tau, held = config["training"]["tau"], config["training"]["n_validate"]
    say(f"{out}: Kendall's tau {tau:.4f} on {held:,} held-out cells", quiet=quiet)


def _paths(
    preset: str,
    table: "pa.Table",
    vocabulary: "Vocabulary",
    column: str,
    recipes: Sequence["Recipe"],
    *,
    seed: int,
    source: str,
) -> dict[str, "Tensor"]:
    """Return the tensors of the preset's `PathModel`, if it has one."""
    from snap_gcn.ensemble import fit_paths

    if not PRESETS[preset].paths:
        return {}
    return fit_paths(table, vocabulary, column, recipes[0], seed=seed, source=source).tensors()


def _training_table(graphs: str, metric: str) -> tuple["pa.Table", str]:
    """Return what training reads of a file, and the column that `metric` names."""
    from snap_catalog.metrics import resolve_metric
    from snap_catalog.parquet import column_names, read

    from snap_gcn.seen import COLUMNS

    names = column_names(graphs)
    column = resolve_metric(metric, names, source=graphs)
    needed = [*COLUMNS, "cell_hash", "module_hash", column]
    return read(graphs, "graphs", columns=[name for name in needed if name in names]), column


def _command(processes: int) -> str:
    alone = ["snap-gcn"]
    several = ["torchrun", "--nproc-per-node", str(processes), "-m", "snap_gcn"]
    return shlex.join([*(alone if processes == 1 else several), *sys.argv[1:]])


@contextmanager
def _told_how_to_resume(partial: Path) -> Iterator[None]:
    """End after Ctrl-C with a line that says what was kept."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        kept = f"; {partial} holds every finished epoch: give the same command with --resume"
        say(f"Stopped{kept if partial.exists() else ' before the first epoch was over'}")
        raise click.exceptions.Exit(_INTERRUPTED) from interrupt

"""Show the course of training: a progress bar, TensorBoard, and the learning curve."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from snap_catalog import SnapError
from snap_catalog.console import progress
from snap_catalog.parquet import check_writable

from snap_gcn.model.recipe import Recipe
from snap_gcn.model.schema import Training
from snap_gcn.training import processes

if TYPE_CHECKING:
    from snap_gcn.training.fit import Fitted

Watch = Callable[[Sequence["Fitted"]], None]

_PANELS = {"loss": "mean squared error in training", "tau": "Kendall's tau on held-out cells"}


@contextmanager
def bar(
    recipes: Sequence[Recipe], begun: Sequence["Fitted"], *, quiet: bool = False
) -> Iterator[Watch]:
    """Show a progress bar with loss, tau and the time left; epochs of `begun` members are done.

    Yields a function to call after every epoch with the members so far.
    """
    total, done = sum(recipe.epochs for recipe in recipes), _passed(begun, recipes)
    with progress("training epochs", total, done=done, quiet=quiet) as advance:

        def show(members: Sequence["Fitted"]) -> None:
            nonlocal done
            before, done = done, _passed(members, recipes)
            epoch = members[-1].history[-1]
            advance(done - before, f"loss {epoch.loss:.5f} tau {epoch.tau:.4f}")

        yield show


def _passed(members: Sequence["Fitted"], recipes: Sequence[Recipe]) -> int:
    """Count finished epochs, including those that early stopping skipped."""
    return sum(
        len(member.history) if member.rest else recipe.epochs
        for member, recipe in zip(members, recipes, strict=False)
    )


@contextmanager
def tensorboard(folder: Path | None) -> Iterator[Watch]:
    """Log loss and tau for TensorBoard, if a folder is given; see `bar`.

    Raises:
        SnapError: tensorboard is not installed, or the folder cannot be written.
    """
    if folder is None or processes.rank() > 0:
        yield lambda members: None
        return
    check_writable(folder)
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise SnapError(
            "--tensorboard: tensorboard is not installed; run: pip install 'snap-gcn[tensorboard]'"
        ) from error
    with SummaryWriter(folder) as writer:

        def add(members: Sequence["Fitted"]) -> None:
            history = members[-1].history
            for name in _PANELS:
                value = getattr(history[-1], name)
                writer.add_scalar(f"{name}/member {len(members)}", value, len(history))
            writer.flush()

        yield add


def drawn(training: Training) -> bytes:
    """Draw a model's learning curve as SVG: loss and tau over epochs, one line per member.

    A dot marks the epoch whose weights are kept. Equal curves yield equal files.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    for axes, (name, label) in zip(figure.subplots(1, 2), _PANELS.items(), strict=True):
        axes.set(xlabel="epoch", ylabel=label)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        members = zip(training.history, training.kept, strict=True)
        for number, (history, kept) in enumerate(members, start=1):
            values = getattr(history, name)
            (line,) = axes.plot(range(1, len(values) + 1), values, linewidth=1.2)
            line.set_label(f"member {number}")
            axes.plot(kept, values[kept - 1], "o", color=line.get_color(), markersize=4)
    if len(training.history) > 1:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside right center", fontsize=8)
    file = io.BytesIO()
    with rc_context({"svg.hashsalt": "snap"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()

"""Draw what searches found, and how a network learned, as SVG or PNG by the suffix of the path.

All functions raise `SnapError` if the file cannot be written.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog.parquet import replacing

from snap_evo.objectives import SCORE, Floats
from snap_evo.search_loop import SearchResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Path = str | os.PathLike[str]
_RESAMPLES = 1000
_SETTLED = 10
_CONFIDENCE = 0.95
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's colours, which colour-blind readers can distinguish."""


def drawn(folder: Path, name: str, draw: Callable[[Path], None]) -> list[str]:
    """Draw a picture of a name as SVG and as PNG, and return the files' paths."""
    paths = [folder / f"{name}{suffix}" for suffix in (".svg", ".png")]
    for path in paths:
        draw(path)
    return [str(path) for path in paths]


def draw_front(result: SearchResult, path: _Path) -> None:
    """Draw the score against every other objective: all candidates, and the Pareto front."""
    names = [objective.name for objective in result.objectives if objective.name != SCORE]
    draw_tradeoff(result.scored, result.front, names, path, against=SCORE)


def draw_tradeoff(
    candidates: pa.Table, front: pa.Table, names: Sequence[str], path: _Path, *, against: str
) -> None:
    """Draw one column against others: all candidates, and the Pareto front.

    Args:
        candidates: rows with all the columns.
        front: the rows that are on the front.
        names: the columns on the horizontal axes, one per panel.
        path: the file.
        against: the column on the vertical axis.
    """
    figure, panels = _panels(len(names), (4.2 * len(names), 3.6), sharey=True)
    for axes, name in zip(panels, names, strict=True):
        # As pixels, for there may be thousands.
        axes.scatter(
            candidates[name],
            candidates[against],
            s=6,
            color="#bbbbbb",
            label="candidates",
            rasterized=True,
        )
        axes.scatter(front[name], front[against], s=16, color=_COLOURS[0], label="Pareto front")
        axes.set(xlabel=name)
    panels[0].set(ylabel=against)
    panels[-1].legend(loc="lower right", fontsize=8)
    _save(figure, path)


def draw_learning(
    train_loss: Floats, valid_loss: Floats, valid_accuracy: Floats, path: _Path, *, title: str = ""
) -> None:
    """Draw loss and accuracy over epochs, and mark the best accuracy.

    Args:
        train_loss: (epochs,) means over the steps of each epoch.
        valid_loss: (epochs,) after each epoch.
        valid_accuracy: (epochs,) in percent, after each epoch.
        path: the file.
        title: a line above the picture.
    """
    epochs = 1 + np.arange(len(train_loss))
    best = int(np.argmax(valid_accuracy))
    figure, (losses, accuracies) = _panels(2, (8.4, 3.4), grid=True)
    figure.suptitle(title, fontsize=10)
    losses.plot(epochs, train_loss, color=_COLOURS[1], label="training")
    losses.plot(epochs, valid_loss, color=_COLOURS[0], label="validation")
    losses.set(xlabel="epoch", ylabel="loss", ylim=(0, None))
    losses.legend()
    accuracies.plot(epochs, valid_accuracy, color=_COLOURS[0])
    text = f"{valid_accuracy[best]:.2f} % in epoch {epochs[best]}"
    accuracies.plot(epochs[best], valid_accuracy[best], "o", color=_COLOURS[0], label=text)
    accuracies.set(xlabel="epoch", ylabel="validation accuracy (%)")
    accuracies.legend(loc="lower right")
    _save(figure, path)


def draw_regret(regrets: Mapping[str, Floats], path: _Path, *, title: str = "") -> None:
    """Draw regret over evaluations: the mean over runs with its 95 % confidence band.

    The band holds 95 % of the means of 1,000 bootstrap samples of the runs. It begins when every
    run has found a cell within the limits.

    Args:
        regrets: by name (runs, evaluations) differences of the best possible score and the best so
            far.
        path: the file.
        title: a line above the picture.
    """
    figure, (axes,) = _panels(1, (6.4, 4.2), grid=True)
    _draw_curves(axes, regrets)
    axes.legend()
    axes.set(xlabel="evaluations", ylabel="regret", yscale="log", title=title)
    _save(figure, path)


def draw_best(best: Mapping[str, Floats], path: _Path, *, metric: str, title: str = "") -> None:
    """Draw the best value so far over measurements, as `draw_regret` draws regret.

    The scale begins at the lowest mean of the tenth measurement, as the first ones may be very bad.

    Args:
        best: by name (runs, measurements).
        path: the file.
        metric: what was measured.
        title: a line above the picture.
    """
    figure, (axes,) = _panels(1, (6.4, 4.2), grid=True)
    _draw_curves(axes, best)
    axes.legend(loc="lower right")
    means = np.stack([runs.mean(axis=0) for runs in best.values()])
    low = means[:, min(_SETTLED, means.shape[1]) - 1].min()
    if np.isfinite(low) and low < means.max():
        axes.set_ylim(low, means.max() + 0.05 * (means.max() - low))
    axes.set(xlabel="trainings", ylabel=f"best so far, {metric}", title=title)
    _save(figure, path)


def draw_progress(values: Floats, best: Floats, path: _Path, *, metric: str) -> None:
    """Draw measurements one after another, and the best so far.

    Args:
        values: (n,) measurements, NaN for failed ones and those beyond a limit.
        best: (n,) the best so far, NaN before the first.
        path: the file.
        metric: what was measured.
    """
    from matplotlib.ticker import MaxNLocator

    figure, (axes,) = _panels(1, (6.4, 4.0), grid=True)
    turns = 1 + np.arange(len(values))
    axes.scatter(turns, values, s=18, color="#999999", label="measured")
    axes.step(turns, best, where="post", color=_COLOURS[0], label="best so far")
    if (lost := turns[np.isnan(values)]).size:
        low = np.full(lost.size, axes.get_ylim()[0])
        axes.scatter(lost, low, marker="x", color=_COLOURS[1], label="failed or beyond")
    axes.set(xlabel="measurements", ylabel=metric)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(fontsize=8)
    _save(figure, path)


def band(runs: Floats) -> tuple[Floats, Floats]:
    """Return the lower and upper ends, (evaluations,) each, of the mean's confidence interval.

    Args:
        runs: (runs, evaluations).
    """
    drawn = np.random.default_rng(0).integers(len(runs), size=(_RESAMPLES, len(runs)))
    shares = np.stack([np.bincount(row, minlength=len(runs)) for row in drawn]) / len(runs)
    outside = (1 - _CONFIDENCE) / 2
    low, high = np.quantile(shares @ runs, (outside, 1 - outside), axis=0)
    return low, high


def _draw_curves(axes: "Axes", curves: Mapping[str, Floats]) -> None:
    for colour, (name, runs) in zip(_COLOURS, curves.items(), strict=False):
        turns = _turns(runs)
        mean, (low, high) = runs[:, turns].mean(axis=0), band(runs[:, turns])
        axes.step(1 + turns, mean, where="post", color=colour, label=name)
        axes.fill_between(1 + turns, low, high, step="post", color=colour, alpha=0.2, linewidth=0)


def _turns(runs: Floats) -> npt.NDArray[np.int64]:
    """Return the first finite column, the columns in which a run gets better, and the last."""
    begun = np.flatnonzero(np.isfinite(runs).all(axis=0))
    turns = np.ones(len(begun), np.bool_)
    turns[1:-1] = (np.diff(runs[:, begun], axis=1) != 0).any(axis=0)[:-1]
    return begun[turns]


def _panels(
    count: int, inches: tuple[float, float], *, grid: bool = False, **sharing: Any
) -> "tuple[Figure, Sequence[Axes]]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, layout="constrained")
    panels: Sequence[Axes] = figure.subplots(1, count, squeeze=False, **sharing)[0]
    for axes in panels if grid else ():
        axes.grid(alpha=0.3)
    return figure, panels


def _save(figure: "Figure", path: _Path) -> None:
    from matplotlib import rc_context

    suffix = Path(path).suffix.removeprefix(".")
    metadata = {"Date": None} if suffix == "svg" else None
    with replacing(path) as temporary, rc_context({"svg.hashsalt": "snap"}):
        figure.savefig(temporary, format=suffix, dpi=150, metadata=metadata)

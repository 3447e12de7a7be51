"""Measure what a few labels are worth to the predictor, beside other ways to learn from them.

    uv run --all-groups tools/few_labels.py

Draws 10, 20, 50 and 100 cells of each benchmark of role `develop`, 20 times, lets each way learn
from them, and prints the rank correlation on the rest: mean and standard deviation. Takes five
minutes on one core.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import numpy.typing as npt
import printed
from pipeline import prepare_develop
from populations import BENCHMARKS
from snap_catalog.parquet import read
from snap_eval import spearman
from snap_gcn import Predictor
from snap_gcn.adaptation.adaptation import Scale, described, normal_scores, usable_costs
from snap_gcn.adaptation.features import COSTS, Features, operators_in
from snap_gcn.adaptation.surrogate import Surrogate

Floats = npt.NDArray[np.float64]

_LABELS = (10, 20, 50, 100)
_REST = 2500
"""Cells at most on which a way is measured."""


class Task(NamedTuple):
    """A benchmark and what it measured.

    Attributes:
        name: of the benchmark and the metric.
        found: by group, (n, k) features; `score` is one of them.
        costs: (n, 3) logarithms of costs, those of operators that compute nothing included.
        targets: (n,) what was measured, higher is better.
    """

    name: str
    found: Features
    costs: Floats
    targets: Floats


def ours(task: Task, labelled: npt.NDArray[np.int64], rest: npt.NDArray[np.int64]) -> Floats:
    """Adapt the predictor, as `snap-gcn adapt` does."""
    points = Scale.of(task.found)(task.found)
    surrogate = Surrogate.fit(points.take(labelled), normal_scores(task.targets[labelled]))
    return surrogate.predict(points.take(rest))[0]


def forest(task: Task, labelled: npt.NDArray[np.int64], rest: npt.NDArray[np.int64]) -> Floats:
    """Fit a random forest to numbers of operators and logarithms of costs."""
    from sklearn.ensemble import RandomForestRegressor

    known = _counts_and_costs(task)
    model = RandomForestRegressor(100, random_state=0).fit(known[labelled], task.targets[labelled])
    return np.asarray(model.predict(known[rest]))


def plain(task: Task, labelled: npt.NDArray[np.int64], rest: npt.NDArray[np.int64]) -> Floats:
    """Fit a Gaussian process to numbers of operators and logarithms of costs."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    known = _counts_and_costs(task)
    width = known.std(axis=0)
    known = (known - known.mean(axis=0))[:, width > 0] / width[width > 0]
    kernel = ConstantKernel() * RBF(3.0) + WhiteKernel(0.1)
    model = GaussianProcessRegressor(kernel, normalize_y=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a bound is reached where nothing can be learned
        model.fit(known[labelled], normal_scores(task.targets[labelled]))
    return np.asarray(model.predict(known[rest]))


def _counts_and_costs(task: Task) -> Floats:
    operators = task.found["operators"][:, :-3].reshape(len(task.targets), -1, 9)
    return np.hstack([operators[:, :, 0], task.costs])


WAYS: Mapping[str, Callable[..., Floats]] = {
    "`snap`, adapted": ours,
    "random forest, operator counts and costs": forest,
    "Gaussian process, operator counts and costs": plain,
}


def tasks(predictor: Predictor, work: Path) -> Iterator[Task]:
    """Yield the benchmarks of role `develop` and their metrics."""
    for benchmark, metrics in BENCHMARKS.items():
        if benchmark == "nb101":
            continue
        table = read(work / f"{benchmark}.parquet", "graphs")
        operators = operators_in(table)
        found = described(predictor, table, operators, usable_costs(predictor, table))
        costs = np.log1p(np.stack([table[name].to_numpy() for name in COSTS], axis=1))
        for metric in metrics:
            yield Task(f"{benchmark}, `{metric}`", found, costs, table[metric].to_numpy())


def row(task: Task, way: Callable[..., Floats], draws: int) -> list[str]:
    """Return the cells of a table's row."""
    zero: list[float] = []
    rhos: dict[int, list[float]] = {n: [] for n in _LABELS}
    for draw in range(draws):
        order = np.random.default_rng(draw).permutation(len(task.targets))
        rest = order[max(_LABELS) :][:_REST]
        zero.append(spearman(task.found["score"][rest, 0], task.targets[rest]))
        for n in _LABELS:
            rho = spearman(way(task, order[:n], rest), task.targets[rest])
            rhos[n].append(float(np.nan_to_num(rho)))  # equal predictions order nothing
    shown = [f"{np.mean(values):.3f} +- {np.std(values):.3f}" for values in rhos.values()]
    return [f"{np.mean(zero):.3f}" if way is ours else "", *shown]


@click.command()
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option("--model", default="snap", show_default=True)
@click.option("--draws", default=20, show_default=True, type=click.IntRange(min=1))
def main(work: Path, model: str, draws: int) -> None:
    """Print a table for each benchmark and metric."""
    prepare_develop(work)
    for task in tasks(Predictor.load(model), work):
        click.echo(f"\n### {task.name}\n")
        rows = [[name, *row(task, way, draws)] for name, way in WAYS.items()]
        click.echo(printed.table(["", "0", *map(str, _LABELS)], rows))


if __name__ == "__main__":
    main()

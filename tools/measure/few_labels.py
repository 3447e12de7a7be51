r"""Measure what a predictor gains from a few labels, compared with other ways to learn from them.

    uv run --all-groups python -m tools.measure.few_labels
    uv run --all-groups python -m tools.measure.few_labels --way fit --draws 2
    uv run --all-groups python -m tools.measure.few_labels --way adapted --way fit --draws 3 \
        --labels 2000 --benchmark nb201

Draws 10, 20, 50 and 100 architectures of each benchmark of role `develop`, 20 times, lets each way
learn from them, and prints the rank correlation on the rest: mean and standard deviation. Takes a
quarter of an hour on one core. `fit` trains a predictor on 100 labels alone, a minute each time.
"""

import math
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from snap_catalog.parquet import read, write
from snap_eval import spearman
from snap_gcn import Predictor
from snap_gcn.adaptation.adaptation import (
    Inputs,
    Scale,
    examined,
    features_of,
    normal_scores,
    usable,
)
from snap_gcn.adaptation.features import COSTS, Features, operators_in
from snap_gcn.adaptation.surrogate import Surrogate

from tools import printed
from tools.measure.populations import BENCHMARKS, NETWORKS
from tools.pipeline import ENCODERS, prepare_develop, prepare_networks, vectors

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_LABELS: Sequence[int] = (10, 20, 50, 100)
_REST = 2500
"""Architectures at most on which a way is measured."""
_MOST_NODES = 24
"""Of graphs that are written one-hot."""


class Task(NamedTuple):
    """A benchmark and what it measured.

    Attributes:
        name: of the benchmark and the metric.
        table: n architectures.
        metric: the column that was measured.
        found: by group, (n, k) features; `score` is one of them.
        counts: (n, k) numbers of operators and logarithms of costs, those of operators that compute
            nothing included.
        one_hot: (n, k) which operator each node is, and which pairs of nodes have an edge; None of
            graphs too large for it.
        targets: (n,) what was measured, higher is better.
    """

    name: str
    table: pa.Table
    metric: str
    found: Features
    counts: Floats
    one_hot: Floats | None
    targets: Floats


Way = Callable[[Task, Ints, Ints], Floats]
"""Learns from some rows of a task, and predicts others."""


def ours(task: Task, labelled: Ints, rest: Ints) -> Floats:
    """Adapt the predictor, as `snap-gcn adapt` does."""
    return adapted(task.found, task.targets, labelled, rest)


def adapted(found: Features, targets: Floats, labelled: Ints, rest: Ints) -> Floats:
    """Predict rows of features and (n,) targets by an adaptation to the labelled ones."""
    points = Scale.of(found)(found)
    surrogate = Surrogate.fit(points.take(labelled), normal_scores(targets[labelled]))
    return surrogate.predict(points.take(rest))[0]


def forest(inputs: Floats, values: Floats) -> Callable[[Floats], Floats]:
    """Fit a random forest."""
    from sklearn.ensemble import RandomForestRegressor

    model = RandomForestRegressor(100, random_state=0).fit(inputs, values)
    return lambda others: np.asarray(model.predict(others))


def boosting(inputs: Floats, values: Floats) -> Callable[[Floats], Floats]:
    """Fit gradient-boosted trees by XGBoost."""
    from xgboost import XGBRegressor

    model = XGBRegressor(n_estimators=100, random_state=0, n_jobs=1).fit(inputs, values)
    return lambda others: np.asarray(model.predict(others), np.float64)


def process(inputs: Floats, values: Floats) -> Callable[[Floats], Floats]:
    """Fit a Gaussian process with one length scale."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    kernel = ConstantKernel() * RBF(3.0) + WhiteKernel(0.1)
    model = GaussianProcessRegressor(kernel, normalize_y=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a bound is reached where nothing can be learned
        model.fit(inputs, normal_scores(values))
    return lambda others: np.asarray(model.predict(others))


def by_counts(learn: Callable[[Floats, Floats], Callable[[Floats], Floats]]) -> Way:
    """Learn from numbers of operators and costs."""
    return lambda task, labelled, rest: learn(task.counts[labelled], task.targets[labelled])(
        task.counts[rest]
    )


def by_one_hot(learn: Callable[[Floats, Floats], Callable[[Floats], Floats]]) -> Way:
    """Learn from nodes and edges."""

    def way(task: Task, labelled: Ints, rest: Ints) -> Floats:
        assert task.one_hot is not None
        return learn(task.one_hot[labelled], task.targets[labelled])(task.one_hot[rest])

    return way


def trained(task: Task, labelled: Ints, rest: Ints) -> Floats:
    """Train a predictor on the labels alone: preset `paper`, short schedule."""
    with tempfile.TemporaryDirectory() as folder:
        write(task.table.take(labelled), f"{folder}/g.parquet", "graphs", producer="snap-graphs")
        operators = Path("build/bundled", vectors(ENCODERS["paper"])).absolute()
        program = str(Path(sys.executable).with_name("snap-gcn"))
        words = ["--metric", task.metric, "--preset", "paper", "--schedule", "short", "--quiet"]
        command = [program, "fit", "g.parquet", "--operators", str(operators), *words]
        subprocess.run([*command, "--out", "model"], cwd=folder, check=True)
        return Predictor.load(f"{folder}/model").score(task.table.take(rest))


class Named(NamedTuple):
    """A way to learn.

    Attributes:
        title: what tables call it.
        learn: learns and predicts.
        fewest: labels that it is tried with.
        most: nodes of the largest graphs that it is tried on.
    """

    title: str
    learn: Way
    fewest: int = 0
    most: float = math.inf


WAYS: Mapping[str, Named] = {
    "adapted": Named("`snap`, adapted", ours),
    "forest": Named("random forest, operator counts and costs", by_counts(forest)),
    "xgboost": Named("XGBoost, operator counts and costs", by_counts(boosting)),
    "process": Named("Gaussian process, operator counts and costs", by_counts(process)),
    "forest-one-hot": Named(
        "random forest, one-hot nodes and edges", by_one_hot(forest), most=_MOST_NODES
    ),
    "xgboost-one-hot": Named(
        "XGBoost, one-hot nodes and edges", by_one_hot(boosting), most=_MOST_NODES
    ),
    "fit": Named("`snap-gcn fit`, the labels alone", trained, max(_LABELS), _MOST_NODES),
}
"""By the word of `--way`."""


def tasks(predictor: Predictor, work: Path, chosen: Sequence[str] = ()) -> Iterator[Task]:
    """Yield the benchmarks of role `develop`, or those chosen, and their metrics."""
    for benchmark, metrics in {**BENCHMARKS, **NETWORKS}.items():
        if benchmark == "nb101" or (chosen and benchmark not in chosen):
            continue
        table = read(work / f"{benchmark}.parquet", "graphs")
        seen, operators = examined(predictor, table), operators_in(table)
        found = features_of(seen, table, Inputs(operators, usable(seen.keys, table)))
        places = found["operators"][:, :-3].reshape(table.num_rows, -1, 9)
        costs = np.log1p(np.stack([table[name].to_numpy() for name in COSTS], axis=1))
        counts = _standardised(np.hstack([places[:, :, 0], costs]))
        for metric in metrics:
            name, targets = f"{benchmark}, `{metric}`", table[metric].to_numpy()
            yield Task(name, table, metric, found, counts, one_hot(table), targets)


def _standardised(values: Floats) -> Floats:
    width = values.std(axis=0)
    found: Floats = (values - values.mean(axis=0))[:, width > 0] / width[width > 0]
    return found


def one_hot(table: pa.Table) -> Floats | None:
    """Return (n, k) which operator each node is, and which pairs of nodes have an edge."""
    nodes = table["nodes"].to_pylist()
    most = max(map(len, nodes))
    if most > _MOST_NODES:
        return None
    names = {name: i for i, name in enumerate(sorted({name for row in nodes for name in row}))}
    operator = np.zeros((len(nodes), most, len(names)))
    edge = np.zeros((len(nodes), most, most))
    ends = zip(table["src"].to_pylist(), table["dst"].to_pylist(), strict=True)
    for row, (own, (sources, targets)) in enumerate(zip(nodes, ends, strict=True)):
        operator[row, np.arange(len(own)), [names[name] for name in own]] = 1
        edge[row, sources, targets] = 1
    both = np.hstack([operator.reshape(len(nodes), -1), edge.reshape(len(nodes), -1)])
    found: Floats = both[:, both.std(axis=0) > 0]
    return found


def row(task: Task, way: Named, labels: Sequence[int], draws: int) -> list[str]:
    """Return the cells of a table's row."""
    zero: list[float] = []
    rhos: dict[int, list[float]] = {n: [] for n in labels if n >= way.fewest}
    for draw in range(draws):
        order = np.random.default_rng(draw).permutation(len(task.targets))
        rest = order[max(labels) :][:_REST]
        zero.append(spearman(task.found["score"][rest, 0], task.targets[rest]))
        for n in rhos:
            rho = spearman(way.learn(task, order[:n], rest), task.targets[rest])
            rhos[n].append(float(np.nan_to_num(rho)))  # equal predictions order nothing
    shown = {n: printed.spread(values) for n, values in rhos.items()}
    before = printed.short(float(np.mean(zero))) if way.learn is ours else ""
    return [way.title, before, *(shown.get(n, "") for n in labels)]


@click.command()
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option("--model", default="snap", show_default=True)
@click.option("--draws", default=20, show_default=True, type=click.IntRange(min=1))
@click.option("--way", "ways", type=click.Choice([*WAYS]), multiple=True, default=[*WAYS][:-1])
@click.option("--labels", type=click.IntRange(min=2), multiple=True, default=_LABELS)
@click.option("--benchmark", "chosen", multiple=True, help="Default: all.")
def main(
    work: Path,
    model: str,
    draws: int,
    ways: tuple[str, ...],
    labels: tuple[int, ...],
    chosen: tuple[str, ...],
) -> None:
    """Print a table for each benchmark and metric."""
    prepare_develop(work)
    prepare_networks(work)
    for task in tasks(Predictor.load(model), work, chosen):
        click.echo(f"\n### {task.name}\n")
        most = max(pc.list_value_length(task.table["nodes"]).to_pylist())
        fitting = [WAYS[way] for way in ways if most <= WAYS[way].most]
        rows = [row(task, way, labels, draws) for way in fitting]
        click.echo(printed.table(["", "0", *map(str, labels)], rows))


if __name__ == "__main__":
    main()

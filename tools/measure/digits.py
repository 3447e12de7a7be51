"""Measure the demonstration of docs/measuring.md: a search that trains networks for digits.

    uv run --all-groups python -m tools.measure.digits train --data digits.npz
    uv run --all-groups python -m tools.measure.digits search --data digits.npz

`train` trains every architecture of docs/examples/digits.toml, as `train:digits.npz,augment=crop`
does, and some a second time with another seed; stopped, it goes on where it was. `search` replays
searches on that table, trains what they found again, and prints the figures of the page.
"""

import csv
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean

import click
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog.console import progress
from snap_catalog.parquet import write
from snap_evo.architecture import Architecture
from snap_graphs import Cell, Metric, Space, graph_table, space

from tools import printed

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "digits"
JOURNAL = FOLDER / "trainings.csv"
SPACE = ROOT / "docs" / "examples" / "digits.toml"
PICTURE = ROOT / "docs" / "digits-search.svg"
METRIC = "digits/valid/accuracy"
FIELDS = ("arch_id", "seed", "accuracy", "seconds")
TWICE = 12
"""Architectures that are trained with a second seed, drawn at random."""
TRAININGS, SHOWN = 24, (4, 8, 12, 24)
SEEDS = range(5)
AGAIN = (2, 3, 4)
"""Seeds with which what a search found is trained again."""
_POPULATION, _TOURNAMENT = 8, 3

Found = list[str]
"""Architectures in the order of their training."""
Search = Callable[[Space, Mapping[str, float], int], Found]


@click.group()
def main() -> None:
    """Measure the demonstration with scikit-learn's digits."""


_data = click.option(
    "--data", required=True, type=click.Path(), help="What docs/examples/digits_data.py writes."
)


@main.command()
@_data
def train(data: str) -> None:
    """Train all architectures once, and some twice."""
    home = space(str(SPACE), allow_code=True)
    cells = list(home.enumerate())
    drawn = np.random.default_rng(0).permutation(len(cells))[:TWICE]
    _train(home, [*((cell, 0) for cell in cells), *((cells[n], 1) for n in drawn)], data)
    accuracies = _accuracies(0)
    values = np.array([accuracies[home.format(cell)] for cell in cells])
    table = graph_table(home, cells, metrics={METRIC: Metric(values, "max", "percent")})
    write(table, FOLDER / "digits.parquet", "graphs", producer="snap-evo")


@main.command()
@_data
def search(data: str) -> None:
    """Replay searches on the table, and print what they find."""
    from snap_evo.pictures import draw_best

    home = space(str(SPACE), allow_code=True)
    accuracies = _accuracies(0)
    _say_spread(accuracies)
    searches: Mapping[str, Search] = {
        "snap-evo run --measure": measuring,
        "regularised evolution": evolution,
        "random search": at_random,
    }
    found = {
        name: [search(home, accuracies, seed) for seed in SEEDS]
        for name, search in searches.items()
    }
    winners = {
        name: [max(run, key=accuracies.__getitem__) for run in runs] for name, runs in found.items()
    }
    asked = {arch for archs in winners.values() for arch in archs} | {best_of(accuracies)}
    _train(home, [(home.parse(arch), seed) for arch in sorted(asked) for seed in AGAIN], data)
    curves = {
        name: np.array([np.maximum.accumulate([accuracies[a] for a in run]) for run in runs])
        for name, runs in found.items()
    }
    _say_found(curves, winners, accuracies)
    draw_best(curves, PICTURE, metric="validation accuracy (%)")


def measuring(home: Space, accuracies: Mapping[str, float], seed: int) -> Found:
    """Search as `snap-evo run --measure` does, one training at a time."""
    from snap_evo import defaults
    from snap_evo.measuring.interfaces import Observations
    from snap_evo.measuring.proposers import Start, start_proposer
    from snap_evo.measuring.proposers.pool import Feasible
    from snap_evo.registry import load_scorer

    start = Start(Feasible(home), load_scorer(defaults.SCORER), defaults.SURROGATE, seed)
    proposer = start_proposer(defaults.MEASURING_ALGORITHM, start)
    graphs, values = graph_table(home, []), np.empty(0)
    while len(values) < TRAININGS:
        known = Observations(graphs, values, "max", graphs.slice(0, 0))
        proposed = proposer.propose(known, 1)
        graphs = pa.concat_tables([graphs, proposed.select(graphs.column_names)])
        values = np.append(values, accuracies[proposed["arch_id"][0].as_py()])
    return [str(name) for name in graphs["arch_id"].to_pylist()]


def evolution(home: Space, accuracies: Mapping[str, float], seed: int) -> Found:
    """Search by regularised evolution (Real et al., 2019), of a population as small as the budget.

    No architecture is trained twice.
    """
    random = np.random.default_rng(seed)
    found = at_random(home, accuracies, seed)[:_POPULATION]
    population = deque((home.parse(arch) for arch in found), maxlen=_POPULATION)
    while len(found) < TRAININGS:
        drawn = random.choice(_POPULATION, _TOURNAMENT, replace=False)
        parent = max((population[i] for i in drawn), key=lambda c: accuracies[home.format(c)])
        population.append(home.mutate(parent, random))
        found = list(dict.fromkeys([*found, home.format(population[-1])]))
    return found


def at_random(home: Space, accuracies: Mapping[str, float], seed: int) -> Found:
    """Train different architectures, drawn at random."""
    drawn = np.random.default_rng(seed).permutation(sorted(accuracies))
    return [str(arch) for arch in drawn[:TRAININGS]]


def best_of(accuracies: Mapping[str, float]) -> str:
    """Return the architecture with the best accuracy."""
    return max(accuracies, key=accuracies.__getitem__)


def _train(home: Space, asked: Sequence[tuple[Cell, int]], data: str) -> None:
    """Train what has not been trained yet, and append it to the journal."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    done = {(row["arch_id"], int(row["seed"])) for row in _rows()}
    left = [(cell, seed) for cell, seed in asked if (home.format(cell), seed) not in done]
    with progress("training", len(left)) as advance, JOURNAL.open("a", newline="") as file:
        writer = csv.writer(file)
        if not done:
            writer.writerow(FIELDS)
        for cell, seed in left:
            writer.writerow((home.format(cell), seed, *_trained(home, cell, seed, data)))
            file.flush()
            advance(1)


def _trained(home: Space, cell: Cell, seed: int, data: str) -> tuple[float, float]:
    from snap_evo.training.checkpoint import State
    from snap_evo.training.job import Job
    from snap_evo.training.measure import EPOCHS

    architecture = Architecture.of(home, cell)
    settings = {"epochs": EPOCHS, "augment": ("crop",)}
    job = Job.of(architecture, data, settings, seed=seed, device="cpu")
    state = job.train(State(), lambda state: None, quiet=True)
    return state.epochs[-1].valid_accuracy, sum(epoch.seconds for epoch in state.epochs)


def _rows() -> Iterator[dict[str, str]]:
    if JOURNAL.exists():
        with JOURNAL.open(newline="") as file:
            yield from csv.DictReader(file)


def _accuracies(seed: int) -> dict[str, float]:
    return {row["arch_id"]: float(row["accuracy"]) for row in _rows() if int(row["seed"]) == seed}


def _say_spread(accuracies: Mapping[str, float]) -> None:
    values, again = np.array([*accuracies.values()]), _accuracies(1)
    pairs = np.array([(accuracies[arch], value) for arch, value in again.items()])
    low, middle, high = np.quantile(values, (0, 0.5, 1))
    noise = np.sqrt(np.mean((pairs[:, 0] - pairs[:, 1]) ** 2) / 2)
    seconds = np.median([float(row["seconds"]) for row in _rows()])
    click.echo(
        f"{len(values)} architectures: {low:.1f} to {high:.1f} %, median {middle:.1f} %, "
        f"deviation {values.std():.1f}; {len(pairs)} trained twice: deviation between seeds "
        f"{noise:.1f}, correlation {np.corrcoef(pairs.T)[0, 1]:.3f}; median {seconds:.1f} s each\n"
    )


def _say_found(
    curves: Mapping[str, npt.NDArray[np.float64]],
    winners: Mapping[str, Sequence[str]],
    accuracies: Mapping[str, float],
) -> None:
    ordered = sorted(accuracies.values(), reverse=True)
    again = {seed: _accuracies(seed) for seed in AGAIN}
    rows = []
    for name, runs in curves.items():
        after = [printed.spread(runs[:, count - 1].tolist(), 1) for count in SHOWN]
        ranks = [1 + ordered.index(value) for value in runs[:, -1]]
        fresh = [mean(again[seed][arch] for seed in AGAIN) for arch in winners[name]]
        rank = f"{np.median(ranks):.0f} ({min(ranks)} to {max(ranks)})"
        rows.append([name, *after, rank, printed.spread(fresh, 1)])
    head = ["best after", *map(str, SHOWN), "rank", "trained again"]
    click.echo(printed.table(head, rows))
    best = best_of(accuracies)
    once_more = mean(again[seed][best] for seed in AGAIN)
    click.echo(f"\nbest of all: {best}, {accuracies[best]:.2f} %, trained again {once_more:.2f} %")


if __name__ == "__main__":
    main()

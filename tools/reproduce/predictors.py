"""The predictors that rank the benchmarks, and their scores."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from snap_catalog.console import say
from snap_catalog.parquet import read, write
from snap_gcn import Predictor
from snap_gcn.model.folder import load
from snap_gcn.model.recipe import BUNDLED

from tools.pipeline import ENCODERS, NB101, SCHEDULES, fit, prepare_training, vectors
from tools.reproduce.sources import SOURCES, graphs_file
from tools.steps import Step
from tools.train.bundled import BUNDLE

SEEDS = 5


class Model(NamedTuple):
    """A trained predictor.

    Attributes:
        scorer: what it is called; models of one name differ in the seed alone.
        seed: its seed.
        folder: where it is.
        operators: vectors of all catalogued operators by its encoder.
    """

    scorer: str
    seed: int
    folder: Path
    operators: Path


def bundled_models() -> list[Model]:
    """Return the predictors that snap-gcn ships, each of one seed on the full schedule."""
    folders = [BUNDLE / name for name in BUNDLED]
    return [Model(path.name, 0, path, path / "operators.parquet") for path in folders]


def models(work: Path, data: Path) -> list[Model]:
    """Return the models of both presets, one per seed, and `paper` on its full schedule.

    Those that are not in the work folder are trained first, for minutes each. If the table to train
    on is neither there nor in the data folder, the bundled models are used instead.
    """
    if not (work / "nb101.parquet").exists() and not (data / NB101).exists():
        say(f"bundled predictors alone, of one seed: training others takes {data / NB101}")
        return bundled_models()
    prepare_training(work, data)
    wanted = [(p, s, seed) for p, s in SCHEDULES.items() for seed in range(SEEDS)]
    return [_model(work, *of) for of in [*wanted, ("paper", "full", 0)]]


def scores(results: Path, trained: list[Model]) -> Iterator[Step]:
    """Yield the steps that score the cells of each search space by each model.

    Benchmarks of one search space share the scores.
    """
    spaces: dict[str, Path] = {}
    for name, source in SOURCES.items():
        if graphs_file(results, name).exists():
            spaces.setdefault(source.space, graphs_file(results, name))
    for space, graphs in spaces.items():
        for model in trained:
            yield _predict(model, graphs, scores_file(results, space, model))


def scores_file(results: Path, space: str, model: Model) -> Path:
    """Return where the scores of a space's cells by a model are written."""
    return results / "scores" / space / f"{model.scorer}-{model.seed}.parquet"


def _model(work: Path, preset: str, schedule: str, seed: int) -> Model:
    scorer = preset if schedule == SCHEDULES[preset] else f"{preset} ({schedule} schedule)"
    name = preset if (schedule, seed) == ("full", 0) else f"{preset}-{schedule}-{seed}"
    folder = fit(work, name, preset, schedule, seed)
    return Model(scorer, seed, folder, work / vectors(ENCODERS[preset]))


def _predict(model: Model, graphs: Path, out: Path) -> Step:
    def make() -> None:
        known = replace(load(model.folder), operators=read(model.operators, "operators"))
        table = Predictor(known).predict(read(graphs, "graphs"))
        origin = {"snap.scorer": model.scorer, "snap.seed": str(model.seed)}
        write(table, out, "scores", producer="snap-gcn", metadata=origin)

    inputs = [graphs, model.folder, model.operators]
    return Step("score", out, inputs, ["predict", model.scorer], make)

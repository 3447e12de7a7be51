"""Train what a predictor is made of."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import torch
from snap_graphs import Graphs

from snap_gcn.data.vocabulary import Vocabulary
from snap_gcn.model.paths import VIEWS, PathModel
from snap_gcn.model.recipe import Recipe
from snap_gcn.training.cells import TrainingData, split
from snap_gcn.training.fit import Fitted, fit

_SEED_STEP = 1000
"""Between the seeds of a predictor's members."""


def fit_members(
    table: pa.Table,
    vocabulary: Vocabulary,
    metric: str,
    recipes: Sequence[Recipe],
    *,
    seed: int,
    source: str = "graphs",
    patience: int | None = None,
    device: str | torch.device = "cpu",
    begun: Sequence[Fitted] = (),
    on_epoch: Callable[[Sequence[Fitted]], None] = lambda _members: None,
) -> list[Fitted]:
    """Train one member a recipe, as `snap_gcn.training.fit.fit` does.

    Args:
        table: see there, as for the other arguments that are not told here.
        vocabulary: see there.
        metric: see there.
        recipes: of the members.
        seed: of the first member; every further one has its own.
        source: see there.
        patience: see there.
        device: see there.
        begun: what `on_epoch` was given when an earlier call was stopped.
        on_epoch: called after every epoch with the members so far, the last one in training.

    Raises:
        SnapError: see there.
    """
    members: list[Fitted] = []
    for number, recipe in enumerate(recipes):
        member = fit(
            table,
            vocabulary,
            metric,
            recipe,
            seed=seed + _SEED_STEP * number,
            source=source,
            patience=patience,
            device=device,
            begun=begun[number] if number < len(begun) else None,
            on_epoch=lambda member: on_epoch([*members, member]),
        )
        members.append(member)
    return members


def fit_paths(
    table: pa.Table,
    vocabulary: Vocabulary,
    metric: str,
    recipe: Recipe,
    source: str = "graphs",
) -> PathModel:
    """Fit a `PathModel` to all training cells: it takes seconds, and no seed then changes it.

    Args:
        table: as in `snap_gcn.training.fit.fit`, like the other arguments.
        vocabulary: see there; it has NAS-Bench-101's operators.
        metric: see there.
        recipe: a member's, of which the target counts.
        source: see there.

    Raises:
        SnapError: an operator has no vector.
    """
    recipe = replace(recipe, views=VIEWS)
    train, held = split(table, metric, 1.0, np.random.default_rng(0), source)
    data = TrainingData.build(train, held, vocabulary, metric, recipe, source)
    graphs = Graphs.from_table(data.train)
    op = vocabulary.find(data.train["space"], graphs, source)
    return PathModel.fit(graphs, op, vocabulary, data.targets.double().numpy())

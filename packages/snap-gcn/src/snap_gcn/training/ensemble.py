"""Train the members of a predictor and its `PathModel`."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import torch

from snap_gcn.data.vocabulary import Vocabulary
from snap_gcn.model.path_model import VIEWS, PathModel
from snap_gcn.model.recipe import Recipe
from snap_gcn.training.dataset import TrainingData, split
from snap_gcn.training.fit import Fitted, fit

_SEED_STEP = 1000
"""Difference between the seeds of successive members."""


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
    """Train one member per recipe, with the arguments and errors of `snap_gcn.training.fit.fit`.

    Each member has its own seed, counted from `seed`. After every epoch, `on_epoch` is called with
    the members so far, the last one in training; `begun` resumes from the last of these calls.
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
    table: pa.Table, vocabulary: Vocabulary, metric: str, recipe: Recipe, source: str = "graphs"
) -> PathModel:
    """Fit a `PathModel` to all training cells, in seconds and without randomness.

    Arguments are those of `snap_gcn.training.fit.fit`; of the recipe, only the target is used.

    Raises:
        SnapError: an operator, or NAS-Bench-101's example of a kind, has no vector.
    """
    recipe = replace(recipe, views=VIEWS)
    train, held = split(table, metric, 1.0, np.random.default_rng(0), source)
    data = TrainingData(train, held, vocabulary, metric, recipe, source)
    return PathModel.fit(*data.found(data.train), vocabulary, data.targets.double().numpy())

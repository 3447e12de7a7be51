"""Train the members of a predictor."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from snap_catalog import SnapError
from torch import Tensor
from torch.nn.functional import mse_loss

from snap_gcn.batches import Batcher
from snap_gcn.data import TrainingData, split
from snap_gcn.network import GcnNetwork
from snap_gcn.recipe import Recipe
from snap_gcn.vocabulary import Key, Vocabulary


class Epoch(NamedTuple):
    """How an epoch went: mean training loss, Kendall's tau on the validation cells, seconds."""

    loss: float
    tau: float
    seconds: float


@dataclass(frozen=True)
class Fitted:
    """A trained member of a predictor.

    Attributes:
        weights: the state of its `GcnNetwork`.
        history: one entry an epoch.
        trained: (space, operator) pairs that occur in the training cells.
        n_train: number of training cells.
        n_validate: number of validation cells.
    """

    weights: dict[str, Tensor]
    history: list[Epoch]
    trained: list[Key]
    n_train: int
    n_validate: int


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: small batches gain nothing from more, and results depend on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@_one_thread()
def fit(
    table: pa.Table,
    vocabulary: Vocabulary,
    metric: str,
    recipe: Recipe,
    *,
    seed: int,
    source: str = "graphs",
    on_epoch: Callable[[Epoch], None] = lambda _epoch: None,
) -> Fitted:
    """Train one network to regress a metric (paper, section 4).

    Args:
        table: rows of the `graphs` contract; those without a value of the metric are left out.
        vocabulary: vectors of their operators; they stay as they are.
        metric: a metric column, standardised over the training cells; its sign is turned where
            lower is better.
        recipe: network and training settings.
        seed: of the initial weights, the cells used and their order.
        source: what to call the table in an error.
        on_epoch: called with how every finished epoch went.

    Raises:
        SnapError: an operator has no vector, too few rows have the metric, all have the same value,
            or the loss diverges.
    """
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    train, held = split(table, metric, recipe.fraction, random, source)
    data = TrainingData.build(train, held, vocabulary, metric, recipe, source)
    batcher = data.batcher(random)
    network = GcnNetwork(recipe, vocabulary.vectors.shape[1])
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, recipe.step_size, recipe.gamma)
    history = []
    for number in range(1, recipe.epochs + 1):
        begin = time.perf_counter()
        if recipe.identities and number > 1:
            batcher = data.batcher(random)
        loss = _train(network, optimiser, data, batcher, random)
        if not math.isfinite(loss):
            raise SnapError(f"{source}: the loss became {loss} in epoch {number}; check {metric}")
        schedule.step()
        history.append(Epoch(loss, data.tau(network), time.perf_counter() - begin))
        on_epoch(history[-1])
    weights = {name: value.detach().clone() for name, value in network.state_dict().items()}
    return Fitted(weights, history, data.trained(batcher), len(data.targets), len(data.held))


def _train(
    network: GcnNetwork,
    optimiser: torch.optim.Optimizer,
    data: TrainingData,
    batcher: Batcher,
    random: np.random.Generator,
) -> float:
    """Pass once over the training cells, and return their mean squared error."""
    network.train()
    order = random.permutation(len(data.targets))
    total, size = 0.0, data.recipe.batch_size
    for first in range(0, len(order), size):
        rows = order[first : first + size]
        loss = mse_loss(network(data.vectors, batcher(rows)), data.targets[rows])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        total += loss.item() * len(rows)
    return total / len(order)

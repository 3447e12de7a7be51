"""Train one member of a predictor."""

import math
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict, cast

import numpy as np
import pyarrow as pa
import torch
from snap_catalog import SnapError
from snap_catalog.threads import one_thread
from torch import Tensor
from torch.nn.functional import mse_loss

from snap_gcn.data.batches import Batcher
from snap_gcn.data.vocabulary import Key, Vocabulary
from snap_gcn.model.network import GcnNetwork, TrainingEdges
from snap_gcn.model.recipe import Recipe
from snap_gcn.training import processes
from snap_gcn.training.dataset import TrainingData, split

_DIVERGED = 10.0
"""Mean squared error that counts as divergence; standardised targets give a constant 1."""


class Epoch(NamedTuple):
    """An epoch's mean training loss, Kendall's tau on the held-out cells, and seconds."""

    loss: float
    tau: float
    seconds: float


class OptimiserState(TypedDict):
    """The state of a torch optimiser."""

    state: dict[int, dict[str, Tensor]]
    param_groups: list[dict[str, Any]]


@dataclass(frozen=True)
class Rest:
    """The state from which the next epoch continues, besides the data."""

    network: dict[str, Tensor]  # state of the `GcnNetwork`
    optimiser: OptimiserState  # state of AdamW
    schedule: dict[str, Any]  # state of the learning-rate schedule
    torch_random: Tensor  # state of torch's generator
    numpy_random: Any  # state of the generator that draws the order of cells and the identities


@dataclass(frozen=True)
class Fitted:
    """A member of a predictor, trained or in training."""

    weights: dict[str, Tensor]  # the state of its `GcnNetwork` after the epoch kept
    kept: int  # that epoch, counted from 1: the last one, or the best with early stopping
    history: list[Epoch]  # one entry per epoch
    trained: list[Key]  # (space, operator) pairs that occurred in the training cells
    n_train: int  # number of training cells
    n_validate: int  # number of held-out cells
    rest: Rest | None  # the state for the next epoch; None if training is complete

    @property
    def epoch(self) -> Epoch:
        """The entry of the epoch kept."""
        return self.history[self.kept - 1]


@one_thread()
def fit(
    table: pa.Table,
    vocabulary: Vocabulary,
    metric: str,
    recipe: Recipe,
    *,
    seed: int,
    source: str = "graphs",
    patience: int | None = None,
    device: str | torch.device = "cpu",
    begun: Fitted | None = None,
    on_epoch: Callable[[Fitted], None] = lambda _fitted: None,
) -> Fitted:
    """Train one network to regress a metric (paper, section 4).

    Args:
        table: rows of the `graphs` contract; those without a value of the metric are left out.
        vocabulary: vectors of their operators, which are not trained.
        metric: a metric column; it is standardised over the training cells, and negated if lower is
            better.
        recipe: network and training settings.
        seed: of the initial weights, the cells used and their order.
        source: what to call the table in an error.
        patience: epochs without a better tau on the held-out cells after which training stops and
            the best epoch's weights are kept; None trains to the end and keeps the last.
        device: the device of the network.
        begun: the last argument of `on_epoch` in an earlier, stopped call with the same arguments;
            training continues to the same weights, bit for bit on a CPU.
        on_epoch: called after every epoch with the member in its present state.

    Raises:
        SnapError: an operator has no vector, too few rows have the metric, all have the same value,
            or training diverges.
    """
    if begun is not None and begun.rest is None:
        return begun
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    train, held = split(table, metric, recipe.fraction, random, source)
    data = TrainingData(train, held, vocabulary, metric, recipe, source)
    training = _Training(data, random, patience, torch.device(device))
    if begun is not None:
        training.resume(begun)
    while True:
        training.pass_once()
        fitted = training.fitted()
        on_epoch(fitted)
        if fitted.rest is None:
            return fitted


class _Training:
    """A member in training."""

    def __init__(
        self,
        data: TrainingData,
        random: np.random.Generator,
        patience: int | None,
        device: torch.device,
    ) -> None:
        self._data, self._recipe, self._random = data, data.recipe, random
        self._patience, self._device = patience, device
        self._vectors = torch.from_numpy(data.vocabulary.vectors).to(device)
        self._network = GcnNetwork(self._recipe, self._vectors.shape[1]).to(device)
        self._parallel = processes.parallel(self._network)
        self._optimiser = torch.optim.AdamW(
            self._network.parameters(),
            lr=self._recipe.learning_rate,
            weight_decay=self._recipe.weight_decay,
            fused=True,
        )
        self._schedule = torch.optim.lr_scheduler.StepLR(
            self._optimiser, self._recipe.step_size, self._recipe.gamma
        )
        self._batcher: Batcher | None = None
        self._trained: set[Key] = set()
        self._history: list[Epoch] = []
        self._kept, self._weights = 0, self._state()

    def resume(self, begun: Fitted) -> None:
        """Continue an earlier training after its last epoch."""
        assert begun.rest is not None
        self._network.load_state_dict(begun.rest.network)
        self._optimiser.load_state_dict({**deepcopy(begun.rest.optimiser)})
        self._schedule.load_state_dict(begun.rest.schedule)
        torch.set_rng_state(begun.rest.torch_random)
        self._random.bit_generator.state = begun.rest.numpy_random
        self._trained, self._history = set(begun.trained), list(begun.history)
        self._kept, self._weights = begun.kept, begun.weights

    def fitted(self) -> Fitted:
        """Return the member in its present state."""
        since = len(self._history) - self._kept
        impatient = self._patience is not None and since >= self._patience
        over = impatient or len(self._history) == self._recipe.epochs
        return Fitted(
            weights=self._weights,
            kept=self._kept,
            history=list(self._history),
            trained=sorted(self._trained, key=str),
            n_train=len(self._data.targets),
            n_validate=len(self._data.held),
            rest=None if over else self._rest(),
        )

    def pass_once(self) -> None:
        """Train one epoch, and measure tau on the held-out cells."""
        begin = time.perf_counter()
        if self._batcher is None or self._recipe.identities:
            self._batcher = self._data.batcher(self._random)
            self._trained.update(self._data.trained(self._batcher))
        loss = self._train(self._batcher)
        self._schedule.step()
        state = self._state()
        tau = processes.gathered(self._data.tau(self._network))[0]
        self._check(loss, tau)
        self._history.append(Epoch(loss, tau, time.perf_counter() - begin))
        if self._patience is None or not self._kept or tau > self._history[self._kept - 1].tau:
            self._kept, self._weights = len(self._history), state

    def _train(self, batcher: Batcher) -> float:
        """Train on all batches, and return the mean squared error."""
        self._network.train()
        order = self._random.permutation(len(self._data.targets))
        total, seen, size = 0.0, 0, self._recipe.batch_size
        for first in range(0, len(order), size):
            rows = processes.share(order[first : first + size])
            if not len(rows):
                continue
            loss = self._step(batcher, rows)
            if not math.isfinite(loss):
                raise self._failure(f"the loss became {loss}")
            total, seen = total + loss * len(rows), seen + len(rows)
        return float(np.mean(processes.gathered(total / seen)))

    def _step(self, batcher: Batcher, rows: Any) -> float:
        targets = self._data.targets[rows].to(self._device)
        graphs = TrainingEdges(*map(torch.from_numpy, batcher(rows))).to(self._device)
        loss = mse_loss(self._parallel(self._vectors, graphs), targets)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        return loss.item()

    def _check(self, loss: float, tau: float) -> None:
        """Raise an error if training failed."""
        if self._history and loss > _DIVERGED:
            raise self._failure(f"training diverged: the loss, 1 for a constant, became {loss:.3g}")
        if not math.isfinite(tau):
            raise self._failure("the network began to score all held-out cells alike, or as nan")

    def _failure(self, problem: str) -> SnapError:
        epoch, data = len(self._history) + 1, self._data
        return SnapError(f"{data.source}: {problem} in epoch {epoch}; check {data.metric}")

    def _rest(self) -> Rest:
        return Rest(
            network=self._state(),
            optimiser=cast(OptimiserState, deepcopy(self._optimiser.state_dict())),
            schedule=self._schedule.state_dict(),
            torch_random=torch.get_rng_state(),
            numpy_random=self._random.bit_generator.state,
        )

    def _state(self) -> dict[str, Tensor]:
        """Return a copy of the network's state."""
        return {k: v.detach().cpu().clone() for k, v in self._network.state_dict().items()}

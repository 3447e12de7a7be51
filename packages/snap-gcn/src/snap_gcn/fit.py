"""Train a predictor."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from scipy.stats import kendalltau
from snap_catalog import SnapError
from snap_graphs import Graphs
from snap_graphs.arrays import Bools, Ints
from torch import Tensor
from torch.nn.functional import mse_loss

from snap_gcn.batches import Batcher
from snap_gcn.inference import score
from snap_gcn.network import GcnNetwork
from snap_gcn.recipe import Recipe
from snap_gcn.vocabulary import Key, Vocabulary, keys_of


class Epoch(NamedTuple):
    """How an epoch went: mean training loss, Kendall's tau on the validation cells, seconds."""

    loss: float
    tau: float
    seconds: float


@dataclass(frozen=True)
class Fitted:
    """A trained predictor.

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


def fit(
    table: pa.Table,
    vocabulary: Vocabulary,
    metric: str,
    recipe: Recipe,
    *,
    seed: int,
    source: str = "graphs",
    on_epoch: Callable[[int, Epoch], None] = lambda _number, _epoch: None,
) -> Fitted:
    """Train a network to regress a metric (paper, section 4).

    Args:
        table: rows of the `graphs` contract; those without a value of the metric are left out.
        vocabulary: vectors of their operators; they stay as they are.
        metric: a metric column, standardised over the training cells; its sign is turned where
            lower is better.
        recipe: network and training settings.
        seed: of the initial weights, the cells used and their order.
        source: what to call the table in an error.
        on_epoch: called with the number of every finished epoch, from 1, and how it went.

    Raises:
        SnapError: an operator has no vector, too few rows have the metric, or the loss diverges.
    """
    with _one_thread():
        return _fit(table, vocabulary, metric, recipe, seed, source, on_epoch)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: small batches gain nothing from more, and results depend on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _fit(
    table: pa.Table,
    vocabulary: Vocabulary,
    metric: str,
    recipe: Recipe,
    seed: int,
    source: str,
    on_epoch: Callable[[int, Epoch], None],
) -> Fitted:
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    data = _Data.build(table, vocabulary, metric, recipe, random, source)
    network = GcnNetwork(recipe, vocabulary.vectors.shape[1])
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, recipe.step_size, recipe.gamma)
    history = []
    for number in range(1, recipe.epochs + 1):
        begin = time.perf_counter()
        loss = _train(network, optimiser, data, random, recipe.batch_size)
        if not math.isfinite(loss):
            raise SnapError(f"{source}: the loss became {loss} in epoch {number}; check {metric}")
        schedule.step()
        history.append(Epoch(loss, data.tau(network), time.perf_counter() - begin))
        on_epoch(number, history[-1])
    weights = {name: value.detach().clone() for name, value in network.state_dict().items()}
    return Fitted(weights, history, data.trained(), len(data.targets), len(data.held))


def held_out(table: pa.Table) -> Bools:
    """Mark the tenth of the cells that is kept for validation.

    The rule is `int(hash[-8:], 16) % 10 == 0`, over NAS-Bench-101's MD5 module hash where the
    table has it and over `cell_hash` elsewhere, so that isomorphic cells stay together.
    """
    column = "module_hash" if "module_hash" in table.column_names else "cell_hash"
    return np.array([int(h[-8:], 16) % 10 == 0 for h in table[column].to_pylist()], np.bool_)


@dataclass(frozen=True)
class _Data:
    """Training cells as a batcher, validation cells as graphs for inference.

    Attributes:
        vocabulary: vectors of the operators.
        vectors: the same as a tensor.
        batcher: the training cells.
        targets: (train,) what to regress.
        held: the validation cells.
        held_op: (held nodes,) rows of their operators' vectors.
        held_merit: (validate,) what they should be ranked by.
    """

    vocabulary: Vocabulary
    vectors: Tensor
    batcher: Batcher
    targets: Tensor
    held: Graphs
    held_op: Ints
    held_merit: npt.NDArray[np.float64]

    @classmethod
    def build(
        cls,
        table: pa.Table,
        vocabulary: Vocabulary,
        metric: str,
        recipe: Recipe,
        random: np.random.Generator,
        source: str,
    ) -> "_Data":
        table = table.filter(table[metric].is_valid())
        validating = held_out(table)
        train, validate = np.flatnonzero(~validating), np.flatnonzero(validating)
        if len(train) < 2 or len(validate) < 2:
            raise SnapError(f"{source}: too few architectures have {metric} ({table.num_rows})")
        count = max(2, round(recipe.fraction * len(train)))
        train = np.sort(random.permutation(train)[:count])
        parts = [table.take(train), table.take(validate)]
        graphs = [Graphs.from_table(part) for part in parts]
        op = [vocabulary.find(p, g, source) for p, g in zip(parts, graphs, strict=True)]
        merit, held_merit = (_merit(part, metric) for part in parts)
        if not merit.std():
            raise SnapError(f"{source}: {metric} is the same for every training cell")
        return cls(
            vocabulary=vocabulary,
            vectors=torch.from_numpy(vocabulary.vectors),
            batcher=Batcher.build(graphs[0], op[0]),
            targets=torch.from_numpy((merit - merit.mean()) / merit.std()).float(),
            held=graphs[1],
            held_op=op[1],
            held_merit=held_merit,
        )

    def trained(self) -> list[Key]:
        """List the operators that occur in the training cells."""
        return keys_of(self.vocabulary.table, self.batcher.op)

    def tau(self, network: GcnNetwork) -> float:
        """Return Kendall's tau between scores and targets of the validation cells."""
        scores = score(network.state_dict(), self.vocabulary.vectors, self.held, self.held_op)
        return float(kendalltau(scores, self.held_merit).statistic)


def _merit(table: pa.Table, metric: str) -> npt.NDArray[np.float64]:
    sign = -1.0 if table.schema.field(metric).metadata[b"direction"] == b"min" else 1.0
    values: npt.NDArray[np.float64] = table[metric].to_numpy()
    return sign * values


def _train(
    network: GcnNetwork,
    optimiser: torch.optim.Optimizer,
    data: _Data,
    random: np.random.Generator,
    batch_size: int,
) -> float:
    """Pass once over the training cells, and return their mean squared error."""
    network.train()
    order = random.permutation(len(data.targets))
    total = 0.0
    for first in range(0, len(order), batch_size):
        rows = order[first : first + batch_size]
        loss = mse_loss(network(data.vectors, data.batcher(rows)), data.targets[rows])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        total += loss.item() * len(rows)
    return total / len(order)

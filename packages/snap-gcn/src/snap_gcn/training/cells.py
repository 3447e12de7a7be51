"""The cells a predictor is trained on, and those it is only measured on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from scipy.stats import kendalltau, rankdata
from snap_catalog import SnapError, direction_of
from snap_graphs import Graphs, views
from snap_graphs.arrays import Bools, Ints
from torch import Tensor

from snap_gcn.data.batches import Batcher
from snap_gcn.data.views import viewed
from snap_gcn.data.vocabulary import Key, Vocabulary, keys_of
from snap_gcn.model.export import score
from snap_gcn.model.network import GcnNetwork
from snap_gcn.model.recipe import Recipe

_FEWEST = 1000
"""Training cells that are used whatever the recipe's share."""


def held_out(table: pa.Table) -> Bools:
    """Mark the tenth of the cells that is kept for validation.

    The rule is `int(hash[-8:], 16) % 10 == 0`, over NAS-Bench-101's MD5 module hash where the
    table has it and over `cell_hash` elsewhere, so that isomorphic cells stay together.
    """
    column = "module_hash" if "module_hash" in table.column_names else "cell_hash"
    return np.array([int(h[-8:], 16) % 10 == 0 for h in table[column].to_pylist()], np.bool_)


def split(
    table: pa.Table, metric: str, fraction: float, random: np.random.Generator, source: str
) -> tuple[pa.Table, pa.Table]:
    """Return the cells to train on, and those held out; both have a value of the metric.

    Args:
        table: rows of the `graphs` contract.
        metric: a metric column.
        fraction: share of the training cells that is kept, drawn at random; 1,000 at least, where
            there are so many.
        random: draws them.
        source: what to call the table in an error.

    Raises:
        SnapError: fewer than two cells are left on a side.
    """
    table = table.filter(table[metric].is_valid())
    validating = held_out(table)
    train, validate = np.flatnonzero(~validating), np.flatnonzero(validating)
    if len(train) < 2 or len(validate) < 2:
        raise SnapError(f"{source}: too few architectures have {metric} ({table.num_rows})")
    count = min(max(_FEWEST, round(fraction * len(train))), len(train))
    kept = np.sort(random.permutation(train)[:count])
    return table.take(kept), table.take(validate)


@dataclass(frozen=True)
class TrainingData:
    """Training cells, laid out anew for every epoch, and validation cells for inference.

    Attributes:
        recipe: how they are seen.
        vocabulary: vectors of the operators.
        vectors: the same as a tensor.
        metric: what is regressed.
        train: the training cells, viewed.
        targets: (train,) what to regress.
        held: the validation cells, viewed.
        held_op: (held nodes,) rows of their operators' vectors.
        held_merit: (validate,) what they should be ranked by.
        source: what to call the table in an error.
    """

    recipe: Recipe
    vocabulary: Vocabulary
    vectors: Tensor
    metric: str
    train: pa.Table
    targets: Tensor
    held: Graphs
    held_op: Ints
    held_merit: npt.NDArray[np.float64]
    source: str

    @classmethod
    def build(
        cls,
        train: pa.Table,
        held: pa.Table,
        vocabulary: Vocabulary,
        metric: str,
        recipe: Recipe,
        source: str,
    ) -> "TrainingData":
        """Lay out two sets of cells.

        Raises:
            SnapError: an operator has no vector, or all cells of a set are alike in the metric.
        """
        seen = viewed(held, recipe.views)
        graphs = Graphs.from_table(seen)
        return cls(
            recipe=recipe,
            vocabulary=vocabulary,
            vectors=torch.from_numpy(vocabulary.vectors),
            metric=metric,
            train=viewed(train, recipe.views),
            targets=_targets(train, metric, recipe, source),
            held=graphs,
            held_op=vocabulary.find(seen["space"], graphs, source),
            held_merit=_merit(held, metric, source, "held-out"),
            source=source,
        )

    def batcher(self, random: np.random.Generator) -> Batcher:
        """Lay out the training cells, with identities inserted anew where the recipe has any."""
        table = self.train
        if self.recipe.identities:
            table = views.insert_identities(table, random, self.recipe.identities)
        graphs = Graphs.from_table(table)
        return Batcher.build(graphs, self.vocabulary.find(table["space"], graphs, self.source))

    def trained(self, batcher: Batcher) -> list[Key]:
        """List the operators that occur in the training cells."""
        return keys_of(self.vocabulary.table, batcher.op)

    def tau(self, network: GcnNetwork) -> float:
        """Return Kendall's tau between scores and merits of the validation cells."""
        member = network.folded().to("cpu")
        (scores,) = score([member], self.vocabulary.vectors, self.held, self.held_op)
        return float(kendalltau(scores, self.held_merit).statistic)


def _merit(table: pa.Table, metric: str, source: str, part: str) -> npt.NDArray[np.float64]:
    sign = -1.0 if direction_of(table.schema, metric) == "min" else 1.0
    values: npt.NDArray[np.float64] = table[metric].to_numpy()
    if not values.std():
        raise SnapError(f"{source}: {metric} is the same for every {part} cell")
    return sign * values


def _targets(table: pa.Table, metric: str, recipe: Recipe, source: str) -> Tensor:
    merit = _merit(table, metric, source, "training")
    if recipe.target == "rank":
        merit = rankdata(merit) / len(merit)
    return torch.from_numpy((merit - merit.mean()) / merit.std()).float()

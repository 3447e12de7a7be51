"""Training and held-out cells."""

import numpy as np
import pyarrow as pa
import torch
from scipy.stats import kendalltau, rankdata
from snap_catalog import SnapError, direction_of
from snap_catalog.metrics import oriented
from snap_graphs import Graphs, views
from snap_graphs.arrays import Bools, Ints

from snap_gcn.data.arrays import Floats
from snap_gcn.data.batches import Batcher
from snap_gcn.data.views import viewed
from snap_gcn.data.vocabulary import Key, Vocabulary, keys_of
from snap_gcn.model.export import score
from snap_gcn.model.network import GcnNetwork
from snap_gcn.model.recipe import Recipe

_FEWEST = 1000
"""Fewest training cells, whatever the recipe's share."""


def held_out(table: pa.Table) -> Bools:
    """Mark the tenth of the cells that is held out for validation.

    The rule is `int(hash[-8:], 16) % 10 == 0`, with NAS-Bench-101's MD5 module hash if the table
    has it, and `cell_hash` otherwise, so that isomorphic cells stay together.
    """
    column = "module_hash" if "module_hash" in table.column_names else "cell_hash"
    return np.array([int(h[-8:], 16) % 10 == 0 for h in table[column].to_pylist()], np.bool_)


def split(
    table: pa.Table, metric: str, fraction: float, random: np.random.Generator, source: str
) -> tuple[pa.Table, pa.Table]:
    """Split the cells that have a value of a metric into training and held-out cells.

    Of the training cells, a `fraction` is drawn, but at least 1,000 cells if there are enough.
    `source` names the table in an error.

    Raises:
        SnapError: fewer than two training or held-out cells are left.
    """
    table = table.filter(table[metric].is_valid())
    validating = held_out(table)
    train, validate = np.flatnonzero(~validating), np.flatnonzero(validating)
    if len(train) < 2 or len(validate) < 2:
        raise SnapError(f"{source}: too few architectures have {metric} ({table.num_rows})")
    count = min(max(_FEWEST, round(fraction * len(train))), len(train))
    kept = np.sort(random.permutation(train)[:count])
    return table.take(kept), table.take(validate)


class TrainingData:
    """Training cells, batched again for every epoch, and held-out cells for validation.

    Attributes:
        train: the training cells, through the views of the recipe.
        targets: (train,) the values to regress.
        held: the held-out cells, through the views.
    """

    def __init__(
        self,
        train: pa.Table,
        held: pa.Table,
        vocabulary: Vocabulary,
        metric: str,
        recipe: Recipe,
        source: str,
    ) -> None:
        """Prepare training and held-out cells; `source` names the table in errors.

        Raises:
            SnapError: an operator has no vector, or all cells of a set have the same value.
        """
        self.vocabulary, self.metric = vocabulary, metric
        self.recipe, self.source = recipe, source
        self.train = viewed(train, recipe.views)
        self.held, self._held_op = self.found(viewed(held, recipe.views))
        targets = _oriented(train, metric, source, "training")
        if recipe.target == "rank":
            targets = rankdata(targets) / len(targets)
        self.targets = torch.from_numpy((targets - targets.mean()) / targets.std()).float()
        self._held_oriented = _oriented(held, metric, source, "held-out")

    def found(self, table: pa.Table) -> tuple[Graphs, Ints]:
        """Return the graphs of a table, and (nodes,) the rows of their operators' vectors."""
        graphs = Graphs.from_table(table)
        return graphs, self.vocabulary.find(table["space"], graphs, self.source)

    def batcher(self, random: np.random.Generator) -> Batcher:
        """Prepare batches of the training cells, with newly drawn identity operators if any."""
        table = self.train
        if self.recipe.identities:
            table = views.insert_identities(table, random, self.recipe.identities)
        return Batcher.build(*self.found(table))

    def trained(self, batcher: Batcher) -> list[Key]:
        """List the operators that occur in the training cells."""
        return keys_of(self.vocabulary.table, batcher.op)

    def tau(self, network: GcnNetwork) -> float:
        """Compute Kendall's tau between scores and metric of the held-out cells."""
        member = network.folded().to("cpu")
        (scores,) = score([member], self.vocabulary.vectors, self.held, self._held_op)
        return float(kendalltau(scores, self._held_oriented).statistic)


def _oriented(table: pa.Table, metric: str, source: str, part: str) -> Floats:
    values: Floats = table[metric].to_numpy()
    if not values.std():
        raise SnapError(f"{source}: {metric} is the same for every {part} cell")
    return oriented(values, direction_of(table.schema, metric) or "max")

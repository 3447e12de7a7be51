"""What a search that measures is put together from."""

from typing import NamedTuple, Protocol

import pyarrow as pa
from snap_catalog.catalog import Direction

from snap_evo.objectives import Floats


class Measured(NamedTuple):
    """What a search knows so far.

    Attributes:
        graphs: n rows of the `graphs` contract, one a measurement; an architecture that was
            measured twice is there twice.
        values: (n,) the metric; NaN where the measurement failed.
        direction: whether more (`max`) or less (`min`) of the metric is better.
        pending: rows of architectures that were asked for and are not measured yet.
    """

    graphs: pa.Table
    values: Floats
    direction: Direction
    pending: pa.Table


class Surrogate(Protocol):
    """Learns a metric from measurements (entry points `snap.surrogates`)."""

    def fit(self, graphs: pa.Table, values: Floats, direction: Direction) -> None:
        """Learn from all measurements so far, in place of what was learned before.

        Args:
            graphs: n rows of the `graphs` contract; equal architectures may repeat.
            values: (n,) finite values of the metric.
            direction: whether more or less of it is better.
        """

    def predict(self, graphs: pa.Table) -> tuple[Floats, Floats]:
        """Predict the metric of n architectures.

        Returns:
            (n,) means and (n,) standard deviations on a scale of the surrogate's own, on which
            more is better whatever the direction.
        """


class Proposer(Protocol):
    """Chooses what to measure next."""

    def propose(self, known: Measured, count: int) -> pa.Table:
        """Choose architectures that are neither measured nor pending.

        Returns:
            At most `count` different rows of the `graphs` contract, the most promising first;
            fewer where no more are left.
        """

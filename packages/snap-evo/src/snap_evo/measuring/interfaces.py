"""What a search that measures is put together from."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import pyarrow as pa
from snap_catalog.catalog import Direction

from snap_evo.objectives import Floats


class Observations(NamedTuple):
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

    def propose(self, known: Observations, count: int) -> pa.Table:
        """Choose architectures that are neither measured nor pending.

        Returns:
            At most `count` different rows of the `graphs` contract, the most promising first;
            fewer where no more are left.
        """


class Outcome(NamedTuple):
    """What measuring an architecture came to.

    Attributes:
        value: the metric; None where the measurement failed.
        costs: further figures by name, as a latency.
        note: a remark, as why the measurement failed.
    """

    value: float | None
    costs: Mapping[str, float] = {}
    note: str = ""


class Measurer(Protocol):
    """Measures architectures, as by training them.

    Attributes:
        metric: name of what it measures.
        direction: whether more (`max`) or less (`min`) of it is better.
    """

    metric: str
    direction: Direction

    def measure(self, graph: pa.Table, folder: Path) -> Outcome:
        """Measure an architecture.

        What goes wrong with this architecture is an outcome without value, and the search goes on.

        Args:
            graph: one row of the `graphs` contract.
            folder: of this measurement alone, for files; it holds what an earlier attempt left.

        Raises:
            SnapError: no architecture can be measured, so that the search must end.
        """

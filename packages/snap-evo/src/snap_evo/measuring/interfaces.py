"""The interfaces of the parts of a search that measures."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import pyarrow as pa
from snap_catalog.catalog import Direction

from snap_evo.objectives import Floats


class Observations(NamedTuple):
    """The measurements of a search so far.

    Attributes:
        graphs: n rows of the `graphs` contract, one per measurement; an architecture that was
            measured twice has two rows.
        values: (n,) the metric, NaN for failed measurements.
        direction: whether a higher (`max`) or lower (`min`) value of the metric is better.
        pending: rows of architectures that were proposed and are not measured yet.
    """

    graphs: pa.Table
    values: Floats
    direction: Direction
    pending: pa.Table


class Surrogate(Protocol):
    """Learns a metric from measurements (entry points `snap.surrogates`)."""

    def fit(self, graphs: pa.Table, values: Floats, direction: Direction) -> None:
        """Learn from all measurements so far, and forget what was learned before.

        Args:
            graphs: n rows of the `graphs` contract; architectures may repeat.
            values: (n,) finite values of the metric.
            direction: whether a higher or lower value is better.
        """

    def predict(self, graphs: pa.Table) -> tuple[Floats, Floats]:
        """Predict the metric of n architectures.

        Returns:
            (n,) means and (n,) standard deviations on the surrogate's own scale, on which higher is
            better for either direction.
        """


class Proposer(Protocol):
    """Chooses what to measure next."""

    def propose(self, known: Observations, count: int) -> pa.Table:
        """Choose architectures that are neither measured nor pending.

        Returns:
            At most `count` different rows of the `graphs` contract, the most promising first;
            fewer if no more are left.
        """


class Outcome(NamedTuple):
    """The result of measuring an architecture.

    Attributes:
        value: the metric; None if the measurement failed.
        costs: by name further measured values, such as a latency.
        note: a remark, such as why the measurement failed.
    """

    value: float | None
    costs: Mapping[str, float] = {}
    note: str = ""


class Measurer(Protocol):
    """Measures architectures, for example by training them.

    Attributes:
        metric: name of the metric.
        direction: whether a higher (`max`) or lower (`min`) value is better.
    """

    metric: str
    direction: Direction

    def measure(self, graph: pa.Table, folder: Path) -> Outcome:
        """Measure an architecture.

        A failure of this architecture is an outcome without value, and the search continues.

        Args:
            graph: one row of the `graphs` contract.
            folder: for the files of this measurement; it holds those of an earlier attempt.

        Raises:
            SnapError: no architecture can be measured, so that the search must end.
        """

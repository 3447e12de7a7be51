"""A predictor's scores, corrected by what was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog import SnapError

from snap_gcn.adaptation.features import COSTS, GROUPS, Features, features, operators_in
from snap_gcn.adaptation.given import NO_SCORES, Given
from snap_gcn.adaptation.surrogate import WEIGHT, Points, Surrogate
from snap_gcn.data.equality import Keys
from snap_gcn.predictor import ROWS, Examined, Parts, Predictor
from snap_gcn.ranks import ranks
from snap_gcn.threads import in_order

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SAMPLE = 2000
"""Architectures from which means and deviations of features are taken."""


class Predicted(NamedTuple):
    """What an adaptation says of n architectures.

    Attributes:
        score: (n,) higher is better.
        value: (n,) the metric to expect, in its unit.
        std: (n,) standard deviation of a measurement around it.
    """

    score: Floats
    value: Floats
    std: Floats


@dataclass(frozen=True)
class Scale:
    """Brings features to mean 0 and deviation 1 over the architectures of a file.

    Attributes:
        centre: by group, (k,) means; of the score too.
        width: by group, (k,) deviations, 0 where all are alike.
    """

    centre: Mapping[str, Floats]
    width: Mapping[str, Floats]

    @classmethod
    def of(cls, found: Features) -> "Scale":
        """Take means and deviations of (n, k) features by group."""
        centre = {name: values.mean(axis=0) for name, values in found.items()}
        width = {name: values.std(axis=0) for name, values in found.items()}
        return cls(centre, width)

    def __call__(self, found: Features) -> Points:
        """Standardise features; those that were alike in the file are 0."""
        scaled = {
            name: np.where(width > 0, (found[name] - self.centre[name]) / _or_one(width), 0)
            for name, width in self.width.items()
        }
        return Points(scaled["score"][:, 0], [scaled[name] for name in GROUPS])


def _or_one(width: Floats) -> Floats:
    """Return deviations, 1 in place of 0."""
    return np.where(width > 0, width, 1.0)


class Inputs(NamedTuple):
    """What an adaptation looks at, beside what the predictor finds.

    Attributes:
        operators: those that are counted.
        costs: columns of costs.
        scorers: other scorers, whose scores join the costs.
    """

    operators: Sequence[str]
    costs: Sequence[str]
    scorers: Sequence[str] = ()


@dataclass(frozen=True)
class Adaptation:
    """What a predictor learned from measurements.

    Attributes:
        inputs: what is looked at.
        scale: of the features.
        surrogate: of standardised values.
        anchors: (2, k) standardised values, in ascending order, and the metric at each.
    """

    inputs: Inputs
    scale: Scale
    surrogate: Surrogate
    anchors: Floats

    @classmethod
    def fit(
        cls,
        predictor: Predictor,
        table: pa.Table,
        rows: Ints,
        measured: Floats,
        *,
        less: bool,
        given: Given = NO_SCORES,
    ) -> "Adaptation":
        """Learn from the architectures of a table that were measured.

        Args:
            predictor: what scores them without.
            table: rows of the `graphs` contract, of which up to 2,000, evenly spaced, scale
                the features.
            rows: (n,) the rows that were measured; one that was measured twice is there twice.
            measured: (n,) the metric.
            less: whether less of it is better.
            given: scores to look at besides.

        Raises:
            SnapError: an operator of a graph for which the members count has no vector, or an
                architecture has no score among those given.
        """
        operators = operators_in(table)
        sample = evenly(table, SAMPLE)
        found = examined(predictor, sample)
        inputs = Inputs(operators, usable(found.keys, sample), [*given.scores])
        others = given.of(sample, inputs.scorers)
        scale = Scale.of(features_of(found, sample, inputs, others))
        labelled = table.take(rows)
        others = given.of(labelled, inputs.scorers)
        points = scale(features_of(examined(predictor, labelled), labelled, inputs, others))
        return cls.of(inputs, scale, points, measured, less=less)

    @classmethod
    def of(
        cls, inputs: Inputs, scale: Scale, points: Points, measured: Floats, *, less: bool
    ) -> "Adaptation":
        """Learn from n points and the (n,) metric measured there; see `fit`."""
        targets = normal_scores(-measured if less else measured)
        surrogate = Surrogate.fit(points, targets)
        return cls(inputs, scale, surrogate, _anchors(targets, measured))

    def predict(
        self,
        found: Examined,
        table: pa.Table,
        others: Floats | None = None,
        source: str = "graphs",
    ) -> Predicted:
        """Predict the metric of n rows of the `graphs` contract.

        Args:
            found: what the predictor found in them.
            table: the rows.
            others: (n, s) scores of the other scorers that are looked at.
            source: what to call them in an error.

        Raises:
            SnapError: a row has no value of a cost.
        """
        points = self.scale(features_of(found, table, self.inputs, others, source))
        return self.in_unit(*self.surrogate.predict(points))

    def in_unit(self, mean: Floats, std: Floats) -> Predicted:
        """Return (n,) standardised means and deviations with the metric that they mean."""
        low, high = (_interpolated(mean + side * std, self.anchors) for side in (-1, 1))
        return Predicted(mean, _interpolated(mean, self.anchors), np.abs(high - low) / 2)

    def relevance(self) -> dict[str, float]:
        """Return what share of the prior variance the score has, and each group that differs."""
        surrogate = self.surrogate
        count = len(GROUPS)
        linear, lengths = np.exp(surrogate.theta[: count + 1]), surrogate.theta[count + 1 : -2]
        close = np.exp(-2 * lengths)
        smooth = np.exp(surrogate.theta[-2]) * close / close.sum()
        shares = {"score": WEIGHT**2 + float(linear[0])}
        for name, variance, part in zip(GROUPS, linear[1:], smooth, strict=True):
            if self.scale.width[name].any():
                shares[name] = float(variance + part)
        return {name: share / sum(shares.values()) for name, share in shares.items()}

    def tensors(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return what `from_tensors` takes."""
        surrogate = self.surrogate
        named = {"anchors": self.anchors, "theta": surrogate.theta, "values": surrogate.values}
        named["points.score"] = surrogate.points.score
        for name, values in zip(GROUPS, surrogate.points.groups, strict=True):
            named[f"points.{name}"] = values
        for name in ("score", *GROUPS):
            named[f"centre.{name}"] = self.scale.centre[name]
            named[f"width.{name}"] = self.scale.width[name]
        return {name: values.astype(np.float64) for name, values in named.items()}

    @classmethod
    def from_tensors(
        cls,
        tensors: Mapping[str, npt.NDArray[np.generic]],
        inputs: Inputs,
        source: str,
    ) -> "Adaptation":
        """Return the adaptation that `tensors` was called of.

        Args:
            tensors: by name.
            inputs: what is looked at.
            source: the file's name, for an error.

        Raises:
            SnapError: a tensor is missing, has another shape, or is not finite.
        """
        known = _checked(tensors, inputs, source)
        groups = [known[f"points.{name}"] for name in GROUPS]
        points = Points(known["points.score"], groups)
        centre, width = (
            {name: known[f"{part}.{name}"] for name in ("score", *GROUPS)}
            for part in ("centre", "width")
        )
        surrogate = Surrogate.conditioned(points, known["theta"], known["values"])
        return cls(inputs, Scale(centre, width), surrogate, known["anchors"])


def _checked(
    tensors: Mapping[str, npt.NDArray[np.generic]], inputs: Inputs, source: str
) -> Mapping[str, Floats]:
    """Return the tensors of an adaptation, by name.

    Raises:
        SnapError: one is missing, has another shape, or is not finite.
    """
    count = len(tensors.get("values", ()))
    sizes = {name: len(tensors.get(f"width.{name}", ())) for name in GROUPS}
    numbers = len(inputs.costs) + len(inputs.scorers)
    sizes |= {"score": 1, "operators": 9 * len(inputs.operators) + 3, "costs": numbers}
    shapes: dict[str, tuple[int, ...]] = {
        f"{part}.{name}": (size,) for part in ("centre", "width") for name, size in sizes.items()
    }
    shapes |= {f"points.{name}": (count, sizes[name]) for name in GROUPS}
    shapes |= {"points.score": (count,), "values": (count,), "theta": (2 * len(GROUPS) + 3,)}
    shapes["anchors"] = (2, len(tensors["anchors"].T) if "anchors" in tensors else 1)
    for name, shape in shapes.items():
        found = tensors.get(name)
        if (
            found is None
            or found.shape != shape
            or found.dtype != np.float64
            or not (count and np.isfinite(found).all())
        ):
            raise SnapError(
                f"{source}: {name} is not {shape} finite numbers; run snap-gcn adapt again"
            )
    return {name: tensors[name].astype(np.float64) for name in shapes}


def evenly(table: pa.Table, most: int) -> pa.Table:
    """Return up to so many rows of a table, evenly spaced."""
    step = max(1, -(-table.num_rows // most))
    return table.take(np.arange(0, table.num_rows, step))


def examined(predictor: Predictor, table: pa.Table, source: str = "graphs") -> Examined:
    """Examine n rows of the `graphs` contract, some at a time, each core its own.

    Raises:
        SnapError: an operator of a graph for which the members count has no vector.
    """
    slices = (table.slice(i, ROWS) for i in range(0, max(table.num_rows, 1), ROWS))
    found = [*in_order(lambda part: predictor.examine(part, source), slices, predictor.workers)]
    figures = np.concatenate([part.figures for part in found], axis=1)
    keys = np.concatenate([part.keys for part in found])
    parts = Parts(*map(np.concatenate, zip(*(part.parts for part in found), strict=True)))
    return Examined(figures, keys, parts)


def usable(keys: Keys, table: pa.Table) -> list[str]:
    """Return the costs that all graphs of a table have, equal ones where the networks are equal.

    The costs of operators that compute nothing would make equal networks differ.

    Args:
        keys: (n,) numbers that equal networks share.
        table: n rows of the `graphs` contract.
    """
    _, place = np.unique(keys, return_inverse=True)
    found = []
    for name in COSTS:
        if name in table.column_names and not table[name].null_count:
            values = table[name].to_numpy()
            if len(np.unique(np.stack([place, values]), axis=1).T) == place.max(initial=-1) + 1:
                found.append(name)
    return found


def check_costs(table: pa.Table, costs: Sequence[str], source: str) -> None:
    """Refuse graphs that lack costs.

    Raises:
        SnapError: naming the first that is missing or unknown of a graph.
    """
    for name in costs:
        if name not in table.column_names or table[name].null_count:
            raise SnapError(
                f"{source}: no {name} of every architecture, at which the adaptation looks; "
                "make the file by snap-graphs, or adapt to a file without"
            )


def features_of(
    found: Examined,
    table: pa.Table,
    inputs: Inputs,
    others: Floats | None = None,
    source: str = "graphs",
) -> Features:
    """Return `features` of n graphs, and of the group `score` their (n, 1) zero-shot scores.

    Args:
        found: what the predictor found in the graphs.
        table: the graphs, as rows of the `graphs` contract.
        inputs: what is looked at besides.
        others: (n, s) scores of other scorers, which join the costs.
        source: what to call the table in an error.

    Raises:
        SnapError: a row has no value of a cost.
    """
    check_costs(table, inputs.costs, source)
    own = features(found.parts, table, inputs.operators, inputs.costs)
    costs = own["costs"] if others is None else np.hstack([own["costs"], others])
    return {"score": found.figures[0][:, None], **own, "costs": costs}


def normal_scores(values: Floats) -> Floats:
    """Return the normal quantiles of (n,) values' ranks; equal values share their mean rank."""
    shares = (ranks(values) - 0.5) / max(len(values), 1)
    return np.array([NormalDist().inv_cdf(share) for share in shares.tolist()])


def _anchors(targets: Floats, measured: Floats) -> Floats:
    places, rows = np.unique(targets, return_index=True)
    return np.stack([places, measured[rows]])


def _interpolated(places: Floats, anchors: Floats) -> Floats:
    """Return the metric at standardised values.

    It lies on straight lines between the anchors; beyond the first and the last, on those from the
    median through these, so that a failure at one end says nothing of the other.
    """
    known, values = anchors
    found: Floats = np.interp(places, known, values)
    beyond = np.minimum(places - known[0], 0), np.maximum(places - known[-1], 0)
    for end, far in zip((0, -1), beyond, strict=True):
        if known[end]:
            found = found + far * (values[end] - np.interp(0, known, values)) / known[end]
    return found

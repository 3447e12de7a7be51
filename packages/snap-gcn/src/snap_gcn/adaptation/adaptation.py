"""Correct a predictor's scores by measurements, with a Gaussian process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog import SnapError
from snap_graphs.arrays import Ints

from snap_gcn.adaptation.features import COSTS, GROUPS, Features, features, operators_in
from snap_gcn.adaptation.other_scores import NO_SCORES, OtherScores
from snap_gcn.adaptation.surrogate import WEIGHT, Points, Surrogate
from snap_gcn.data.arrays import Floats, evenly_spaced
from snap_gcn.data.hashing import Keys
from snap_gcn.model.folder import checked_tensors
from snap_gcn.predictor import ROWS, Examined, Parts, Predictor
from snap_gcn.ranks import ranks
from snap_gcn.threads import in_order

SAMPLE = 2000
"""Architectures from which means and standard deviations of features are computed."""


class Predicted(NamedTuple):
    """The predictions of an adaptation for n architectures."""

    score: Floats  # (n,) higher is better
    value: Floats  # (n,) the metric to expect, in its unit
    std: Floats  # (n,) standard deviation of a measurement around it


@dataclass(frozen=True)
class Scale:
    """Standardises features to mean 0 and standard deviation 1 over the architectures of a file."""

    centre: Mapping[str, Floats]  # (k,) means by group, including the group `score`
    width: Mapping[str, Floats]  # (k,) standard deviations by group

    @classmethod
    def of(cls, found: Features) -> "Scale":
        """Compute means and standard deviations of (n, k) features by group."""
        centre = {name: values.mean(axis=0) for name, values in found.items()}
        width = {name: values.std(axis=0) for name, values in found.items()}
        return cls(centre, width)

    def __call__(self, found: Features) -> Points:
        """Standardise features; features that are constant over the file become 0."""
        scaled = {
            name: np.where(
                width > 0, (found[name] - self.centre[name]) / np.where(width > 0, width, 1.0), 0
            )
            for name, width in self.width.items()
        }
        return Points(scaled["score"][:, 0], [scaled[name] for name in GROUPS])


class Inputs(NamedTuple):
    """The inputs of an adaptation besides the predictor's results."""

    operators: Sequence[str]  # the operators to count
    costs: Sequence[str]  # columns of costs
    scorers: Sequence[str] = ()  # other scorers, whose scores join the costs


@dataclass(frozen=True)
class Adaptation:
    """A predictor's adaptation to measurements."""

    inputs: Inputs  # the inputs besides the predictor's results
    scale: Scale  # of the features
    surrogate: Surrogate  # predicts standardised values
    anchors: Floats  # (2, k) standardised values, in ascending order, and the metric at each

    @classmethod
    def fit(
        cls,
        predictor: Predictor,
        table: pa.Table,
        rows: Ints,
        measured: Floats,
        *,
        less: bool,
        other_scores: OtherScores = NO_SCORES,
    ) -> "Adaptation":
        """Fit the (n,) values of a metric that were measured at (n,) rows of a table.

        Rows that were measured several times repeat. Up to 2,000 rows of the table, evenly spaced,
        scale the features, which include the scores of other scorers. `less` says whether lower
        values are better.

        Raises:
            SnapError: an operator of a graph that the members score has no vector, or another
                scorer has no score of an architecture.
        """
        operators = operators_in(table)
        sample = table.take(evenly_spaced(table.num_rows, SAMPLE))
        found = examined(predictor, sample)
        inputs = Inputs(operators, usable(found.keys, sample), [*other_scores.scores])
        others = other_scores.of(sample, inputs.scorers)
        scale = Scale.of(features_of(found, sample, inputs, others))
        labelled = table.take(rows)
        others = other_scores.of(labelled, inputs.scorers)
        points = scale(features_of(examined(predictor, labelled), labelled, inputs, others))
        return cls.of(inputs, scale, points, measured, less=less)

    @classmethod
    def of(
        cls, inputs: Inputs, scale: Scale, points: Points, measured: Floats, *, less: bool
    ) -> "Adaptation":
        """Fit n points and the (n,) metric measured at them; see `fit`."""
        targets = normal_scores(-measured if less else measured)
        distinct, rows = np.unique(targets, return_index=True)
        anchors = np.stack([distinct, measured[rows]])
        return cls(inputs, scale, Surrogate.fit(points, targets), anchors)

    def predict(
        self,
        found: Examined,
        table: pa.Table,
        others: Floats | None = None,
        source: str = "graphs",
    ) -> Predicted:
        """Predict the metric of n rows, as `features_of` reads them."""
        points = self.scale(features_of(found, table, self.inputs, others, source))
        return self.in_unit(*self.surrogate.predict(points))

    def in_unit(self, mean: Floats, std: Floats) -> Predicted:
        """Convert (n,) standardised means and standard deviations to the unit of the metric."""
        low, high = (_interpolated(mean + side * std, self.anchors) for side in (-1, 1))
        return Predicted(mean, _interpolated(mean, self.anchors), np.abs(high - low) / 2)

    def relevance(self) -> dict[str, float]:
        """Return the shares of the score, and of each group that varies, in the prior variance."""
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
        """Return the adaptation as tensors for `from_tensors`."""
        surrogate, scale = self.surrogate, self.scale
        named = {"anchors": self.anchors, "theta": surrogate.theta, "values": surrogate.values}
        named["points.score"] = surrogate.points.score
        for name, values in zip(GROUPS, surrogate.points.groups, strict=True):
            named[f"points.{name}"] = values
        for name in ("score", *GROUPS):
            named |= {f"centre.{name}": scale.centre[name], f"width.{name}": scale.width[name]}
        return {name: values.astype(np.float64) for name, values in named.items()}

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, npt.NDArray[np.generic]], inputs: Inputs, source: str
    ) -> "Adaptation":
        """Restore an adaptation from its `tensors`.

        Raises:
            SnapError: a tensor is missing, has another shape, or is not finite; `source` names the
                file.
        """
        shapes, remedy = _shapes(tensors, inputs), "run snap-gcn adapt again"
        known = checked_tensors(tensors, shapes, source, dtype=np.float64, remedy=remedy)
        points = Points(known["points.score"], [known[f"points.{name}"] for name in GROUPS])
        centre, width = (
            {name: known[f"{part}.{name}"] for name in ("score", *GROUPS)}
            for part in ("centre", "width")
        )
        surrogate = Surrogate.conditioned(points, known["theta"], known["values"])
        return cls(inputs, Scale(centre, width), surrogate, known["anchors"])


def _shapes(
    tensors: Mapping[str, npt.NDArray[np.generic]], inputs: Inputs
) -> dict[str, tuple[int, ...]]:
    """Return the shapes that the tensors of an adaptation must have to be consistent."""
    count = max(len(tensors.get("values", ())), 1)
    sizes = {name: len(tensors.get(f"width.{name}", ())) for name in GROUPS}
    numbers = len(inputs.costs) + len(inputs.scorers)
    sizes |= {"score": 1, "operators": 9 * len(inputs.operators) + 3, "costs": numbers}
    shapes: dict[str, tuple[int, ...]] = {
        f"{part}.{name}": (size,) for part in ("centre", "width") for name, size in sizes.items()
    }
    shapes |= {f"points.{name}": (count, sizes[name]) for name in GROUPS}
    shapes |= {"points.score": (count,), "values": (count,), "theta": (2 * len(GROUPS) + 3,)}
    return shapes | {"anchors": (2, len(tensors["anchors"].T) if "anchors" in tensors else 1)}


def examined(predictor: Predictor, table: pa.Table, source: str = "graphs") -> Examined:
    """Examine n rows of the `graphs` contract by `Predictor.examine`, in parallel parts."""
    slices = (table.slice(i, ROWS) for i in range(0, max(table.num_rows, 1), ROWS))
    found = [*in_order(lambda part: predictor.examine(part, source), slices, predictor.workers)]
    figures = np.concatenate([part.figures for part in found], axis=1)
    keys = np.concatenate([part.keys for part in found])
    parts = Parts(*map(np.concatenate, zip(*(part.parts for part in found), strict=True)))
    return Examined(figures, keys, parts)


def usable(keys: Keys, table: pa.Table) -> list[str]:
    """Return the costs that all n graphs of a table have, and that are equal for equal (n,) keys.

    Costs that include operators which compute nothing would make equal networks differ.
    """
    _, place = np.unique(keys, return_inverse=True)
    found = []
    for name in COSTS:
        if name in table.column_names and not table[name].null_count:
            values = table[name].to_numpy()
            if len(np.unique(np.stack([place, values]), axis=1).T) == place.max(initial=-1) + 1:
                found.append(name)
    return found


def features_of(
    found: Examined,
    table: pa.Table,
    inputs: Inputs,
    others: Floats | None = None,
    source: str = "graphs",
) -> Features:
    """Compute `features` of n graphs, and (n, 1) zero-shot scores as the group `score`.

    (n, s) scores of other scorers join the costs.

    Raises:
        SnapError: a cost of a row is missing; `source` names the table.
    """
    for name in inputs.costs:
        if name not in table.column_names or table[name].null_count:
            raise SnapError(
                f"{source}: {name} is missing for some architectures, but the adaptation uses it; "
                "make the file by snap-graphs, or adapt to a file without it"
            )
    own = features(found.parts, table, inputs.operators, inputs.costs)
    costs = own["costs"] if others is None else np.hstack([own["costs"], others])
    return {"score": found.figures[0][:, None], **own, "costs": costs}


def normal_scores(values: Floats) -> Floats:
    """Return the normal quantiles of (n,) values' ranks; equal values share their mean rank."""
    shares = (ranks(values) - 0.5) / max(len(values), 1)
    return np.array([NormalDist().inv_cdf(share) for share in shares.tolist()])


def _interpolated(targets: Floats, anchors: Floats) -> Floats:
    """Return the metric at standardised values.

    Between the anchors, the metric is interpolated linearly. Beyond the first and the last, it
    follows the straight line from the median through that anchor, so that a failure at one end does
    not affect the other.
    """
    known, values = anchors
    found: Floats = np.interp(targets, known, values)
    beyond = np.minimum(targets - known[0], 0), np.maximum(targets - known[-1], 0)
    for end, far in zip((0, -1), beyond, strict=True):
        if known[end]:
            found = found + far * (values[end] - np.interp(0, known, values)) / known[end]
    return found

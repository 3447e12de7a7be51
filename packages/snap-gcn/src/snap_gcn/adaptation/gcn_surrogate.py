"""The predictor as what learns in a search (entry point `snap.surrogates`: `gcn`)."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.catalog import Direction
from snap_catalog.extras import require

from snap_gcn.adaptation.adaptation import normal_scores
from snap_gcn.adaptation.described import Described, together
from snap_gcn.adaptation.surrogate import Surrogate
from snap_gcn.model.recipe import BUNDLED
from snap_gcn.predictor import Predictor

Floats = npt.NDArray[np.float64]


class GcnSurrogate:
    """Predicts a metric from a predictor's scores and what was measured so far.

    What is computed of an architecture is kept, so that only the first call with it takes long.
    """

    def __init__(self, model: str = BUNDLED[0]) -> None:
        """Load the predictor.

        Args:
            model: a bundled predictor, or a model folder.

        Raises:
            SnapError: there is no such model, it was adapted already, or SciPy is missing.
        """
        require("snap-gcn[adapt]", "scipy")
        self._predictor = Predictor.load(model)
        if self._predictor.model.config.adapted is not None:
            raise SnapError(f"{model}: adapted already; name the model that it was made of")
        self._described: Described | None = None
        self._measured: pa.Table | None = None
        self._targets: Floats = np.empty(0)
        self._fitted: Surrogate | None = None

    def fit(self, graphs: pa.Table, values: Floats, direction: Direction) -> None:
        """Learn from all measurements so far, in place of what was learned before.

        Fewer than two different values leave the order that the predictor gives.

        Args:
            graphs: n rows of the `graphs` contract; equal architectures may repeat.
            values: (n,) finite values of the metric.
            direction: whether more (`max`) or less (`min`) of it is better.

        Raises:
            SnapError: there is not one value for each graph, or one is not finite.
        """
        if values.shape != (graphs.num_rows,) or not np.isfinite(values).all():
            raise SnapError(
                f"{len(values):,} values of {graphs.num_rows:,} architectures; give a finite one "
                "for each"
            )
        count = len(values) if len(np.unique(values)) > 1 else 0
        better = values if direction == "max" else -values
        self._measured, self._targets = graphs.slice(0, count), normal_scores(better[:count])
        self._fitted = None

    def predict(self, graphs: pa.Table) -> tuple[Floats, Floats]:
        """Predict the metric of n rows of the `graphs` contract.

        Returns:
            (n,) means and (n,) standard deviations of a further measurement, in standard deviations
            of the measurements; more is better.

        Raises:
            SnapError: an operator has no vector, or costs are unknown that others have.
        """
        measured = graphs.slice(0, 0) if self._measured is None else self._measured
        known = together([graphs, measured])
        if self._described is None or not self._described.covers(known):
            self._described = Described(self._predictor, known, self._described)
            self._fitted = None
        if self._fitted is None:
            points = self._described.points(self._described.rows(measured))
            self._fitted = Surrogate.fit(points, self._targets)
        distinct, place = np.unique(self._described.rows(graphs), return_inverse=True)
        mean, std = self._fitted.predict(self._described.points(distinct))
        return mean[place], std[place]

"""The predictor as a surrogate for `snap-evo` (entry point `snap.surrogates`: `gcn`)."""

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.catalog import Direction
from snap_catalog.extras import require
from snap_catalog.metrics import oriented

from snap_gcn.adaptation.adaptation import normal_scores
from snap_gcn.adaptation.feature_cache import FeatureCache, together
from snap_gcn.adaptation.surrogate import Surrogate
from snap_gcn.data.arrays import Floats
from snap_gcn.model.recipe import BUNDLED
from snap_gcn.predictor import Predictor


class GcnSurrogate:
    """Predicts a metric from a predictor's scores and the measurements so far.

    Features of architectures are cached, so that only the first call with an architecture is slow.
    """

    def __init__(self, model: str = BUNDLED[0]) -> None:
        """Load the predictor.

        Args:
            model: a bundled predictor, or a model folder.

        Raises:
            SnapError: there is no such model, it is adapted already, or SciPy is missing.
        """
        require("snap-gcn[adapt]", "scipy")
        self._predictor = Predictor.load(model)
        if self._predictor.model.config.adapted is not None:
            raise SnapError(f"{model}: adapted already; name the model that it was made of")
        self._cache: FeatureCache | None = None
        self._measured: pa.Table | None = None
        self._targets: Floats = np.empty(0)
        self._fitted: Surrogate | None = None

    def fit(self, graphs: pa.Table, values: Floats, direction: Direction) -> None:
        """Learn from all measurements so far, replacing what was learned before.

        With fewer than two different values, predictions follow the predictor's order.

        Args:
            graphs: n rows of the `graphs` contract; architectures may repeat.
            values: (n,) finite values of the metric.
            direction: whether higher (`max`) or lower (`min`) values are better.

        Raises:
            SnapError: there is not one finite value per graph.
        """
        if values.shape != (graphs.num_rows,) or not np.isfinite(values).all():
            raise SnapError(
                f"{len(values):,} values of {graphs.num_rows:,} architectures; give a finite one "
                "for each"
            )
        count = len(values) if len(np.unique(values)) > 1 else 0
        self._measured = graphs.slice(0, count)
        self._targets = normal_scores(oriented(values, direction)[:count])
        self._fitted = None

    def predict(self, graphs: pa.Table) -> tuple[Floats, Floats]:
        """Predict the metric of n rows of the `graphs` contract.

        Returns:
            (n,) means and (n,) standard deviations of a further measurement, in standard deviations
            of the measurements; higher is better.

        Raises:
            SnapError: an operator has no vector, or costs are missing that others have.
        """
        measured = graphs.slice(0, 0) if self._measured is None else self._measured
        known = together([graphs, measured])
        if self._cache is None or not self._cache.covers(known):
            self._cache = FeatureCache(self._predictor, known, self._cache)
            self._fitted = None
        if self._fitted is None:
            points = self._cache.points(self._cache.rows(measured))
            self._fitted = Surrogate.fit(points, self._targets)
        distinct, place = np.unique(self._cache.rows(graphs), return_inverse=True)
        mean, std = self._fitted.predict(self._cache.points(distinct))
        return mean[place], std[place]

"""The surrogate `counts`, a Gaussian process on operator counts and costs."""

import warnings
from typing import Any

import numpy as np
import pyarrow as pa
from snap_catalog.catalog import Direction
from snap_catalog.extras import require
from snap_catalog.metrics import oriented
from snap_graphs import Graphs
from snap_graphs.cell import INPUT, OUTPUT
from snap_graphs.spaces import Costs
from snap_graphs.structure import pruned

from snap_evo.objectives import Floats

_LENGTH, _NOISE = 3.0, 0.1
"""Initial length scale, in standardised features, and variance of the noise."""


class CountsSurrogate:
    """A Gaussian process with a squared exponential kernel (Rasmussen and Williams 2006).

    Its features are the numbers of each operator, dead ones excluded, and the logarithms of
    parameters, multiply-adds and activations if these are known for all architectures.
    """

    def __init__(self) -> None:
        """Start without measurements.

        Raises:
            SnapError: scikit-learn is not installed.
        """
        require("snap-evo[counts]", "sklearn")
        self._operators: list[str] = []
        self._costs: list[str] = []
        self._centre = self._width = np.empty(0)
        self._model: Any = None

    def fit(self, graphs: pa.Table, values: Floats, direction: Direction) -> None:
        """Fit the process to normal scores of the values' ranks; see `Surrogate.fit`."""
        from scipy.special import ndtri
        from scipy.stats import rankdata
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

        live = pruned(Graphs.from_table(graphs))
        self._operators = sorted({live.vocabulary[i] for i in set(live.op)} - {INPUT, OUTPUT})
        self._costs = [name for name in Costs._fields if not graphs[name].null_count]
        found = self._described(graphs)
        self._centre, width = found.mean(axis=0), found.std(axis=0)
        self._width = np.where(width > 0, width, 1.0)
        better = oriented(values, direction)
        targets = ndtri((rankdata(better) - 0.5) / len(better))
        kernel = ConstantKernel() * RBF(_LENGTH) + WhiteKernel(_NOISE)
        self._model = GaussianProcessRegressor(kernel, normalize_y=True, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a bound is reached if nothing can be learned
            self._model.fit(self._standardised(found), targets)

    def predict(self, graphs: pa.Table) -> tuple[Floats, Floats]:
        """Predict n architectures after `fit`; see `Surrogate.predict`."""
        distinct, place = np.unique(self._described(graphs), axis=0, return_inverse=True)
        mean, std = self._model.predict(self._standardised(distinct), return_std=True)
        return mean[place], std[place]

    def _described(self, graphs: pa.Table) -> Floats:
        live = pruned(Graphs.from_table(graphs))
        owner = np.repeat(np.arange(len(live)), live.sizes)
        columns = [
            np.bincount(owner, live.op == live.index(name), len(live)) for name in self._operators
        ]
        columns += [np.log1p(graphs[name].to_numpy().astype(np.float64)) for name in self._costs]
        return np.stack(columns, axis=1) if columns else np.zeros((len(live), 1))

    def _standardised(self, found: Floats) -> Floats:
        return (found - self._centre) / self._width

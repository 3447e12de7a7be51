"""Statistics in a form in which thousands of resamples of the cells cost little."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Counts = npt.NDArray[np.float32]
"""(r, n) how often each of n cells is in each of r resamples."""

Finish = Callable[[Floats, Floats], Floats]
Method = Literal["bootstrap", "linear bootstrap"]


@dataclass(frozen=True)
class Estimate:
    """Statistics of cells, and what is to be known of a resample to have them of that as well.

    Attributes:
        of: how many cells the statistics are of, those of a larger population that count.
        values: (q,) the statistics of the cells themselves, NaN where undefined.
        columns: (n, k) of each cell of the population. Their sums over a resample go to `finish`.
        head: (m,) the few cells whose counts in a resample go there too.
        finish: of sums (r, k) and counts (r, m) makes the statistics (r, q) of r resamples.
        method: `bootstrap` where those are the statistics of the resamples to the letter,
            `linear bootstrap` where they are so up to terms of the order of 1 / n.
    """

    of: int
    values: Floats
    columns: Floats
    head: Ints
    finish: Finish
    method: Method = "bootstrap"

    def placed(self, cells: Ints, n: int) -> "Estimate":
        """Return the same for n cells, of which those at (n of old,) `cells` are the old ones."""
        columns = np.zeros((n, self.columns.shape[1]))
        columns[cells] = self.columns
        return replace(self, columns=columns, head=cells[self.head])


def undefined(n: int, statistics: int = 1) -> Estimate:
    """Return the estimate of statistics that are not defined for n cells."""
    none = np.full(statistics, np.nan)
    nothing = np.empty((n, 0)), np.empty(0, np.int64)
    return Estimate(n, none, *nothing, lambda sums, _: np.tile(none, (len(sums), 1)))


def linear(
    value: float, influence: Floats, head: Ints, nonlinear: Callable[[Floats], Floats]
) -> Estimate:
    """Return the estimate of a correlation that is linear in the counts, but for a few cells.

    A step is taken on the scale of Fisher's z, on which the distribution of correlations is
    nearly normal and from which none beyond -1 and 1 comes back.

    Args:
        value: the correlation of the n cells.
        influence: (n,) its derivative by each cell's count.
        head: (m,) cells that do not act linearly.
        nonlinear: of their counts (r, m) makes what they add to the correlation, (r,).
    """
    slope = max(1 - value**2, 0.0)
    at_rest = influence.sum()

    def finish(sums: Floats, counts: Floats) -> Floats:
        if slope < 1e-12:
            return np.full((len(sums), 1), value)
        step = (sums[:, 0] - at_rest + nonlinear(counts)) / slope
        moved: Floats = np.tanh(np.arctanh(value) + step)[:, None]
        return moved

    columns = influence[:, None]
    return Estimate(columns.size, np.array([value]), columns, head, finish, "linear bootstrap")

"""Make surrogates of specs, and check their predictions."""

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.catalog import Direction

from snap_evo.measuring.interfaces import Surrogate
from snap_evo.objectives import Floats
from snap_evo.plugins import load_plugin
from snap_evo.scorers import plugin_errors


def load_surrogate(spec: str) -> Surrogate:
    """Make a surrogate.

    Args:
        spec: an entry point of the group `snap.surrogates` such as `counts`, with its arguments, or
            `gcn:MODEL` for a bundled predictor or a model folder.

    Raises:
        SnapError: the name is unknown, its package cannot be imported, or the argument is wrong.
    """
    surrogate: Surrogate = load_plugin("surrogate", spec)
    return surrogate


def fit_graphs(
    surrogate: Surrogate, graphs: pa.Table, values: Floats, direction: Direction
) -> None:
    """Fit a surrogate; arguments are those of `Surrogate.fit`."""
    with plugin_errors(surrogate, "surrogate"):
        surrogate.fit(graphs, values, direction)


def predict_graphs(surrogate: Surrogate, graphs: pa.Table) -> tuple[Floats, Floats]:
    """Predict architectures, and check what the surrogate returns.

    Returns:
        (n,) finite means, higher is better, and (n,) finite standard deviations.

    Raises:
        SnapError: the surrogate failed, or returned anything else.
    """
    name = type(surrogate).__name__
    with plugin_errors(surrogate, "surrogate"):
        mean, std = (np.asarray(part, np.float64) for part in surrogate.predict(graphs))
    if not mean.shape == std.shape == (graphs.num_rows,):
        raise SnapError(
            f"the surrogate {name} returned arrays of shapes {mean.shape} and {std.shape} for "
            f"{graphs.num_rows} architectures; it must return a mean and a deviation for each"
        )
    wrong = np.flatnonzero(~(np.isfinite(mean) & np.isfinite(std) & (std >= 0)))
    if wrong.size:
        row = int(wrong[0])
        raise SnapError(
            f"the surrogate {name} predicted {mean[row]} +- {std[row]} for "
            f"{graphs['arch_id'][row]}; both must be finite, and deviations not negative"
        )
    return mean, std

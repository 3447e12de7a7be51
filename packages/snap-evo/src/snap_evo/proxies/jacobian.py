"""Proxies of the similarity of the outputs' gradients with respect to images of a batch."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from snap_evo.proxies.proxy import Pass, Trial

if TYPE_CHECKING:
    from torch import Tensor

Floats = npt.NDArray[np.float64]
_SMALL = 1e-5


class Jacobian(NamedTuple):
    """The gradient of the sum of the logits with respect to each image.

    Attributes:
        rows: (b, 3 * side * side), one row per image.
        labels: (b,) classes.
    """

    rows: Floats
    labels: npt.NDArray[np.int64]


def _run(trial: Trial) -> Jacobian:
    import torch

    images, labels = trial.batch(0)
    entering: Tensor = images.clone().requires_grad_()
    logits = trial.network(entering)
    (gradient,) = torch.autograd.grad(logits.sum(), entering, materialize_grads=True)
    return Jacobian(gradient.flatten(1).double().cpu().numpy(), labels.cpu().numpy())


JACOBIAN = Pass("jacobian", _run)


def jacov(found: Jacobian) -> float:
    r"""Return how uncorrelated the Jacobians of different images are.

    -\sum_i log(v_i + k) + 1 / (v_i + k) over the eigenvalues v of the (b, b) correlation matrix of
    the rows, k = 1e-5. Mellor et al., "Neural Architecture Search without Training", 2020 (the
    first version of the paper).
    """
    correlations = _correlations(found.rows)
    if not np.isfinite(correlations).all():
        return np.nan
    values = np.maximum(np.linalg.eigvalsh(correlations), 0) + _SMALL
    return float(-np.sum(np.log(values) + 1 / values))


def epe_nas(found: Jacobian) -> float:
    r"""Return how the Jacobians of images of one class correlate.

    \sum_c |\sum_ij log(|r_ij| + k)| with the correlation matrix r of the rows of class c, k = 1e-5.
    Lopes et al., "EPE-NAS: Efficient Performance Estimation Without Training for Neural
    Architecture Search", ICANN 2021. Beyond 100 classes each inner sum is divided by the number of
    the class's images, and their differences between all pairs of classes are averaged. Classes
    with one image in the batch are left out.
    """
    rows_by_class = [found.rows[found.labels == label] for label in np.unique(found.labels)]
    several = [rows for rows in rows_by_class if len(rows) > 1]
    sums = np.array(
        [np.log(np.abs(_correlations(rows)) + _SMALL).sum() for rows in several], np.float64
    )
    if len(rows_by_class) <= 100:
        return float(np.abs(sums).sum()) if len(sums) else np.nan
    means = sums / [len(rows) for rows in several]
    return float(np.abs(means[:, None] - means).mean()) if len(sums) else np.nan


def _correlations(rows: Floats) -> Floats:
    """Return the (b, b) Pearson correlations of b rows, NaN for constant ones."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.asarray(np.corrcoef(rows), np.float64)
    return found

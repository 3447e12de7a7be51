"""Set validation images apart."""

from typing import Any

import numpy as np
import numpy.typing as npt

_SEED = 0
_SHARE = 0.2


def split(labels: npt.NDArray[Any]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Draw a fifth of every class, rounded up where a class has several, always the same ones.

    Args:
        labels: (n,) by image the class.

    Returns:
        Numbers of the images to train on, and of those to judge by, both ascending.
    """
    random = np.random.default_rng(_SEED)
    apart = np.zeros(len(labels), np.bool_)
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        apart[members[: min(int(np.ceil(_SHARE * len(members))), len(members) - 1)]] = True
    return np.flatnonzero(~apart), np.flatnonzero(apart)

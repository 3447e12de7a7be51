"""How alike vectors are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def cosines(rows: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine similarity of every row with every column.

    Args:
        rows: n vectors, shape (n, d), none of them zero.
        columns: m vectors, shape (m, d), none of them zero.

    Returns:
        Array of shape (n, m), values from -1 to 1.
    """
    similarity: NDArray[np.float32] = (_unit(rows) @ _unit(columns).T).clip(-1, 1)
    return similarity


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths

"""The data file of `analog-nasbench`: NAS-Bench-201 retrained, digitally and on analog hardware."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from snap_catalog import SnapError

from snap_graphs.cell import Cell
from snap_graphs.formats.base import Chunk, Format, Request, first_bytes
from snap_graphs.formats.pickles import Record, load_pickle
from snap_graphs.spaces.nb201 import EDGES, NasBench201

_DIGITS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
_DIGIT_EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
"""NASLib's numbering of operators and order of edges, which the file's keys follow."""
_ORDER = [_DIGIT_EDGES.index(edge) for edge in EDGES]

_ACCURACIES = ("baseline", "ptq", "qat", "noisy", "analog")
_DRIFTS = tuple(
    f"{kind}_drift_{s}" for kind in ("baseline", "analog") for s in (60, 3600, 86400, 2592000)
)


_ADMITTED = {
    ("analognasbench.data", "Architecture"): Record,
    ("analognasbench.data", "DriftMeasurement"): Record,
}
"""The measurements of a cell, and an accuracy after some seconds of drift with its uncertainty."""


class AnalogNasBench(Format):
    """The pickle `data.anb`; nothing of it is executed."""

    title = "the data file of analog-nasbench (data.anb)"
    benchmark = "analog-nasbench"

    def recognises(self, path: Path) -> bool:
        """Return whether the file begins as the package's pickle does."""
        return b"analognasbench.data" in first_bytes(path, 256)

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield all cells, with accuracies in percent."""
        entries = load_pickle(path, _ADMITTED)
        try:
            cells = [naslib_cell(digits) for digits in entries]
            rows = [_values(record) for record in entries.values()]
        except (AttributeError, IndexError, TypeError, ValueError) as error:
            raise SnapError(f"{path}: not laid out as analog-nasbench 0.1.3 ({error})") from error
        metrics = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        yield Chunk(cells, [NasBench201().format(cell) for cell in cells], metrics)


def naslib_cell(digits: Sequence[int]) -> Cell:
    """Build a NAS-Bench-201 cell of six digits in NASLib's numbering and order of edges.

    Raises:
        ValueError: they are not six digits from 0 to 4.
    """
    if len(digits) != len(EDGES) or not all(
        type(d) is int and 0 <= d < len(_DIGITS) for d in digits
    ):
        raise ValueError(f"{digits!r:.60} are not six digits from 0 to {len(_DIGITS) - 1}")
    return NasBench201().cell([_DIGITS[digits[i]] for i in _ORDER])


def _values(record: Any) -> dict[str, float]:
    values = {
        f"cifar10/test/{kind}_accuracy": float(getattr(record, f"{kind}_accuracy"))
        for kind in _ACCURACIES
    }
    for name in _DRIFTS:
        drift = getattr(record, name)
        values[f"cifar10/test/{name}"] = float(drift.value)
        values[f"cifar10/test/{name}_uncertainty"] = float(drift.uncertainty)
    return values

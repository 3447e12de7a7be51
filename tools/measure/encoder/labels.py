"""Place labels next to points so that they do not overlap."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_STEPS = (0.06, 0.12, 0.2, 0.3, 0.42, 0.56, 0.72, 0.9)
"""Inches of free space between a point and its label."""
_ANGLES = np.arange(24) * np.pi / 12
_PER_INCH = 0.02
"""How much farther away a label goes, in inches, rather than cover a square inch."""


def label_places(points: Floats, sizes: Floats, area: tuple[float, float]) -> Floats:
    """Return a place for the label of every point: near to it, and covering nothing if possible.

    Labels are placed one after the other, each at the spot that covers least of the labels and
    points before it, and among such spots at the nearest.

    Args:
        points: (n, 2) inches.
        sizes: (n, 2) width and height of the labels in inches; points of no width are only kept
            clear, and their places mean nothing.
        area: width and height that labels must keep within, in inches.

    Returns:
        (n, 2) centres of the labels.
    """
    centres = points.copy()
    taken = [np.concatenate([points, np.full_like(points, 0.08)], axis=1)]
    for i in np.flatnonzero(sizes[:, 0]):
        spots = _spots(points[i], sizes[i])
        boxes = np.concatenate([spots, np.broadcast_to(sizes[i], spots.shape)], axis=1)
        cost = _overlap(boxes, np.concatenate(taken)).sum(axis=1) + _outside(boxes, area)
        best = int(np.argmin(cost + _PER_INCH * np.linalg.norm(spots - points[i], axis=1)))
        centres[i] = spots[best]
        taken.append(boxes[best : best + 1])
    return centres


def _spots(point: Floats, size: Floats) -> Floats:
    """Return (spots, 2) centres around a point, those with the least space between first."""
    directions = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
    return np.concatenate([point + directions * (size / 2 + step) for step in _STEPS])


def _overlap(boxes: Floats, others: Floats) -> Floats:
    """Return (boxes, others) square inches in common; a box is its centre and its size."""
    gap = np.abs(boxes[:, None, :2] - others[:, :2])
    reach = (boxes[:, None, 2:] + others[:, 2:]) / 2
    smaller = np.minimum(boxes[:, None, 2:], others[:, 2:])
    common: Floats = np.clip(reach - gap, 0, smaller).prod(axis=2)
    return common


def _outside(boxes: Floats, area: tuple[float, float]) -> Floats:
    """Return (boxes,) square inches, about, that lie outside."""
    low, high = boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2
    beyond: Floats = (np.maximum(-low, 0) + np.maximum(high - area, 0)).sum(axis=1)
    return beyond

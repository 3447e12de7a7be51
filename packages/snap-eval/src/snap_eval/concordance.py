"""How many pairs of cells two orders agree on, cell by cell, in O(n log n) operations of numpy."""

import numpy as np

from snap_eval.estimate import Floats, Ints


class Orders:
    """Two samples of n cells as they order them; ties allowed.

    Args:
        x: (n,) one value a cell.
        y: (n,) the other value of the same cells.
    """

    def __init__(self, x: Floats, y: Floats) -> None:
        self.x, self.y = _codes(x), _codes(y)
        by_both = self.x * (self.y.max() + 1)
        self._by_xy = np.argsort(by_both + self.y)
        self._by_yx = np.argsort(self.y * (self.x.max() + 1) + self.x)
        self._both = _codes(by_both + self.y)
        # Ties are broken so that of two tied cells neither comes before the other in both orders.
        by_x = np.argsort(by_both - self.y)
        self._place = np.empty_like(by_x)
        self._place[by_x] = np.arange(by_x.size)
        self._by_y = np.argsort(self.y * by_x.size - self._place)

    def concordance(self, weights: Floats) -> Floats:
        """Return (w, n) sums over the other cells j of weight_j sign(x_i - x_j) sign(y_i - y_j).

        Args:
            weights: (w, n) several weightings of the cells.
        """
        below = self._below_in_both(weights)
        x_below, x_equal = _groups(self.x, weights)
        y_below, y_equal = _groups(self.y, weights)
        equal = _groups(self._both, weights)[1]
        x_below_y_equal = _below_within(self.y, self.x, self._by_yx, weights)
        x_equal_y_below = _below_within(self.x, self.y, self._by_xy, weights)
        left = x_below - below - x_below_y_equal
        right = y_below - below - x_equal_y_below
        level = y_equal - x_below_y_equal - equal
        total = weights.sum(axis=1, keepdims=True)
        above = total - x_below - x_equal - right - level
        concordance: Floats = below + above - left - right
        return concordance

    def tied(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return (w, n) and (w, n) the weight of the cells tied with each in x, and in y."""
        return _groups(self.x, weights)[1], _groups(self.y, weights)[1]

    def _below_in_both(self, weights: Floats) -> Floats:
        found = np.empty_like(weights)
        found[:, self._by_y] = _before(self._place[self._by_y], weights[:, self._by_y])
        return found


def _codes(values: Floats | Ints) -> Ints:
    codes: Ints = np.unique(values, return_inverse=True)[1].astype(np.int64)
    return codes


def _groups(codes: Ints, weights: Floats) -> tuple[Floats, Floats]:
    """Return the weight of lower groups, and of each cell's own."""
    sums: Floats = np.stack([np.bincount(codes, row) for row in weights]).astype(np.float64)
    below = sums.cumsum(axis=1) - sums
    return below[:, codes], sums[:, codes]


def _below_within(group: Ints, codes: Ints, order: Ints, weights: Floats) -> Floats:
    """Return the weight of the cells of a cell's group that have lower codes.

    `order` is that of the cells by group, then by code.
    """
    before = weights[:, order].cumsum(axis=1) - weights[:, order]
    new_group = _changes(group[order])
    new_code = new_group | _changes(codes[order])
    found = np.empty_like(weights)
    found[:, order] = before[:, _last(new_code)] - before[:, _last(new_group)]
    return found


def _changes(codes: Ints) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.concatenate(([True], codes[1:] != codes[:-1]))


def _last(starts: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Ints:
    """Return for every position the last start at or before it."""
    return np.maximum.accumulate(np.where(starts, np.arange(starts.size), 0))


def _before(place: Ints, weights: Floats) -> Floats:
    """Return for every element the weight of the earlier elements with lower places.

    Works like a merge sort from the top: of each block of places, the left half counts for the
    right one, then both are looked at by themselves.

    Args:
        place: (n,) a permutation.
        weights: (w, n) in the same order.
    """
    found = np.zeros_like(weights)
    position = element = np.arange(place.size)
    half = 1 << (place.size - 1).bit_length()
    while half := half // 2:
        right, start = place & half != 0, place & -2 * half
        lefts = np.where(right, 0, weights)
        before = lefts.cumsum(axis=1) - lefts
        found[:, element[right]] += (before - before[:, start])[:, right]
        # A block begins at the position that is its lowest place, and half of those before it
        # are left halves.
        lefts_before = np.cumsum(~right) - ~right - start // 2
        target = np.where(right, position + half - lefts_before, start + lefts_before)
        order = np.empty_like(target)
        order[target] = position
        element, place, weights = element[order], place[order], weights[:, order]
    return found

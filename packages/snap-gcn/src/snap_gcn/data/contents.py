"""Keys of the contents of rows, to recognise architectures that were met before."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_graphs.hashing import mix

from snap_gcn.data.equality import Keys, combined

_NULL, _EMPTY = np.uint64(1), np.uint64(2)


def contents(table: pa.Table, columns: Sequence[str]) -> Keys:
    """Hash the rows of a table.

    Keys compare within one process alone. Two different rows share one with a probability of about
    2^-64.

    Args:
        table: n rows with columns of numbers, of strings and of lists of such.
        columns: those that count, as far as the table has them.

    Returns:
        (n,) keys.
    """
    present = [name for name in columns if name in table.column_names]
    hashed = [_hashed(table[name].combine_chunks()) for name in present]
    return combined([np.full(table.num_rows, len(present), np.uint64), *hashed])


def _hashed(values: pa.Array) -> Keys:
    """Hash the (n,) values of a column; those of lists by what they hold and where."""
    if pa.types.is_list(values.type):
        found = _listed(values)
    elif pa.types.is_string(values.type):
        words = values.dictionary_encode()
        known = np.array([hash(word) for word in words.dictionary.to_pylist()], np.int64)
        found = _taken(known, words.indices)
    else:
        found = values.cast(pa.float64(), safe=False).fill_null(0).to_numpy().view(np.uint64)
    is_null = values.is_null().to_numpy(zero_copy_only=False)
    return np.where(is_null, _NULL, mix(found))


def _taken(known: npt.NDArray[np.int64], places: pa.Array) -> Keys:
    rows = places.fill_null(0).to_numpy()
    return (known[rows] if len(known) else np.zeros(len(rows), np.int64)).view(np.uint64)


def _listed(values: pa.Array) -> Keys:
    lengths = values.value_lengths().fill_null(0).to_numpy()
    items, starts = _hashed(values.flatten()), np.cumsum(lengths) - lengths
    place = np.arange(len(items)) - np.repeat(starts, lengths)
    found = np.full(len(values), _EMPTY)
    if len(items):
        placed = mix(items + mix(place.astype(np.uint64)))
        found[lengths > 0] = np.add.reduceat(placed, starts[lengths > 0])
    return found

"""Types that pickles may contain besides plain values, if a format admits them.

The real classes are never called: each maker builds a plain value from checked arguments.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from snap_graphs.formats.pickle_machine import (
    Global,
    Maker,
    Record,
    RefusedError,
    check_keys,
    fits,
    plain_dtype,
)


class _Dtype(Record):
    """Stands in for `numpy.dtype`."""


class _ArrayType(Record):
    """Stands in for the class `numpy.ndarray`."""


def _dictionary(pairs: Any = ()) -> dict[Any, Any]:
    if type(pairs) not in (list, tuple) or any(len(pair) != 2 for pair in pairs):
        raise RefusedError("a dictionary is not built from pairs")
    check_keys([key for key, _ in pairs])
    return dict(pairs)


def _set(items: Any = ()) -> set[Any]:
    if type(items) not in (list, tuple):
        raise RefusedError("a set is not built from a list")
    check_keys(items)
    return set(items)


def _encode(text: Any = "", encoding: Any = "latin1") -> bytes:
    """Stand in for `_codecs.encode`, by which older protocols write bytes."""
    if type(text) is not str or encoding not in ("latin1", "latin-1"):
        raise RefusedError("bytes are not built from latin-1 text")
    return text.encode("latin-1")


class _Object(Record):
    """Stands in for the class `object`."""


def _reconstruct(kind: Any, *_: Any) -> Record:
    """Stand in for `copyreg._reconstructor`, by which protocols 0 and 1 write instances."""
    if type(kind) is not Global or kind.record is None:
        raise RefusedError("it calls something that is not an admitted class")
    return kind.record()


def _scalar(kind: Any, content: Any) -> Any:
    dtype = plain_dtype(kind)
    raw = content.encode("latin-1") if type(content) is str else content
    if type(raw) is not bytes or len(raw) != dtype.itemsize:
        raise RefusedError("a number does not fit its bytes")
    return np.frombuffer(raw, dtype)[0].item()


def _array(content: Any, kind: Any, shape: Any, order: Any) -> np.ndarray[Any, Any]:
    dtype = plain_dtype(kind)
    if type(content) is not bytes or not fits(shape, dtype, len(content)) or order not in "CF":
        raise RefusedError("an array's shape does not fit its bytes")
    return np.frombuffer(content, dtype).reshape(shape, order=order).copy()


def _everywhere(modules: Iterable[str], entries: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    return {(module, name): entry for module in modules for name, entry in entries.items()}


PLAIN: Mapping[tuple[str, str], type[Record] | Maker] = {
    ("collections", "OrderedDict"): _dictionary,
    ("_codecs", "encode"): _encode,
    **_everywhere(
        ("builtins", "__builtin__"),
        {
            "set": _set,
            "frozenset": lambda items=(): frozenset(_set(items)),
            "bytes": lambda: b"",
            "object": _Object,
        },
    ),
    **_everywhere(("copyreg", "copy_reg"), {"_reconstructor": _reconstruct}),
}
"""Containers, bytes and instances of admitted classes as the older protocols write them; ordered
dictionaries as dictionaries."""

NUMPY: Mapping[tuple[str, str], type[Record] | Maker] = {
    **PLAIN,
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _ArrayType,
    **_everywhere(
        ("numpy.core.multiarray", "numpy._core.multiarray"),
        {"scalar": _scalar, "_reconstruct": lambda *_: np.empty(0, np.uint8)},
    ),
    **_everywhere(("numpy.core.numeric", "numpy._core.numeric"), {"_frombuffer": _array}),
}
"""`PLAIN`, and numpy's arrays of numbers or text; its scalars become Python's."""

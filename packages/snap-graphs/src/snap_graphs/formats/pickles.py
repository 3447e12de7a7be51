"""Read pickles without running code from them."""

import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from snap_catalog import SnapError

from snap_graphs.formats.pickle_machine import (
    SCALARS,
    Global,
    Machine,
    Maker,
    Record,
    RefusedError,
    check_keys,
    fits,
    plain_dtype,
)

__all__ = ["NUMPY", "PLAIN", "Admitted", "Record", "guarded", "load_pickle", "loads_pickle"]

Admitted = Mapping[tuple[str, str], type[Record] | Maker]
"""The classes and functions that a pickle may refer to, by module and name: a record replaces a
class, a maker builds a plain value from checked arguments. The real classes are never called."""

_DEPTH = 200
_EXPANSION, _ALWAYS = 100, 1_000_000
"""Limits on the elements of an expanded value: per byte of its pickle, or in total if larger."""


def load_pickle(path: Path, admitted: Admitted) -> Any:
    """Load plain values, and instances of admitted classes as inert records.

    Args:
        path: the pickle, of protocol 0 to 5.
        admitted: the admitted classes and functions.

    Raises:
        SnapError: the file is damaged, refers to anything else, is nested more than 200 deep or
            within itself, or states a wrong size.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SnapError(f"{path}: cannot be read ({error.strerror})") from error
    return loads_pickle(data, str(path), admitted)


def loads_pickle(data: bytes, name: str, admitted: Admitted | None = None) -> Any:
    """Load a pickle that is in memory, like `load_pickle`.

    Args:
        data: the pickle.
        name: name of the pickle for errors.
        admitted: the admitted classes and functions; none by default.

    Raises:
        SnapError: as for `load_pickle`.
    """
    return guarded(Machine(data, admitted or {}), name)


def guarded(machine: Machine, name: str) -> Any:
    """Run a machine's next pickle and check the nesting of the result.

    Raises:
        SnapError: as for `load_pickle`.
    """
    try:
        value = machine.load()
        _check_shape(value, max(_ALWAYS, _EXPANSION * len(machine.data)))
    except (struct.error, IndexError) as error:
        raise SnapError(f"{name}: refused as a pickle (truncated); fetch the file again") from error
    except Exception as error:  # damaged pickles raise any exception
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise SnapError(f"{name}: refused as a pickle ({reason}); fetch the file again") from error
    return value


def _items(value: Any) -> Any:
    if type(value) in (list, tuple, set, frozenset):
        return value
    if type(value) is dict:
        return value.values()
    return vars(value).values() if isinstance(value, Record) else ()


def _inside(items: Any) -> list[Any]:
    """Return the values that may contain further values."""
    if SCALARS.issuperset(map(type, items)):
        return []
    return [item for item in items if type(item) not in SCALARS]


def _check_shape(root: Any, most: int) -> None:
    """Refuse a value that is recursive, too deep, or too large when expanded."""
    sizes: dict[int, int] = {}
    path = [(root, _inside(_items(root)))]
    above = {id(root)}
    while path:
        value, pending = path[-1]
        if not pending:
            path.pop()
            above.discard(id(value))
            sizes[id(value)] = _expanded(_items(value), sizes, most)
            continue
        item = pending.pop()
        if id(item) in above:
            raise RefusedError(f"a {type(item).__name__} contains itself")
        if id(item) in sizes:
            continue
        if len(path) >= _DEPTH:
            raise RefusedError(f"it is nested more than {_DEPTH} deep")
        items = _items(item)
        if inside := _inside(items):
            above.add(id(item))
            path.append((item, inside))
        else:
            sizes[id(item)] = 1 + len(items)


def _expanded(items: Any, sizes: Mapping[int, int], most: int) -> int:
    size: int = 1 + len(items) + sum(sizes[id(item)] for item in _inside(items))
    if size > most:
        raise RefusedError(f"it expands to more than {most:,} elements")
    return size


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


PLAIN: Admitted = {
    ("collections", "OrderedDict"): _dictionary,
    ("_codecs", "encode"): _encode,
    **_everywhere(
        ("builtins", "__builtin__"),
        {
            "set": _set,
            "frozenset": lambda items=(): frozenset(_set(items)),
            "bytes": lambda: b"",
            "object": Record,
        },
    ),
    **_everywhere(("copyreg", "copy_reg"), {"_reconstructor": _reconstruct}),
}
"""Containers, bytes and instances of admitted classes as the older protocols write them; ordered
dictionaries as dictionaries."""

NUMPY: Admitted = {
    **PLAIN,
    ("numpy", "dtype"): Record,
    ("numpy", "ndarray"): Record,
    **_everywhere(
        ("numpy.core.multiarray", "numpy._core.multiarray"),
        {"scalar": _scalar, "_reconstruct": lambda *_: np.empty(0, np.uint8)},
    ),
    **_everywhere(("numpy.core.numeric", "numpy._core.numeric"), {"_frombuffer": _array}),
}
"""`PLAIN`, and numpy's arrays of numbers or text; its scalars become Python's."""

"""Read pickles without running code from them."""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snap_catalog import SnapError

from snap_graphs.formats.pickle_machine import SCALARS, Machine, Maker, Record, RefusedError

__all__ = ["Admitted", "Maker", "Record", "RefusedError", "guarded", "load_pickle", "loads_pickle"]

Admitted = Mapping[tuple[str, str], type[Record] | Maker]
"""The classes and functions that a pickle may refer to, by module and name: a record replaces a
class, a maker builds a plain value from checked arguments (`snap_graphs.formats.pickle_types`)."""

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

"""Read pickles without running what is in them."""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snap_catalog import SnapError

from snap_graphs.formats.pickle_machine import SCALARS, Machine, Maker, Record, RefusedError

__all__ = ["Admitted", "Maker", "Record", "RefusedError", "guarded", "load_pickle", "loads_pickle"]

Admitted = Mapping[tuple[str, str], type[Record] | Maker]
"""By module and name, what a pickle may refer to: a record stands in for a class, a maker builds
a plain value from arguments that it must not trust (`snap_graphs.formats.pickle_types`)."""

_DEPTH = 200
_EXPANSION, _ALWAYS = 100, 1_000_000
"""Written out, without shared parts, a value may have so many elements for each byte of its
pickle, or so many in all, whichever is more."""


def load_pickle(path: Path, admitted: Admitted) -> Any:
    """Load plain values, and instances of the admitted classes as inert records.

    Args:
        path: the pickle, of protocol 0 to 5.
        admitted: what it may refer to.

    Raises:
        SnapError: the file is damaged, refers to anything else, is nested more than 200 deep or
            within itself, or claims more than it holds; nothing of it was run.
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
        name: what to call it in an error.
        admitted: what it may refer to; nothing if None.

    Raises:
        SnapError: as `load_pickle`.
    """
    return guarded(Machine(data, admitted or {}), name)


def guarded(machine: Machine, name: str) -> Any:
    """Run a machine's next pickle and check the shape of what it leaves.

    Raises:
        SnapError: as `load_pickle`.
    """
    try:
        value = machine.load()
        _check_shape(value, max(_ALWAYS, _EXPANSION * len(machine.data)))
    except (struct.error, IndexError) as error:
        raise SnapError(f"{name}: refused as a pickle (truncated); fetch the file again") from error
    except Exception as error:  # a damaged pickle raises whatever its opcodes stumble over
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
    """Return what of some values may hold further values."""
    if SCALARS.issuperset(map(type, items)):
        return []
    return [item for item in items if type(item) not in SCALARS]


def _check_shape(root: Any, most: int) -> None:
    """Refuse a value that those who walk through it would not come out of."""
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
        raise RefusedError(f"its shared parts, written out, make more than {most:,} elements")
    return size

"""Read files of `torch.save` without torch and without running code from them."""

import math
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from snap_catalog import SnapError

from snap_graphs.formats.archives import zip_content
from snap_graphs.formats.pickle_machine import Global, Machine, RefusedError
from snap_graphs.formats.pickles import NUMPY, Admitted, Record, guarded

_LEGACY_MAGIC, _LEGACY_PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_LEGACY_START = pickle.dumps(_LEGACY_MAGIC, protocol=2)
_COUNT = struct.Struct("<q")
_ALWAYS = 1 << 26
_MOST_FIELDS, _MOST_ELEMENTS = 65, 1 << 48

_Array = np.ndarray[Any, np.dtype[Any]]


class _StorageType(Record):
    """Replacement for a class of storages."""

    element: ClassVar[str]


def _rebuild_tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _Array:
    """Return a view of a storage; refuse one that exceeds it or repeats elements."""
    fields = (offset, *shape, *strides)
    if type(storage) is not np.ndarray or not {int}.issuperset(map(type, fields)):
        raise RefusedError("a tensor is not built from a storage and numbers")
    if len(fields) > _MOST_FIELDS or min(fields) < 0 or max(fields) > _MOST_ELEMENTS:
        raise RefusedError("a tensor has an impossible shape")
    count = math.prod(shape)
    last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    if count > len(storage) or (count and last >= len(storage)):
        raise RefusedError(f"a tensor of shape {shape} exceeds its storage")
    width = storage.itemsize
    return np.lib.stride_tricks.as_strided(
        storage[offset:] if count else storage[:0], shape, [stride * width for stride in strides]
    )


def _rebuild_parameter(tensor: Any, *_: Any) -> Any:
    return tensor


_STORAGES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
_TORCH: Admitted = {
    **{
        ("torch", name): type("_StorageType", (_StorageType,), {"element": code})
        for name, code in _STORAGES.items()
    },
    ("torch", "device"): Record,
    ("torch", "Size"): tuple,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
}


def is_torch(path: Path) -> bool:
    """Return whether first bytes and member names are those of `torch.save`."""
    try:
        with path.open("rb") as file:
            if file.read(len(_LEGACY_START)) == _LEGACY_START:
                return True
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except Exception:  # a damaged file raises whatever its fields lead to
        return False


def load_torch(path: Path, admitted: Admitted | None = None) -> Any:
    """Load a `.pth` file: tensors become arrays, classes inert records.

    Both layouts are supported: the zip archive of torch 1.6 and later, and the older stream of
    pickles. Arrays share memory like the tensors.

    Args:
        path: the file.
        admitted: admitted classes besides tensors, NumPy arrays and plain containers.

    Raises:
        SnapError: as for `load_pickle`, or a tensor exceeds its storage.
    """
    everything = {**NUMPY, **_TORCH, **(admitted or {})}
    try:
        with path.open("rb") as file:
            is_zip = file.read(2) == b"PK"
        return _load_zip(path, everything) if is_zip else _load_legacy(path, everything)
    except OSError as error:
        raise SnapError(f"{path}: cannot be read ({error.strerror})") from error
    except SnapError:
        raise
    except Exception as error:  # a damaged file raises whatever its fields lead to
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise SnapError(f"{path}: refused as a .pth file ({reason}); fetch it again") from error


class _Storages:
    """Arrays by key, with a limit on their total size."""

    def __init__(self, most: int) -> None:
        self.arrays: dict[str, _Array] = {}
        self._left = most

    def get(self, identity: Any) -> _Array:
        """Return the storage of a persistent id, zeros until filled."""
        kind, storage_type, key, _, count = identity[:5]
        if kind != "storage" or type(storage_type) is not Global or type(key) is not str:
            raise RefusedError("it refers to something other than a storage")
        record = storage_type.record
        if record is None or not issubclass(record, _StorageType) or type(count) is not int:
            raise RefusedError("it refers to a storage of unknown elements")
        if key not in self.arrays:
            self.arrays[key] = self._new(np.dtype(record.element), count)
        return self.arrays[key]

    def _new(self, element: "np.dtype[Any]", count: int) -> _Array:
        self._left -= count * element.itemsize
        if count < 0 or self._left < 0:
            raise RefusedError(f"a storage has {count:,} elements, more than the file holds")
        return np.zeros(count, element)

    def fill(self, key: str, content: bytes) -> None:
        """Fill a storage.

        Raises:
            ValueError: the size differs.
        """
        array = self.arrays[key]
        if len(content) != array.nbytes:
            raise ValueError(f"storage {key!r} has {len(content):,} bytes, not {array.nbytes:,}")
        array.view(np.uint8)[:] = np.frombuffer(content, np.uint8)


def _load_zip(path: Path, admitted: Admitted) -> Any:
    limit = max(_ALWAYS, path.stat().st_size)
    storages = _Storages(limit)
    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        program = next((name for name in entries if name.endswith("/data.pkl")), None)
        if program is None:
            raise ValueError("it has no data.pkl")
        folder = program.removesuffix("data.pkl")
        order = entries.get(f"{folder}byteorder")
        if order is not None and zip_content(path, archive, order, 16).strip() != b"little":
            raise ValueError("it was written on a big-endian machine")
        content = zip_content(path, archive, entries[program], limit)
        value = guarded(Machine(content, admitted, storages.get), str(path))
        for key in storages.arrays:
            entry = entries.get(f"{folder}data/{key}")
            if entry is None:
                raise ValueError(f"storage {key!r} is missing")
            storages.fill(key, zip_content(path, archive, entry, limit))
    return value


def _load_legacy(path: Path, admitted: Admitted) -> Any:
    data = path.read_bytes()
    storages = _Storages(len(data))
    machine = Machine(data, admitted, storages.get)
    if not data.startswith(_LEGACY_START):
        raise ValueError("it does not begin like a file of torch.save")
    head = [guarded(machine, str(path)) for _ in range(3)]
    if head[1] != _LEGACY_PROTOCOL:
        raise ValueError(f"its protocol is {head[1]!r}, not {_LEGACY_PROTOCOL}")
    value, keys = guarded(machine, str(path)), guarded(machine, str(path))
    for key in keys:
        (count,) = _COUNT.unpack_from(data, machine.at)
        array = storages.arrays[key]
        machine.at += _COUNT.size
        if count != len(array):
            raise ValueError(f"storage {key!r} has {count:,} elements, not {len(array):,}")
        storages.fill(key, machine.take(array.nbytes))
    return value

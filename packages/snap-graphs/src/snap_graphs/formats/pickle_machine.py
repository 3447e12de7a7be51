"""Interpret pickles without running code from them.

One function per opcode (protocols 0 to 5, PEP 3154 and PEP 574). Unlike the standard library's,
the machine checks lengths and memo indices, calls only makers that a format admits, and hashes no
nested keys. A hostile file can neither run code, crash, hang, nor use more memory than a small
multiple of its size.
"""

import re
import struct
from collections.abc import Callable, Iterable, Mapping, Sized
from typing import Any

import numpy as np

Maker = Callable[..., Any]
"""Builds a value from the arguments in a pickle, which it must check."""


class Record:
    """Inert replacement for a class in a pickle.

    Attributes:
        args: arguments of the constructor.
        state: state of the instance, if it is not a dictionary.
    """

    args: tuple[Any, ...] = ()
    state: Any = None


class Global:
    """An admitted class or function that a pickle names; it is not callable."""

    __slots__ = ("make", "record")

    def __init__(self, entry: "type[Record] | Maker") -> None:
        self.record: type[Record] | None = None
        if isinstance(entry, type) and issubclass(entry, Record):
            self.record = entry
        self.make: Maker = entry


class RefusedError(Exception):
    """The reason why a pickle is refused."""


SCALARS = frozenset({str, bytes, int, float, bool, complex, type(None)})
"""Types of values without parts."""


class Machine:
    """Runs one pickle after another.

    Args:
        data: the bytes.
        admitted: the record or maker for each class or function, by module and name.
        persistent: turns a persistent id into a value; None refuses them.
        at: start of the first pickle; afterwards, the end of the last one.
    """

    def __init__(
        self,
        data: bytes,
        admitted: Mapping[tuple[str, str], type[Record] | Maker],
        persistent: Callable[[Any], Any] | None = None,
        at: int = 0,
    ) -> None:
        self.data, self.at, self.persistent = data, at, persistent
        self.admitted = {name: Global(entry) for name, entry in admitted.items()}
        self.budget = 1_000_000 + 10 * len(data)
        self.memo: dict[int, Any] = {}
        self.marks: list[int] = []
        self.stack: list[Any] = []
        self.push = self.stack.append
        self.pop = self.stack.pop

    def load(self) -> Any:
        """Run to the next STOP and return the result.

        Raises:
            RefusedError: the pickle is damaged, or contains something not admitted.
        """
        self.memo.clear()
        self.marks.clear()
        self.stack.clear()
        data, memo, push, at = self.data, self.memo, self.push, self.at
        while True:
            opcode = data[at]
            at += 1
            if opcode == _GET:  # the most frequent opcodes come first
                push(memo[data[at]])
                at += 1
            elif opcode == _FLOAT:
                push(_DOUBLE.unpack_from(data, at)[0])
                at += 8
            elif opcode == _MEMOIZE:
                memo[len(memo)] = self.stack[-1]
            elif opcode == _STOP:
                self.at = at
                return self.pop()
            else:
                self.at = at
                _HANDLERS[opcode](self)
                at = self.at

    def spend(self, count: int) -> None:
        """Charge created elements or bytes to the budget, as a pickle can create many cheaply."""
        self.budget -= count
        if self.budget < 0:
            raise RefusedError("it expands to far more than its size")

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        start, end = self.at, self.at + count
        if not start <= end <= len(self.data):
            raise RefusedError(f"a field has {count:,} bytes, more than are left")
        self.at = end
        return self.data[start:end]

    def number(self, form: struct.Struct) -> Any:
        """Return the next fixed-size number."""
        value = form.unpack_from(self.data, self.at)[0]
        self.at += form.size
        return value

    def line(self) -> str:
        """Return the next line of text."""
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise RefusedError("truncated in a line of text")
        text = self.data[self.at : end].decode("latin-1")
        self.at = end + 1
        return text

    def top(self, count: int) -> list[Any]:
        """Pop `count` values."""
        start = len(self.stack) - count
        if start < 0:
            raise RefusedError(f"it takes {count} values from a stack of {len(self.stack)}")
        return self._above(start)

    def since_mark(self) -> list[Any]:
        """Pop everything above the last mark."""
        return self._above(self.marks.pop())

    def _above(self, start: int) -> list[Any]:
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def remember(self, index: int) -> None:
        """Store the top of the stack in the memo."""
        if not 0 <= index <= self.at:
            raise RefusedError(f"the memo index {index:,} is beyond the size of the file")
        self.memo[index] = self.stack[-1]

    def named(self, module: str, name: str) -> Global:
        """Return the admitted class or function of a name."""
        if (module, name) not in self.admitted:
            raise RefusedError(f"it refers to {module}.{name}, which is not admitted")
        return self.admitted[module, name]


_STOP, _GET, _FLOAT, _MEMOIZE = b".hG\x94"
_BYTE, _SHORT, _INT = struct.Struct("<B"), struct.Struct("<H"), struct.Struct("<i")
_KEY_DEPTH, _KEY_SIZE = 4, 256
_LONGEST_AXIS, _LONGEST_INTEGER = 1 << 48, 1024
"""Limits in elements and bytes; arithmetic with longer integers could take forever."""
_UINT, _SIZE, _DOUBLE = struct.Struct("<I"), struct.Struct("<Q"), struct.Struct(">d")


def check_keys(keys: Iterable[Any]) -> None:
    """Refuse keys and set members other than plain values and small tuples of these.

    Hashing nested tuples recurses without limit, and repeatedly into shared parts.
    """
    if SCALARS.issuperset(map(type, keys)):
        return
    for key in keys:
        level = [key]
        for _ in range(_KEY_DEPTH):
            level = _inside_tuples(level)
        if level:
            raise RefusedError(f"a key is nested more than {_KEY_DEPTH} deep")


def _inside_tuples(level: list[Any]) -> list[Any]:
    tuples = [item for item in level if type(item) is tuple]
    if sum(map(len, tuples)) > _KEY_SIZE:
        raise RefusedError(f"a key has more than {_KEY_SIZE} parts")
    for item in level:
        if type(item) is not tuple and type(item) not in SCALARS:
            raise RefusedError(f"a {type(item).__name__} is used as a key")
    return [item for inside in tuples for item in inside]


def _constant(value: Any) -> Callable[[Machine], None]:
    return lambda m: m.push(value)


def _number(form: struct.Struct) -> Callable[[Machine], None]:
    unpack, size = form.unpack_from, form.size

    def handler(m: Machine) -> None:
        m.push(unpack(m.data, m.at)[0])
        m.at += size

    return handler


def _counted(form: struct.Struct, decode: Callable[[bytes], Any]) -> Callable[[Machine], None]:
    def handler(m: Machine) -> None:
        m.push(decode(m.take(m.number(form))))

    return handler


def _latin(data: bytes) -> str:
    return data.decode("latin-1")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _long(data: bytes) -> int:
    if len(data) > _LONGEST_INTEGER:
        raise RefusedError(f"an integer of {len(data):,} bytes")
    return int.from_bytes(data, "little", signed=True)


def _decimal(m: Machine) -> None:
    text = m.line()
    m.push({"00": False, "01": True}[text] if text in ("00", "01") else int(text.rstrip("L")))


def _string_line(m: Machine) -> None:
    quoted = m.line().strip()
    if len(quoted) < 2 or quoted[0] != quoted[-1] or quoted[0] not in "'\"" or "\\" in quoted:
        raise RefusedError("a protocol 0 string is not plain quoted text")
    m.push(quoted[1:-1])


def _pop(m: Machine) -> None:
    if m.marks and m.marks[-1] == len(m.stack):
        m.marks.pop()
    else:
        m.pop()


def _marked_dict(m: Machine) -> None:
    items = m.since_mark()
    m.push({})
    _set_items(m, items)


def _set_items(m: Machine, items: list[Any]) -> None:
    keys, values = items[::2], items[1::2]
    target = m.stack[-1]
    if not isinstance(target, dict) or len(keys) != len(values):
        raise RefusedError(f"it sets items of a {type(target).__name__}")
    check_keys(keys)
    target.update(zip(keys, values, strict=True))


def _extend(m: Machine, items: list[Any]) -> None:
    target = m.stack[-1]
    if type(target) is not list:
        raise RefusedError(f"it appends to a {type(target).__name__}")
    target.extend(items)


def _add_items(m: Machine) -> None:
    items = m.since_mark()
    check_keys(items)
    if type(m.stack[-1]) is not set:
        raise RefusedError(f"it adds items to a {type(m.stack[-1]).__name__}")
    m.stack[-1].update(items)


def _frozen_set(m: Machine) -> None:
    items = m.since_mark()
    check_keys(items)
    m.push(frozenset(items))


def _stack_global(m: Machine) -> None:
    name, module = m.pop(), m.pop()
    if type(name) is not str or type(module) is not str:
        raise RefusedError("it refers to a name that is not text")
    m.push(m.named(module, name))


def _create(m: Machine, target: Any, args: Any, keywords: Any = None) -> None:
    if type(target) is not Global or type(args) is not tuple or keywords:
        raise RefusedError("it calls something that is not an admitted class")
    if target.record is None:
        value = target.make(*args)
        m.spend(_made(value))
        m.push(value)
        return
    record = target.record()
    if args:
        record.args = args
    m.push(record)


def _made(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return value.nbytes if value.base is None else 1
    return len(value) if isinstance(value, Sized) else 1


def _object(m: Machine) -> None:
    target, *args = m.since_mark()
    _create(m, target, tuple(args))


def _build(m: Machine) -> None:
    state, target = m.pop(), m.stack[-1]
    if isinstance(target, Record):
        _restore(target, state)
        m.spend(len(vars(target)))
    elif type(target) is np.ndarray and not target.size:  # a filled array may have views
        restore_array(target, state)
        m.spend(target.nbytes)
    elif type(target) is not dict:  # attributes of an OrderedDict are ignored
        raise RefusedError(f"it gives a state to a {type(target).__name__}")


def _restore(record: Record, state: Any) -> None:
    if type(state) is not dict:
        record.state = state
    elif {str}.issuperset(map(type, state)):
        vars(record).update(state)
    else:
        raise RefusedError("the name of an attribute is not text")


def restore_array(array: np.ndarray[Any, Any], state: Any) -> None:
    """Fill an array from `(version, shape, dtype, fortran order, bytes)`.

    Raises:
        RefusedError: the shape does not fit the bytes, or the elements are not numbers or text.
    """
    _, shape, kind, fortran, content = state
    dtype = plain_dtype(kind)
    raw = content.encode("latin-1") if type(content) is str else content
    if type(raw) is not bytes or not fits(shape, dtype, len(raw)):
        raise RefusedError("an array's shape does not fit its bytes")
    checked: Any = (1, shape, dtype, bool(fortran), raw)
    array.__setstate__(checked)


def fits(shape: Any, dtype: "np.dtype[Any]", size: int) -> bool:
    """Return whether an array of this shape has exactly `size` bytes."""
    if type(shape) is not tuple or len(shape) > 32 or not {int}.issuperset(map(type, shape)):
        return False
    count = 1
    for length in shape:
        if not 0 <= length <= _LONGEST_AXIS:
            return False
        count = min(count * length, size + 1)
    return count * dtype.itemsize == size


def plain_dtype(kind: Any) -> "np.dtype[Any]":
    """Return the dtype of a pickled `numpy.dtype`.

    Raises:
        RefusedError: its elements are not plain numbers or text.
    """
    code = kind.args[0] if isinstance(kind, Record) and kind.args else None
    if type(code) is not str or not re.fullmatch(r"[biufc?SU]\d{0,6}|b1", code):
        raise RefusedError("an array has elements other than numbers or text")
    big = type(kind.state) is tuple and kind.state[1:2] == (">",)
    return np.dtype(code).newbyteorder(">" if big else "=")


def _persistent(m: Machine) -> None:
    if m.persistent is None:
        raise RefusedError("it refers to data outside of it (a persistent id)")
    m.push(m.persistent(m.pop()))


def _protocol(m: Machine) -> None:
    version = m.number(_BYTE)
    if version > 5:
        raise RefusedError(f"protocol {version} is unknown; the newest is 5")


def _frame(m: Machine) -> None:
    size = m.number(_SIZE)
    if size > len(m.data) - m.at:
        raise RefusedError(f"a frame has {size:,} bytes, more than are left")


def _refuse(opcode: int) -> Callable[[Machine], None]:
    def handler(m: Machine) -> None:
        raise RefusedError(f"byte {m.at - 1:,} ({opcode:#04x}) is not an admitted opcode")

    return handler


_KNOWN: Mapping[bytes, Callable[[Machine], object]] = {
    # numbers and other constants
    b"N": _constant(None),
    b"\x88": _constant(True),
    b"\x89": _constant(False),
    b"I": _decimal,
    b"L": _decimal,
    b"F": lambda m: m.push(float(m.line())),
    b"J": _number(_INT),
    b"M": _number(_SHORT),
    b"K": _number(_BYTE),
    b"\x8a": _counted(_BYTE, _long),
    b"\x8b": _counted(_INT, _long),
    # text and bytes
    b"S": _string_line,
    b"V": lambda m: m.push(m.line().encode("latin-1").decode("raw-unicode-escape")),
    b"T": _counted(_INT, _latin),
    b"U": _counted(_BYTE, _latin),
    b"\x8c": _counted(_BYTE, _text),
    b"X": _counted(_UINT, _text),
    b"\x8d": _counted(_SIZE, _text),
    b"C": _counted(_BYTE, bytes),
    b"B": _counted(_UINT, bytes),
    b"\x8e": _counted(_SIZE, bytes),
    b"\x96": _counted(_SIZE, bytes),
    # containers
    b"(": lambda m: m.marks.append(len(m.stack)),
    b"0": _pop,
    b"1": lambda m: m.since_mark(),
    b"2": lambda m: m.push(m.stack[-1]),
    b")": _constant(()),
    b"\x85": lambda m: m.push(tuple(m.top(1))),
    b"\x86": lambda m: m.push(tuple(m.top(2))),
    b"\x87": lambda m: m.push(tuple(m.top(3))),
    b"t": lambda m: m.push(tuple(m.since_mark())),
    b"]": lambda m: m.push([]),
    b"l": lambda m: m.push(m.since_mark()),
    b"a": lambda m: _extend(m, m.top(1)),
    b"e": lambda m: _extend(m, m.since_mark()),
    b"}": lambda m: m.push({}),
    b"d": _marked_dict,
    b"s": lambda m: _set_items(m, m.top(2)),
    b"u": lambda m: _set_items(m, m.since_mark()),
    b"\x8f": lambda m: m.push(set()),
    b"\x90": _add_items,
    b"\x91": _frozen_set,
    # the memo
    b"p": lambda m: m.remember(int(m.line())),
    b"q": lambda m: m.remember(m.number(_BYTE)),
    b"r": lambda m: m.remember(m.number(_UINT)),
    b"g": lambda m: m.push(m.memo[int(m.line())]),
    b"j": lambda m: m.push(m.memo[m.number(_UINT)]),
    # classes
    b"c": lambda m: m.push(m.named(m.line(), m.line())),
    b"\x93": _stack_global,
    b"R": lambda m: _create(m, *m.top(2)),
    b"\x81": lambda m: _create(m, *m.top(2)),
    b"\x92": lambda m: _create(m, *m.top(3)),
    b"i": lambda m: _create(m, m.named(m.line(), m.line()), tuple(m.since_mark())),
    b"o": _object,
    b"b": _build,
    # the rest
    b"\x80": _protocol,
    b"\x95": _frame,
    b"Q": _persistent,
}
_HANDLERS = [_KNOWN.get(bytes([opcode])) or _refuse(opcode) for opcode in range(256)]

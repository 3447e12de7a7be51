import os
import pickle
import struct
import sys
import tracemalloc
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_graphs.formats.analog import AnalogNasBench
from snap_graphs.formats.base import Request
from snap_graphs.formats.pickles import NUMPY, PLAIN, Record, load_pickle, loads_pickle

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
HUGE = 100 << 30


class Planted:
    """A pickle of this would run a command when loaded without care."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.mark}",)


class Writing:
    """A pickle of this would write a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.mark), "w")


class Stored:
    """A harmless class of somebody else's package."""

    def __init__(self) -> None:
        self.value = 3.5


class Stand(Record):
    """Stands in for Stored."""


ADMITTED = {(Stored.__module__, "Stored"): Stand}
NAME = f"{Stored.__module__}\nStored\n".encode()


@contextmanager
def little_memory(most: int = 20_000_000) -> Iterator[None]:
    """Fail where more than `most` bytes are allocated inside."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("planted", "name"), [(Planted, r"posix\.system"), (Writing, r"(io|_io)\.open")]
)
def test_a_pickle_that_would_do_something_is_refused_by_name_and_does_nothing(
    tmp_path: Path, protocol: int, planted: type[Planted], name: str
) -> None:
    path, mark = tmp_path / "evil.pkl", tmp_path / "mark"
    path.write_bytes(pickle.dumps({"data": planted(mark)}, protocol))
    with pytest.raises(SnapError, match=rf"evil\.pkl: refused.*{name}, which is not admitted"):
        load_pickle(path, {})
    assert not mark.exists()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"cantigravity\nfly\n.", "antigravity.fly, which is not admitted"),
        (b"\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.", "builtins.eval"),
        (b"\x8c\x08builtins\x8c\x08str.join\x93.", "builtins.str.join"),
        (b"(S'1'\nios\nsystem\n.", "os.system"),
        (b"(cos\nsystem\nS'1'\no.", "os.system"),
        (b"\x82\x01.", "byte 0 (0x82) is not an admitted opcode"),
        (b"P1\n.", "byte 0 (0x50) is not an admitted opcode"),
        (b"K\x01Q.", "a persistent id"),
        (b"\x97.", "byte 0 (0x97) is not an admitted opcode"),
        (b"]K\x01\x85R.", "calls something that is not an admitted class"),
        (b"\x8c\x01a)R.", "calls something that is not an admitted class"),
        (b"]K\x01b.", "gives a state to a list"),
        (b"c" + NAME + b"}\x8c\x01xK\x01sb.", "gives a state to a Global"),
        (b"c" + NAME + b")}\x8c\x01xK\x01s\x92.", "calls something that is not an admitted class"),
        (b"c" + NAME + b")R}K\x01K\x02sb.", "the name of an attribute is not text"),
        (b"c" + NAME + b")RK\x01K\x02s.", "sets items of a Stand"),
        (b"c" + NAME + b")RK\x01a.", "appends to a Stand"),
        (b"\x80\x06N.", "protocol 6 is unknown; the newest is 5"),
    ],
)
def test_whatever_runs_or_reaches_out_is_refused_by_name(content: bytes, fault: str) -> None:
    with pytest.raises(SnapError) as caught:
        loads_pickle(content, "evil", ADMITTED)
    assert str(caught.value).startswith("evil: refused as a pickle (")
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"\x8e" + struct.pack("<Q", HUGE) + b".", "107,374,182,400 bytes, more than are left"),
        (b"\x8d" + struct.pack("<Q", HUGE) + b".", "107,374,182,400 bytes, more than are left"),
        (b"\x96" + struct.pack("<Q", HUGE) + b".", "107,374,182,400 bytes, more than are left"),
        (b"\x95" + struct.pack("<Q", HUGE) + b"N.", "a frame has 107,374,182,400 bytes"),
        (b"\x8e" + b"\xff" * 8 + b".", "more than are left"),
        (b"B" + b"\xff" * 4 + b".", "4,294,967,295 bytes, more than are left"),
        (b"X" + b"\xff" * 4 + b".", "4,294,967,295 bytes, more than are left"),
        (b"\x8b\xff\xff\xff\x7f.", "2,147,483,647 bytes, more than are left"),
        (b"\x8b\xff\xff\xff\xff.", "-1 bytes, more than are left"),
        (b"T\xff\xff\xff\xff.", "-1 bytes, more than are left"),
        (b"\x8b" + struct.pack("<i", 5000) + bytes(5000) + b".", "an integer of 5,000 bytes"),
        (b"L" + b"9" * 5000 + b"L\n.", "4300 digits"),
        (b"Nr\xff\xff\xff\xff.", "memo index 4,294,967,295 is beyond the size of the file"),
        (b"Np99999999999\n.", "memo index 99,999,999,999 is beyond the size of the file"),
        (b"Np-1\n.", "memo index -1"),
    ],
)
def test_what_claims_more_than_it_holds_is_refused_without_allocating(
    content: bytes, fault: str
) -> None:
    with little_memory(), pytest.raises(SnapError) as caught:
        loads_pickle(content, "evil")
    assert fault in str(caught.value)


def nested(opening: bytes, closing: bytes, depth: int) -> bytes:
    return opening * depth + b"N" + closing * depth


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (nested(b"]", b"a", 300) + b".", "nested more than 200 deep"),
        (nested(b"]", b"a", 300_000) + b".", "nested more than 200 deep"),
        (nested(b"", b"\x85", 300_000) + b".", "nested more than 200 deep"),
        (nested(b"}N", b"s", 300_000) + b".", "nested more than 200 deep"),
        (b"}" + nested(b"", b"\x85", 300_000) + b"Ns.", "a key is nested more than 4 deep"),
        (b"\x8f(" + nested(b"", b"\x85", 300_000) + b"\x90.", "a key is nested more than 4 deep"),
        (b"}" + nested(b"(", b"\x91", 300_000) + b"Ns.", "a frozenset is used as a key"),
        (b"]\x94h\x00a.", "a list contains itself"),
        (b"}\x94Nh\x00s.", "a dict contains itself"),
        (b"](]\x94h\x00ah\x00e.", "a list contains itself"),
        (b"c" + NAME + b")R\x94}\x8c\x01xh\x00sb.", "a Stand contains itself"),
    ],
)
def test_what_is_nested_too_deep_or_in_itself_is_refused(content: bytes, fault: str) -> None:
    with pytest.raises(SnapError) as caught:
        loads_pickle(content, "evil", ADMITTED)
    assert fault in str(caught.value)


def laughs(times: int) -> bytes:
    """A tuple of two references to a tuple of two references to ..."""
    doubled = b"".join(b"0h" + bytes([i]) + b"h" + bytes([i]) + b"\x86\x94" for i in range(times))
    return b"\x8c\x03lol\x94" + doubled


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (laughs(60) + b".", "it expands to more than 1,000,000 elements"),
        (b"}" + laughs(60) + b"Ns.", "a key is nested more than 4 deep"),
        (b"\x8f(" + laughs(60) + b"\x90.", "a key is nested more than 4 deep"),
        (b"}(" + b"N" * 300 + b"tNs.", "a key has more than 256 parts"),
        (b"c" + laughs(60) + b"\n.", "refused"),
        (b"cnumpy\ndtype\n" + laughs(60) + b"\x85R.", "expands to more than 1,000,000 elements"),
    ],
)
def test_shared_parts_that_would_grow_without_end_are_refused(content: bytes, fault: str) -> None:
    with little_memory(), pytest.raises(SnapError) as caught:
        loads_pickle(content, "evil", NUMPY)
    assert fault in str(caught.value)


def test_an_admitted_maker_or_record_cannot_be_made_to_multiply_one_argument() -> None:
    text = b"X" + struct.pack("<I", 100_000) + b"a" * 100_000 + b"\x94"
    encode = b"0c_codecs\nencode\n\x94(" + b"h\x01h\x00\x85R" * 1_000 + b"l."
    with little_memory(), pytest.raises(SnapError, match="far more than its size"):
        loads_pickle(text + encode, "evil", PLAIN)
    items = b"".join(b"\x8c\x04%04dN" % i for i in range(2_000))
    state = b"}(" + items + b"u\x94"
    copies = b"0c" + NAME + b"\x94(" + b"h\x01)Rh\x00b" * 2_000 + b"l."
    with little_memory(200_000_000), pytest.raises(SnapError, match="far more than its size"):
        loads_pickle(state + copies, "evil", ADMITTED)


def _array_state(dtype: bytes, shape: bytes) -> bytes:
    kind = b"cnumpy\ndtype\n\x8c" + bytes([len(dtype)]) + dtype + b"\x85R"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
    return array + b"(K\x01" + shape + kind + b"\x89C\x08" + bytes(8) + b"tb."


@pytest.mark.parametrize(
    ("dtype", "shape"),
    [
        (b"f8", b"\x8a\x05\x00\x00\x00\x00\x19\x85"),
        (b"f8", b"K\x02\x85"),
        (b"f8", b"J\xff\xff\xff\xffJ\xff\xff\xff\xff\x86"),
        (b"f8", b"(" + b"K\x01" * 40 + b"t"),
        (b"f8", b"\x8c\x011\x85"),
        (b"O", b"K\x01\x85"),
        (b"V99999999999", b"K\x01\x85"),
        (b"f8,f8,f8", b"K\x01\x85"),
    ],
)
def test_a_hostile_array_is_refused_without_allocating(dtype: bytes, shape: bytes) -> None:
    with little_memory(), pytest.raises(SnapError, match=r"evil: refused.*an array"):
        loads_pickle(_array_state(dtype, shape), "evil", NUMPY)


def test_a_filled_array_cannot_be_given_a_second_content() -> None:
    """Views of its memory may be about."""
    once = _array_state(b"f8", b"K\x01\x85")
    assert loads_pickle(once, "a", NUMPY).tolist() == [0.0]
    with pytest.raises(SnapError, match="gives a state to a ndarray"):
        loads_pickle(once[:-1] + once[once.index(b"(K\x01") :], "evil", NUMPY)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_numpy_values_and_older_containers_become_plain(protocol: int) -> None:
    value = {
        "scalars": [np.float64(2.5), np.int32(-7), np.bool_(True), np.str_("relu")],
        "array": np.arange(6, dtype=">i4").reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "empty": np.zeros((0, 3), np.float32),
        "ordered": OrderedDict(b=1, a=[2]),
        "sets": [{1, 2}, frozenset({"x"}), set()],
        "bytes": [b"", b"\xff\x00"],
    }
    loaded = loads_pickle(pickle.dumps(value, protocol), "a", NUMPY)
    assert loaded["scalars"] == [2.5, -7, True, "relu"]
    assert [type(v) for v in loaded["scalars"]] == [float, int, bool, str]
    for name in ("array", "fortran", "empty"):
        assert loaded[name].shape == value[name].shape  # type: ignore[attr-defined]
        assert (loaded[name] == value[name]).all()
    assert list(loaded["ordered"].items()) == [("b", 1), ("a", [2])]
    assert (loaded["sets"], loaded["bytes"]) == (value["sets"], value["bytes"])


_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary()
)
_KEYS = st.one_of(st.text(), st.integers(), st.tuples(st.integers(), st.text()))
_VALUES: st.SearchStrategy[Any] = st.recursive(
    _SCALARS,
    lambda inside: st.one_of(
        st.lists(inside),
        st.dictionaries(_KEYS, inside),
        st.tuples(inside, inside),
        st.frozensets(_KEYS),
        st.sets(_KEYS),
    ),
    max_leaves=20,
)


@given(_VALUES, st.sampled_from(PROTOCOLS))
def test_plain_values_come_back_as_the_standard_library_gives_them(
    value: Any, protocol: int
) -> None:
    assert loads_pickle(pickle.dumps(value, protocol), "a", PLAIN) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_refused(content: bytes) -> None:
    with suppress(SnapError):
        loads_pickle(content, "a", NUMPY)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_admitted_class_becomes_an_inert_record(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps([Stored(), {"a": 1}], protocol))
    record, plain = load_pickle(path, {**PLAIN, **ADMITTED})
    assert (type(record), record.value, plain) == (Stand, 3.5, {"a": 1})


def test_a_record_keeps_what_its_class_was_called_with() -> None:
    record = loads_pickle(b"c" + NAME + b"K\x01K\x02\x86RK\x03b.", "a", ADMITTED)
    assert (record.args, record.state) == ((1, 2), 3)


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps([1.5] * 99)[:50]])
def test_a_damaged_pickle_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.pkl"
    path.write_bytes(content)
    with pytest.raises(SnapError, match=r"damaged\.pkl: refused as a pickle"):
        load_pickle(path, {})


def test_every_truncation_of_a_pickle_is_refused() -> None:
    whole = pickle.dumps({"a": [1, 2.5, "x" * 300, b"y"], (1, 2): {3, 4}, "b": 1 << 80})
    assert loads_pickle(whole, "a")
    for length in range(len(whole) - 1):
        with pytest.raises(SnapError, match="a: refused as a pickle"):
            loads_pickle(whole[:length], "a")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SnapError, match=r"none\.pkl: cannot be read \(No such file"):
        load_pickle(tmp_path / "none.pkl", {})


def test_a_pickle_of_another_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pkl"
    path.write_bytes(pickle.dumps({(0, 1): 2}))
    with pytest.raises(SnapError, match="not laid out as analog-nasbench"):
        list(AnalogNasBench().chunks(path, Request()))

import io
import os
import pickle
import struct
import tracemalloc
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from snap_catalog import SnapError
from snap_graphs.formats.pickles import Record
from snap_graphs.formats.torch_files import is_torch, load_torch

ZIP, LEGACY = True, False
LAYOUTS = pytest.mark.parametrize("layout", [ZIP, LEGACY])


class Planted:
    """A pickle of this would run a command."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.mark}",)


class Stored:
    """A harmless class of somebody else's package."""

    def __init__(self, value: float) -> None:
        self.value = value


class Stand(Record):
    """Stands in for Stored."""


def save(value: Any, path: Path, layout: bool) -> Path:
    torch = pytest.importorskip("torch")
    torch.save(value, path, _use_new_zipfile_serialization=layout)
    return path


@LAYOUTS
def test_tensors_of_every_number_type_become_equal_arrays(tmp_path: Path, layout: bool) -> None:
    torch = pytest.importorskip("torch")
    kinds = ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
    value = {kind: torch.arange(6).reshape(2, 3).to(getattr(torch, kind)) for kind in kinds}
    path = save(value, tmp_path / "a.pth", layout)
    assert is_torch(path)
    loaded = load_torch(path)
    for kind, tensor in value.items():
        assert loaded[kind].dtype == np.dtype(kind)
        assert (loaded[kind] == tensor.numpy()).all()


@LAYOUTS
def test_views_scalars_and_what_goes_with_tensors_are_read(tmp_path: Path, layout: bool) -> None:
    torch = pytest.importorskip("torch")
    x = torch.arange(12.0).reshape(3, 4)
    value = {
        "views": [x, x.T, x[1:, ::2], x[2]],
        "scalar": torch.tensor(3),
        "empty": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(x, requires_grad=True),
        "state": OrderedDict(weight=x),
        "shape": x.shape,
        "numpy": np.arange(3),
        "plain": {"a": [1, 2.5, None]},
    }
    loaded = load_torch(save(value, tmp_path / "a.pth", layout))
    for found, expected in zip(loaded["views"], value["views"], strict=True):
        assert np.array_equal(found, expected.numpy())
    assert (loaded["scalar"].shape, loaded["scalar"].item()) == ((), 3)
    assert loaded["empty"].shape == (0, 3)
    assert np.array_equal(loaded["parameter"], x.numpy())
    assert np.array_equal(loaded["state"]["weight"], x.numpy())
    assert (loaded["shape"], loaded["numpy"].tolist()) == ((3, 4), [0, 1, 2])
    assert loaded["plain"] == {"a": [1, 2.5, None]}


@LAYOUTS
def test_an_admitted_class_becomes_an_inert_record(tmp_path: Path, layout: bool) -> None:
    path = save([Stored(2.5)], tmp_path / "a.pth", layout)
    (record,) = load_torch(path, {(Stored.__module__, "Stored"): Stand})
    assert (type(record), record.value) == (Stand, 2.5)


@LAYOUTS
def test_a_file_that_would_run_a_command_is_refused_by_name(tmp_path: Path, layout: bool) -> None:
    path = save(Planted(tmp_path / "mark"), tmp_path / "evil.pth", layout)
    with pytest.raises(SnapError, match=r"evil\.pth: refused as a pickle .*posix\.system"):
        load_torch(path)
    assert not (tmp_path / "mark").exists()


@LAYOUTS
def test_every_truncation_is_refused(tmp_path: Path, layout: bool) -> None:
    torch = pytest.importorskip("torch")
    whole = save({"a": torch.ones(9)}, tmp_path / "a.pth", layout).read_bytes()
    cut = tmp_path / "cut.pth"
    for length in range(0, len(whole) - 1, 11):
        cut.write_bytes(whole[:length])
        with pytest.raises(SnapError, match=r"cut\.pth: refused"):
            load_torch(cut)


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value: int) -> bytes:
    return pickle.dumps(value, 2)[2:-1]


def storage(count: int, kind: str = "torch\nFloatStorage", key: str = "0") -> bytes:
    """What refers to a storage (a persistent id)."""
    named = b"c" + kind.encode() + b"\n"
    return b"(" + text("storage") + named + text(key) + text("cpu") + number(count) + b"tQ"


def tensor(held: bytes, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0) -> bytes:
    sizes = b"".join(b"(" + b"".join(map(number, axis)) + b"t" for axis in (shape, strides))
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + held + number(offset) + sizes + b"\x89NtR"


def zip_file(path: Path, program: bytes, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02" + program + b".")
        for name, content in {"data/0": bytes(16), **entries}.items():
            archive.writestr(f"a/{name}", content)
    return path


def legacy_file(path: Path, program: bytes, **_: bytes) -> Path:
    stream = io.BytesIO()
    for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(value, stream, protocol=2)
    stream.write(b"\x80\x02" + program + b"." + pickle.dumps(["0"], protocol=2))
    path.write_bytes(stream.getvalue() + struct.pack("<q", 4) + bytes(16))
    return path


FILES = pytest.mark.parametrize("write", [zip_file, legacy_file])


@FILES
def test_the_crafted_files_are_read_where_nothing_is_wrong(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    path = write(tmp_path / "a.pth", tensor(storage(4), (2, 2), (2, 1)))
    assert load_torch(path).tolist() == [[0, 0], [0, 0]]


_HUGE = 100 << 30


@FILES
@pytest.mark.parametrize(
    ("program", "fault"),
    [
        (storage(_HUGE), "a storage has 107,374,182,400 elements"),
        (storage(-1), "a storage has -1 elements"),
        (storage(3), "storage '0' has "),
        (storage(5), "storage '0' has "),
        (storage(4, "torch\nBFloat16Storage"), "torch.BFloat16Storage, which is not admitted"),
        (storage(4, "torch\nSize"), "a storage of unknown elements"),
        (text("x") + b"Q", "refused"),
        (tensor(storage(4), (5,), (1,)), "(5,) exceeds its storage"),
        (tensor(storage(4), (2, 2), (3, 1)), "(2, 2) exceeds its storage"),
        (tensor(storage(4), (1,), (1,), 4), "exceeds its storage"),
        (tensor(storage(4), (2,), (1,), -1), "an impossible shape"),
        (tensor(storage(4), (2,), (-1,), 3), "an impossible shape"),
        (tensor(storage(4), (-2,), (1,)), "an impossible shape"),
        (tensor(storage(4), (1 << 40,), (0,)), "exceeds its storage"),
        (tensor(storage(4), (1 << 60,), (0,)), "an impossible shape"),
        (tensor(storage(4), (1,) * 40, (1,) * 40), "an impossible shape"),
        (tensor(storage(4), (2, 2), (1,)), "refused"),
        (tensor(b"N", (2,), (1,)), "not built from a storage"),
        (tensor(storage(4), (4,), (1,)) + b"0" + storage(4) + b"Nb", "a state to a ndarray"),
    ],
)
def test_a_tensor_that_claims_more_than_its_storage_is_refused_without_allocating(
    tmp_path: Path, write: Callable[..., Path], program: bytes, fault: str
) -> None:
    path = write(tmp_path / "evil.pth", program)
    tracemalloc.start()
    with pytest.raises(SnapError) as caught:
        load_torch(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    assert str(caught.value).startswith(f"{path}: refused")
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_missing_or_foreign_in_an_archive_is_told(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "a.pth", storage(4, key="7"))
    with pytest.raises(SnapError, match="storage '7' is missing"):
        load_torch(path)
    zip_file(path, storage(4), byteorder=b"big")
    with pytest.raises(SnapError, match="big-endian"):
        load_torch(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/other", b"")
    with pytest.raises(SnapError, match=r"no data\.pkl"):
        load_torch(path)
    assert not is_torch(path)


def test_other_files_are_no_torch_files(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    path.write_bytes(pickle.dumps({"a": 1}))
    assert not is_torch(path)
    assert not is_torch(tmp_path)
    with pytest.raises(SnapError, match=r"does not begin like a file of torch\.save"):
        load_torch(path)
    with pytest.raises(SnapError, match=r"none\.pth: cannot be read"):
        load_torch(tmp_path / "none.pth")


def test_a_legacy_file_of_another_protocol_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    path.write_bytes(pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(7, 2) * 4)
    with pytest.raises(SnapError, match="its protocol is 7, not 1001"):
        load_torch(path)

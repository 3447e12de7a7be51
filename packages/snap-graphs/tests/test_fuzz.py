"""Damage small valid files of every format: nothing but `SnapError` may come out.

`SNAP_FUZZ_EXAMPLES` sets how many damaged files are tried for each format (40 by default).
"""

import bz2
import gzip
import io
import json
import os
import pickle
import sys
import tempfile
import types
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import hw_nasbench
import nasbench301
import nats
import nb101_tfrecord
import nds
import numpy as np
import pytest
import transnas_pth
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_graphs.convert import FORMATS, convert
from snap_graphs.formats.archives import members
from snap_graphs.formats.base import Request
from snap_graphs.formats.pickles import NUMPY, loads_pickle

EXAMPLES = int(os.environ.get("SNAP_FUZZ_EXAMPLES", "40"))
bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

NB201 = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
NB201_TOO = "|nor_conv_1x1~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
NB101_ROW = {
    "hash": "00005c142e6f48ac74fdcf73e3439874",
    "n_vertices": "7",
    "adj_upper": "100110100001001010101",
    "ops": "3m331",
    "params": "8555530",
    "cifar10/test/accuracy@108": "92.0606",
}
_PAIRS = "('sep_conv_3x3', 0), ('skip_connect', 1)"
_CELL = ", ".join([_PAIRS] * 4)
GENOTYPE = (
    f"Genotype(normal=[{_CELL}], normal_concat=range(2, 6), "
    f"reduce=[{_CELL}], reduce_concat=range(2, 6))"
)
PRINTED = GENOTYPE.replace("0)", "np.int64(0), 0.5)").replace("range(2, 6)", "array([4, 5])")
TRANSNAS = "64-41414-1_23_012"
CUSTOM = {
    "space": "mine",
    "operators": {"conv": "Convolution"},
    "metrics": {"a/test/accuracy": {"direction": "max", "unit": "percent"}},
    "cells": [
        {
            "id": "a",
            "nodes": ["input", "conv", "output"],
            "edges": [[0, 1], [1, 2]],
            "metrics": {"a/test/accuracy": 1.5},
        }
    ],
}


def nb101_records(folder: Path) -> Path:
    path = folder / "nasbench_only108.tfrecord"
    nb101_tfrecord.write(path, [NB101_ROW])
    return path


def naslib_nb101(folder: Path) -> Path:
    path = folder / "nb101.pkl"
    fixed = {
        "module_adjacency": np.triu(np.ones((3, 3), np.int8), 1),
        "module_operations": ["input", "conv3x3-bn-relu", "output"],
        "trainable_parameters": 100,
    }
    names = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
    run = {f"{when}_{name}": 0.5 for when in ("halfway", "final") for name in names}
    path.write_bytes(pickle.dumps({"d32d0b26d534203b48d866facd98cc3e": (fixed, {108: [run] * 3})}))
    return path


def table(*lines: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / "table.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def suite_zero(name: str, arch: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / name
        score = {"score": 1.5, "time": 0.1}
        entry = {"idx": "0", "arch": arch, "zen": score, "val_accuracy": 90.5}
        path.write_text(json.dumps([entry, {**entry, "arch": arch.replace("1", "2")}]))
        return path

    return write


def suite_zero_document(space: str, dataset: str, *archs: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / f"zc_{space}.json"
        scores = {"id": "0", "zen": {"score": 1.5, "time": 0.1}, "val_accuracy": 90.5}
        path.write_text(json.dumps({dataset: dict.fromkeys(archs, scores)}))
        return path

    return write


def nats_topology(folder: Path) -> Path:
    nats.write_folder(folder / "NATS-tss-v1_0-3ffb9-simple", [NB201, NB201_TOO])
    return folder / "NATS-tss-v1_0-3ffb9-simple"


def nats_topology_tar(folder: Path) -> Path:
    path = folder / "NATS-tss-v1_0-3ffb9-simple.tar"
    inside = nats_topology(folder)
    nats.write_tar(path, inside)
    for file in inside.iterdir():
        file.unlink()
    inside.rmdir()
    return path


def nats_sizes(folder: Path) -> Path:
    archs = ["8:16:24:32:40", "64:64:64:64:64"]
    nats.write_folder(folder / "NATS-sss-v1_0-50262-simple", archs, nats.SIZE)
    return folder / "NATS-sss-v1_0-50262-simple"


def nb201_pth(folder: Path) -> Path:
    pytest.importorskip("torch")
    path = folder / "NAS-Bench-201-v1_1-096897.pth"
    nats.write_pth(path, [NB201])
    return path


def analog(folder: Path) -> Path:
    module = types.ModuleType("analognasbench.data")
    kinds = [type(name, (), {}) for name in ("Architecture", "DriftMeasurement")]
    for kind in kinds:
        kind.__module__ = module.__name__
        setattr(module, kind.__name__, kind)
    record, drift = (kind() for kind in kinds)
    vars(drift).update(value=90.5, uncertainty=0.1)
    for name in ("baseline", "ptq", "qat", "noisy", "analog"):
        setattr(record, f"{name}_accuracy", 90.5)
        for seconds in (60, 3600, 86400, 2592000):
            setattr(record, f"{name}_drift_{seconds}", drift)
    path = folder / "data.anb"
    with mock.patch.dict(sys.modules, {"analognasbench": module, module.__name__: module}):
        path.write_bytes(pickle.dumps({(0, 1, 2, 3, 4, 0): record}))
    return path


def custom(folder: Path) -> Path:
    path = folder / "cells.json"
    path.write_text(json.dumps(CUSTOM))
    return path


def custom_yaml(folder: Path) -> Path:
    return custom(folder).rename(folder / "cells.yaml")


def nb301_runs(folder: Path) -> Path:
    accuracy = {"cifar10/valid/accuracy@50": "92.5", "params_M": "3.25"}
    nasbench301.write(folder / "nb301", [{"arch": GENOTYPE, **accuracy}])
    return folder / "nb301"


def sweep(folder: Path) -> Path:
    path = folder / "DARTS_fix-w-d.json"
    nds.write(path, 2)
    return path


def transnas(folder: Path) -> Path:
    pytest.importorskip("torch")
    path = folder / "transnas-bench_v10141024.pth"
    transnas_pth.write(path, [{"arch": TRANSNAS}])
    return path


def nb_graph(folder: Path) -> Path:
    path = folder / "cora.bench"
    entry = {"valid_perf": 0.5, "perf": 0.4, "latency": 0.01, "para": 1.5}
    path.write_bytes(pickle.dumps({0: entry, 1: {**entry, "perf": 0.3}}))
    return path


def hardware(folder: Path) -> Path:
    path = folder / "HW-NAS-Bench-v1_0.pickle"
    columns = (metric.replace("_", "/", 1) for metric in hw_nasbench.METRICS)
    hw_nasbench.write(path, [{"arch": NB201, **{f"hw/{name}": "1.5" for name in columns}}])
    return path


SAMPLES: list[tuple[str, str, Callable[[Path], Path]]] = [
    ("nb101", "NasBench101Records", nb101_records),
    ("nb101", "NasLibNasBench101", naslib_nb101),
    (
        "nb101",
        "NasBench101Table",
        table("n_vertices,adj_upper,ops,cifar10/test/accuracy@108", "6,110000001101001,3m13,90.5"),
    ),
    (
        "nb101",
        "NasBench101Table",
        table("n_vertices,adj_upper,ops,cifar10/test/accuracy@108", "4,011001,13,90.5", "2,1,,"),
    ),
    (
        "nb201",
        "SuiteZeroNasBench201",
        suite_zero("benchmark--nasbench201--cifar10--0.json", "(4, 0, 3, 1, 4, 3)"),
    ),
    (
        "nb101",
        "SuiteZeroNasBench101",
        suite_zero_document("nasbench101", "cifar10", "(0, 1, 0, 0, 0, 1)"),
    ),
    (
        "nb201",
        "SuiteZeroNasBench201",
        suite_zero_document("nasbench201", "cifar10", "(4, 0, 3, 1, 4, 3)", "(0, 0, 0, 0, 0, 0)"),
    ),
    (
        "nb301",
        "SuiteZeroNasBench301",
        suite_zero_document("nasbench301", "cifar10", str((((0, 3), (1, 2)) * 4,) * 2)),
    ),
    (
        "transnas-micro",
        "SuiteZeroTransNasMicro",
        suite_zero_document("transbench101_micro", "jigsaw", "(2, 3, 1, 3, 2, 3)"),
    ),
    (
        "transnas-macro",
        "SuiteZeroTransNasMacro",
        suite_zero_document("transbench101_macro", "jigsaw", "(1, 2, 3, 4, 0, 0)"),
    ),
    ("nb201", "NatsTopology", nats_topology),
    ("nb201", "NatsTopology", nats_topology_tar),
    ("nb201", "NasBench201Table", table("arch,cifar10/test/accuracy@200", f"{NB201},90.5")),
    ("nb201", "NasBench201Table", table("arch", f"Structure(4 nodes with {NB201}) ")),
    ("nb201", "AnalogNasBench", analog),
    ("nb201", "NasBench201Pth", nb201_pth),
    ("natss", "NatsSizes", nats_sizes),
    ("custom", "CustomCells", custom),
    ("custom", "CustomCells", custom_yaml),
    ("darts", "DartsTable", table("arch,cifar10/valid/accuracy@50", f'"{GENOTYPE}",90.5')),
    ("darts", "DartsTable", table("arch", f'"{PRINTED}"')),
    ("nb301", "NasBench301Runs", nb301_runs),
    ("nb301", "NasBench301Table", table("arch,cifar10/valid/accuracy@98", f'"{GENOTYPE}",90.5')),
    ("nds", "NdsSweeps", sweep),
    ("transnas-micro", "TransNasMicroFile", transnas),
    (
        "transnas-micro",
        "SuiteZeroTransNasMicro",
        suite_zero("benchmark--transbench101_micro--class_object--0.json", "(2, 3, 1, 3, 2, 3)"),
    ),
    ("transnas-micro", "TransNasMicroTable", table("arch", TRANSNAS)),
    ("transnas-macro", "TransNasMacroFile", transnas),
    ("transnas-macro", "TransNasMacroTable", table("arch", "64-1234-basic")),
    ("nb-graph", "NasBenchGraphFiles", nb_graph),
    ("hw", "HwNasBenchPickle", hardware),
    ("hw-fbnet", "HwNasBenchFbNet", hardware),
    ("hw", "HwNasBenchTable", table("arch,hw/raspi4/latency", f"{NB201},90.5")),
]
"""By benchmark and reader: what writes a small valid file or folder for it."""


@pytest.fixture(autouse=True, scope="module")
def _small_sample_of_fbnet() -> Iterator[None]:
    with mock.patch("snap_graphs.formats.hw_nasbench.SAMPLED", 3):
        yield


class Edit(NamedTuple):
    """One change of some bytes, at a place message as a fraction of their length."""

    kind: str
    place: float
    length: int
    token: bytes


_TOKENS = (
    b"\xff" * 4,
    b"\x00" * 8,
    b"\x80",
    b".",
    b"nan",
    b"1e999",
    b"-1",
    b"99999999999999999999",
    b"null",
    b"[[",
    b'"',
    b"{}",
    b",",
    b"\n",
)
_EDITS = st.lists(
    st.builds(
        Edit,
        st.sampled_from(["replace", "insert", "delete", "repeat", "cut"]),
        st.floats(0, 1),
        st.integers(1, 40),
        st.one_of(st.sampled_from(_TOKENS), st.binary(min_size=1, max_size=8)),
    ),
    min_size=1,
    max_size=4,
)


def edited(content: bytes, edits: Iterable[Edit]) -> bytes:
    data = bytearray(content)
    for kind, place, length, token in edits:
        at = int(place * len(data))
        if kind == "replace":
            data[at : at + len(token)] = token
        elif kind == "insert":
            data[at:at] = token
        elif kind == "delete":
            del data[at : at + length]
        elif kind == "repeat":
            data[at:at] = data[at : at + length] * 3
        else:
            del data[at:]
    return bytes(data)


def edited_inside(name: str, content: bytes, edits: list[Edit]) -> bytes:
    """Change what is packed, and pack it again with fitting checksums."""
    if content.startswith(b"BZh"):
        return bz2.compress(edited(bz2.decompress(content), edits), 1)
    if content.startswith(b"\x1f\x8b"):
        return gzip.compress(edited(gzip.decompress(content), edits))
    if content.startswith(b"PK"):
        return _edited_zip(content, edits)
    if name.endswith(".tfrecord"):
        return _edited_records(content, edits)
    return edited(content, edits)


def _edited_zip(content: bytes, edits: list[Edit]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w") as after:
        for name in before.namelist():
            member = before.read(name)
            after.writestr(name, edited(member, edits) if name.endswith(".pkl") else member)
    return out.getvalue()


def _edited_records(content: bytes, edits: list[Edit]) -> bytes:
    out, at = b"", 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 8], "little")
        record = content[at + 12 : at + 12 + length]
        out += nb101_tfrecord.framed(edited(record, edits) if at == 0 else record)
        at += 16 + length
    return out


@cache
def sample(write: Callable[[Path], Path]) -> tuple[str, dict[str, bytes]]:
    """Return the name of what is converted, and the files that make it up."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = write(folder)
        files = {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }
        return path.relative_to(folder).as_posix(), files


def written(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def test_every_reader_has_a_sample() -> None:
    """A new reader is fuzzed as soon as it is registered: give it a sample."""
    readers = {
        (name, type(reader).__name__)
        for name, known in FORMATS.items()
        for reader in known
        if name != "onnx"  # test_onnx.py damages models, without a process for each
    }
    assert {(name, reader) for name, reader, _ in SAMPLES} == readers


@pytest.mark.parametrize(("name", "reader", "write"), SAMPLES)
def test_a_sample_is_read_by_its_reader(
    tmp_path: Path, name: str, reader: str, write: Callable[[Path], Path]
) -> None:
    target, files = sample(write)
    written(tmp_path, files)
    recognised = [type(r).__name__ for r in FORMATS[name] if r.recognises(tmp_path / target)]
    assert recognised[0] == reader
    assert convert(name, tmp_path / target).num_rows >= 1


@pytest.mark.parametrize(("name", "reader", "write"), SAMPLES)
@bounded
@given(edits=_EDITS, which=st.integers(0, 9), inside=st.booleans(), skip_bad=st.booleans())
def test_a_damaged_file_is_read_or_refused(
    name: str,
    reader: str,
    write: Callable[[Path], Path],
    edits: list[Edit],
    which: int,
    inside: bool,
    skip_bad: bool,
) -> None:
    target, files = sample(write)
    victim = sorted(files)[which % len(files)]
    damage: Any = (
        edited_inside if inside else lambda _name, content, changes: edited(content, changes)
    )
    with tempfile.TemporaryDirectory() as folder:
        written(Path(folder), {**files, victim: damage(victim, files[victim], edits)})
        with suppress(SnapError):
            convert(name, Path(folder) / target, Request(skip_bad=skip_bad))


_PICKLED = {
    "a": [1, 2.5, "x" * 300, b"y", None, True, 1 << 70],
    (1, "b"): {3, 4},
    "array": np.arange(6.0).reshape(2, 3),
    "scalar": np.float32(1.5),
}


@bounded
@given(st.sampled_from(range(pickle.HIGHEST_PROTOCOL + 1)), _EDITS)
def test_a_damaged_pickle_is_read_or_refused(protocol: int, edits: list[Edit]) -> None:
    with suppress(SnapError):
        loads_pickle(edited(pickle.dumps(_PICKLED, protocol), edits), "a", NUMPY)


@bounded
@given(st.sampled_from(["tar", "gz", "bz2", "zip"]), _EDITS)
def test_a_damaged_archive_is_read_or_refused(kind: str, edits: list[Edit]) -> None:
    _, files = sample(nats_topology_tar)
    content = next(iter(files.values()))[: 20 * 512]
    packed = {"tar": content, "gz": gzip.compress(content), "bz2": bz2.compress(content)}
    if kind == "zip":
        packed["zip"] = next(iter(sample(nb201_pth)[1].values()))
    with tempfile.TemporaryDirectory() as folder, suppress(SnapError):
        path = Path(folder) / "archive"
        path.write_bytes(edited(packed[kind], edits))
        list(members(path))

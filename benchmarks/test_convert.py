"""Reading NAS-Bench-101's TFRecord file beside a straightforward loop over the same file.

    uv run --all-groups pytest benchmarks/test_convert.py

The file is generated from the benchmark's table (three runs a cell, at 108 epochs). The plain loop
builds the nested dictionaries of the benchmark's own reader, with its protocol buffers decoded
field by field and no checksum looked at; ours checks both checksums of every record, checks that
the runs of a cell agree, and yields cells and columns. Figures in brackets are ratios to the
fastest of the group; the groups of 1x, 2x and 4x show how cost grows. Peak memory of what each
leaves and takes on the way is in `extra_info` (`--benchmark-json`).
"""

import base64
import itertools
import json
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nb101_tfrecord import rows, write
from snap_graphs.convert import convert
from snap_graphs.formats.base import Chunk, Request
from snap_graphs.formats.nasbench101 import NasBench101Records

CELLS = 10_000
SCALES = (1, 2, 4)


@pytest.fixture(scope="module")
def files(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    folder = tmp_path_factory.mktemp("bench")
    made = {}
    for scale in SCALES:
        made[scale] = folder / f"{scale}.tfrecord"
        write(made[scale], itertools.islice(rows(shared_data / "nb101.csv.gz"), scale * CELLS))
    return made


def read(path: Path) -> list[Chunk]:
    return list(NasBench101Records().chunks(path, Request()))


def plain_loop(path: Path) -> dict[str, Any]:
    fixed: dict[str, Any] = {}
    computed: dict[str, Any] = {}
    with path.open("rb") as file:
        while header := file.read(12):
            (length,) = struct.unpack("<Q", header[:8])
            key, epochs, adjacency, operations, metrics = json.loads(file.read(length))
            file.read(4)
            message = plain_message(base64.b64decode(metrics))
            side = int(np.sqrt(len(adjacency)))
            fixed[key] = {
                "module_adjacency": np.array([int(e) for e in adjacency], np.int8).reshape(
                    -1, side
                ),
                "module_operations": operations.split(","),
                "trainable_parameters": message[2][0],
            }
            final = plain_message(message[1][2])
            names = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
            run = {name: final[place][0] for place, name in enumerate(names, start=2)}
            computed.setdefault(key, {}).setdefault(epochs, []).append(run)
    return {"fixed": fixed, "computed": computed}


def plain_message(data: bytes) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    at = 0
    while at < len(data):
        tag, at = plain_varint(data, at)
        value: Any
        if tag & 7 == 1:
            value, at = struct.unpack("<d", data[at : at + 8])[0], at + 8
        elif tag & 7 == 2:
            length, at = plain_varint(data, at)
            value, at = data[at : at + length], at + length
        else:
            value, at = plain_varint(data, at)
        found.setdefault(tag >> 3, []).append(value)
    return found


def plain_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def measure(benchmark: Any, function: Callable[[Path], object], path: Path) -> None:
    benchmark.pedantic(function, args=(path,), rounds=3, warmup_rounds=1)
    tracemalloc.start()
    result = function(path)
    benchmark.extra_info["peak_mb"] = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    del result


@pytest.mark.benchmark(group=f"{3 * CELLS:,} records")
class TestReading:
    def test_snap_graphs(self, benchmark: Any, files: dict[int, Path]) -> None:
        measure(benchmark, read, files[1])

    def test_plain_loop(self, benchmark: Any, files: dict[int, Path]) -> None:
        measure(benchmark, plain_loop, files[1])

    def test_snap_graphs_with_hashes_and_costs(
        self, benchmark: Any, files: dict[int, Path]
    ) -> None:
        measure(benchmark, lambda path: convert("nb101", path), files[1])


@pytest.mark.benchmark(group=f"converting 1, 2 and 4 times {3 * CELLS:,} records")
@pytest.mark.parametrize("scale", SCALES)
def test_cost_grows_linearly(benchmark: Any, files: dict[int, Path], scale: int) -> None:
    benchmark.pedantic(convert, args=("nb101", files[scale]), rounds=3, warmup_rounds=1)

"""HW-NAS-Bench: costs of NAS-Bench-201's cells on six devices.

`HW-NAS-Bench-v1_0.pickle` is a dictionary by search space. For `nasbench201` it has, by dataset,
a list of 15,625 values for each of ten metrics (`edgegpu_latency`, ...), and `config`, a list of
dictionaries whose `arch_str` is the cell. Its other space, `fbnet`, is read by `hw_fbnet`.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from snap_catalog import SnapError

from snap_graphs.cell import Cell
from snap_graphs.formats.base import CHUNK, MALFORMED, Chunk, Format, Request, fault, first_bytes
from snap_graphs.formats.pickle_types import NUMPY
from snap_graphs.formats.pickles import load_pickle
from snap_graphs.formats.tables import NasBench201Table
from snap_graphs.spaces.nb201 import NasBench201

METRICS = (
    "edgegpu_latency",
    "edgegpu_energy",
    "raspi4_latency",
    "edgetpu_latency",
    "pixel3_latency",
    "eyeriss_latency",
    "eyeriss_energy",
    "eyeriss_arithmetic_intensity",
    "fpga_latency",
    "fpga_energy",
)
SUFFIXES = {"cifar10": "", "cifar100": "-cifar100", "ImageNet16-120": "-imagenet16-120"}
"""Suffix of device names by dataset; CIFAR-10 is the default."""
_SPACE = NasBench201()


def is_pickle(path: Path) -> bool:
    """Return whether suffix and first byte of a file are those of a pickle."""
    is_named = path.suffix in (".pickle", ".pkl")
    return is_named and first_bytes(path, 1) in (b"\x80", b"(", b"}")


class HwNasBenchPickle(Format):
    """The pickle; nothing of it is run."""

    title = "HW-NAS-Bench-v1_0.pickle"
    benchmark = "hw-nas-bench"

    def recognises(self, path: Path) -> bool:
        """Return whether suffix and first byte are those of a pickle."""
        return is_pickle(path)

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield the cells of NAS-Bench-201 with the metrics of all datasets there are."""
        cells, columns = _content(path, load_pickle(path, NUMPY))
        for first in range(0, len(cells), CHUNK):
            kept, parsed = [], []
            for row in range(first, min(first + CHUNK, len(cells))):
                try:
                    parsed.append(_parsed(cells[row], [column[row] for column in columns.values()]))
                    kept.append(row)
                except SnapError as error:
                    request.bad(path, row + 1, error)
            metrics = {name: column[kept] for name, column in columns.items()}
            yield Chunk(parsed, [_SPACE.format(cell) for cell in parsed], metrics)


class HwNasBenchTable(NasBench201Table):
    """NAS-Bench-201 strings in a column `arch`, costs in columns named `hw/<device>/<metric>`."""

    benchmark = "hw-nas-bench"


def _content(
    path: Path, content: Any
) -> tuple[Sequence[Any], Mapping[str, npt.NDArray[np.float64]]]:
    """Return the architecture strings, and a column of the same length for every metric."""
    try:
        datasets = {name: content["nasbench201"][name] for name in SUFFIXES}
        strings = [config["arch_str"] for config in datasets["cifar10"]["config"]]
        columns = {}
        for dataset, entries in datasets.items():
            if [config["arch_str"] for config in entries["config"]] != strings:
                raise ValueError(f"{dataset} lists other cells than cifar10")
            for metric in METRICS:
                device, _, kind = metric.partition("_")
                values = np.array(entries[metric], np.float64)
                if values.shape != (len(strings),):
                    raise ValueError(f"{dataset} has {values.size:,} values of {metric}")
                columns[f"hw/{device}{SUFFIXES[dataset]}/{kind}"] = values
    except MALFORMED as error:
        raise SnapError(f"{path}: not laid out as HW-NAS-Bench v1.0 ({fault(error)})") from error
    return strings, columns


def _parsed(arch: Any, values: list[float]) -> Cell:
    if not np.isfinite(values).all():
        raise SnapError("a metric is not finite")
    if not isinstance(arch, str):
        raise SnapError(f"{arch!r:.40} is not an architecture string")
    return _SPACE.parse(arch)

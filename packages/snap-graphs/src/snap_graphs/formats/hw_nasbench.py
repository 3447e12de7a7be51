"""HW-NAS-Bench: costs of NAS-Bench-201's cells and of FBNet's blocks on six devices.

`HW-NAS-Bench-v1_0.pickle` is a dictionary by search space. For `nasbench201` it has, by dataset,
a list of 15,625 values for each of ten metrics (`edgegpu_latency`, ...), and `config`, a list of
dictionaries whose `arch_str` is the cell. For `fbnet` it has no architectures, but the cost of
every possible block for each of eight metrics, by a name with position and shape. As in the
benchmark, the cost of an FBNet is the sum over its parts: stem, 22 blocks, head, pooling and
classifier.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from snap_catalog import SnapError

from snap_graphs.cell import Cell
from snap_graphs.formats.base import MALFORMED, Chunk, Format, Request, fault, first_bytes
from snap_graphs.formats.pickles import NUMPY, load_pickle
from snap_graphs.formats.tables import NasBench201Table, good_rows
from snap_graphs.spaces.fbnet import OPERATORS, FbNet
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
SAMPLED, SEED = 10_000, 0
"""Number of sampled FBNet architectures and seed; the space has 9^22 architectures."""
_NOT_OF_FBNET = ("edgetpu_latency", "eyeriss_arithmetic_intensity")
"""Metrics that were not measured for FBNet."""
_STAGES = ((16, 1), (24, 4), (32, 4), (64, 4), (112, 4), (184, 4), (352, 1))
"""Channels and number of blocks."""
_STEM_CHANNELS = 16
_NB201, _FBNET = NasBench201(), FbNet()


class _Network(NamedTuple):
    """What differs between the networks for the two datasets."""

    suffix: str
    side: int
    stem_stride: int
    strides: tuple[int, ...]
    head_channels: int
    classes: int


NETWORKS = (
    _Network("-cifar100", 32, 1, (1, 1, 2, 2, 1, 2, 1), 1504, 100),
    _Network("-imagenet", 224, 2, (1, 2, 2, 2, 1, 2, 1), 1984, 1000),
)


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
        archs, columns = _content(path, load_pickle(path, NUMPY))

        def cell(row: int) -> Cell:
            if not np.isfinite([column[row] for column in columns.values()]).all():
                raise SnapError("a metric is not finite")
            if not isinstance(archs[row], str):
                raise SnapError(f"{archs[row]!r:.40} is not an architecture string")
            return _NB201.parse(archs[row])

        for kept, cells in good_rows(path, len(archs), cell, request):
            metrics = {name: column[kept] for name, column in columns.items()}
            yield Chunk(cells, [_NB201.format(cell) for cell in cells], metrics)


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


class HwNasBenchFbNet(Format):
    """A uniform sample of FBNet with summed block costs."""

    title = "HW-NAS-Bench-v1_0.pickle"
    benchmark = "hw-nas-bench-fbnet"

    def recognises(self, path: Path) -> bool:
        """Return whether suffix and first byte are those of a pickle."""
        return is_pickle(path)

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield the deterministic sample in one chunk."""
        content = load_pickle(path, NUMPY)
        cells = _FBNET.sample(SAMPLED, SEED)
        choices = np.array([_FBNET.choices(cell) for cell in cells])
        metrics = {}
        for network in NETWORKS:
            for metric in (name for name in METRICS if name not in _NOT_OF_FBNET):
                fixed, blocks = _costs(path, content, network, metric)
                device, _, kind = metric.partition("_")
                column = f"hw/{device}{network.suffix}/{kind}"
                metrics[column] = fixed + blocks[np.arange(len(blocks)), choices].sum(axis=1)
        yield Chunk(cells, [_FBNET.format(cell) for cell in cells], metrics)


def _costs(
    path: Path, content: Any, network: _Network, metric: str
) -> tuple[float, npt.NDArray[np.float64]]:
    """Return the cost of the fixed parts, and the (22, 9) costs of all blocks."""
    fixed, blocks = names(network)
    try:
        table = content["fbnet"][metric]
        costs = np.array([[float(table[name]) for name in row] for row in blocks])
        total = sum(float(table[name]) for name in fixed)
    except MALFORMED as error:
        raise SnapError(f"{path}: not laid out as HW-NAS-Bench v1.0 ({fault(error)})") from error
    if not np.isfinite(costs).all() or not np.isfinite(total):
        raise SnapError(f"{path}: a cost of {metric} in fbnet is not finite; fetch the file again")
    return total, costs


def names(network: _Network) -> tuple[list[str], list[list[str]]]:
    """Return the names of the fixed parts, and of the nine blocks of each of 22 layers."""
    side, entering, blocks = network.side, _STEM_CHANNELS, []
    stem = f"H{side}_W{side}_Cin3_Cout{entering}_kernel3_stride{network.stem_stride}_group1"
    side //= network.stem_stride
    for (channels, count), first_stride in zip(_STAGES, network.strides, strict=True):
        for stride in (first_stride, *[1] * (count - 1)):
            shape = f"H{side}_W{side}_Cin{entering}_Cout{channels}"
            blocks.append([_block(operator, shape, stride) for operator in OPERATORS])
            side, entering = side // stride, channels
    head = network.head_channels
    return [
        f"ConvNorm_{stem}",
        f"ConvNorm_H{side}_W{side}_Cin{entering}_Cout{head}_kernel1_stride1_group1",
        f"AvgP_H{side}_W{side}_Cin{head}_Cout{head}_kernel{side}_stride1",
        f"FC_Cin{head}_Cout{network.classes}",
    ], blocks


def _block(operator: str, shape: str, stride: int) -> str:
    if operator == "skip":
        return f"Skip_{shape}_stride{stride}"
    kernel, expansion, *groups = (part[1:] for part in operator.split("_"))
    group = groups[0] if groups else "1"
    return f"ConvBlock_{shape}_exp{expansion}_kernel{kernel}_stride{stride}_group{group}"

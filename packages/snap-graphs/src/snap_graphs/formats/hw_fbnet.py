"""HW-NAS-Bench's costs of FBNet blocks.

The pickle has no architectures of FBNet, but the cost of every possible block for each of eight
metrics, by a name with position and shape. As in the benchmark, the cost of a network is the sum
over its parts: stem, 22 blocks, head, pooling and classifier.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from snap_catalog import SnapError

from snap_graphs.formats.base import MALFORMED, Chunk, Format, Request, fault
from snap_graphs.formats.hw_nasbench import is_pickle
from snap_graphs.formats.pickle_types import NUMPY
from snap_graphs.formats.pickles import load_pickle
from snap_graphs.spaces.fbnet import OPERATORS, FbNet

SAMPLED, SEED = 10_000, 0
"""Number of sampled architectures and seed; the space has 9^22 architectures."""
METRICS = (
    "edgegpu_latency",
    "edgegpu_energy",
    "raspi4_latency",
    "pixel3_latency",
    "eyeriss_latency",
    "eyeriss_energy",
    "fpga_latency",
    "fpga_energy",
)
_STAGES = ((16, 1), (24, 4), (32, 4), (64, 4), (112, 4), (184, 4), (352, 1))
"""Channels and number of blocks."""
_STEM_CHANNELS = 16
_SPACE = FbNet()


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
        choices = np.random.default_rng(SEED).integers(
            _SPACE.options, size=(SAMPLED, len(_SPACE.options))
        )
        metrics = {}
        for network in NETWORKS:
            for metric in METRICS:
                fixed, blocks = _costs(path, content, network, metric)
                device, _, kind = metric.partition("_")
                column = f"hw/{device}{network.suffix}/{kind}"
                metrics[column] = fixed + blocks[np.arange(len(blocks)), choices].sum(axis=1)
        cells = [_SPACE.compose(row) for row in choices.tolist()]
        yield Chunk(cells, [_SPACE.format(cell) for cell in cells], metrics)


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

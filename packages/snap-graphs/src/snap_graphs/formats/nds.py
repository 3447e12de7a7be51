"""The JSON files of "On Network Design Spaces for Visual Recognition" (NDS).

A file is one sweep of a design space: an array of trained networks, or for ImageNet an object of
two arrays. A network has, among others, `net` (genotype, width, depth), `params`, `flops`,
`min_test_top1`, and per epoch `train_ep_top1` and `test_ep_top1`, which are errors in percent.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from snap_catalog import SnapError

from snap_graphs.cell import Cell
from snap_graphs.formats.base import Chunk, Format, Measured, Request, chunked
from snap_graphs.formats.json_records import json_records
from snap_graphs.spaces.genotypes import format_genotype, genotype
from snap_graphs.spaces.nds import Nds

_SWEEP = re.compile(
    r"(?:Amoeba|DARTS|ENAS|NASNet|PNAS)(?:_fix-w-d|_lr-wd)?(_in)?\.json(?:\.gz)?", flags=re.ASCII
)
_SPACE = Nds()
_PARTS = ("normal", "normal_concat", "reduce", "reduce_concat")


class NdsSweeps(Format):
    """A sweep of a cell-based design space, or a folder of sweeps.

    The test accuracy is that after the last epoch; `--epochs` selects others. The design spaces of
    residual and plain networks have no cells and are not read.
    """

    title = "an NDS sweep (Amoeba, DARTS, ENAS, NASNet, PNAS; .json) or a folder of them"
    benchmark = "nds"

    def recognises(self, path: Path) -> bool:
        """Return whether the names are those of sweeps."""
        return bool(_sweeps(path))

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield the networks, sweep by sweep."""
        return chunked(_networks(path, request), request)


def _sweeps(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.iterdir() if _SWEEP.fullmatch(file.name))
    return [path] if path.is_file() and _SWEEP.fullmatch(path.name) else []


def _networks(path: Path, request: Request) -> Iterator[tuple[str, Cell, Measured]]:
    seen: set[str] = set()
    for file in _sweeps(path):
        for number, record in enumerate(json_records(file), start=1):
            with request.reading(file, number):
                arch_id, cell, metrics = _network(file.name, record, request)
                if arch_id in seen:
                    raise SnapError(f"{arch_id:.60}... is repeated")
                seen.add(arch_id)
                yield arch_id, cell, {name: [value] for name, value in metrics.items()}
        request.advance(file.stat().st_size)


def _network(name: str, record: Any, request: Request) -> tuple[str, Cell, dict[str, float]]:
    dataset = "imagenet" if "_in.json" in name else "cifar10"
    net = record["net"]
    parts = genotype(**{name: net["genotype"][name] for name in _PARTS})
    width, depth = int(net["width"]), int(net["depth"])
    metrics = {
        f"{dataset}/model/params": float(record["params"]),
        f"{dataset}/model/flops": float(record["flops"]),
        f"{dataset}/model/width": float(width),
        f"{dataset}/model/depth": float(depth),
        f"{dataset}/test/best_accuracy": 100.0 - float(record["min_test_top1"]),
    }
    for split in ("train", "test"):
        errors = record[f"{split}_ep_top1"]
        for epoch in sorted(request.epochs) or [len(errors)]:
            if 1 <= epoch <= len(errors):
                metrics[f"{dataset}/{split}/accuracy@{epoch}"] = 100.0 - float(errors[epoch - 1])
    infinite = [name for name, value in metrics.items() if not math.isfinite(value)]
    if infinite:
        raise SnapError(f"{infinite[0]} is not finite")
    arch_id = f"{name.split('.')[0]}:w{width}:d{depth}:{format_genotype(parts)}"
    return arch_id, _SPACE.cell(parts), metrics

"""TransNAS-Bench-101's `transnas-bench_v10141024.pth`.

A saved dictionary. `data` holds, by search space (`micro`, `macro`), architecture and task: the
measurements after every epoch (`metrics`), `total_epochs`, and costs (`model_info`).
"""

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from snap_catalog import SnapError

from snap_graphs.cell import Cell
from snap_graphs.formats.base import MALFORMED, Chunk, Format, Measured, Request, chunked, fault
from snap_graphs.formats.torch_files import is_torch, load_torch
from snap_graphs.spaces.base import Space
from snap_graphs.spaces.transnas import TransNasMacro, TransNasMicro

TASKS = (
    "class_scene",
    "class_object",
    "room_layout",
    "jigsaw",
    "segmentsemantic",
    "normal",
    "autoencoder",
)
_METRIC = re.compile(
    r"(train|valid|val|test)_(top1|top5|loss|neg_loss|acc|mIoU|l1_loss|g_loss|d_loss|ssim)"
)
_COSTS = {
    "inference_time": "inference_seconds",
    "encoder_params": "encoder_params",
    "model_params": "params",
    "model_FLOPs": "flops",
    "encoder_FLOPs": "encoder_flops",
}
"""Metric by name of a cost in the file."""


class _TransNasFile(Format):
    """One of the two search spaces of the file.

    A metric without `@` is the best over all epochs, the default of the benchmark's own reader (the
    lowest for a loss); `@n` is after epoch n, by default the last one.
    """

    title = "transnas-bench_v10141024.pth"
    space: ClassVar[Space]
    section: ClassVar[str]

    def recognises(self, path: Path) -> bool:
        """Return whether torch wrote the file."""
        return path.is_file() and is_torch(path)

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield the networks with the measurements of all tasks."""
        content = load_torch(path)
        try:
            entries = dict(content["data"][self.section])
        except MALFORMED as error:
            reason = f"not laid out as TransNAS-Bench-101 ({fault(error)})"
            raise SnapError(f"{path}: {reason}") from error
        return chunked(self._networks(path, entries, request), request)

    def _networks(
        self, path: Path, entries: Mapping[Any, Any], request: Request
    ) -> Iterator[tuple[str, Cell, Measured]]:
        for number, (arch, tasks) in enumerate(entries.items(), start=1):
            with request.reading(path, number):
                cell, row = self.space.parse(str(arch)), _row(tasks, request)
                yield self.space.format(cell), cell, {name: [value] for name, value in row.items()}


class TransNasMicroFile(_TransNasFile):
    """The 4,096 cells."""

    benchmark = "transnas-micro"
    space = TransNasMicro()
    section = "micro"


class TransNasMacroFile(_TransNasFile):
    """The 3,256 networks of the macro-level space."""

    benchmark = "transnas-macro"
    space = TransNasMacro()
    section = "macro"


def _row(tasks: Mapping[str, Any], request: Request) -> dict[str, float]:
    row: dict[str, float] = {}
    for task in TASKS:
        if task in tasks:
            for name, curve in tasks[task]["metrics"].items():
                row |= _from_curve(task, name, curve, request)
            row |= _costs(task, tasks[task].get("model_info", {}))
    infinite = [name for name, value in row.items() if math.isinf(value)]
    if infinite:
        raise SnapError(f"{infinite[0]} is not finite")
    return row


def _from_curve(task: str, name: str, curve: Any, request: Request) -> dict[str, float]:
    """Return the metric columns of one curve; none if its name is not known."""
    values = [float(value) for value in curve]
    if name == "time_elapsed":
        return {f"{task}/train/seconds": values[-1]}
    match = _METRIC.fullmatch(name)
    if match is None:
        return {}
    split, metric = match.groups()
    column = f"{task}/{'valid' if split == 'val' else split}/{metric}"
    is_loss = metric.endswith("loss") and metric != "neg_loss"
    measured = [value for value in values if not math.isnan(value)]
    row = {column: (min if is_loss else max)(measured, default=math.nan)}
    for epoch in sorted(request.epochs) or [len(values)]:
        if 1 <= epoch <= len(values):
            row[f"{column}@{epoch}"] = values[epoch - 1]
    return row


def _costs(task: str, info: Mapping[str, Any]) -> dict[str, float]:
    """Return the measured costs; the file has empty texts for others."""
    return {
        f"{task}/model/{metric}": float(info[name])
        for name, metric in _COSTS.items()
        if isinstance(info.get(name), int | float)
    }

"""NAS-Bench-Suite-Zero's JSON shards: zero-cost proxies and an accuracy of every architecture.

A shard is a JSON array of records `{"idx", "arch": "(4, 0, …)", "<proxy>": {"score", "time"},
"val_accuracy"}`; its name, `benchmark--<space>--<data set>--<first index>.json`, tells whose.
"""

import math
import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from snap_catalog import SnapError

from snap_graphs.cell import Cell
from snap_graphs.formats.analog import naslib_cell
from snap_graphs.formats.base import Chunk, Format, Request
from snap_graphs.formats.json_records import json_records
from snap_graphs.formats.malformed import MALFORMED, fault
from snap_graphs.formats.repeats import chunked
from snap_graphs.spaces.base import Space
from snap_graphs.spaces.nb201 import NasBench201

SENTINEL = -1e8
"""The score of architectures that a proxy could not score."""
_DIGITS = re.compile(r"\((\d(?:, ?\d){5})\)", flags=re.ASCII)
_ACCURACY = "val_accuracy"


class SuiteZero(Format):
    """One shard, or a folder of shards of one or several data sets.

    Scores that are no finite number, or the sentinel, are left empty and counted in a note.

    Attributes:
        shards: what the names of the shards call the space.
        space: the space its architectures belong to.
    """

    shards: ClassVar[str]
    space: ClassVar[Space]

    def recognises(self, path: Path) -> bool:
        """Tell by the names of shards."""
        if path.is_dir():
            return any(path.glob(self._pattern))
        return path.match(self._pattern)

    @property
    def _pattern(self) -> str:
        return f"benchmark--{self.shards}--*--*.json"

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield the architectures, each with the measurements on all data sets."""
        cells: dict[str, Cell] = {}
        found: dict[str, dict[str, list[float]]] = {}
        empty: Counter[str] = Counter()
        for shard in sorted(path.glob(self._pattern)) if path.is_dir() else [path]:
            dataset = shard.name.split("--")[2]
            for number, record in enumerate(json_records(shard), start=1):
                try:
                    cell, values = self._read(record, dataset)
                    name = self.space.format(cell)
                    if found.get(name, {}).keys() & values.keys():
                        raise SnapError(f"{name} comes twice for {dataset}")
                except (SnapError, *MALFORMED) as error:
                    request.bad(shard, number, fault(error))
                    continue
                cells[name] = cell
                kept = {metric: [x] for metric, x in values.items() if _is_score(x)}
                empty.update(values.keys() - kept.keys())
                found.setdefault(name, {}).update(kept)
            request.advance(shard.stat().st_size)
        request.notes += [
            f"{n:,} of {metric} are no scores and left empty" for metric, n in empty.items()
        ]
        return chunked(((name, cells[name], found[name]) for name in found), request)

    def _read(self, record: Any, dataset: str) -> tuple[Cell, dict[str, float]]:
        match = _DIGITS.fullmatch(record["arch"])
        if match is None:
            raise SnapError(f"{record['arch']!r:.60} is no architecture of six digits")
        accuracy = float(record[_ACCURACY])
        if not math.isfinite(accuracy):
            raise SnapError(f"{_ACCURACY} {accuracy} is not finite")
        scores = {
            f"proxy/{dataset.lower()}/{proxy}": float(entry["score"])
            for proxy, entry in record.items()
            if isinstance(entry, dict)
        }
        cell = self.cell([int(digit) for digit in match.group(1).split(",")])
        return cell, {self.accuracy(dataset): accuracy, **scores}

    @abstractmethod
    def cell(self, digits: Sequence[int]) -> Cell:
        """Build the cell of an architecture's digits."""

    @abstractmethod
    def accuracy(self, dataset: str) -> str:
        """Return the metric that `val_accuracy` on a data set is."""


class SuiteZeroNasBench201(SuiteZero):
    """NAS-Bench-201 in NASLib's digits.

    The accuracy that the shards call one of validation is, for CIFAR-10, the test accuracy of the
    networks trained on half of the training images (their runs with seed 888).
    """

    title = "NAS-Bench-Suite-Zero's benchmark--nasbench201--*.json, one or a folder of them"
    benchmark = "nb201"
    shards = "nasbench201"
    space = NasBench201()

    def cell(self, digits: Sequence[int]) -> Cell:
        """Build the cell of six digits in NASLib's numbering and order of edges."""
        return naslib_cell(digits)

    def accuracy(self, dataset: str) -> str:
        """Return the metric of a data set."""
        if dataset == "cifar10":
            return "cifar10-valid/test/accuracy@200"
        return f"{dataset.lower()}/valid/accuracy@200"


def _is_score(value: float) -> bool:
    return math.isfinite(value) and value != SENTINEL

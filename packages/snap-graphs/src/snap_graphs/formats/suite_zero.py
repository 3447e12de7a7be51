"""NAS-Bench-Suite-Zero's JSON: zero-cost proxies and an accuracy of every architecture.

Its download script stores one file per space, `zc_<space>.json`. It nests objects by data set and
by architecture; each holds `{"<proxy>": {"score", "time"}, ..., "val_accuracy"}`. Its shards,
`benchmark--<space>--<data set>--<first index>.json`, are arrays of such records, which also have
`idx` and `arch`.
"""

import math
import sys
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from snap_catalog import SnapError
from snap_catalog.metrics import is_metric
from snap_catalog.scores import NO_SCORE

from snap_graphs.cell import INPUT, OUTPUT, Cell
from snap_graphs.formats.analog import naslib_cell
from snap_graphs.formats.base import Chunk, Format, Request, chunked
from snap_graphs.formats.json_records import json_entries, json_records
from snap_graphs.formats.nasbench101 import adjacency_digits, cell_of
from snap_graphs.spaces.base import Space
from snap_graphs.spaces.darts import Darts
from snap_graphs.spaces.nb101 import NasBench101
from snap_graphs.spaces.nb201 import NasBench201
from snap_graphs.spaces.printed_values import printed_value
from snap_graphs.spaces.transnas import TransNasMacro, TransNasMicro

MOST_METRICS = 256
"""Columns of one source; the publisher's have up to 98 (seven data sets, 13 proxies each)."""
_ACCURACY = "val_accuracy"
_DESCRIPTIONS = ("id", "idx", "arch", _ACCURACY)
"""Entries of a record that are no proxies."""
_NB101_OPERATORS = (INPUT, OUTPUT, "maxpool3x3", "conv1x1-bn-relu", "conv3x3-bn-relu")
"""NASLib's numbering of NAS-Bench-101's operators."""
_FINAL_METRICS: Mapping[str, tuple[str, int]] = {
    "class_scene": ("top1", 25),
    "class_object": ("top1", 25),
    "room_layout": ("neg_loss", 25),
    "jigsaw": ("top1", 10),
    "segmentsemantic": ("acc", 30),
    "normal": ("ssim", 30),
    "autoencoder": ("ssim", 30),
}
"""Name of the accuracy in NASLib and number of epochs, by task."""


class _Record(NamedTuple):
    """The record of one architecture on one data set.

    Attributes:
        label: name of the record for errors.
        dataset: the data set.
        arch: the architecture as written; None in a shard, where the record has it.
        content: the record.
    """

    label: int | str
    dataset: str
    arch: str | None
    content: Any


class SuiteZero(Format):
    """The file of a space, a shard, or a folder of these, with one or several data sets.

    Scores that are not finite, or the sentinel, are left empty and counted in a note.

    Attributes:
        label: name of the space in file names.
        space: the space its architectures belong to.
    """

    label: ClassVar[str]
    space: ClassVar[Space]

    def recognises(self, path: Path) -> bool:
        """Return whether the file names match."""
        return bool(self._files(path))

    def _files(self, path: Path) -> list[Path]:
        patterns = (f"zc_{self.label}.json", f"benchmark--{self.label}--*--*.json")
        if path.is_dir():
            return sorted(file for pattern in patterns for file in path.glob(pattern))
        return [path] if any(path.match(pattern) for pattern in patterns) else []

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield the architectures, each with the measurements on all data sets."""
        found = _Found()
        for file in self._files(path):
            for record in _records(file):
                with request.reading(file, record.label):
                    arch = record.content["arch"] if record.arch is None else record.arch
                    cell = self.cell(arch)
                    scores = self._scores(record, found.left_out)
                    found.add(cell, self.space.format(cell), record.dataset, scores)
            request.advance(file.stat().st_size)
        request.notes += found.notes()
        return chunked(found.architectures(), request)

    def _scores(self, record: _Record, left_out: Counter[str]) -> dict[str, float]:
        content, dataset = record.content, record.dataset
        scores: dict[str, float] = {}
        if record.arch is None or _ACCURACY in content:
            accuracy = float(content[_ACCURACY])
            if not math.isfinite(accuracy):
                raise SnapError(f"{_ACCURACY} {accuracy} is not finite")
            scores[self.accuracy(dataset)] = accuracy
        for proxy, entry in content.items():
            if isinstance(entry, dict):
                score = entry["score"]
                scores[_proxy(dataset, proxy)] = math.nan if score is None else float(score)
            elif proxy not in _DESCRIPTIONS:
                left_out[proxy[:40]] += 1
        return scores

    @abstractmethod
    def cell(self, text: str) -> Cell:
        """Build the cell of an architecture as written in the files.

        Raises:
            SnapError, ValueError: the text is invalid.
        """

    @abstractmethod
    def accuracy(self, dataset: str) -> str:
        """Return the metric name of `val_accuracy` on a data set."""


class _Found:
    """The architectures read so far.

    Attributes:
        left_out: counts of entries that are neither scores nor descriptions, by name.
    """

    def __init__(self) -> None:
        self.left_out: Counter[str] = Counter()
        self._cells: dict[str, Cell] = {}
        self._scores: dict[str, dict[str, tuple[float]]] = {}
        self._seen: set[tuple[str, str]] = set()
        self._metrics: set[str] = set()
        self._empty: Counter[str] = Counter()

    def add(self, cell: Cell, name: str, dataset: str, scores: dict[str, float]) -> None:
        """Add the scores of an architecture on a data set.

        Raises:
            SnapError: they are repeated, or there are too many metrics.
        """
        if (name, dataset) in self._seen:
            raise SnapError(f"{name:.80} is repeated for {dataset}")
        if len(self._metrics | scores.keys() | self.left_out.keys()) > MOST_METRICS:
            raise SnapError(f"more than {MOST_METRICS} metrics; not a file of NAS-Bench-Suite-Zero")
        self._seen.add((name, dataset))
        self._metrics |= scores.keys()
        self._cells.setdefault(name, cell)
        kept = {
            sys.intern(metric): (score,)
            for metric, score in scores.items()
            if math.isfinite(score) and score != NO_SCORE
        }
        self._empty.update(scores.keys() - kept.keys())
        self._scores.setdefault(name, {}).update(kept)

    def architectures(self) -> Iterator[tuple[str, Cell, dict[str, tuple[float]]]]:
        """Yield native string, cell and scores of each."""
        return ((name, self._cells[name], scores) for name, scores in self._scores.items())

    def notes(self) -> list[str]:
        """Return messages on values that are not in the table."""
        return [
            *(f"{n:,} of {m} are not scores and left empty" for m, n in self._empty.items()),
            *(f"{n:,} of {m!r} are not scores and left out" for m, n in self.left_out.items()),
        ]


def _records(path: Path) -> Iterator[_Record]:
    if path.name.startswith("zc_"):
        for (dataset, arch), content in json_entries(path, 2):
            yield _Record(f"{dataset:.40} {arch:.80}", dataset, arch, content)
    else:
        dataset = path.name.split("--")[2]
        for number, content in enumerate(json_records(path), start=1):
            yield _Record(number, dataset, None, content)


def _proxy(dataset: str, proxy: str) -> str:
    name = f"proxy/{dataset.lower()}/{proxy}"
    if not is_metric(name):
        raise SnapError(f"{name!r:.80} cannot be the name of a metric")
    return name


def digits(text: str) -> tuple[int, ...]:
    """Read an architecture written as a tuple of digits.

    Raises:
        ValueError: the text has another form.
    """
    value = printed_value(text)
    if not isinstance(value, tuple | list) or not all(
        type(d) is int and 0 <= d <= 9 for d in value
    ):
        raise ValueError(f"{text!r:.60} is not an architecture written as digits")
    return tuple(value)


class SuiteZeroNasBench201(SuiteZero):
    """NAS-Bench-201 in NASLib's digits.

    For CIFAR-10, the validation accuracy of the files is the test accuracy of the networks trained
    on half of the training images (the runs with seed 888).
    """

    title = "NAS-Bench-Suite-Zero's zc_nasbench201.json or benchmark--nasbench201--*.json"
    benchmark = "nb201"
    label = "nasbench201"
    space = NasBench201()

    def cell(self, text: str) -> Cell:
        """Build the cell of six digits in NASLib's numbering and order of edges."""
        return naslib_cell(digits(text))

    def accuracy(self, dataset: str) -> str:
        """Return the metric of a data set."""
        if dataset == "cifar10":
            return "cifar10-valid/test/accuracy@200"
        return f"{dataset.lower()}/valid/accuracy@200"


class SuiteZeroNasBench101(SuiteZero):
    """Adjacency matrix, row by row, and operators in NASLib's digits, as one tuple."""

    title = "NAS-Bench-Suite-Zero's zc_nasbench101.json or benchmark--nasbench101--*.json"
    benchmark = "nb101"
    label = "nasbench101"
    space = NasBench101()

    def cell(self, text: str) -> Cell:
        """Build the cell of n x n digits of a matrix and n of operators."""
        flat = digits(text)
        size = (math.isqrt(1 + 4 * len(flat)) - 1) // 2
        matrix, operators = flat[: size**2], flat[size**2 :]
        if (
            size < 2
            or len(operators) != size
            or not all(d < len(_NB101_OPERATORS) for d in operators)
        ):
            raise SnapError(
                f"{text!r:.60} is no matrix of n x n digits with n operators from 0 to 4"
            )
        rows = [matrix[place : place + size] for place in range(0, len(matrix), size)]
        return cell_of(adjacency_digits(rows), ",".join(_NB101_OPERATORS[d] for d in operators))

    def accuracy(self, dataset: str) -> str:
        """Return the validation accuracy after the last epoch."""
        return f"{dataset.lower()}/valid/accuracy@108"


class SuiteZeroNasBench301(SuiteZero):
    """Genotypes in NASLib's digits; the accuracy is what the benchmark's surrogate predicts."""

    title = "NAS-Bench-Suite-Zero's zc_nasbench301.json or benchmark--nasbench301--*.json"
    benchmark = "nb301"
    label = "nasbench301"
    space = Darts()

    def cell(self, text: str) -> Cell:
        """Build the cells of two tuples of pairs, input and operator."""
        return self.space.parse(text)

    def accuracy(self, dataset: str) -> str:
        """Return the accuracy that is predicted."""
        return f"{dataset.lower()}/valid/accuracy_of_surrogate"


class _SuiteZeroTransNas(SuiteZero):
    def accuracy(self, dataset: str) -> str:
        """Name the validation metric after the last epoch."""
        if dataset not in _FINAL_METRICS:
            tasks = ", ".join(_FINAL_METRICS)
            raise SnapError(
                f"{dataset!r:.40} is not a task of TransNAS-Bench-101; the tasks are {tasks}"
            )
        name, epochs = _FINAL_METRICS[dataset]
        return f"{dataset}/valid/{name}@{epochs}"


class SuiteZeroTransNasMicro(_SuiteZeroTransNas):
    """The digits are the benchmark's own, in the order of its string."""

    title = (
        "NAS-Bench-Suite-Zero's zc_transbench101_micro.json or "
        "benchmark--transbench101_micro--<task>--<n>.json"
    )
    benchmark = "transnas-micro"
    label = "transbench101_micro"
    space = TransNasMicro()

    def cell(self, text: str) -> Cell:
        """Compose the six digits."""
        options, chosen = TransNasMicro.options, digits(text)
        if len(chosen) != len(options) or not all(d < options[0] for d in chosen):
            raise SnapError(f"{text!r:.60} are not six digits of 0 to {options[0] - 1}")
        return TransNasMicro().compose(chosen)


class SuiteZeroTransNasMacro(_SuiteZeroTransNas):
    """The digits are the benchmark's own, filled up with zeros to six."""

    title = (
        "NAS-Bench-Suite-Zero's zc_transbench101_macro.json or "
        "benchmark--transbench101_macro--<task>--<n>.json"
    )
    benchmark = "transnas-macro"
    label = "transbench101_macro"
    space = TransNasMacro()

    def cell(self, text: str) -> Cell:
        """Chain the modules of the digits before the zeros."""
        modules = "".join(map(str, digits(text))).rstrip("0")
        return self.space.parse(f"64-{modules}-basic")

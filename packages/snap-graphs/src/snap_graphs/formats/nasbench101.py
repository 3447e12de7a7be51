"""NAS-Bench-101's training runs, from the authors' TFRecord file or from NASLib's pickle.

A TFRecord (`nasbench_only108.tfrecord`, `nasbench_full.tfrecord`) is one training run: a JSON list
of module hash, epochs, adjacency matrix, operators and a `ModelMetrics` protocol buffer in base64.
The layout is that of the benchmark's repository (`nasbench/api.py`,
`nasbench/lib/model_metrics.proto`). NASLib's pickle has, by module hash, a cell and its runs by
training budget.
"""

import binascii
import itertools
import json
import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from snap_catalog import SnapError

from snap_graphs.arrays import Ints
from snap_graphs.cell import INPUT, OUTPUT, Cell
from snap_graphs.formats.base import (
    CHUNK,
    MALFORMED,
    Chunk,
    Doubles,
    Format,
    Request,
    fault,
    first_bytes,
    repeat_columns,
)
from snap_graphs.formats.pickles import NUMPY, load_pickle
from snap_graphs.formats.protobuf import fields
from snap_graphs.formats.tables import CHECKED_HASHES, check_hashes
from snap_graphs.formats.tfrecord import tfrecords
from snap_graphs.spaces.nb101 import LETTERS, NasBench101

BUDGETS = (4, 12, 36, 108)
"""Epochs that the benchmark trained for."""
METRICS = (
    ("cifar10/train/seconds", 1.0),
    ("cifar10/train/accuracy", 100.0),
    ("cifar10/valid/accuracy", 100.0),
    ("cifar10/test/accuracy", 100.0),
)
"""Metrics in the order of `Run.final`, and the factors that make them seconds or percent."""
_LETTER = {name: letter for letter, name in LETTERS.items()}
_HASH_BYTES = 16
_KEY = np.dtype((np.void, _HASH_BYTES))
_SPACE = NasBench101()
_TYPES = [str, int, str, str, str]
_EVALUATION, _PARAMETERS = 1, 2
_FINAL = (2, 3, 4, 5)
"""Field numbers of `ModelMetrics` and, in the order of `Run.final`, of `EvaluationData`."""
_EVALUATIONS = 3
"""Evaluations of a run: before it, half-way and at its end."""
_FINAL_KEYS = (
    "final_training_time",
    "final_train_accuracy",
    "final_validation_accuracy",
    "final_test_accuracy",
)
"""Keys of a run in the order of `Run.final`."""
_START = b"module_adjacency"


class Run(NamedTuple):
    """One training run.

    Attributes:
        module_hash: the benchmark's MD5 hash of the cell, 32 hexadecimal digits.
        epochs: the training budget.
        adjacency: the n x n adjacency matrix as digits, row by row.
        operators: the n operators, joined by commas.
        parameters: trainable parameters of the network.
        final: when training ended: its seconds, then training, validation and test accuracy as
            fractions.
    """

    module_hash: str
    epochs: int
    adjacency: str
    operators: str
    parameters: int
    final: tuple[float, ...]


@dataclass
class Runs:
    """All runs of a file, stored compactly.

    Attributes:
        rows: row of each cell, by binary module hash.
        keys: binary module hashes, one per cell.
        arch_ids: native strings, one per cell.
        identities: hashes of what the runs of a cell must agree on, one per cell.
        row: the cell's row, one per run.
        epochs: the budget, one per run.
        values: the values of `Run.final` of all runs, one run after another.
    """

    rows: dict[bytes, int] = field(default_factory=dict)
    keys: list[bytes] = field(default_factory=list)
    arch_ids: list[str] = field(default_factory=list)
    identities: "array[int]" = field(default_factory=lambda: array("q"))
    row: "array[int]" = field(default_factory=lambda: array("i"))
    epochs: "array[int]" = field(default_factory=lambda: array("b"))
    values: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, run: Run) -> None:
        """Add a run.

        Raises:
            SnapError: the cell is invalid or differs from that of the same hash; a number is not
                finite, an accuracy not a fraction, or the budget unknown.
            ValueError: the hash is not hexadecimal.
        """
        if type(run.epochs) is not int or run.epochs not in BUDGETS:
            raise SnapError(f"{run.epochs} epochs are not a budget of the benchmark ({BUDGETS})")
        if not all(0 <= x < math.inf for x in run.final):
            raise SnapError(f"seconds and accuracies {run.final} are not all finite and positive")
        if max(run.final[1:]) > 1:
            raise SnapError(f"the accuracies {run.final[1:]} are not all fractions of 1")
        self.row.append(self._row(run))
        self.epochs.append(run.epochs)
        self.values.extend(run.final)

    def _row(self, run: Run) -> int:
        key = bytes.fromhex(run.module_hash)
        if len(key) != _HASH_BYTES:
            raise SnapError(f"{run.module_hash!r} is not an MD5 hash")
        identity = hash((run.adjacency, run.operators, run.parameters))
        if key not in self.rows:
            self.arch_ids.append(_SPACE.format(cell_of(run.adjacency, run.operators)))
            self.keys.append(key)
            self.identities.append(identity)
            self.rows[key] = len(self.rows)
        elif self.identities[self.rows[key]] != identity:
            raise SnapError(f"hash {run.module_hash} belongs to another cell in an earlier record")
        return self.rows[key]

    def metrics(self, request: Request) -> dict[str, Doubles]:
        """Return the metric columns, (cells,) values each."""
        columns: dict[str, Doubles] = {}
        row, epochs = np.asarray(self.row), np.asarray(self.epochs)
        values = np.asarray(self.values).reshape(-1, len(METRICS))
        for budget in np.unique(epochs):
            chosen = np.flatnonzero(epochs == budget)
            repeat = _occurrence(row[chosen])
            for place, (name, factor) in enumerate(METRICS):
                table = np.full((len(self.keys), repeat.max() + 1), np.nan)
                table[row[chosen], repeat] = values[chosen, place] * factor
                columns |= repeat_columns(f"{name}@{budget}", table, request)
        return columns

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield the cells in the order in which they first appeared.

        Args:
            path: the source file.
            request: whether to average repeats.

        Raises:
            SnapError: a hash in the recomputed sample is wrong.
        """
        names, keys = np.array(self.arch_ids, np.bytes_), np.array(self.keys, _KEY)
        return _chunks(path, names, keys, self.metrics(request))


def _chunks(
    path: Path,
    names: npt.NDArray[np.bytes_],
    keys: npt.NDArray[np.void],
    metrics: dict[str, Doubles],
) -> Iterator[Chunk]:
    """Yield the cells; a separate function, so that the runs can be freed."""
    step = max(1, len(keys) // CHECKED_HASHES)
    for first in range(0, len(keys), CHUNK):
        rows = slice(first, first + CHUNK)
        arch_ids = [name.decode() for name in names[rows].tolist()]
        hashes = [key.hex() for key in keys[rows].tolist()]
        cells = [_SPACE.parse(name) for name in arch_ids]
        check_hashes(path, cells[::step], hashes[::step], arch_ids[::step], "fetch the file again")
        yield Chunk(cells, arch_ids, {k: v[rows] for k, v in metrics.items()}, hashes)


def adjacency_digits(matrix: Any) -> str:
    """Write an adjacency matrix as digits, row by row.

    Args:
        matrix: an array or nested lists of whole numbers, truth values or floats that are 0 or 1.

    Raises:
        SnapError: the matrix is not square, or has other entries.
    """
    rows = matrix.tolist() if isinstance(matrix, np.ndarray) else matrix
    lists = isinstance(rows, list | tuple) and all(isinstance(row, list | tuple) for row in rows)
    entries = list(itertools.chain(*rows)) if lists else []
    is_square = lists and all(len(row) == len(rows) for row in rows)
    if not is_square or not all(isinstance(x, int | float) and x in (0, 1) for x in entries):
        raise SnapError("the adjacency is not a square matrix of 0 and 1")
    return "".join(str(int(entry)) for entry in entries)


def cell_of(adjacency: str, operators: str) -> Cell:
    """Build a cell from the fields of a record.

    Args:
        adjacency: the n x n adjacency matrix as digits, row by row.
        operators: the n operators, joined by commas.

    Raises:
        SnapError: the benchmark has no such cell.
    """
    size, names = math.isqrt(len(adjacency)), operators.split(",")
    upper = "".join(adjacency[i * size + i + 1 : (i + 1) * size] for i in range(size))
    lower = "".join(adjacency[i * size : i * size + i + 1] for i in range(size))
    fits = len(names) == size >= 2 and (names[0], names[-1]) == (INPUT, OUTPUT)
    known = size**2 == len(adjacency) and set(names[1:-1]) <= _LETTER.keys()
    if not fits or not known or set(lower) - {"0"} or set(upper) - {"0", "1"}:
        raise SnapError(f"{adjacency!r:.60} and {operators!r:.100} do not define a cell")
    return _SPACE.cell(size, upper, "".join(_LETTER[name] for name in names[1:-1]))


def _occurrence(values: Ints) -> Ints:
    """Return, for each value, the number of equal values before it."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(values)])
    counts = np.empty(len(values), np.int64)
    counts[order] = np.arange(len(values)) - np.repeat(starts, lengths)
    return counts


class NasBench101Records(Format):
    """The benchmark's TFRecord files. The runs of a cell may be anywhere in them."""

    title = "the benchmark's TFRecord file (nasbench_only108.tfrecord, nasbench_full.tfrecord)"
    suffixes = (".tfrecord",)
    benchmark = "nb101"

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Read all runs, then yield the cells in the order in which they first appeared."""
        runs = Runs()
        for number, data in tfrecords(path, request):
            try:
                run = decode(data)
                if request.wants(run.epochs):
                    runs.add(run)
            except (SnapError, *MALFORMED) as error:
                request.bad(path, number, fault(error))
        return runs.chunks(path, request)


def decode(data: bytes) -> Run:
    """Decode one record.

    Raises:
        SnapError: it is not laid out as the benchmark's records are.
        ValueError: it is not JSON, base64 or a protocol buffer.
    """
    entry = json.loads(data.decode())
    if type(entry) is not list or [type(part) for part in entry] != _TYPES:
        raise SnapError("expected a list of hash, epochs, adjacency, operators and metrics")
    key, epochs, adjacency, operators, metrics = entry
    message = binascii.a2b_base64(metrics, strict_mode=True)
    return Run(key, epochs, adjacency, operators, *_measured(message))


def _measured(message: bytes) -> tuple[int, tuple[float, ...]]:
    """Return the parameters and the final measurements of a `ModelMetrics` message."""
    evaluations, parameters = [], None
    for number, value in fields(message, 0, len(message)):
        if number == _EVALUATION:
            evaluations.append(value)
        elif number == _PARAMETERS:
            parameters = value
    if len(evaluations) != _EVALUATIONS or not isinstance(evaluations[-1], tuple):
        raise SnapError(f"{len(evaluations)} evaluations, not {_EVALUATIONS}")
    if not isinstance(parameters, int):
        raise SnapError("the number of trainable parameters is missing")
    last = dict(fields(message, *evaluations[-1]))
    final = tuple([x for number in _FINAL if isinstance(x := last.get(number), float)])
    if len(final) != len(_FINAL):
        raise SnapError("a final accuracy or the training time is missing")
    return parameters, final


class NasLibNasBench101(Format):
    """A pickled dictionary; nothing of it is executed."""

    title = "NASLib's pickled dictionary of module hashes"
    benchmark = "nb101"

    def recognises(self, path: Path) -> bool:
        """Return whether the file begins as such a pickle does."""
        return _START in first_bytes(path, 256)

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield the cells in the order of the file."""
        entries = load_pickle(path, NUMPY)
        if type(entries) is not dict:
            raise SnapError(f"{path}: expected a dictionary of module hashes")
        runs = Runs()
        for key, entry in entries.items():
            with request.reading(path, key):
                for run in list(_runs(key, entry)):  # add all runs of an entry or none
                    if request.wants(run.epochs):
                        runs.add(run)
        request.advance(path.stat().st_size)
        return runs.chunks(path, request)


def _runs(key: str, entry: Any) -> Iterator[Run]:
    fixed, budgets = entry
    adjacency = adjacency_digits(fixed["module_adjacency"])
    operators = ",".join(fixed["module_operations"])
    for epochs, repeats in budgets.items():
        for run in repeats:
            final = tuple(float(run[name]) for name in _FINAL_KEYS)
            parameters = fixed["trainable_parameters"]
            yield Run(key, epochs, adjacency, operators, parameters, final)

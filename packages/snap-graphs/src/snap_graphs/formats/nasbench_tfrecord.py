"""NAS-Bench-101 as its authors publish it: `nasbench_only108.tfrecord`, `nasbench_full.tfrecord`.

A record is one training run: a JSON list of module hash, epochs, adjacency matrix, operators and
a `ModelMetrics` protocol buffer in base64. The layout is that of the benchmark's repository
(`nasbench/api.py`, `nasbench/lib/model_metrics.proto`).
"""

import binascii
import json
from collections.abc import Iterator
from pathlib import Path

from snap_catalog import SnapError

from snap_graphs.formats.base import MALFORMED, Chunk, Format, Request, fault
from snap_graphs.formats.nasbench_runs import Run, Runs
from snap_graphs.formats.protobuf import fields
from snap_graphs.formats.tfrecord import tfrecords

_TYPES = [str, int, str, str, str]
_EVALUATION, _PARAMETERS = 1, 2
_FINAL = (2, 3, 4, 5)
"""Field numbers of `ModelMetrics` and, in the order of `Run.final`, of `EvaluationData`."""
_EVALUATIONS = 3
"""Evaluations of a run: before it, half-way and at its end."""


class NasBench101Records(Format):
    """The benchmark's TFRecord files. The runs of a cell may be anywhere in them."""

    title = "the benchmark's TFRecord file (nasbench_only108.tfrecord, nasbench_full.tfrecord)"
    benchmark = "nb101"

    def recognises(self, path: Path) -> bool:
        """Return whether the suffix is `.tfrecord`."""
        return path.is_file() and path.suffix == ".tfrecord"

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

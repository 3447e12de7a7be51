"""NAS-Bench-301's training runs: a folder of `results_*.json`, one DARTS network each.

`optimized_hyperparamater_config` (sic) has the cells edge by edge, the skeleton and the
hyperparameters; `info` the validation accuracy and parameters; `test_accuracy`, `runtime` and
`budget` (epochs) stand next to it.
"""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from snap_catalog import SnapError

from snap_graphs.formats.archives import members
from snap_graphs.formats.base import Chunk, Format, Request, chunked, first_bytes
from snap_graphs.spaces.darts import STEPS, Darts
from snap_graphs.spaces.genotypes import genotype

_CONFIG = "optimized_hyperparamater_config"
_PREFIX = "NetworkSelectorDatasetInfo:darts:"
_FILE_LIMIT = 1 << 24
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
_SPACE = Darts()


class _Run(NamedTuple):
    arch_id: str
    skeleton: tuple[int, int]
    metrics: Mapping[str, float]


class NasBench301Runs(Format):
    """A folder, tar or zip of result files, or one of them.

    Runs of one cell at one budget are repeats. All runs must share layers and channels with the
    first one; those on another skeleton are bad records.
    """

    title = "NAS-Bench-301's results_*.json (a file, or a folder, tar or zip of them)"
    benchmark = "nb301"

    def recognises(self, path: Path) -> bool:
        """Return whether names in a folder, the suffix of an archive or first bytes match."""
        if path.is_dir():
            return next(path.rglob("results_*.json"), None) is not None
        return path.name.endswith(_ARCHIVES) or _CONFIG.encode() in first_bytes(path, 1 << 16)

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield the cells in the order of their first runs; repeats need all files read."""
        found: dict[str, dict[str, list[float]]] = {}
        skeleton: tuple[int, int] | None = None
        for name, run in _runs(path, request):
            skeleton = skeleton or run.skeleton
            if run.skeleton != skeleton:
                layers, channels = run.skeleton
                reason = f"trained with {layers} layers of {channels} channels, the first with "
                request.bad(path, name, reason + "{} of {}".format(*skeleton))
                continue
            entry = found.setdefault(run.arch_id, {})
            for metric, value in run.metrics.items():
                entry.setdefault(metric, []).append(value)
        return chunked(((name, _SPACE.parse(name), runs) for name, runs in found.items()), request)


def _runs(path: Path, request: Request) -> Iterator[tuple[str, _Run]]:
    is_many = path.is_dir() or path.name.endswith(_ARCHIVES)
    files = members(path, _FILE_LIMIT) if is_many else [(path.name, path.read_bytes())]
    for name, content in files:
        if not name.endswith(".json"):
            continue
        request.advance(len(content))
        with request.reading(path, name):
            record = json.loads(content)
            budget = int(record["budget"])
            run = _run(record, budget)
            if request.wants(budget):
                yield name, run


def _run(record: Any, budget: int) -> _Run:
    config, info = record[_CONFIG], record["info"][0]
    cells = {kind: _pairs(config, kind) for kind in ("normal", "reduce")}
    cell = _SPACE.cell(genotype(cells["normal"], None, cells["reduce"], None))
    metrics = {
        f"cifar10/valid/accuracy@{budget}": float(info["val_accuracy"]),
        f"cifar10/test/accuracy@{budget}": float(record["test_accuracy"]),
        f"cifar10/train/seconds@{budget}": float(record["runtime"]),
        "cifar10/model/params": float(info["model_parameters"]),
    }
    infinite = [name for name, value in metrics.items() if not math.isfinite(value)]
    if infinite:
        raise SnapError(f"{infinite[0]} is not finite")
    skeleton = int(config[f"{_PREFIX}layers"]), int(config[f"{_PREFIX}init_channels"])
    return _Run(_SPACE.format(cell), skeleton, metrics)


def _pairs(config: Mapping[str, Any], kind: str) -> list[tuple[str, int]]:
    """Return a cell's pairs.

    Edges are numbered node by node, a node's by their sources; the first inner node takes both
    inputs, those of the others are named as in `0_2`.
    """
    pairs, first = [], 0
    for step in range(STEPS):
        node = step + 2
        sources = str(config[f"{_PREFIX}inputs_node_{kind}_{node}"]) if step else "0_1"
        taken = [int(source) for source in sources.split("_")]
        if len(taken) != 2 or not all(0 <= source < node for source in taken):
            raise SnapError(f"node {node} of the {kind} cell has invalid inputs {sources:.40}")
        for source in taken:
            pairs.append((str(config[f"{_PREFIX}edge_{kind}_{first + source}"]), source))
        first += node
    return pairs

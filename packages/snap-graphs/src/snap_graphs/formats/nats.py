"""NAS-Bench-201 and NATS-Bench, whose files hold the same records.

A folder `NATS-tss-v1_0-*-simple` (topology space) or `NATS-sss-v1_0-*-simple` (size space) holds
one bzip2-compressed pickle per architecture; the layout is that of the benchmark's own reader
(`nats_bench/api_utils.py`). `NAS-Bench-201-v1_0-e61699.pth` and `NAS-Bench-201-v1_1-096897.pth`,
written by `torch.save`, are a dictionary whose `arch2infos` holds, by index, the measurements after
12 (`less`) and 200 epochs (`full`); that layout is the one of `nas_201_api/api_201.py`.
"""

import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from snap_catalog import SnapError

from snap_graphs.cell import Cell
from snap_graphs.formats.archives import decompress_bz2, members
from snap_graphs.formats.base import Chunk, Format, Measured, Request, chunked
from snap_graphs.formats.pickles import NUMPY, loads_pickle
from snap_graphs.formats.torch_files import is_torch, load_torch
from snap_graphs.spaces.base import Space
from snap_graphs.spaces.natss import NatsSize
from snap_graphs.spaces.nb201 import NasBench201

SPLITS = {
    "cifar10-valid": {
        "x-valid": "cifar10/valid",
        "train": "cifar10-valid/train",
        "ori-test": "cifar10-valid/test",
    },
    "cifar10": {"train": "cifar10/train", "ori-test": "cifar10/test"},
    "cifar100": {"train": "cifar100/train", "x-valid": "cifar100/valid", "x-test": "cifar100/test"},
    "ImageNet16-120": {
        "train": "imagenet16-120/train",
        "x-valid": "imagenet16-120/valid",
        "x-test": "imagenet16-120/test",
    },
}
"""By data set and evaluation of the benchmark's own API: the data set and split of our metrics.

The network whose accuracy is `cifar10/valid` was trained on half of the training images
(`cifar10-valid`), that of `cifar10/test` on all of them. `ori-test` of the other two data sets is
their validation and test images together, and left out.
"""
Architecture = tuple[str, Cell, Measured]
"""Native string, cell, and measurements."""

_PACKED_LIMIT, _LIMIT = 1 << 22, 1 << 24
"""Limits in bytes on a packed and an unpacked architecture; real ones have 0.1 and 0.3 MB."""
_MEMBER = re.compile(r"(?:.*/)?\d{6}\.pickle\.pbz2", flags=re.ASCII)
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2")


def architecture(space: Space, budgets: Any, request: Request, seen: set[str]) -> Architecture:
    """Read the record of an architecture.

    Args:
        space: the space it belongs to.
        budgets: state dictionaries (`arch_str`, `all_results`, …) by training budget.
        request: the budgets wanted.
        seen: native strings of architectures read before; this one is added.

    Raises:
        SnapError: the architecture is invalid or repeated, or an accuracy is not a percentage.
        One of `MALFORMED`: the layout differs.
    """
    names = {state["arch_str"] for state in budgets.values()}
    if len(names) != 1:
        raise SnapError(f"its budgets name {len(names)} architectures, not one")
    cell = space.parse(names.pop())
    arch_id = space.format(cell)
    if arch_id in seen:
        raise SnapError(f"{arch_id} is repeated")
    found = _measured(budgets.values(), request)
    seen.add(arch_id)
    return arch_id, cell, found


def _measured(budgets: Iterable[Any], request: Request) -> Measured:
    """Return the accuracies at the end of training, in percent, repeats in the order of seeds."""
    found: dict[str, list[float]] = {}
    for state in budgets:
        for (dataset, _), run in sorted(state["all_results"].items()):
            if not request.wants(run["epochs"]):
                continue
            for split, ours in SPLITS.get(dataset, {}).items():
                value = _last(run, split)
                if value is not None:
                    found.setdefault(f"{ours}/accuracy@{run['epochs']}", []).append(value)
    return found


def _last(run: Any, split: str) -> float | None:
    """Return a run's last accuracy on a split; None if it was not evaluated."""
    last = run["epochs"] - 1
    if split == "train":
        value = run["train_acc1es"][last]
    else:
        value = run["eval_acc1es"].get(f"{split}@{last}")
    if value is not None and not (math.isfinite(value) and 0 <= value <= 100):
        raise SnapError(f"the accuracy {value} on {run['name']} is not a percentage")
    return value if value is None else float(value)


class _Nats(Format):
    """A folder or tar of one compressed pickle per architecture.

    Attributes:
        space: the space its architectures belong to.
    """

    space: ClassVar[Space]

    def recognises(self, path: Path) -> bool:
        """Return whether it is a tar, or a folder with packed pickles."""
        if path.is_dir():
            return any(path.glob("*.pickle.pbz2"))
        return path.name.endswith(_ARCHIVES)

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield the architectures in the order of the members."""
        return chunked(self._architectures(path, request), request)

    def _architectures(self, path: Path, request: Request) -> Iterator[Architecture]:
        seen: set[str] = set()
        for name, packed in members(path, _PACKED_LIMIT):
            request.advance(len(packed))
            if not _MEMBER.fullmatch(name):
                continue
            with request.reading(path, name):
                content = decompress_bz2(packed, _LIMIT, name)
                budgets = loads_pickle(content, name, NUMPY)
                yield architecture(self.space, budgets, request, seen)


class NatsTopology(_Nats):
    """NATS-Bench's topology space, which is NAS-Bench-201's."""

    title = "a folder or tar NATS-tss-v1_0-*-simple"
    benchmark = "nb201"
    space = NasBench201()


class NatsSizes(_Nats):
    """NATS-Bench's size space."""

    title = "a folder or tar NATS-sss-v1_0-*-simple"
    benchmark = "natss"
    space = NatsSize()


class NasBench201Pth(Format):
    """The benchmark's `.pth` file, loaded without torch. All of it is in memory at once."""

    title = "NAS-Bench-201-v1_*.pth"
    benchmark = "nb201"

    def recognises(self, path: Path) -> bool:
        """Return whether torch wrote the file."""
        return path.is_file() and is_torch(path)

    def chunks(self, path: Path, request: Request) -> Iterator[Chunk]:
        """Yield the architectures in the order of their indices."""
        content = load_torch(path)
        request.advance(path.stat().st_size)
        entries = content.get("arch2infos") if type(content) is dict else None
        if type(entries) is not dict:
            raise SnapError(f"{path}: not laid out as NAS-Bench-201; it has no arch2infos")
        return chunked(_architectures(path, entries, request), request)


def _architectures(path: Path, entries: dict[Any, Any], request: Request) -> Iterator[Architecture]:
    seen: set[str] = set()
    for index, budgets in entries.items():
        with request.reading(path, index):
            yield architecture(NasBench201(), budgets, request, seen)

"""Keep traced networks in a file, one line of JSON per network, to resume an interrupted run."""

import hashlib
import inspect
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from snap_catalog.checksums import file_sha256
from snap_catalog.nested import parse_json
from snap_catalog.parquet import replacing
from snap_catalog.replaceable import check_regular, refusal
from torch import nn

from snap_graphs.conversion_cache import code_hash
from snap_graphs.networks import Network
from snap_graphs.torch.trace.inputs import Inputs

_HEAD = json.dumps({"snap.traced": 1})


class Checkpoint:
    """The file from which an interrupted run resumes.

    Attributes:
        path: path of the file.
    """

    def __init__(self, path: Path) -> None:
        """Read the file of an interrupted run, if it exists; incomplete lines are ignored.

        Raises:
            SnapError: the file is not a checkpoint, or cannot be written.
        """
        self.path = path
        self._lines = dict(_kept(path))
        with replacing(path) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in (_HEAD, *self._lines.values())))

    @property
    def count(self) -> int:
        """Number of networks in the file."""
        return len(self._lines)

    def get(self, key: str) -> Network | None:
        """Return the network with a key; None if it was not traced before."""
        line = self._lines.get(key)
        return None if line is None else _network(json.loads(line)["network"])

    def add(self, key: str, network: Network) -> None:
        """Append a network to the file.

        Raises:
            OSError: the file cannot be written.
        """
        line = json.dumps({"key": key, "network": asdict(network)})
        with self.path.open("a") as file:
            file.write(f"{line}\n")
        self._lines[key] = line

    def remove(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)


def _kept(path: Path) -> Iterable[tuple[str, str]]:
    """Yield the keys and lines of a file."""
    check_regular(path)
    if not path.exists():
        return
    head, *lines = path.read_text(errors="replace").splitlines() or [""]
    if head != _HEAD:
        raise refusal(path)
    for line in lines:
        with suppress(ValueError, TypeError, KeyError):  # an incomplete line
            record = parse_json(line)
            _network(record["network"])
            yield str(record["key"]), line


def _network(fields: dict[str, Any]) -> Network:
    """Return the network of a JSON object."""
    pairs = {name: tuple(map(tuple, fields[name])) for name in ("edges", "shapes")}
    flat = {name: tuple(fields[name]) for name in ("nodes", "params", "flops")}
    return Network(**{**fields, **pairs, **flat})


def fingerprint(module: nn.Module, inputs: Inputs) -> str:
    """Return 64 hexadecimal digits that identify everything on which a traced network depends.

    These are the printed modules, their parameters, the inputs, the files that define the modules'
    classes, and the versions of torch and this package.
    """
    content = [
        str(module),
        [(name, list(p.shape)) for name, p in module.named_parameters()],
        asdict(inputs),
        sorted({_hash_once(path) for path in _defining_files(module)}),
        version("torch"),
        code_hash(),
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _defining_files(module: nn.Module) -> Iterator[str]:
    for kind in {type(part) for part in module.modules()}:
        with suppress(TypeError, OSError):  # the class has no file
            yield inspect.getfile(kind)


_hash_once = cache(file_sha256)

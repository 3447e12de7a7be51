"""Fingerprint everything that tracing a network depends on, for resuming."""

import hashlib
import inspect
import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from importlib.metadata import version

from snap_catalog.checksums import file_sha256
from torch import nn

from snap_graphs.conversion_cache import code_hash
from snap_graphs.torch.trace.inputs import Inputs


def fingerprint(module: nn.Module, inputs: Inputs) -> str:
    """Return 64 hexadecimal digits that change with what tracing a module depends on.

    That are the modules as printed, their parameters, the inputs, the files that define the
    modules' classes, torch and this package.
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
        try:
            yield inspect.getfile(kind)
        except (TypeError, OSError):  # defined as the program runs
            continue


_hash_once = cache(file_sha256)

"""What is known of a model before its weights are read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


@dataclass(frozen=True)
class Model:
    """A model that can be loaded.

    Attributes:
        name: its name, or its folder's; on the hub, there without `sentence-transformers/`.
        sha256: its identity: SHA-256 of its safetensors weights (of several files, of one after
            the other in the order of the modules), or of its base's and its own SHA-256.
        key: 64 hexadecimal digits that also stand for its configuration; equal keys, equal vectors.
        load: reads the weights, raising `SnapError` where they are not to be had, or damaged.
    """

    name: str
    sha256: str
    key: str
    load: Callable[[], SentenceTransformer]


def joined_sha256(*digests: str) -> str:
    """Return the SHA-256 over digests in hexadecimal, one after the other."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()

"""Describe a model before its weights are read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


@dataclass(frozen=True)
class Model:
    """A model that can be loaded."""

    name: str  # name of the model or its folder; for the hub, without `sentence-transformers/`
    # SHA-256 of its safetensors weights (several files concatenated in the order of the modules),
    # or for a derived model over the SHA-256 of base and own weights
    sha256: str
    # 64 hexadecimal digits over weights and configuration; equal keys give equal vectors
    key: str
    # reads the weights; raises `SnapError` if they are missing or damaged
    load: Callable[[], SentenceTransformer]


def joined_sha256(*digests: str) -> str:
    """Return the SHA-256 of concatenated hexadecimal digests."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()

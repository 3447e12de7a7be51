"""Models of sentence-transformers: check and load their folders."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from snap_catalog import SnapError
from snap_catalog.checksums import file_sha256

from snap_encode.libraries import explained

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_CONFIGURATION = ("*.json", "*.txt", "*.model")


@dataclass(frozen=True)
class Model:
    """A model that can be loaded.

    Attributes:
        name: name of the model or its folder; for the hub, without `sentence-transformers/`.
        sha256: SHA-256 of its safetensors weights (several files concatenated in the order of the
            modules), or for a derived model over the SHA-256 of base and own weights.
        key: 64 hexadecimal digits over weights and configuration; equal keys give equal vectors.
        load: reads the weights; raises `SnapError` if they are missing or damaged.
    """

    name: str
    sha256: str
    key: str
    load: Callable[[], SentenceTransformer]


def joined_sha256(*digests: str) -> str:
    """Return the SHA-256 of concatenated hexadecimal digests."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def folder_model(folder: Path, name: str) -> Model:
    """Return the model in a folder; its checksum is computed from the files.

    Raises:
        SnapError: the folder holds no safetensors weights, or pickled ones.
    """
    sha256 = weights_sha256(folder)
    configuration = (f for part in _parts(folder) for p in _CONFIGURATION for f in part.glob(p))
    key = joined_sha256(sha256, file_sha256(*sorted(configuration)))
    return Model(name, sha256, key, partial(load, folder))


def load_checked(folder: Path, sha256: str, remedy: str) -> SentenceTransformer:
    """Load a model and check the SHA-256 of its weights.

    Raises:
        SnapError: the checksum differs; the message ends with the remedy.
    """
    check_sha256(folder, weights_sha256(folder), sha256, remedy)
    return load(folder)


def check_sha256(path: Path, found: str, expected: str, remedy: str) -> None:
    """Refuse weights with another checksum.

    Raises:
        SnapError: the checksums differ; the message ends with the remedy.
    """
    if found != expected:
        raise SnapError(
            f"{path}: the weights are damaged (SHA-256 {found[:8]}..., not "
            f"{expected[:8]}...); {remedy}"
        )


def load(folder: Path) -> SentenceTransformer:
    """Load a model on the CPU without running code from its folder.

    Raises:
        SnapError: it cannot be loaded.
    """
    problem = f"{folder}: not a sentence-transformers model that can be loaded"
    with explained(problem, "fetch or save it again"):
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )


def weights_sha256(folder: Path) -> str:
    """Return the SHA-256 of a model's safetensors weights, in the order of its modules.

    Raises:
        SnapError: there are none, or pickled ones, or the list of modules is damaged.
    """
    weights = [file for part in _parts(folder) for file in _weights(part)]
    if not weights:
        raise SnapError(f"{folder}: no .safetensors weights; give the folder of a model")
    return file_sha256(*weights)


def _parts(folder: Path) -> list[Path]:
    """Return the folders of the model's modules, the model's own folder if none are listed."""
    listing = folder / "modules.json"
    if not listing.exists():
        return [folder]
    try:
        paths = [module["path"] for module in json.loads(listing.read_text("utf-8"))]
        return [folder / path for path in dict.fromkeys(paths)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SnapError(f"{listing}: not a list of modules; fetch the model again") from error


def _weights(part: Path) -> list[Path]:
    found = sorted(part.glob("*.safetensors"))
    if not found and any(part.glob("*.bin")):
        raise SnapError(f"{part}: pickled weights are not loaded; save them as .safetensors")
    return found


def package_folder(package: str) -> Path | None:
    """Return the folder of an installed package without importing it; None if it is missing."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])

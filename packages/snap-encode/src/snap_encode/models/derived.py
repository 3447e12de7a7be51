"""Models that add a small adapter or projection to a base model."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snap_catalog import SnapError
from snap_catalog.checksums import file_sha256

from snap_encode.libraries import explained
from snap_encode.models.bases import BASES
from snap_encode.models.folders import Model, check_sha256, joined_sha256

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

MANIFEST = "snap_encoder.json"
ADAPTER, PROJECTION = "adapter_model.safetensors", "projection.safetensors"
ADAPTER_CONFIG = "adapter_config.json"


@dataclass(frozen=True)
class _Manifest:
    base: str
    base_sha256: str
    weights: str
    weights_sha256: str


def write_manifest(folder: Path, *, base: str, weights: str) -> None:
    """Record the base model and the file of weights, `ADAPTER` or `PROJECTION`, in their folder."""
    manifest = _Manifest(base, BASES[base]().sha256, weights, file_sha256(folder / weights))
    (folder / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n", "utf-8")


def derived_model(folder: Path, name: str) -> Model:
    """Return the model that a folder's `snap_encoder.json` describes.

    Raises:
        SnapError: the file is damaged, or names an unknown base or kind of weights.
    """
    manifest = _read(folder / MANIFEST)
    sha256 = joined_sha256(manifest.base_sha256, manifest.weights_sha256)
    key = joined_sha256(sha256, file_sha256(*folder.glob(ADAPTER_CONFIG)))
    return Model(name, sha256, key, partial(_load, folder, manifest))


def _read(path: Path) -> _Manifest:
    try:
        entries = json.loads(path.read_text("utf-8"))
        manifest = _Manifest(**{key: str(entries[key]) for key in _Manifest.__annotations__})
        known = manifest.weights in _ATTACH and BASES[manifest.base]().sha256
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _bad_manifest(path) from error
    if known != manifest.base_sha256:
        raise _bad_manifest(path)
    return manifest


def _bad_manifest(path: Path) -> SnapError:
    return SnapError(
        f"{path}: does not name a base model with its checksum ({', '.join(BASES)}) and a file of "
        f"weights with its own ({', '.join(_ATTACH)}); save the model again"
    )


def _load(folder: Path, manifest: _Manifest) -> SentenceTransformer:
    weights = folder / manifest.weights
    if not weights.is_file():
        raise SnapError(f"{weights}: no such file; copy or save the model again")
    check_sha256(weights, file_sha256(weights), manifest.weights_sha256, "fetch it again")
    network = BASES[manifest.base]().load()
    with explained(f"{folder}: does not fit {manifest.base!r}", "save the model again"):
        _ATTACH[manifest.weights](network, folder)
    return network


def _merge_adapter(network: SentenceTransformer, folder: Path) -> None:
    from peft import PeftModel

    transformer: Any = network[0]
    adapted = PeftModel.from_pretrained(transformer.model, folder, local_files_only=True)
    transformer.model = adapted.merge_and_unload()


def _append_projection(network: SentenceTransformer, folder: Path) -> None:
    from safetensors.torch import load_file
    from sentence_transformers.sentence_transformer.modules import Dense
    from torch.nn import Identity

    weight = load_file(folder / PROJECTION)["weight"]
    rows, columns = weight.shape
    network.append(
        Dense(columns, rows, bias=False, activation_function=Identity(), init_weight=weight)
    )


_ATTACH: Mapping[str, Callable[[SentenceTransformer, Path], None]] = {
    ADAPTER: _merge_adapter,
    PROJECTION: _append_projection,
}

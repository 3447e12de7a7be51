"""The folder of a tuned encoder: adapter, manifest, record of the training and model card."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors.torch import save
from snap_catalog import SnapError
from snap_catalog.parquet import check_writable

from snap_encode.libraries import silenced
from snap_encode.models import locate
from snap_encode.models.derived import ADAPTER, ADAPTER_CONFIG, write_manifest
from snap_encode.tuning.adapter import Adapter
from snap_encode.tuning.card import card

RECORD = "training.json"
"""File with settings, history and results of the run; the model card summarises it."""


def check_new(folder: Path) -> None:
    """Refuse a folder that exists or cannot be created, before the work that fills it.

    Raises:
        SnapError: names the folder and the remedy.
    """
    if folder.exists():
        raise SnapError(f"{folder}: exists already; choose a new folder")
    check_writable(folder)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder, and rename it to `folder` only if no error occurs.

    Raises:
        SnapError: the folder exists already or cannot be written.
    """
    check_new(folder)
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as name:
            made = Path(name) / folder.name
            made.mkdir()
            yield made
            made.rename(folder)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SnapError(f"{folder}: cannot write here ({reason}); choose another path") from error


def write(folder: Path, adapter: Adapter, record: Mapping[str, Any]) -> None:
    """Write a new folder, named like the tuned encoder, atomically.

    `record` is the content of `training.json`; see `snap_encode.tuning.card`.

    Raises:
        SnapError: the folder exists already or cannot be written.
    """
    with new_folder(folder) as made:
        (made / ADAPTER).write_bytes(save(adapter.state()))
        write_json(made / ADAPTER_CONFIG, adapter.config())
        write_json(made / RECORD, record)
        write_manifest(made, base=record["settings"]["base"], weights=ADAPTER)
        (made / "README.md").write_text(card(folder.name, record), "utf-8")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a mapping as indented JSON."""
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", "utf-8")


def export(model: str, out: Path) -> None:
    """Write a model, its adapter merged into the base, for plain sentence-transformers.

    `model` is its name or folder, as `locate` takes it; `out` is a new folder.

    Raises:
        SnapError: the model is not available, or the folder exists or cannot be written.
    """
    with new_folder(out) as made:
        network = locate(model).load()
        with silenced():
            network.save_pretrained(str(made), create_model_card=False)

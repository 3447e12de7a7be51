"""Models of the first format, which torch ran, as models of the present one."""

import json
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors.numpy import load
from snap_catalog import SnapError
from snap_catalog.parquet import read

from snap_gcn.model import folder, schema
from snap_gcn.model.export import to_onnx

_OLD = 1
_LATER: dict[str, Any] = {
    "patience": None,
    "device": "cpu",
    "processes": 1,
    "kept": [],
    "history": [],
    "shapes": {},
}
"""Entries on the training that came later, as they are without."""


def convert(old: Path) -> folder.Model:
    """Read a model folder of the first format; the weights stay the same.

    Raises:
        SnapError: it is none, or it is damaged.
    """
    path = old / folder.CONFIG
    if not path.is_file():
        raise SnapError(f"{old}: no model folder (it has no {folder.CONFIG}); name one")
    try:
        entry = json.loads(path.read_text("utf-8"))
        if entry["format"] != _OLD:
            raise SnapError(f"{path}: not a model of format {_OLD}; nothing to convert")
        for name, digest in entry["sha256"].items():
            if folder.sha256((old / name).read_bytes()) != digest:
                raise SnapError(f"{old / name}: not the file that {path.name} vouches for")
        config = msgspec.convert(_renamed(entry), schema.Config)
        weights = load((old / folder.WEIGHTS).read_bytes())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SnapError(f"{path}: damaged ({error}); get or train the model again") from error
    operators = read(old / folder.OPERATORS, "operators")
    curve = old / folder.CURVE
    model = folder.Model(
        config, weights, b"", operators, curve.read_bytes() if curve.exists() else b""
    )
    states = [
        {name: torch.from_numpy(v.copy()) for name, v in model.part(folder.member(i)).items()}
        for i in range(len(config.members))
    ]
    networks = to_onnx(config.members, states, operators["embedding"].type.list_size)
    return folder.Model(config, weights, networks, operators, model.curve)


def _renamed(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration of the first format under the names of the present one."""
    renamed = {k: v for k, v in entry.items() if k not in ("sha256", "home")}
    renamed["format"] = schema.FORMAT
    renamed.setdefault("paths", 0.0)
    renamed.setdefault("measured", [])
    renamed["training_space"] = entry.get("home")
    renamed["calibration"] = None  # of another kind; tools/calibrate.py makes the present one
    renamed["training"] = _LATER | entry["training"]
    renamed["members"] = [
        {"training_space" if k == "home" else k: v for k, v in member.items()}
        for member in entry["members"]
    ]
    return renamed

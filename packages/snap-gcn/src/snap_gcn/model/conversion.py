"""Convert model folders of earlier formats: the first was run by torch."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from safetensors.numpy import load
from snap_catalog import SnapError
from snap_catalog.parquet import read

from snap_gcn.model import folder, schema

_FIRST, _SECOND = 1, 2
_SINCE_FORMAT_3: dict[str, Any] = {
    "one_form": False,
    "prior": False,
    "networks": None,
    "kind": "trained",
    "adapted": None,
}
"""Entries that format 3 added, with the values that an earlier model behaves like."""
_ADDED_TO_TRAINING: dict[str, Any] = {
    "patience": None,
    "device": "cpu",
    "processes": 1,
    "kept": [],
    "history": [],
    "shapes": {},
}
"""The same for the entry `training` since format 1."""


def convert(old: Path) -> folder.Model:
    """Read a model folder of an earlier format; the weights stay the same.

    Raises:
        SnapError: the folder holds no such model, is damaged, or its model counts paths, whose
            statistics have changed.
    """
    path = old / folder.CONFIG
    if not path.is_file():
        raise SnapError(f"{old}: no model folder (it has no {folder.CONFIG}); name one")
    try:
        entry = json.loads(path.read_text("utf-8"))
        if entry["format"] not in (_FIRST, _SECOND):
            raise SnapError(f"{path}: not a model of format 1 or 2; nothing to convert")
        if entry["format"] == _FIRST:
            model = _first(old, entry)
        else:
            second = {**_SINCE_FORMAT_3, **entry, "format": schema.FORMAT}
            model = folder.load(old, lambda *_: msgspec.convert(second, schema.Config))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SnapError(f"{path}: damaged ({error}); {folder.AGAIN}") from error
    if model.config.paths:
        raise SnapError(
            f"{path}: adds what paths count for, by statistics that are no longer computed; "
            "train the model again"
        )
    return model


def _first(old: Path, entry: dict[str, Any]) -> folder.Model:
    import torch

    from snap_gcn.model.export import to_onnx

    for name, digest in entry["sha256"].items():
        if folder.sha256((old / name).read_bytes()) != digest:
            raise SnapError(f"{old / name}: its SHA-256 is not the one in {folder.CONFIG}")
    config = msgspec.convert(_renamed(entry), schema.Config)
    weights = load((old / folder.WEIGHTS).read_bytes())
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
    return replace(model, networks=networks)


def _renamed(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration of the first format under the names of the present one."""
    kept = {name: value for name, value in entry.items() if name not in ("sha256", "home")}
    members = [
        {"training_space" if k == "home" else k: v for k, v in member.items()}
        for member in entry["members"]
    ]
    return {
        **_SINCE_FORMAT_3,
        "paths": 0.0,
        "measured": [],
        **kept,
        "format": schema.FORMAT,
        "training_space": entry.get("home"),
        "calibration": None,  # has another form; tools/train/calibrate.py makes the present one
        "training": _ADDED_TO_TRAINING | entry["training"],
        "members": members,
    }

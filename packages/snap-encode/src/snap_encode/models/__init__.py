"""Locate and load encoders by name or folder."""

from snap_encode.models.folders import Model
from snap_encode.models.registry import DEFAULT_MODEL, KNOWN, locate

__all__ = ["DEFAULT_MODEL", "KNOWN", "Model", "locate"]

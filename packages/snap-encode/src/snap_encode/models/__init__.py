"""The encoders that there are: which one per name or a folder stands for, and how to load it."""

from snap_encode.models.model import Model
from snap_encode.models.registry import DEFAULT_MODEL, KNOWN, locate

__all__ = ["DEFAULT_MODEL", "KNOWN", "Model", "locate"]

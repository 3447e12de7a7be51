"""The models that others are derived from."""

from collections.abc import Callable, Mapping

from snap_encode.models import minilm, mpnet
from snap_encode.models.model import Model

BASES: Mapping[str, Callable[[], Model]] = {minilm.NAME: minilm.model, mpnet.NAME: mpnet.model}
"""By name."""

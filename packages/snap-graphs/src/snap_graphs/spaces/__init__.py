"""Search spaces: native strings, cells, points of the unit cube and network costs."""

from collections.abc import Mapping
from functools import cache

from snap_catalog import SnapError

from snap_graphs.spaces.base import Costs, Space
from snap_graphs.spaces.nb101 import NasBench101
from snap_graphs.spaces.nb201 import NasBench201

__all__ = ["Costs", "Space", "space", "spaces"]


@cache
def spaces() -> Mapping[str, Space]:
    """Return every known search space by name."""
    return {known.name: known for known in (NasBench101(), NasBench201())}


def space(name: str) -> Space:
    """Return one search space.

    Raises:
        SnapError: no space has that name.
    """
    if name not in spaces():
        raise SnapError(f"unknown search space {name!r}; known are {', '.join(spaces())}")
    return spaces()[name]

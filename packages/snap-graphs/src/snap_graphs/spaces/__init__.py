"""Search spaces: native strings, cells, points of the unit cube and network costs."""

from collections.abc import Mapping
from functools import cache

from snap_catalog import SnapError

from snap_graphs.spaces.base import Costs, ProductSpace, Space
from snap_graphs.spaces.darts import Darts
from snap_graphs.spaces.fbnet import FbNet
from snap_graphs.spaces.natss import NatsSize
from snap_graphs.spaces.nb101 import NasBench101
from snap_graphs.spaces.nb201 import NasBench201
from snap_graphs.spaces.nb_graph import NasBenchGraph
from snap_graphs.spaces.nds import Nds
from snap_graphs.spaces.transnas import TransNasMacro, TransNasMicro

__all__ = ["Costs", "ProductSpace", "Space", "space", "spaces"]


@cache
def spaces() -> Mapping[str, Space]:
    """Return every known search space by name."""
    known = (
        NasBench101(),
        NasBench201(),
        NatsSize(),
        Darts(),
        Nds(),
        TransNasMicro(),
        TransNasMacro(),
        NasBenchGraph(),
        FbNet(),
    )
    return {space.name: space for space in known}


def space(name: str) -> Space:
    """Return one search space.

    Raises:
        SnapError: no space has that name.
    """
    if name not in spaces():
        raise SnapError(f"unknown search space {name!r}; known are {', '.join(spaces())}")
    return spaces()[name]

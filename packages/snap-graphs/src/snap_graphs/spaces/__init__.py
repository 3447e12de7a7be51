"""Search spaces: strings, cells, points of the unit cube and network costs."""

from collections.abc import Mapping
from functools import cache

from snap_catalog import SnapError

from snap_graphs.spaces.base import Costs, ProductSpace, Space
from snap_graphs.spaces.custom import CustomSpace
from snap_graphs.spaces.darts import Darts
from snap_graphs.spaces.definition import parse_definition, read_definition
from snap_graphs.spaces.fbnet import FbNet
from snap_graphs.spaces.natss import NatsSize
from snap_graphs.spaces.nb101 import NasBench101
from snap_graphs.spaces.nb201 import NasBench201
from snap_graphs.spaces.nb_graph import NasBenchGraph
from snap_graphs.spaces.nds import Nds
from snap_graphs.spaces.transnas import TransNasMacro, TransNasMicro

__all__ = ["Costs", "ProductSpace", "Space", "defined_space", "space", "spaces"]


_SUFFIX = ".toml"


@cache
def spaces() -> Mapping[str, Space]:
    """Return every known search space by name."""
    known = (  # list a new search space here
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


def space(name: str | Space, *, allow_code: bool = False) -> Space:
    """Return one search space.

    Args:
        name: a known space, a TOML file (`*.toml`) that defines one, or a space object.
        allow_code: allow imports of code that the file names, to count and build networks.

    Raises:
        SnapError: the space is unknown, or the file defines none.
    """
    if isinstance(name, Space):
        return name
    if name.endswith(_SUFFIX):
        return CustomSpace(read_definition(name, spaces()), allow_code=allow_code)
    if name not in spaces():
        raise SnapError(
            f"unknown search space {name!r}; known are {', '.join(spaces())}; a "
            f"file NAME{_SUFFIX} can define another"
        )
    return spaces()[name]


def defined_space(text: str, source: str, *, allow_code: bool = False) -> Space:
    """Return the space that a definition describes.

    Args:
        text: the TOML.
        source: where it is from, for errors; files of code are sought next to it.
        allow_code: whether code that the definition names may be imported.

    Raises:
        SnapError: the definition is invalid.
    """
    return CustomSpace(parse_definition(text, source, spaces()), allow_code=allow_code)

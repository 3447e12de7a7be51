"""One architecture: what a search found, or what a user names."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from snap_catalog import SnapError
from snap_catalog.nested import parse_json
from snap_graphs import Cell, graph_table
from snap_graphs import space as named_space
from snap_graphs.spaces.genotypes import TWO_CELL_SPACES, format_genotype, to_genotype


class Architecture(NamedTuple):
    """An architecture of any space.

    Attributes:
        space: its search space.
        arch_id: the space's own string.
        cell: its graph.
    """

    space: str
    arch_id: str
    cell: Cell


def read_architecture(best: str, space: str | None = None) -> Architecture:
    """Read the `best.json` of a search, or, where a space is named, one of its strings.

    Raises:
        SnapError: the file is missing or no `best.json`, the space is unknown, or the string is
            none of the space.
    """
    if space is not None:
        home = named_space(space)
        return Architecture(home.name, best, home.parse(best))
    try:
        found = parse_json(Path(best).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SnapError(
            f"{best:.80}: no readable best.json; name one, or add --space to give a cell by its "
            "string"
        ) from error
    try:
        edges = tuple(zip(found["src"], found["dst"], strict=True))
        cell = Cell(tuple(map(str, found["nodes"])), edges)
        return Architecture(str(found["space"]), str(found["arch_id"]), cell)
    except (KeyError, TypeError, ValueError) as error:
        raise SnapError(
            f"{best}: no best.json ({type(error).__name__}: {error}); name the file that a search "
            "writes"
        ) from error


def as_genotype(architecture: Architecture) -> str:
    """Write an architecture of two cells as the DARTS code base prints and reads it.

    Raises:
        SnapError: it is not of two cells.
    """
    if architecture.space not in TWO_CELL_SPACES:
        known = " and ".join(TWO_CELL_SPACES)
        raise SnapError(f"a cell of {architecture.space} has no genotype; those of {known} have")
    return format_genotype(to_genotype(architecture.cell))


def as_json(architecture: Architecture) -> str:
    """Write an architecture, its graph and costs, and, where it has one, its genotype as JSON."""
    space, arch_id, cell = architecture
    row = graph_table(space, [cell], arch_ids=[arch_id]).to_pylist()[0]
    names = ("space", "arch_id", "cell_hash", "nodes", "src", "dst", "params", "flops")
    content: dict[str, Any] = {name: row[name] for name in names}
    if space in TWO_CELL_SPACES:
        content["genotype"] = to_genotype(cell)._asdict()
    return json.dumps(content, indent=2)

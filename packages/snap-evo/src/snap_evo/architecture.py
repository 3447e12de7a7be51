"""One architecture, of a `best.json` or of a string."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from snap_catalog import SnapError
from snap_graphs import Cell, Space, graph_table
from snap_graphs import space as named_space
from snap_graphs.spaces import Costs, defined_space, spaces
from snap_graphs.spaces.genotypes import TWO_CELL_SPACES, format_genotype, to_genotype

_MOST_BYTES = 2**20
_GRAPH = ("space", "arch_id", "cell_hash", "nodes", "src", "dst")
_METRICS = (*Costs._fields, "depth", "n_paths", "n_dead")
_REMEDY = "name the file that a search writes"


class Architecture(NamedTuple):
    """An architecture of any space.

    Attributes:
        space: its search space.
        arch_id: the space's own string.
        cell: its graph.
        search_space: the same space; None if neither the catalog nor a file defines it.
    """

    space: str
    arch_id: str
    cell: Cell
    search_space: Space | None

    @classmethod
    def of(cls, search_space: Space, cell: Cell) -> "Architecture":
        """Return a cell of a space with its string."""
        return cls(search_space.name, search_space.format(cell), cell, search_space)


def read_architecture(
    best: str, space: str | None = None, *, allow_code: bool = False
) -> Architecture:
    """Read the `best.json` of a search, or, if a space is given, one of its strings.

    Args:
        best: the file, or the string.
        space: the space of the string.
        allow_code: whether code that a space's definition names may be imported.

    Raises:
        SnapError: the file is missing or is no `best.json`, its graph is not that of its string,
            the space is unknown, or it has no such string.
    """
    if space is not None:
        named = named_space(space, allow_code=allow_code)
        return Architecture(named.name, best, named.parse(best), named)
    found = _read(best)
    if len(found.src) != len(found.dst):
        lengths = f"src has {len(found.src)} entries and dst {len(found.dst)}"
        raise SnapError(f"{best}: no best.json ({lengths}); {_REMEDY}")
    search_space = _search_space(best, found, allow_code=allow_code)
    try:
        cell = Cell(tuple(found.nodes), tuple(zip(found.src, found.dst, strict=True)))
        same = search_space is None or (
            search_space.name == found.space and search_space.parse(found.arch_id) == cell
        )
    except SnapError as error:
        raise SnapError(f"{best}: {error}; {_REMEDY}") from error
    if not same:
        raise SnapError(
            f"{best}: its nodes, src and dst are not the cell {found.arch_id:.80} of "
            f"{found.space:.80}; {_REMEDY}"
        )
    return Architecture(found.space, found.arch_id, cell, search_space)


class _Best(Struct):
    """The entries of a `best.json` that describe the architecture."""

    space: str
    arch_id: str
    nodes: list[str]
    src: list[int]
    dst: list[int]
    space_file: str | None = None
    space_definition: str | None = None


def _read(best: str) -> _Best:
    try:
        with Path(best).open("rb") as file:
            return msgspec.json.decode(file.read(_MOST_BYTES), type=_Best)
    except msgspec.ValidationError as error:
        raise SnapError(f"{best}: no best.json ({error}); {_REMEDY}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise SnapError(
            f"{best:.80}: no readable best.json; name one, or add --space to give the string of a "
            "cell"
        ) from error


def _search_space(best: str, found: _Best, *, allow_code: bool) -> Space | None:
    """Return the search space; None if neither the catalog nor the file defines it."""
    if found.space_definition is None:
        return spaces().get(found.space)
    if found.space_file is None:
        return defined_space(found.space_definition, best)
    try:  # code lies next to the TOML file
        return defined_space(found.space_definition, found.space_file, allow_code=allow_code)
    except SnapError as error:
        raise SnapError(f"{best}: {error}") from error


def write_best(graph: Mapping[str, Any], entries: Mapping[str, Any]) -> str:
    """Return the content of a `best.json`, one entry per line.

    Args:
        graph: the architecture, a row of the `graphs` contract.
        entries: further entries; those of `metrics` follow the costs.
    """
    metrics = {name: graph[name] for name in _METRICS} | entries.get("metrics", {})
    content = {name: graph[name] for name in _GRAPH} | {**entries, "metrics": metrics}
    lines = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in content.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def as_genotype(architecture: Architecture) -> str:
    """Return an architecture of two cells as the DARTS code base writes it.

    Raises:
        SnapError: it does not have two cells.
    """
    if architecture.space not in TWO_CELL_SPACES:
        known = " and ".join(TWO_CELL_SPACES)
        raise SnapError(f"a cell of {architecture.space} has no genotype; those of {known} have")
    return format_genotype(to_genotype(architecture.cell))


def as_json(architecture: Architecture) -> str:
    """Return an architecture, its graph and costs, and its genotype if it has one, as JSON."""
    space, arch_id, cell, search_space = architecture
    row = graph_table(search_space or space, [cell], arch_ids=[arch_id]).to_pylist()[0]
    content: dict[str, Any] = {name: row[name] for name in (*_GRAPH, *Costs._fields)}
    if space in TWO_CELL_SPACES:
        content["genotype"] = to_genotype(cell)._asdict()
    return json.dumps(content, indent=2)

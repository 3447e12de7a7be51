"""One architecture: what a search found, or what a user names."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from snap_catalog import SnapError
from snap_catalog.errors import excerpt
from snap_catalog.nested import parse_json
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
        home: the same space; None of one that neither the catalog nor a file defines.
    """

    space: str
    arch_id: str
    cell: Cell
    home: Space | None

    @classmethod
    def of(cls, home: Space, cell: Cell) -> "Architecture":
        """Return a cell of a space with the string that the space has for it."""
        return cls(home.name, home.format(cell), cell, home)


def read_architecture(
    best: str, space: str | None = None, *, allow_code: bool = False
) -> Architecture:
    """Read the `best.json` of a search, or, where a space is named, one of its strings.

    Args:
        best: the file, or the string.
        space: the space of the string.
        allow_code: whether code that a space's definition names may be imported.

    Raises:
        SnapError: the file is missing or no `best.json`, the space is unknown, or the string is
            none of the space; or the file's graph is not that of its string.
    """
    if space is not None:
        home = named_space(space, allow_code=allow_code)
        return Architecture(home.name, best, home.parse(best), home)
    return _Found(best, _content(best), allow_code).architecture()


def _content(best: str) -> Mapping[str, Any]:
    try:
        with Path(best).open("rb") as file:
            content = parse_json(file.read(_MOST_BYTES))
    except (OSError, ValueError) as error:
        raise SnapError(
            f"{best:.80}: no readable best.json; name one, or add --space to give a cell by its "
            "string"
        ) from error
    if not isinstance(content, dict):
        raise SnapError(f"{best}: no best.json, which holds an object; {_REMEDY}")
    return content


@dataclass(frozen=True)
class _Found:
    """The entries of a `best.json`, which anybody may have written."""

    source: str
    entries: Mapping[str, Any]
    allow_code: bool

    def architecture(self) -> Architecture:
        space, arch_id = self._text("space"), self._text("arch_id")
        edges = zip(*self._ends(), strict=True)
        home = self._home(space)
        try:
            cell = Cell(tuple(self._list("nodes", str)), tuple(edges))
            same = home is None or (home.name == space and home.parse(arch_id) == cell)
        except SnapError as error:
            raise SnapError(f"{self.source}: {error}; {_REMEDY}") from error
        if not same:
            raise SnapError(
                f"{self.source}: its nodes, src and dst are not the cell {arch_id:.80} of "
                f"{space:.80}; {_REMEDY}"
            )
        return Architecture(space, arch_id, cell, home)

    def _home(self, space: str) -> Space | None:
        """Return the search space; None of one that neither the catalog nor the file defines."""
        if self.entries.get("space_definition") is not None:
            return self._own_home()
        return spaces().get(space)

    def _own_home(self) -> Space:
        """Return the space that the file defines; its code lies beside the TOML file named."""
        text = self._text("space_definition")
        if self.entries.get("space_file") is None:
            return defined_space(text, self.source)
        try:
            return defined_space(text, self._text("space_file"), allow_code=self.allow_code)
        except SnapError as error:
            raise SnapError(f"{self.source}: {error}") from error

    def _ends(self) -> tuple[list[Any], list[Any]]:
        src, dst = self._list("src", int), self._list("dst", int)
        if len(src) != len(dst):
            raise self._damaged("src", f"is {len(src)} long and dst {len(dst)}")
        return src, dst

    def _list(self, key: str, kind: type) -> list[Any]:
        value = self.entries.get(key)
        if not isinstance(value, list) or any(type(item) is not kind for item in value):
            raise self._damaged(key, f"is {excerpt(value)}, no list of type {kind.__name__}")
        return value

    def _text(self, key: str) -> str:
        value = self.entries.get(key)
        if not isinstance(value, str):
            raise self._damaged(key, f"is {excerpt(value)}, no text")
        return value

    def _damaged(self, key: str, problem: str) -> SnapError:
        return SnapError(f"{self.source}: no best.json ({key} {problem}); {_REMEDY}")


def write_best(graph: Mapping[str, Any], entries: Mapping[str, Any]) -> str:
    """Write the content of a `best.json`, one entry a line.

    Args:
        graph: the architecture, a row of the `graphs` contract.
        entries: what else is known; those of `metrics` follow the costs.
    """
    metrics = {name: graph[name] for name in _METRICS} | entries.get("metrics", {})
    content = {name: graph[name] for name in _GRAPH} | {**entries, "metrics": metrics}
    lines = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in content.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


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
    space, arch_id, cell, home = architecture
    row = graph_table(home or space, [cell], arch_ids=[arch_id]).to_pylist()[0]
    content: dict[str, Any] = {name: row[name] for name in (*_GRAPH, *Costs._fields)}
    if space in TWO_CELL_SPACES:
        content["genotype"] = to_genotype(cell)._asdict()
    return json.dumps(content, indent=2)

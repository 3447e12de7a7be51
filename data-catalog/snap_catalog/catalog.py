"""Look up what the catalog knows about benchmarks and operators."""

import fnmatch
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal, cast

from snap_catalog.errors import SnapError

Role = Literal["train", "validate", "develop", "test"]
Direction = Literal["max", "min"]
Length = Literal["short", "medium", "long"]
Merge = Literal["sum", "concat"]


@dataclass(frozen=True)
class MetricFacts:
    """Facts about all metric columns that a glob pattern matches."""

    pattern: str
    direction: Direction
    unit: str
    role: Role


@dataclass(frozen=True)
class SourceFile:
    """One file of a benchmark as its publisher ships it.

    Attributes:
        name: the publisher's file name; for a data package, the path in the package.
        bytes: size; None if the publisher states none.
        sha256: checksum; None if the publisher states none.
        url: address for programs to download from.
        mirrors: further such addresses.
        page: page for people to download from.
    """

    name: str
    bytes: int | None = None
    sha256: str | None = None
    url: str | None = None
    mirrors: tuple[str, ...] = ()
    page: str | None = None


@dataclass(frozen=True)
class Benchmark:
    """One benchmark: measured architectures of one search space."""

    name: str
    space: str
    title: str
    licence: str
    citation: str
    metrics: tuple[MetricFacts, ...]
    package: str | None = None
    files: tuple[SourceFile, ...] = ()
    traps: tuple[str, ...] = ()

    def facts(self, metric: str) -> MetricFacts | None:
        """Return the first entry whose pattern matches `metric`, or None."""
        return next((m for m in self.metrics if fnmatch.fnmatchcase(metric, m.pattern)), None)


@dataclass(frozen=True)
class Operator:
    """One operator of a search space and its descriptions (paper, Table 1)."""

    space: str
    name: str
    descriptions: Mapping[Length, str] = field(hash=False)


@dataclass(frozen=True)
class GraphFacts:
    """Facts about a space that its graphs do not show.

    Attributes:
        identity: the operator that returns its input unchanged.
        input_edges: the operator on every edge out of an input, or None if there is none.
        merge: how a node combines its incoming edges: summed, or concatenated by channel.
        output_merge: the same for the output node.
        skeleton: the network around the cell, in words.
        whole: whether the graphs are whole networks rather than cells.
    """

    identity: str = "skip_connect"
    input_edges: str | None = None
    merge: Merge = "sum"
    output_merge: Merge = "sum"
    skeleton: str = ""
    whole: bool = False


def entries(folder: str) -> dict[str, Any]:
    """Return the TOML files in a folder of this package, by file name without the suffix."""
    root = files("snap_catalog").joinpath(folder)
    tomls = sorted((f for f in root.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return {f.name.removesuffix(".toml"): tomllib.loads(f.read_text("utf-8")) for f in tomls}


def _source_file(entry: Mapping[str, Any]) -> SourceFile:
    return SourceFile(**{**entry, "mirrors": tuple(entry.get("mirrors", ()))})


def _benchmark(name: str, entry: Mapping[str, Any]) -> Benchmark:
    fields = dict(entry)
    metrics = tuple(MetricFacts(**m) for m in fields.pop("metrics"))
    sources = tuple(_source_file(f) for f in fields.pop("files", []))
    traps = tuple(fields.pop("traps", []))
    return Benchmark(name=name, metrics=metrics, files=sources, traps=traps, **fields)


@cache
def benchmarks() -> Mapping[str, Benchmark]:
    """Return every catalogued benchmark by name."""
    return {name: _benchmark(name, entry) for name, entry in entries("benchmarks").items()}


def benchmark(name: str) -> Benchmark:
    """Return one benchmark.

    Raises:
        SnapError: no benchmark has that name.
    """
    known = benchmarks()
    if name not in known:
        raise SnapError(f"unknown benchmark {name!r}; the catalog has {', '.join(known)}")
    return known[name]


@cache
def operators() -> Mapping[str, tuple[Operator, ...]]:
    """Return the operators of every catalogued space, by space, `input` and `output` included."""
    return {
        space: tuple(
            Operator(space, name, cast(Mapping[Length, str], text))
            for name, text in entry["operators"].items()
        )
        for space, entry in entries("operators").items()
    }


@cache
def graph_facts(space: str) -> GraphFacts:
    """Return the facts about a space that its graphs do not show, or else the defaults."""
    entry = entries("operators").get(space, {})
    return GraphFacts(**entry.get("graph", {}))

"""Benchmarks: cells and their measurements."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from snap_catalog import SnapError
from snap_catalog.catalog import Direction
from snap_catalog.metrics import fitting_metrics, is_metric, oriented, resolve_metric
from snap_catalog.parquet import decode_metadata, read, validate
from snap_catalog.tables import is_parquet

from snap_eval import large
from snap_eval.arrays import Bools, Floats, Ints
from snap_eval.csv_graphs import read_csv_graphs
from snap_eval.relations import NEEDED, Cells

_NAMED = re.compile(r"[^=:/]+=")
_ACCURACY = re.compile(r"[^/]+/(test|valid)/(?!.*#)")


@dataclass(frozen=True)
class Measured:
    """A benchmark, its n cells by space and `arch_id`.

    Attributes:
        name: its name; the catalog's if it has one.
        graphs: a table of the `graphs` contract, in that order; from CSV, with some of its columns.
        source: its name in errors, usually its file.
        scan: the relation that has the rows, if they are too many for memory; `graphs` then has
            none.
    """

    name: str
    graphs: pa.Table
    source: str
    scan: large.Relation | None = None

    @cached_property
    def cells(self) -> pa.Array:
        """(n,) strings that identify cells across spaces."""
        return cell_keys(self.graphs)

    def direction(self, metric: str) -> Direction:
        """Return whether more (`max`) or less (`min`) of a metric is better."""
        stated: bytes = self.graphs.schema.field(metric).metadata[b"direction"]
        return cast(Direction, stated.decode())

    def oriented(self, metric: str) -> Floats:
        """Return (n,) a metric, negated if less is better; NaN if it was not measured."""
        return oriented(self.graphs[metric].to_numpy(), self.direction(metric))

    def populations(self, chosen: Bools) -> dict[str, Bools]:
        """Return the populations of `snap_eval.relations.Cells`, each (n,) true for its cells.

        Args:
            chosen: (n,) the cells that may be in them.
        """
        found = {}
        for name, parts in self.relation.populations(chosen).items():
            found[name] = np.zeros_like(chosen)
            found[name][next(iter(parts.values()))] = True
        return found

    def require(self, population: str) -> None:
        """Refuse a population if the graphs do not have the columns that it is made of.

        Raises:
            SnapError: names the missing columns.
        """
        missing = [name for name in NEEDED[population] if name not in self.graphs.column_names]
        if missing:
            raise SnapError(
                f"{self.source}: has no {' and no '.join(missing)}, of which the population "
                f"{population!r} is made; report on all cells, or give a Parquet file of graphs"
            )

    @cached_property
    def relation(self) -> Cells:
        """The cells in DuckDB."""
        return Cells(self.graphs)


class Target(NamedTuple):
    """A metric of a benchmark that scorers are to predict."""

    measured: Measured
    metric: str


def cell_keys(table: pa.Table) -> pa.Array:
    """Return (n,) strings that identify cells across spaces."""
    keys = pc.binary_join_element_wise(table["space"], table["arch_id"], "\0")
    return keys.combine_chunks()


def count_operators(graphs: pa.Table, operator: str) -> Ints:
    """Return (n,) how many nodes of each cell are an operator, those on no path included.

    Args:
        graphs: a table of the `graphs` contract.
        operator: its name, in which `*` stands for any letters.
    """
    nodes = graphs["nodes"].combine_chunks()
    names = pc.list_flatten(nodes)
    wanted = [name for name in names.unique().to_pylist() if fnmatchcase(name, operator)]
    hit = pc.is_in(names, pa.array(wanted, pa.string())).to_numpy(zero_copy_only=False)
    cells = pc.list_parent_indices(nodes).to_numpy()
    return np.bincount(cells[hit], minlength=len(nodes))


def as_measured(graphs: pa.Table, name: str | None = None, source: str = "graphs") -> Measured:
    """Make a benchmark of a table.

    Args:
        graphs: a table of the `graphs` contract.
        name: its name; if None, that of the metadata, else the cells' space.
        source: its name in errors.

    Raises:
        SnapError: the table breaks its contract, or the benchmark has no name.
    """
    return _measured(graphs, name, source)


def _measured(
    graphs: pa.Table, name: str | None, source: str, partial: Sequence[str] | None = None
) -> Measured:
    validate(graphs, "graphs", source=source, partial=partial)
    ordered = graphs.sort_by([("space", "ascending"), ("arch_id", "ascending")])
    return Measured(name or _benchmark(graphs, source), ordered, source)


def read_measured(spec: str, *, scan: bool = False) -> Measured:
    """Read `[NAME=]FILE`, a graphs file and its name; a pattern stands for all files that fit it.

    A file that is not Parquet is read as CSV, see `snap_eval.csv_graphs`.

    Args:
        spec: the file.
        scan: whether to leave the rows of a `large` file where they are.

    Raises:
        SnapError: the file is missing, damaged or no graphs file, or the benchmark has no name, or
            one that does not print.
    """
    name, _, file = spec.rpartition("=") if _NAMED.match(spec) else ("", "", spec)
    files = fitting(file)
    if scan and any(map(large.is_large, files)):
        benchmark = _scanned(files, name, file)
    else:
        tables = [
            read(path, "graphs") if is_parquet(path) else read_csv_graphs(path, name)
            for path in files
        ]
        graphs = pa.concat_tables(tables, promote_options="default")
        kinds = {is_parquet(path) for path in files}
        if len(kinds) > 1:
            raise SnapError(f"{file}: fits Parquet and CSV files; name those of one kind")
        partial = None if kinds == {True} else graphs.column_names
        benchmark = _measured(graphs, name, file, partial)
    check_name(benchmark.name, file)
    return benchmark


def _scanned(files: Sequence[str], name: str, source: str) -> Measured:
    tables = [large.columns_of(path, "graphs") for path in files]
    graphs = pa.concat_tables(tables, promote_options="default")
    stated = decode_metadata(graphs.schema).get("snap.benchmark")
    if not name and stated is None:
        raise SnapError(f"{source}: names no benchmark; give --graphs NAME={source}")
    return Measured(name or stated or "", graphs, source, large.scan(files))


def fitting(pattern: str) -> list[str]:
    """Return the file of a name, or those that fit it as a pattern if there is no such file.

    Raises:
        SnapError: no file fits.
    """
    if Path(pattern).exists() or not {*pattern} & {*"*?["}:
        return [pattern]
    root = Path(pattern).anchor
    files = sorted(map(str, Path(root).glob(pattern.removeprefix(root))))
    if not files:
        raise SnapError(f"{pattern}: no such file")
    return files


def check_name(name: str, source: str) -> None:
    """Refuse a name of a scorer or benchmark that breaks lines or steers a terminal.

    Raises:
        SnapError: a character does not print; names the source and the name.
    """
    if not name.isprintable():
        raise SnapError(
            f"{source}: the name {name!r} holds characters that do not print; "
            "give another, as NAME=FILE"
        )


def targets(benchmarks: Sequence[Measured], wanted: Sequence[str] = ()) -> list[Target]:
    """Return the metrics of benchmarks that are wanted.

    Args:
        benchmarks: where to look.
        wanted: metric columns, or unambiguous shortenings; all `<dataset>/test/...` and
            `<dataset>/valid/...` where more is better, if empty.

    Raises:
        SnapError: a wanted metric is in no benchmark or fits several columns of one, is infinite
            for a cell, or there is no metric at all.
    """
    found = [Target(m, column) for m in benchmarks for column in _columns(m, wanted)]
    for target in found:
        _refuse_infinite(*target)
    for metric in wanted:
        if not any(fitting_metrics(metric, m.graphs.column_names) for m in benchmarks):
            first = benchmarks[0]
            resolve_metric(metric, first.graphs.column_names, source=first.source)
    if not found:
        raise SnapError(
            f"{', '.join(m.source for m in benchmarks)}: has no accuracy; give a --metric"
        )
    return found


def _refuse_infinite(benchmark: Measured, metric: str) -> None:
    infinite = np.flatnonzero(np.isinf(benchmark.oriented(metric)))
    if infinite.size:
        cell = benchmark.graphs["arch_id"][int(infinite[0])].as_py()
        raise SnapError(
            f"{benchmark.source}: {metric} of {cell!r:.80} is infinite ({infinite.size:,} cells); "
            "leave it empty where a measurement failed"
        )


def _columns(benchmark: Measured, wanted: Sequence[str]) -> list[str]:
    names, source = benchmark.graphs.column_names, benchmark.source
    if not wanted:
        accuracies = [name for name in names if is_metric(name) and _ACCURACY.match(name)]
        return [name for name in accuracies if benchmark.direction(name) == "max"]
    there = [metric for metric in wanted if fitting_metrics(metric, names)]
    return [*dict.fromkeys(resolve_metric(metric, names, source=source) for metric in there)]


def _benchmark(graphs: pa.Table, source: str) -> str:
    if not len(graphs):
        raise SnapError(f"{source}: holds no cell; write the file again")
    stated = decode_metadata(graphs.schema).get("snap.benchmark")
    spaces = sorted(graphs["space"].unique().to_pylist())
    if stated is None and len(spaces) != 1:
        raise SnapError(
            f"{source}: holds cells of several spaces ({', '.join(spaces)}) and names no "
            f"benchmark; give --graphs NAME={source}"
        )
    return stated or spaces[0]

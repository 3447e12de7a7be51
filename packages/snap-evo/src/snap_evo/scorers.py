"""The interface of scorers, their reports, and the scorers that need no model: costs and tables."""

import os
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from snap_catalog import SnapError
from snap_catalog.catalog import Direction
from snap_catalog.conventions import direction_of
from snap_catalog.metrics import oriented, resolve_metric
from snap_catalog.parquet import read
from snap_graphs import Space, graph_table, space
from snap_graphs.space_tables import one_per_class

if TYPE_CHECKING:
    from torch import nn

Scores = npt.NDArray[np.float64]
_Key = TypeVar("_Key", bound=Hashable)
_DRAWN, _SEED = 1000, 0
"""Number and seed of the random cells on which scorers report."""


class Scorer(Protocol):
    """Rates architectures without training them."""

    def score(self, graphs: pa.Table) -> Scores:
        """Return (n,) finite scores of n rows of the `graphs` contract, higher is better."""


class Trust(Protocol):
    """The evidence for and against a ranking; the first line of its text is the verdict."""

    def as_dict(self) -> dict[str, Any]:
        """Return the same for JSON."""


@runtime_checkable
class TrustReporter(Protocol):
    """A scorer that reports how far to trust its ranking."""

    def trust(self, graphs: pa.Table) -> Trust:
        """Return how far to trust the ranking of n rows of the `graphs` contract."""


@runtime_checkable
class DescriptionReader(Protocol):
    """A scorer that reads the descriptions of a user's operators."""

    def readings(self, graphs: pa.Table) -> Sequence[object]:
        """Return how it understood each operator of a table; each prints as one line."""


class Measured(NamedTuple):
    """The scores of one network.

    Attributes:
        values: by name the score, higher is better.
        seconds: by step the time that it took; several scores may share a step.
        images: description of the images that the network processed.
    """

    values: dict[str, float]
    seconds: dict[str, float]
    images: str


@runtime_checkable
class NetworkScorer(Scorer, Protocol):
    """A scorer that runs networks, each long enough for its result to be kept.

    Attributes:
        names: names of its scores.
        images: description of the images that networks process.
        space: the search space, if its code may be imported; None to take it from the tables.
    """

    space: Space | None

    @property
    def names(self) -> Sequence[str]:
        """Names of its scores."""

    @property
    def images(self) -> str:
        """Description of the images that networks process."""

    def measure(self, space: Space, arch_id: str) -> Measured:
        """Build the network of an architecture of a search space, and run it."""

    def measure_network(self, network: "nn.Module", side: int | None) -> Measured:
        """Run a network.

        Args:
            network: maps (b, 3, side, side) images to (b, classes) logits.
            side: of the images in pixels; None for the default.
        """

    def together(self, rows: Sequence[Mapping[str, float]]) -> dict[str, Scores]:
        """Return by name the (n,) scores of n networks, given the values measured of each."""

    def seconds(self, steps: Mapping[str, float]) -> dict[str, float]:
        """Return how long each score takes on its own, given the seconds of the steps."""


def score_graphs(scorer: Scorer, graphs: pa.Table) -> Scores:
    """Score architectures, and check what the scorer returns.

    Returns:
        (n,) finite scores, higher is better.

    Raises:
        SnapError: the scorer failed, or returned anything but n finite numbers.
    """
    name = type(scorer).__name__
    with plugin_errors(scorer):
        scores = np.asarray(scorer.score(graphs), np.float64)
    if scores.shape != (graphs.num_rows,):
        raise SnapError(
            f"the scorer {name} returned an array of shape {scores.shape} for {graphs.num_rows} "
            "architectures; it must return one number each"
        )
    wrong = np.flatnonzero(~np.isfinite(scores))
    if wrong.size:
        row = int(wrong[0])
        raise SnapError(
            f"the scorer {name} gave {graphs['arch_id'][row]} the score {scores[row]}; "
            "scores must be finite"
        )
    return scores


def read_by(scorer: Scorer, graphs: pa.Table) -> list[str]:
    """Return, one line each, how a scorer understood descriptions of operators, if it reads any."""
    if not isinstance(scorer, DescriptionReader):
        return []
    with plugin_errors(scorer):
        return [str(each) for each in scorer.readings(graphs)]


def draw(search_space: Space) -> pa.Table:
    """Draw 1,000 cells of a space with replacement, the same at every call, as `graphs` rows."""
    return graph_table(search_space, search_space.sample(_DRAWN, seed=_SEED))


def distinct_cells(search_space: Space) -> pa.Table:
    """Return the different cells among those of `draw`, one per `cell_hash`."""
    return one_per_class(draw(search_space))


def ask_trust(scorer: Scorer, search_space: str | Space) -> Trust | None:
    """Ask a scorer how far to trust its ranking of a space; None if it does not report that."""
    if not isinstance(scorer, TrustReporter):
        return None
    with plugin_errors(scorer):
        return scorer.trust(draw(space(search_space)))


def readings(scorer: Scorer, search_space: Space) -> list[str]:
    """Return, one line each, how a scorer understood the descriptions of a space's operators."""
    return read_by(scorer, draw(search_space)) if isinstance(scorer, DescriptionReader) else []


@contextmanager
def plugin_errors(plugin: object, kind: str = "scorer") -> Iterator[None]:
    """Report any exception of a plug-in, which may be anybody's code, in one line.

    Raises:
        SnapError: the code raised something.
    """
    try:
        yield
    except SnapError:
        raise
    except Exception as error:
        name, reason = type(plugin).__name__, " ".join(f"{type(error).__name__}: {error}".split())
        raise SnapError(f"the {kind} {name} failed ({reason}); fix it or use another") from error


class _CostScorer:
    column: ClassVar[str]

    def score(self, graphs: pa.Table) -> Scores:
        """Return (n,) costs.

        Raises:
            SnapError: the cost is unknown.
        """
        return cost(graphs, self.column)


class ParamsScorer(_CostScorer):
    """Scores an architecture by its number of trainable parameters."""

    column = "params"


class FlopsScorer(_CostScorer):
    """Scores an architecture by its multiply-adds for one image."""

    column = "flops"


class CellTable:
    """The rows of a `graphs.parquet` file by cell.

    If the file does not hold a cell, the first cell of the same space that is isomorphic to it
    without dead operators takes its place: generated NAS-Bench-101 cells are seldom written as the
    benchmark writes them.
    """

    def __init__(self, file: str | os.PathLike[str]) -> None:
        """Read which cells the file holds."""
        keys = read(file, "graphs", columns=["space", "arch_id", "cell_hash"])
        spaces, arch_ids, hashes = (column.to_pylist() for column in keys.columns)
        self._file = str(file)
        self._spaces = list(dict.fromkeys(spaces))
        self._by_arch = _first_rows(zip(spaces, arch_ids, strict=True))
        self._by_hash = _first_rows(zip(spaces, hashes, strict=True))

    def check_space(self, name: str) -> None:
        """Check that the file holds cells of a space.

        Raises:
            SnapError: it holds none.
        """
        if name not in self._spaces:
            held = ", ".join(self._spaces[:5]) or "no space"
            raise SnapError(
                f"{self._file}: holds cells of {held}, none of {name}; name a table of {name}"
            )

    def rows(self, graphs: pa.Table) -> list[int | None]:
        """Return the file's row of every architecture of a table; None if it is missing.

        Args:
            graphs: n rows of the `graphs` contract.

        Raises:
            SnapError: the file holds no cells of their space.
        """
        spaces, arch_ids, hashes = (
            graphs[column].to_pylist() for column in ("space", "arch_id", "cell_hash")
        )
        for name in dict.fromkeys(spaces):
            self.check_space(name)
        return [
            self._by_arch.get((name, arch_id), self._by_hash.get((name, cell_hash)))
            for name, arch_id, cell_hash in zip(spaces, arch_ids, hashes, strict=True)
        ]


def _first_rows(keys: Iterable[_Key]) -> dict[_Key, int]:
    return {key: row for row, key in reversed([*enumerate(keys)])}


class TableScorer:
    """Looks scores up in a column of a `graphs.parquet` file.

    Cells are found within their search space, as by `CellTable`. A metric whose direction is `min`
    is negated; other columns, such as `params`, are taken as they are.

    Attributes:
        column: full name of the column.
        direction: of the metric; `min` if scores are its negatives.
    """

    def __init__(self, file: str | os.PathLike[str], column: str) -> None:
        """Read the column.

        Args:
            file: the `graphs.parquet` file.
            column: a metric, or an unambiguous shortening of one, or a numeric column.

        Raises:
            SnapError: the file cannot be read, or has no such numeric column.
        """
        self._cells = CellTable(file)
        self._file, schema = str(file), pq.read_schema(file)
        is_count = column in schema.names and pa.types.is_integer(schema.field(column).type)
        self.column = column if is_count else resolve_metric(column, schema.names, source=str(file))
        values = read(file, "graphs", columns=[self.column])
        self.direction: Direction = direction_of(values.schema, self.column) or "max"
        self._values = _numbers(values[self.column])

    def score(self, graphs: pa.Table) -> Scores:
        """Return (n,) values of the column, higher is better.

        Raises:
            SnapError: the file holds no cells of their space, or has no value for one of them.
        """
        scores = oriented(self.look_up(graphs), self.direction)
        missing = np.flatnonzero(np.isnan(scores))
        if missing.size:
            raise SnapError(
                f"{self._file}: no value of {self.column} for "
                f"{graphs['arch_id'][int(missing[0])]}; name a table that covers the search space"
            )
        return scores

    def look_up(self, graphs: pa.Table) -> Scores:
        """Return (n,) values as they are in the file, NaN if it has none.

        Raises:
            SnapError: the file holds no cells of their space.
        """
        rows = self._cells.rows(graphs)
        return np.array([np.nan if row is None else self._values[row] for row in rows], np.float64)


def cost(graphs: pa.Table, column: str) -> Scores:
    """Return (n,) values of a column of costs.

    Raises:
        SnapError: the space does not define them.
    """
    if graphs[column].null_count:
        raise SnapError(
            f"{graphs['space'][0]}: the {column} of its cells are unknown; use another scorer, "
            "objective or limit"
        )
    return _numbers(graphs[column])


def _numbers(column: pa.ChunkedArray) -> Scores:
    numbers: Scores = column.cast(pa.float64()).to_numpy()
    return numbers

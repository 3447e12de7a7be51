"""What a scorer is, and the scorers that need no model: costs and tables."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from snap_catalog import SnapError
from snap_catalog.catalog import Direction
from snap_catalog.metrics import resolve_metric
from snap_catalog.parquet import read
from snap_graphs import Space

from snap_evo.cell_table import CellTable

if TYPE_CHECKING:
    from torch import nn

Scores = npt.NDArray[np.float64]


class Scorer(Protocol):
    """Rates architectures without training them."""

    def score(self, graphs: pa.Table) -> Scores:
        """Score architectures.

        Args:
            graphs: n rows of the `graphs` contract.

        Returns:
            (n,) finite scores, higher is better.
        """


class Trust(Protocol):
    """What speaks for and against a ranking; the first line of its text is the verdict."""

    def as_dict(self) -> dict[str, Any]:
        """Return the same for JSON."""


@runtime_checkable
class TrustReporter(Protocol):
    """A scorer that also tells how far its ranking is to be trusted."""

    def trust(self, graphs: pa.Table) -> Trust:
        """Tell it of the architectures of a table.

        Args:
            graphs: n rows of the `graphs` contract.
        """


class Measured(NamedTuple):
    """What a scorer of networks found out about one.

    Attributes:
        values: by name the score, higher is better.
        seconds: by step the time it took; steps are what several scores may share.
        images: which images the network was shown.
    """

    values: dict[str, float]
    seconds: dict[str, float]
    images: str


@runtime_checkable
class NetworkScorer(Scorer, Protocol):
    """A scorer that runs one network after another, long enough for each to be kept.

    Attributes:
        names: of the scores that it gives.
        images: which images networks are shown.
        home: the search space, where its code may be imported; None to take it from the tables.
    """

    home: Space | None

    @property
    def names(self) -> Sequence[str]:
        """Of the scores that it gives."""

    @property
    def images(self) -> str:
        """Which images networks are shown."""

    def measure(self, home: Space, arch_id: str) -> Measured:
        """Build the network of an architecture of a search space, and run it."""

    def measure_network(self, network: "nn.Module", side: int | None) -> Measured:
        """Run a network.

        Args:
            network: maps (b, 3, side, side) images to (b, classes) logits.
            side: of the images in pixels; None for the usual.
        """

    def together(self, rows: Sequence[Mapping[str, float]]) -> dict[str, Scores]:
        """Return by name the (n,) scores of n networks, given what was measured of each."""

    def seconds(self, steps: Mapping[str, float]) -> dict[str, float]:
        """Return how long each score takes by itself, given the seconds of the steps."""


@runtime_checkable
class DescriptionReader(Protocol):
    """A scorer that reads the descriptions of a user's operators."""

    def readings(self, graphs: pa.Table) -> Sequence[object]:
        """Return how those of the operators in a table were understood, each printed in one line.

        Args:
            graphs: n rows of the `graphs` contract.
        """


def score_graphs(scorer: Scorer, graphs: pa.Table) -> Scores:
    """Ask a scorer for scores and check what it returns.

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
    """Return, in one line each, how a scorer understood the descriptions of operators, if it does.

    Raises:
        SnapError: the scorer failed.
    """
    if not isinstance(scorer, DescriptionReader):
        return []
    with plugin_errors(scorer):
        return [str(each) for each in scorer.readings(graphs)]


@contextmanager
def plugin_errors(plugin: object, kind: str = "scorer") -> Iterator[None]:
    """Report the failure of a plug-in, which is anybody's code, in one line.

    Args:
        plugin: whose code is called.
        kind: what it is.

    Raises:
        SnapError: it raised something.
    """
    try:
        yield
    except SnapError:
        raise
    except Exception as error:
        name, reason = type(plugin).__name__, " ".join(f"{type(error).__name__}: {error}".split())
        raise SnapError(f"the {kind} {name} failed ({reason}); fix it or use another") from error


class ParamsScorer:
    """Scores an architecture by its number of parameters."""

    def score(self, graphs: pa.Table) -> Scores:
        """Return (n,) trainable parameters.

        Raises:
            SnapError: the space does not tell them.
        """
        return cost(graphs, "params")


class FlopsScorer:
    """Scores an architecture by its multiply-adds for one image."""

    def score(self, graphs: pa.Table) -> Scores:
        """Return (n,) multiply-adds.

        Raises:
            SnapError: the space does not tell them.
        """
        return cost(graphs, "flops")


class TableScorer:
    """Looks scores up in a column of a `graphs.parquet` file.

    Cells are found within their search space, as by `CellTable`. A metric whose direction is `min`
    is negated; other columns, as `params`, are taken as they are.

    Attributes:
        column: the column.
        direction: of the metric, `min` where scores are its negatives.
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
        self.column = _resolve(column, pq.read_schema(file), source=str(file))
        self._file = str(file)
        values = read(file, "graphs", columns=[self.column])
        self.direction: Direction = "min" if _is_min(values.schema.field(0)) else "max"
        self._sign = -1.0 if self.direction == "min" else 1.0
        self._values = _numbers(values[self.column])

    def score(self, graphs: pa.Table) -> Scores:
        """Return (n,) values of the column.

        Raises:
            SnapError: the file holds no cells of their space, or has no value for one of them.
        """
        scores = self._sign * self.look_up(graphs)
        lacking = np.flatnonzero(np.isnan(scores))
        if lacking.size:
            raise SnapError(
                f"{self._file}: no value of {self.column} for "
                f"{graphs['arch_id'][int(lacking[0])]}; name a table that covers the search space"
            )
        return scores

    def look_up(self, graphs: pa.Table) -> Scores:
        """Return (n,) values as they are in the file, NaN where it has none.

        Raises:
            SnapError: the file holds no cells of their space.
        """
        rows = self._cells.rows(graphs)
        return np.array([np.nan if row is None else self._values[row] for row in rows], np.float64)


def _resolve(column: str, schema: pa.Schema, *, source: str) -> str:
    if column in schema.names and pa.types.is_integer(schema.field(column).type):
        return column
    return resolve_metric(column, schema.names, source=source)


def _is_min(field: pa.Field) -> bool:
    return (field.metadata or {}).get(b"direction") == b"min"


def cost(graphs: pa.Table, column: str) -> Scores:
    """Return (n,) values of a column of costs.

    Raises:
        SnapError: the space does not tell them.
    """
    if graphs[column].null_count:
        raise SnapError(
            f"{graphs['space'][0]} tells no {column} of its cells; use another scorer, objective "
            "or limit"
        )
    return _numbers(graphs[column])


def _numbers(column: pa.ChunkedArray) -> Scores:
    numbers: Scores = column.cast(pa.float64()).to_numpy()
    return numbers

"""The parts of a report: charts, tables, and notes on what is missing."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from snap_eval.csv_text import csv_text
from snap_eval.report.results import Results

Spec = dict[str, Any]
"""A Vega-Lite specification without data."""

_SAFE = " ,/:;@=+()[]{}<>|*'!$&?~"


@dataclass(frozen=True)
class Shown:
    """The fields that charts and tables share.

    Attributes:
        name: name of the download and anchor on the page, where it is unique.
        title: what it shows, in a few words.
        text: how to read it, in a sentence or two.
        data: the figures that it shows.
        command: the command that makes the files it is drawn from.
        folded: whether the reader has to unfold it.
    """

    name: str
    title: str
    text: str
    data: pa.Table
    command: str
    folded: bool = field(default=False, kw_only=True)

    @property
    def link(self) -> str:
        """The data as a `data:` address."""
        return f"data:text/csv;charset=utf-8,{quote(as_csv(self.data), safe=_SAFE)}"


@dataclass(frozen=True)
class Chart(Shown):
    """A chart, drawn once from all its data, or once per value of a column.

    Attributes:
        spec: the chart; its data are the CSV.
        panel: the column with one chart per value, in the order of the data; '' for one chart.
        panels: the values of that column.
        width: the smallest readable width, in CSS pixels.
        most: the largest useful width, in CSS pixels.
    """

    spec: Spec
    panel: str = ""
    panels: Sequence[str] = ()
    width: int = 300
    most: int = 760


@dataclass(frozen=True)
class Entry:
    """One cell of a table.

    Attributes:
        text: its text.
        order: its sort key; the text if None.
        drawing: the key of the drawing to show with it, or ''.
    """

    text: str
    order: float | None = None
    drawing: str = ""


@dataclass(frozen=True)
class Table(Shown):
    """A table.

    Attributes:
        head: the names of the columns.
        rows: the rows, each with one entry per column.
        drawings: the drawings of the entries, as SVG by key.
        gallery: the keys of the drawings to show below the table too.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[Entry]]
    drawings: Mapping[str, str]
    gallery: Sequence[str] = ()


@dataclass(frozen=True)
class Absent:
    """A part of the report for which the results have no file.

    Attributes:
        what: what it would show.
        command: the command that makes the file.
    """

    what: str
    command: str


@dataclass(frozen=True)
class Skipped:
    """A file, or a part of one, that cannot be shown.

    Attributes:
        what: the file, or its part.
        why: the reason, and the remedy.
    """

    what: str
    why: str


Part = Chart | Table | Absent | Skipped


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        title: its heading.
        parts: makes its charts and tables from the results.
    """

    title: str
    parts: Callable[[Results], Iterator[Part]]


def plain_table(
    name: str, title: str, text: str, command: str, rows: Sequence[Mapping[str, object]]
) -> Table:
    """Make a table that shows all its data; the keys of the first row are the columns."""
    data = pa.Table.from_pylist([dict(row) for row in rows])
    shown = [[entry(row[column]) for column in data.column_names] for row in rows]
    return Table(name, title, text, data, command, data.column_names, shown, {})


def entry(value: object) -> Entry:
    """Format a value: fractions with up to three decimals, None as an empty text."""
    if value is None:
        return Entry("")
    if isinstance(value, int):
        return Entry(f"{value:,}", float(value))
    if isinstance(value, float):
        return Entry(_number(value), value)
    return Entry(str(value))


def spread(mean: float | None, deviation: float | None) -> Entry:
    """Format a mean with its standard deviation, or the value alone without a deviation."""
    if mean is None or deviation is None:
        return entry(mean)
    digits = ".3f" if _shows(mean) else ".2g"
    return Entry(f"{mean:{digits}} ± {deviation:{digits}}", mean)


def _number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if _shows(value) else f"{value:.2g}"


def _shows(value: float) -> bool:
    """Return whether three decimals are enough to show a value."""
    return abs(value) >= 0.0095 or round(value, 9) == 0


def slug(*words: str) -> str:
    """Join words to a name that is valid in an address."""
    return re.sub(r"[^\w.@-]+", "-", "-".join(words)).strip("-")


def as_csv(table: pa.Table) -> str:
    """Write a table as CSV with numbers rounded to six decimals."""
    rows = ([_rounded(value) for value in row.values()] for row in table.to_pylist())
    return csv_text(table.column_names, rows)


def _rounded(value: object) -> object:
    return f"{round(value, 6):.10g}" if isinstance(value, float) else value

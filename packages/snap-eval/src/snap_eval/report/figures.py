"""What a report is made of: charts, tables, and notes of what is absent."""

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
    """What charts and tables have in common.

    Attributes:
        name: what the download is called, and the place on the page; unique on it.
        title: what it shows, in a few words.
        text: how to read it, in a sentence or two.
        data: the figures behind it.
        command: what makes the files it was drawn from.
        folded: whether it is to be unfolded before it is seen.
    """

    name: str
    title: str
    text: str
    data: pa.Table
    command: str
    folded: bool = field(default=False, kw_only=True)

    @property
    def link(self) -> str:
        """The data as an address that needs no network."""
        return f"data:text/csv;charset=utf-8,{quote(as_csv(self.data), safe=_SAFE)}"


@dataclass(frozen=True)
class Chart(Shown):
    """A chart, drawn from all its data, or once for every value of a column.

    Attributes:
        spec: the chart; its data are the CSV.
        panel: the column by whose values it is repeated, in the order of the data; or ''.
        panels: those values.
        width: the least width in CSS pixels at which it can be read.
        most: the greatest that it makes use of.
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
        text: what it says.
        order: what it is sorted by; the text if None.
        drawing: the key of a drawing to show with it, or ''.
    """

    text: str
    order: float | None = None
    drawing: str = ""


@dataclass(frozen=True)
class Table(Shown):
    """A table.

    Attributes:
        head: the columns' names.
        rows: one entry a column.
        drawings: SVG by the keys that entries name.
        gallery: the keys of the drawings that are also shown below.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[Entry]]
    drawings: Mapping[str, str]
    gallery: Sequence[str] = ()


@dataclass(frozen=True)
class Absent:
    """Something that the results do not hold.

    Attributes:
        what: what would be shown.
        command: what makes it, or where to get it.
    """

    what: str
    command: str


@dataclass(frozen=True)
class Skipped:
    """Something in the results that cannot be shown.

    Attributes:
        what: the file, or the part of it.
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
        parts: makes what it shows of the results.
    """

    title: str
    parts: Callable[[Results], Iterator[Part]]


def plain_table(
    name: str, title: str, text: str, command: str, rows: Sequence[Mapping[str, object]]
) -> Table:
    """Make a table that shows its data as they are; the first row says the columns."""
    data = pa.Table.from_pylist([dict(row) for row in rows])
    shown = [[entry(row[column]) for column in data.column_names] for row in rows]
    return Table(name, title, text, data, command, data.column_names, shown, {})


def entry(value: object) -> Entry:
    """Write a value: fractions with three decimals where they matter, nothing for None."""
    if value is None:
        return Entry("")
    if isinstance(value, int):
        return Entry(f"{value:,}", float(value))
    if isinstance(value, float):
        return Entry(_number(value), value)
    return Entry(str(value))


def spread(mean: float | None, deviation: float | None) -> Entry:
    """Write a mean with its standard deviation, of a single value the value."""
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
    """Join words to a name that may stand in an address."""
    return re.sub(r"[^\w.@-]+", "-", "-".join(words)).strip("-")


def as_csv(table: pa.Table) -> str:
    """Write a table as CSV, equal tables alike; numbers are rounded to six decimals."""
    rows = ([_rounded(value) for value in row.values()] for row in table.to_pylist())
    return csv_text(table.column_names, rows)


def _rounded(value: object) -> object:
    return f"{round(value, 6):.10g}" if isinstance(value, float) else value

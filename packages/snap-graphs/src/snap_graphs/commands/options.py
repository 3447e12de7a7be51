"""Options that several commands take."""

from collections.abc import Iterable
from typing import NamedTuple, cast

import click
from snap_catalog import MetricFacts
from snap_catalog.catalog import Direction
from snap_catalog.metrics import is_metric

_FORM = "NAME=METRIC[:UNIT[:DIRECTION]]"


class Column(NamedTuple):
    """A table's column and the metric it holds; `facts` where the user said unit or direction."""

    name: str
    metric: str
    facts: MetricFacts | None


def _column(text: str) -> Column:
    name, _, rest = text.rpartition("=")
    metric, *more = rest.split(":")
    if not name or not is_metric(metric) or len(more) > 2:
        raise click.BadParameter(f"{text!r} is not {_FORM}, as acc=cifar10/test/accuracy:percent")
    unit, direction = (*more, "max")[:2] if more else ("", "max")
    if direction not in ("max", "min"):
        raise click.BadParameter(f"{text!r}: the direction is max or min, not {direction!r}")
    facts = MetricFacts(metric, cast(Direction, direction), unit, "test")
    return Column(name, metric, facts if more else None)


def _columns(
    context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> tuple[Column, ...]:
    return tuple(map(_column, texts))


columns_option = click.option(
    "--column",
    "columns",
    multiple=True,
    callback=_columns,
    metavar=_FORM,
    help="Read a table's column NAME as METRIC; say unit and direction (max, min) where the "
    "catalog does not. Repeatable.",
)


def by_name(columns: Iterable[Column]) -> dict[str, str]:
    """Return the metrics by the names a table has for them."""
    return {column.name: column.metric for column in columns}


def declared(columns: Iterable[Column]) -> dict[str, MetricFacts]:
    """Return what the user said, by metric."""
    return {column.metric: column.facts for column in columns if column.facts is not None}

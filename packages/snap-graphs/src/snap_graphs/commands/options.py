"""Options that several commands take."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, cast

import click
from snap_catalog.metrics import is_metric

if TYPE_CHECKING:
    from snap_catalog.catalog import Direction

    from snap_graphs.formats.base import Declared

_FORM = "NAME=METRIC[:UNIT[:DIRECTION]]"


class Column(NamedTuple):
    """A table's column, the metric it holds, and what the user says of that."""

    name: str
    metric: str
    declared: "Declared"


def _column(text: str) -> Column:
    from snap_graphs.formats.base import Declared

    name, _, rest = text.rpartition("=")
    metric, *more = rest.split(":")
    if not name or not is_metric(metric) or len(more) > 2:
        raise click.BadParameter(f"{text!r} is not {_FORM}, as acc=cifar10/test/accuracy:percent")
    unit, direction = [*(part or None for part in more), None, None][:2]
    if direction not in ("max", "min", None):
        raise click.BadParameter(f"{text!r}: the direction is max or min, not {direction!r}")
    return Column(name, metric, Declared(unit, cast("Direction | None", direction)))


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
    "catalog does not. The unit `fraction` is converted to percent. Repeatable.",
)


def by_name(columns: Iterable[Column]) -> dict[str, str]:
    """Return the metrics by the names a table has for them."""
    return {column.name: column.metric for column in columns}


def declared(columns: Iterable[Column]) -> dict[str, "Declared"]:
    """Return what the user says, by metric."""
    return {column.metric: column.declared for column in columns}

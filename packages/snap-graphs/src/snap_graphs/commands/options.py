"""Options that several commands take."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import click
from snap_catalog.metrics import is_metric

if TYPE_CHECKING:
    from snap_catalog.catalog import Direction

    from snap_graphs.formats.base import Declared, Request

_FORM = "NAME=METRIC[:UNIT[:DIRECTION]]"


class Column(NamedTuple):
    """A column of a table, its metric, and the unit and direction that the user declares."""

    name: str
    metric: str
    declared: "Declared"


def _column(text: str) -> Column:
    from snap_graphs.formats.base import Declared

    name, _, rest = text.rpartition("=")
    metric, *more = rest.split(":")
    if not name or not is_metric(metric) or len(more) > 2:
        raise click.BadParameter(f"{text!r} is not {_FORM}, as in acc=cifar10/test/accuracy")
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
    help="Read the table column NAME as METRIC. Give unit and direction (max, min) if the catalog "
    "does not know the metric. The unit `fraction` is converted to percent. Repeatable.",
)


def request_for(columns: Iterable[Column], **options: Any) -> "Request":
    """Return a request with mapped columns and further options of `Request`."""
    from snap_graphs.formats.base import Request

    return Request(
        columns={column.name: column.metric for column in columns},
        declared={column.metric: column.declared for column in columns},
        **options,
    )

"""What the name of a metric says of it, for datasets that no catalogued benchmark has."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from snap_catalog.catalog import Direction, MetricFacts
from snap_catalog.metrics import is_metric

if TYPE_CHECKING:
    import pyarrow as pa


def conventional_metric(column: str) -> MetricFacts | None:
    """Return direction and unit of a metric by its conventional name, None where it has none.

    `svhn/valid/accuracy@20` is a percentage of which more is better, as every column that ends so.
    Of a zero-cost proxy (`proxy/<dataset>/<name>`) more is better, in no unit. The role is `test`:
    nothing may be chosen by a column that the catalog does not know.
    """
    if not is_metric(column):
        return None
    first, *_, last = re.split("[@#]", column)[0].split("/")
    if first == "proxy":
        return MetricFacts(column, "max", "", "test")
    known = _conventions().get(last)
    return known and MetricFacts(column, known.direction, known.unit, "test")


def direction_of(schema: "pa.Schema", column: str) -> Direction | None:
    """Return whether more (`max`) or less (`min`) of a metric is better, None where it is unknown.

    Args:
        schema: of a table; what it states of the column goes before what its name says.
        column: the metric, which the table need not have.
    """
    entries = schema.field(column).metadata if column in schema.names else None
    stated = (entries or {}).get(b"direction")
    if stated in (b"max", b"min"):
        return "max" if stated == b"max" else "min"
    facts = conventional_metric(column)
    return facts.direction if facts else None


@cache
def _conventions() -> Mapping[str, MetricFacts]:
    text = files("snap_catalog").joinpath("conventions.toml").read_text("utf-8")
    entries = tomllib.loads(text).items()
    return {name: MetricFacts(name, **facts, role="test") for name, facts in entries}

"""Derive direction and unit of a metric from its name, for datasets outside the catalog."""

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
    """Return direction and unit of a metric by its conventional name, None if it has none.

    For example, `svhn/valid/accuracy@20` is a percentage, and higher is better. A zero-cost proxy
    (`proxy/<dataset>/<name>`) has no unit, and higher is better. The role is always `test`: a
    column outside the catalog must not be used to choose anything.
    """
    if not is_metric(column):
        return None
    first, *_, last = re.split("[@#]", column)[0].split("/")
    if first == "proxy":
        return MetricFacts(column, "max", "", "test")
    known = _conventions().get(last)
    return known and MetricFacts(column, known.direction, known.unit, "test")


def direction_of(schema: "pa.Schema", column: str) -> Direction | None:
    """Return whether higher (`max`) or lower (`min`) is better, None if unknown.

    Args:
        schema: of a table; field metadata take precedence over the name of the column.
        column: the metric, which may be missing from the table.
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

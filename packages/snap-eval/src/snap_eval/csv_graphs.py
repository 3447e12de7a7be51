"""Benchmarks as CSV tables: cells by name and what was measured of them, without their graphs."""

import pyarrow as pa
import pyarrow.types as pt
from snap_catalog import SnapError, benchmarks, conventional_metric
from snap_catalog.casting import cast, contract_schema
from snap_catalog.metrics import is_metric
from snap_catalog.schemas import contract
from snap_catalog.tables import doubles, identifiers, read_table

_KEY = ("space", "arch_id")


def read_csv_graphs(path: str, name: str) -> pa.Table:
    """Read a CSV table with `space`, `arch_id` and columns of numbers of the `graphs` contract.

    The direction of a metric is that of the catalog, else that of its conventional name.

    Args:
        path: the file, which may be gzipped.
        name: the benchmark; the catalog's benchmarks of the cells' spaces if empty.

    Raises:
        SnapError: the file is damaged, does not name a cell, or a metric's direction is unknown.
    """
    table = read_table(path)
    for column in _KEY:
        if column not in table.column_names:
            raise SnapError(
                f"{path}: column {column!r} is missing among {', '.join(table.column_names)}; add "
                "it, and separate columns by commas"
            )
        place = table.column_names.index(column)
        table = table.set_column(place, column, identifiers(table, column, path))
    for place, column in enumerate(table.column_names):
        if pt.is_string(table.schema.field(place).type) and _is_number(column, path):
            table = table.set_column(place, column, doubles(table, column, path))
    schema = contract_schema(table, contract("graphs"))
    spaces = set(table["space"].unique().to_pylist())
    for place, field in enumerate(schema):
        if is_metric(field.name):
            direction = _direction(field.name, name, spaces, path)
            schema = schema.set(place, field.with_metadata({"direction": direction}))
    return cast(table, schema, path)


def _is_number(column: str, path: str) -> bool:
    """Return whether a column holds numbers: a metric, or by the contract.

    Raises:
        SnapError: it holds lists.
    """
    schema = contract("graphs").schema()
    kind = schema.field(column).type if column in schema.names else pa.float64()
    if pt.is_nested(kind):
        raise SnapError(
            f"{path}: a CSV cannot hold the graphs of column {column!r}; drop it, or give a "
            "Parquet file"
        )
    return not pt.is_string(kind)


def _direction(metric: str, name: str, spaces: set[str], path: str) -> str:
    known = benchmarks().values()
    own = [one for one in known if (one.name == name if name else one.space in spaces)]
    stated = [facts for one in own if (facts := one.facts(metric))]
    facts = stated[0] if stated else conventional_metric(metric)
    if facts is None:
        raise SnapError(
            f"{path}: whether more of {metric!r} is better is unknown; name it by convention "
            "(accuracy, latency_ms, ...), or use a Parquet file made by snap-graphs"
        )
    return facts.direction

"""The Parquet contracts: what each file that the tools exchange must hold."""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import pyarrow as pa

Name = Literal[
    "graphs",
    "operators",
    "scores",
    "search",
    "correlations",
    "independence",
    "trials",
    "measurements",
]

SCALARS: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
"""Arrow types by what the contracts call them."""
_NESTED = re.compile(r"(list|fixed_size_list)<(.+)>")


@dataclass(frozen=True)
class Column:
    """One column that a contract names.

    Attributes:
        name: the column's name.
        type: its type, written as in the contract (`list<int16>`, `list<list<int32>>`).
        about: what it holds.
        nullable: whether values may be null.
        optional: whether the column may be absent.
        since: the version of the contract that introduced it.
    """

    name: str
    type: str
    about: str
    nullable: bool = False
    optional: bool = False
    since: int = 1

    def accepts(self, actual: pa.DataType) -> bool:
        """Return whether an Arrow type is this column's."""
        is_vector = pa.types.is_fixed_size_list(actual)
        return bool(actual == self.arrow(actual.list_size if is_vector else 0))

    def arrow(self, length: int) -> pa.DataType:
        """Return the column's Arrow type, of which a vector has the given length."""
        return _arrow(self.type, length)


def _arrow(text: str, length: int) -> pa.DataType:
    nested = _NESTED.fullmatch(text)
    if nested is None:
        return SCALARS[text]
    kind, item = nested.groups()
    return pa.list_(_arrow(item, length), -1 if kind == "list" else length)


def item_type(kind: pa.DataType) -> pa.DataType | None:
    """Return the type of a list's items, whatever kind of list it is; None of other types."""
    is_list = (
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_fixed_size_list(kind)
        or pa.types.is_list_view(kind)
        or pa.types.is_large_list_view(kind)
    )
    return kind.value_type if is_list else None


@dataclass(frozen=True)
class Contract:
    """What a Parquet file of one kind must hold.

    Attributes:
        name: the contract's name, `snap.schema` in the file's metadata.
        version: `snap.schema_version` in the metadata of the files that are written.
        oldest: the earliest version that is still read.
        about: what the file is for.
        key: the columns that together identify a row; see `key_of` for those that may be absent.
        columns: the named columns, in order.
        open: what further double columns hold, or None where there may be none.
        metadata: further keys that the file's metadata must have.
        provenance: keys that say where the data are from: a published file has them, though
            readers do without.
    """

    name: Name
    version: int
    oldest: int
    about: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    open: Literal["metric", "objective"] | None = None
    metadata: tuple[str, ...] = ()
    provenance: tuple[str, ...] = ()

    def key_of(self, present: Collection[str]) -> tuple[str, ...]:
        """Return the key of a table with the given columns, without optional ones it lacks."""
        optional = {column.name for column in self.columns if column.optional}
        return tuple(name for name in self.key if name in present or name not in optional)

    def schema(self) -> pa.Schema:
        """Return the Arrow schema of the named columns, of a contract that holds no vectors."""
        return pa.schema([(column.name, column.arrow(0)) for column in self.columns])


@cache
def contract(name: Name) -> Contract:
    """Return a contract by name."""
    text = files("snap_catalog.schemas").joinpath(f"{name}.toml").read_text("utf-8")
    entry = tomllib.loads(text)
    columns = tuple(Column(column, **facts) for column, facts in entry["columns"].items())
    return Contract(
        name=name,
        version=entry["version"],
        oldest=entry.get("oldest", entry["version"]),
        about=entry["about"],
        key=tuple(entry["key"]),
        columns=columns,
        open=entry.get("open"),
        metadata=tuple(entry.get("metadata", [])),
        provenance=tuple(entry.get("provenance", [])),
    )

"""The Parquet contracts: columns, types, keys and metadata of each kind of file."""

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
"""Arrow types by their names in the contracts."""
_NESTED = re.compile(r"(list|fixed_size_list)<(.+)>")


@dataclass(frozen=True)
class Column:
    """One column that a contract names.

    Attributes:
        name: the column's name.
        type: its type, written as in the contract (`list<int16>`, `list<list<int32>>`).
        about: its contents.
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
        """Return whether a column of an Arrow type satisfies the contract."""
        is_vector = pa.types.is_fixed_size_list(actual)
        return bool(actual == self.arrow(actual.list_size if is_vector else 0))

    def arrow(self, length: int) -> pa.DataType:
        """Return the column's Arrow type; vectors have the given length."""
        return _arrow(self.type, length)


def _arrow(text: str, length: int) -> pa.DataType:
    nested = _NESTED.fullmatch(text)
    if nested is None:
        return SCALARS[text]
    kind, item = nested.groups()
    return pa.list_(_arrow(item, length), -1 if kind == "list" else length)


def item_type(kind: pa.DataType) -> pa.DataType | None:
    """Return the item type of any kind of list type; None for other types."""
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
    """The requirements for one kind of Parquet file.

    Attributes:
        name: the contract's name, `snap.schema` in the file's metadata.
        version: `snap.schema_version` in the metadata of written files.
        oldest: the earliest readable version.
        about: the purpose of the file.
        key: the columns that identify a row; see `key_of` for optional ones.
        columns: the named columns, in order.
        open: the kind of further double columns, or None if none are allowed.
        metadata: further required metadata keys.
        provenance: metadata keys on the origin of the data; published files have them, readers do
            not require them.
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
        """Return the key columns of a table; optional ones that it does not have are omitted."""
        optional = {column.name for column in self.columns if column.optional}
        return tuple(name for name in self.key if name in present or name not in optional)

    def schema(self) -> pa.Schema:
        """Return the Arrow schema of the named columns, for contracts without vectors."""
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

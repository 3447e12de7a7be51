"""Files of the `trials` contract."""

import json
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from snap_catalog.parquet import write
from snap_catalog.schemas import contract

Setting = Mapping[str, str | int | float]

_SCHEMA = contract("trials").schema()


class Measurement(NamedTuple):
    """What a quantity came to in a setting, and what the paper reports; None for unknown."""

    setting: Setting
    quantity: str
    seed: int | None = None
    value: float | None = None
    reported: float | None = None


class Title(NamedTuple):
    """The title of a table, the command that measures it, and a note on the cells."""

    title: str
    command: str
    population: str


def save(found: Iterable[Measurement], title: Title, out: Path) -> None:
    """Write trials."""
    rows = [{**row._asdict(), "setting": json.dumps(row.setting)} for row in found]
    metadata = {f"snap.{key}": value for key, value in title._asdict().items()}
    table = pa.Table.from_pylist(rows, schema=_SCHEMA)
    write(table, out, "trials", producer="snap-eval", metadata=metadata)


def reported(table: str) -> Iterator[Measurement]:
    """Yield what a table of the paper states; words are the setting, numbers the values."""
    entry = tomllib.loads(Path(__file__).with_name("paper.toml").read_text("utf-8"))[table]
    for row in entry["rows"]:
        named = dict(zip(entry["columns"], row, strict=True))
        setting = {key: value for key, value in named.items() if isinstance(value, str)}
        for quantity, value in named.items():
            if quantity not in setting and not math.isnan(value):
                yield Measurement(setting, quantity, reported=float(value))

"""Exchange proposals and measurements, as CSV and JSON, with users who measure themselves."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from snap_catalog import SnapError
from snap_catalog.console import say
from snap_catalog.parquet import make_folder, replacing, write
from snap_graphs.spaces import Costs

from snap_evo.measuring.session import Measurement, Session

FAILED = "failed"
"""Stands for the value of a failed measurement."""
_VALUE, _SECONDS, _NOTE, _ARCH = "value", "seconds", "note", "arch_id"
_MOST_BYTES = 2**26


def as_csv(session: Session, names: Sequence[str]) -> str:
    """Return architectures, their costs, and empty columns for the values to measure, as CSV."""
    graphs = session.graphs(names)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    wanted = [session.setup.metric, *session.setup.measured_maxima()]
    writer.writerow([_ARCH, *Costs._fields, *wanted])
    for row in graphs.select([_ARCH, *Costs._fields]).to_pylist():
        writer.writerow([row[_ARCH], *(row[cost] for cost in Costs._fields), *([""] * len(wanted))])
    return text.getvalue()


def as_json_text(session: Session, names: Sequence[str]) -> str:
    """Return architectures, their graphs and costs, as a JSON list."""
    columns = ["space", _ARCH, "cell_hash", "nodes", "src", "dst", *Costs._fields]
    return json.dumps(session.graphs(names).select(columns).to_pylist(), indent=2) + "\n"


def write_modules(session: Session, names: Sequence[str], folder: Path) -> None:
    """Write, for each architecture, a graphs.parquet and a Python file that builds its network."""
    make_folder(folder)
    graphs = session.graphs(names)
    for row, name in enumerate(names):
        place = session.folder_of(name)
        assert place is not None, name
        graph, code = (folder / f"{place.name}{suffix}" for suffix in (".parquet", ".py"))
        write(graphs.slice(row, 1), graph, "graphs", producer="snap-evo")
        with replacing(code) as temporary:
            temporary.write_text(_code(session, name), "utf-8")


def _code(session: Session, name: str) -> str:
    """Return Python code that builds a network."""
    setup = session.setup
    space_code = f"space({setup.space!r})"
    if setup.definition is not None:
        space_code = f"space({str(Path(setup.space).absolute())!r}, allow_code=True)"
    return f'''"""A network that snap-evo proposes to measure."""

from snap_graphs import space
from snap_graphs.torch.build import build_network
from torch import nn

ARCH_ID = {name!r}


def network(**size: int) -> nn.Module:
    """Build the network, untrained; `size` is layers, channels, classes or image."""
    return build_network({space_code}, ARCH_ID, **size)
'''


def read_results(session: Session, path: Path, *, repeat: bool) -> list[Measurement]:
    """Read measurements from a CSV file.

    Raises:
        SnapError: naming the file and the wrong line.
    """
    names, lines = _read(path)
    column = _value_column(session, names, path)
    limited = [*session.setup.measured_maxima()]
    for name in limited:
        if name not in names:
            raise SnapError(f"{path}: no column {name}, which the session limits; measure it too")
    known = {_ARCH, column, _SECONDS, _NOTE, *limited, *Costs._fields}
    if ignored := [name for name in names if name not in known]:
        say(f"{path}: columns that are not recorded: {', '.join(ignored)}")
    measured = {result.entry.arch_id for result in session.progress().results}
    found: dict[str, int] = {}
    measurements = []
    for number, cells in lines:
        try:
            measurement = _measurement(session, cells, column, limited)
            if not repeat:
                _check_new(measurement.name, found, measured)
        except SnapError as error:
            raise SnapError(f"{path}: line {number}: {error}") from error
        found[measurement.name] = number
        measurements.append(measurement)
    if not measurements:
        raise SnapError(f"{path}: no measurements; write one per line under arch_id,{column}")
    return measurements


def _check_new(name: str, found: Mapping[str, int], measured: set[str]) -> None:
    if name in found:
        raise SnapError(
            f"{name} is in line {found[name]} already; drop one, or add --repeat for further "
            "measurements of it"
        )
    if name in measured:
        raise SnapError(
            f"{name} has been measured already; drop the line, or add --repeat for a further "
            "measurement"
        )


def _read(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return the names of the columns, and the cells of each line with its number."""
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1).decode("utf-8-sig")
        if len(text) > _MOST_BYTES:
            raise SnapError(f"{path}: larger than {_MOST_BYTES:,} bytes; divide it")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        names = next(reader, [])
        rows = [(reader.line_num, row) for row in reader if row]
    except (OSError, UnicodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SnapError(f"{path}: cannot be read ({reason}); name a CSV file") from error
    if _ARCH not in names:
        raise SnapError(f"{path}: no column {_ARCH}; its first line must name the columns")
    if len(set(names)) < len(names):
        raise SnapError(f"{path}: two columns have one name; rename one")
    for number, row in rows:
        if len(row) != len(names):
            raise SnapError(f"{path}: line {number} has {len(row)} values, not {len(names)}")
    return names, [(number, dict(zip(names, row, strict=True))) for number, row in rows]


def _value_column(session: Session, names: Sequence[str], path: Path) -> str:
    fitting = [name for name in dict.fromkeys((session.setup.metric, _VALUE)) if name in names]
    if len(fitting) != 1:
        raise SnapError(
            f"{path}: {len(fitting)} columns hold the values; name exactly one "
            f"{session.setup.metric}"
        )
    return fitting[0]


def _measurement(
    session: Session, cells: Mapping[str, str], column: str, limited: Sequence[str]
) -> Measurement:
    name = session.architecture(cells[_ARCH]).arch_id
    failed = cells[column].strip() == FAILED
    value = None if failed else _number(cells, column)
    costs = {cost: _number(cells, cost) for cost in limited if not failed or cells[cost].strip()}
    seconds = _number(cells, _SECONDS) if cells.get(_SECONDS, "").strip() else None
    if seconds is not None and seconds < 0:
        raise SnapError(f"{seconds:g} seconds; give 0 or more")
    return Measurement(name, value, costs, seconds, cells.get(_NOTE, ""))


def _number(cells: Mapping[str, str], column: str) -> float:
    text = cells[column].strip()
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise SnapError(
            f"{column} is {text!r:.40}, no number; write {FAILED} for a failed measurement, and "
            "drop lines that are not measured yet"
        )
    return value

"""Make measurers of specs: `command`, which runs any program, `table` and `train`."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.catalog import Direction
from snap_catalog.errors import excerpt
from snap_catalog.nested import entries_once, parse_json
from snap_catalog.parquet import write
from snap_graphs import Space

from snap_evo.measuring.interfaces import Measurer, Outcome
from snap_evo.programs import NotStartedError, Program, ProgramError, last_line, split_seconds
from snap_evo.scorers import TableScorer

_FORMS = "command:[SECONDSs:]PROGRAM {arch} {graph} {output}, table:FILE:COLUMN or train:DATA"
SECONDS = 86_400.0
"""Time limit of a program for one architecture: a day."""
GRAPH, OUTPUT = "graph.parquet", "output"
"""Files of a measurement."""
_ARCH, _GRAPH, _OUTPUT = "{arch}", "{graph}", "{output}"
_MOST_BYTES = 2**16
_MOST_COSTS = 100


class CommandMeasurer:
    """Runs a program that measures one architecture.

    The program is started without a shell. It answers with a number, or with a JSON object as
    `{"value": 93.1, "latency_ms": 4.2}`, whose other entries are costs. The answer is in the file
    `{output}`, or, if it writes none, the last line of its standard output. All processes that it
    started end with it, and it ends with this process.
    """

    metric = "value"
    direction: Direction = "max"

    def __init__(self, command: str, seconds: float = SECONDS) -> None:
        """Parse a command line.

        Args:
            command: program and arguments, quoted as for a shell; `{arch}` stands for the native
                string of the architecture, `{graph}` for a `graphs.parquet` that holds it alone,
                `{output}` for a file to write.
            seconds: time limit for one architecture.

        Raises:
            SnapError: it is no command line, it names no architecture, or it has no time.
        """
        self._program = Program(command, seconds, (_ARCH, _GRAPH))
        if not self._program.placeholders:
            raise SnapError(
                f"command {command!r}: its arguments must hold {_ARCH} or {_GRAPH}, the "
                f"architecture to measure, as in 'prog {_ARCH}'"
            )

    def measure(self, graph: pa.Table, folder: Path) -> Outcome:
        """Measure an architecture, or return the answer that an earlier attempt left.

        Raises:
            SnapError: the program cannot be started.
        """
        if (found := left_behind(folder)) is not None:
            return found
        output = folder / OUTPUT
        output.unlink(missing_ok=True)
        write(graph, folder / GRAPH, "graphs", producer="snap-evo")
        values = {
            _ARCH: str(graph["arch_id"][0]),
            _GRAPH: str(folder / GRAPH),
            _OUTPUT: str(output),
        }
        try:
            printed = self._program.run(values)
            return _outcome(_text(output) if output.exists() else last_line(printed))
        except NotStartedError as error:
            raise SnapError(
                f"the command {self._program.name!r} {error}; {error.remedy}"
            ) from error
        except (ProgramError, ValueError) as error:
            return Outcome(None, note=str(error))


def left_behind(folder: Path) -> Outcome | None:
    """Return the answer that a program left in a folder, or None if it is missing or incomplete."""
    try:
        return _outcome(_text(folder / OUTPUT))
    except (OSError, ValueError):
        return None


def _text(output: Path) -> str:
    if not output.is_file():  # a pipe would be waited for
        raise ValueError("wrote no regular file as its output")
    with output.open("rb") as file:
        return file.read(_MOST_BYTES).decode()


def _outcome(text: str) -> Outcome:
    """Read an answer.

    Raises:
        ValueError: it is neither a number nor a JSON object with one.
    """
    try:
        answer = parse_json(text.strip(), object_pairs_hook=entries_once)
    except ValueError as error:
        raise ValueError(f"answered {text.strip()!r:.80}, no number and no JSON") from error
    entries: Mapping[str, Any] = answer if isinstance(answer, dict) else {"value": answer}
    if "value" not in entries:
        raise ValueError(f"answered JSON without an entry value: {excerpt(text.strip())}")
    note = str(entries.get("note", ""))
    costs = {name: found for name, found in entries.items() if name not in ("value", "note")}
    if unprintable := [name for name in costs if not name.isprintable()]:
        raise ValueError(f"answered a cost whose name {excerpt(unprintable[0])} does not print")
    if len(costs) > _MOST_COSTS:
        raise ValueError(f"answered {len(costs)} costs, more than {_MOST_COSTS}")
    for name, found in entries.items():
        if name != "note" and not (_is_number(found) or (name == "value" and found is None)):
            raise ValueError(f"answered {excerpt(found)} for {name:.80}, no finite number")
    value = entries["value"]
    if value is None:
        return Outcome(None, note=note or "answered that it failed")
    return Outcome(float(value), {name: float(cost) for name, cost in costs.items()}, note)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


class TableMeasurer:
    """Looks measurements up in a column of a `graphs.parquet` file."""

    def __init__(self, file: str, column: str) -> None:
        """Read the column."""
        self._table = TableScorer(file, column)
        self.metric: str = self._table.column
        self.direction: Direction = self._table.direction

    def measure(self, graph: pa.Table, folder: Path) -> Outcome:
        """Return the value of an architecture, or a failure if the file has none."""
        value = float(self._table.look_up(graph)[0])
        if not math.isfinite(value):
            return Outcome(None, note="the table has no value of it")
        return Outcome(value)


def load_measurer(spec: str, space: Space) -> Measurer:
    """Make a measurer.

    Args:
        spec: `command:[SECONDSs:]PROGRAM {arch} {graph} {output}`, `table:FILE:COLUMN`, or
            `train:DATA`.
        space: the space of the architectures; its code may be imported.

    Raises:
        SnapError: it is none of these, or its arguments are wrong.
    """
    name, _, rest = spec.partition(":")
    if name == "command" and rest:
        return CommandMeasurer(*split_seconds(rest, SECONDS))
    if name == "table" and ":" in rest:
        file, _, column = rest.rpartition(":")
        return TableMeasurer(file, column)
    if name == "train" and rest:
        from snap_evo.training import measurer

        return measurer(rest, space)
    raise SnapError(f"cannot read the measurer {spec!r:.80}; write it as {_FORMS}")

"""The scorer `command`, which runs any program."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from snap_catalog import SnapError
from snap_catalog.parquet import write
from snap_catalog.scores import several

from snap_evo.programs import Program, ProgramError, split_seconds
from snap_evo.scorers import Scores

SECONDS = 600.0
"""Time limit of a program for one generation."""
_COLUMNS = ("arch_id", "score")
_INPUT, _OUTPUT = "{input}", "{output}"


class CommandScorer:
    """Runs a program that reads architectures from a Parquet file and writes scores to another.

    The program is started once per generation, without a shell. If it fails, the error quotes the
    last line that it printed. All processes that it started end with it, and it ends with this
    process.
    """

    def __init__(self, command: str, seconds: float = SECONDS) -> None:
        """Parse a command line.

        Args:
            command: program and arguments, quoted as for a shell; `{input}` stands for the
                `graphs.parquet` to read, `{output}` for the file to write, with the columns
                `arch_id` and `score`, rows in any order; a column `scorer` must name only one.
            seconds: time limit for one generation.

        Raises:
            SnapError: it is no command line, one of the two is missing, or it has no time.
        """
        self._program = Program(command, seconds, (_INPUT, _OUTPUT))
        if len(self._program.placeholders) < 2:
            raise SnapError(
                f"command {command!r}: its arguments must hold {_INPUT} and {_OUTPUT}, the files "
                f"to read and to write, as in 'prog {_INPUT} {_OUTPUT}'"
            )

    @classmethod
    def of(cls, command: str) -> "CommandScorer":
        """Make the scorer of a command line, or of `60s:COMMAND`, which allows 60 seconds."""
        return cls(*split_seconds(command, SECONDS))

    def score(self, graphs: pa.Table) -> Scores:
        """Return (n,) scores.

        Raises:
            SnapError: the program cannot be started, takes too long, exits with an error, or
                writes anything but one finite number per architecture.
        """
        with TemporaryDirectory(prefix="snap-evo-") as folder:
            graphs_file, scores_file = (Path(folder) / f"{n}.parquet" for n in ("graphs", "scores"))
            write(graphs, graphs_file, "graphs", producer="snap-evo")
            try:
                self._program.run({_INPUT: str(graphs_file), _OUTPUT: str(scores_file)})
            except ProgramError as error:
                raise self._failure(str(error), error.remedy) from error
            table = self._read(scores_file)
        return self._matched(graphs["arch_id"].to_pylist(), table)

    def _failure(self, problem: str, remedy: str = "fix the program") -> SnapError:
        return SnapError(f"the scorer command {self._program.name!r} {problem}; {remedy}")

    def _read(self, scores_file: Path) -> pa.Table:
        try:
            return pq.read_table(scores_file)
        except FileNotFoundError as error:
            raise self._failure(f"did not write {_OUTPUT}") from error
        except (pa.ArrowException, OSError) as error:
            raise self._failure(f"wrote no readable Parquet file to {_OUTPUT}") from error

    def _matched(self, arch_ids: list[str], table: pa.Table) -> Scores:
        """Bring the scores into the order of the architectures."""
        for column in _COLUMNS:
            if column not in table.column_names:
                columns = ", ".join(table.column_names) or "none"
                raise self._failure(f"wrote no column {column!r} (its columns: {columns})")
        if scorers := several(table):
            raise self._failure(f"wrote scores of several scorers ({scorers})")
        kind = table["score"].type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise self._failure(f"wrote a column score of {kind}, not of numbers")
        scores = table["score"].cast(pa.float64()).to_numpy()
        by_arch = dict(zip(table["arch_id"].to_pylist(), scores.tolist(), strict=True))
        if table.num_rows != len(arch_ids) or by_arch.keys() != set(arch_ids):
            missing = next((name for name in arch_ids if name not in by_arch), "")
            raise self._failure(
                f"wrote {table.num_rows:,} rows for {len(arch_ids):,} architectures"
                + (f", none of them {missing}" if missing else "")
            )
        matched = np.array([by_arch[name] for name in arch_ids], np.float64)
        wrong = np.flatnonzero(~np.isfinite(matched))
        if wrong.size:
            row = int(wrong[0])
            raise self._failure(f"gave {arch_ids[row]} the score {matched[row]}, no finite number")
        return matched

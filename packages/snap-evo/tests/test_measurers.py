"""What measures: programs and tables, and the processes that they run in."""

import shlex
import signal
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from snap_catalog import SnapError
from snap_evo.engines import EngineOptions, LocalEngine
from snap_evo.measuring.engines import Order, Task
from snap_evo.measuring.interfaces import Outcome
from snap_evo.measuring.measurers import load_measurer
from snap_evo.measuring.setup import Setup
from snap_graphs import space

SETUP = Setup(space="nb101", metric="accuracy", direction="max")


def command(tmp_path: Path, body: str, *, parts: str = "{arch} {graph} {output}") -> str:
    program = tmp_path / "a program.py"
    program.write_text("import json, os, sys, time\narch, graph, output = sys.argv[1:]\n" + body)
    return f"{sys.executable} -S {shlex.quote(str(program))} {parts}"


@pytest.fixture
def one_cell(three_cells: pa.Table) -> pa.Table:
    return three_cells.slice(0, 1)


def measured(tmp_path: Path, body: str, graph: pa.Table, prefix: str = "command:") -> Outcome:
    folder = tmp_path / "work"
    folder.mkdir(exist_ok=True)
    return load_measurer(prefix + command(tmp_path, body), space("nb101")).measure(graph, folder)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("print('epoch 1'); print(0.5); print('warning', file=sys.stderr)", Outcome(0.5)),
        ("print(json.dumps({'value': 3, 'ms': 4.5}))", Outcome(3.0, {"ms": 4.5})),
        ("open(output, 'w').write('1e-3\\n'); print('done')", Outcome(1e-3)),
        ('open(output, \'w\').write(\'{"value": 2, "note": "x"}\')', Outcome(2.0, {}, "x")),
        ('print(\'{"value": null, "note": "diverged"}\')', Outcome(None, {}, "diverged")),
        ("print(len(arch) if os.path.getsize(graph) else 0)", Outcome(11.0)),
    ],
)
def test_a_program_answers_on_its_last_line_or_in_a_file(
    tmp_path: Path, one_cell: pa.Table, body: str, outcome: Outcome
) -> None:
    assert measured(tmp_path, body, one_cell) == outcome


@pytest.mark.parametrize(
    ("body", "note"),
    [
        ("", "answered '', no number and no JSON"),
        ("print('accuracy 0.5')", "answered 'accuracy 0.5', no number and no JSON"),
        ("print('NaN')", "answered nan for value, no finite number"),
        ("print('1e999')", "answered inf for value, no finite number"),
        ("print('1' + '0' * 400)", "no finite number"),
        ("print('true')", "answered True for value, no finite number"),
        ("print('[1]')", "answered [1] for value, no finite number"),
        ("print('{\"accuracy\": 1}')", "answered JSON without an entry value"),
        ('print(\'{"value": 1, "ms": "4"}\')', "answered '4' for ms, no finite number"),
        ('print(\'{"value": 1, "value": 2}\')', "no number and no JSON"),
        ("print('[' * 5000)", "no number and no JSON"),
        ("open(output, 'wb').write(b'\\xff'); print(1)", "can't decode byte 0xff"),
        ("os.mkfifo(output); print(1)", "wrote no regular file as its output"),
        ('print(\'{"value": 1, "\\\\ud800": 2}\')', "a cost whose name '\\ud800' does not print"),
        ("print(1); sys.exit('no GPU')", "ended with exit code 1 (no GPU)"),
        ("1 / 0", "ended with exit code 1 (ZeroDivisionError: division by zero)"),
        ("os.kill(os.getpid(), 9)", "ended with exit code -9 (nothing)"),
    ],
)
def test_a_program_that_misbehaves_is_a_failure_with_a_note(
    tmp_path: Path, one_cell: pa.Table, body: str, note: str
) -> None:
    outcome = measured(tmp_path, body, one_cell)
    assert outcome.value is None
    assert note in outcome.note


def test_a_program_that_hangs_is_a_failure(tmp_path: Path, one_cell: pa.Table) -> None:
    outcome = measured(tmp_path, "time.sleep(600)", one_cell, "command:0.5s:")
    assert outcome == Outcome(None, note="was not done after 0.5 s and was stopped")


def test_an_answer_that_was_left_behind_is_taken_without_measuring(
    tmp_path: Path, one_cell: pa.Table
) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "output").write_text('{"value": 7}')
    assert measured(tmp_path, "sys.exit(1)", one_cell) == Outcome(7.0)


def test_half_an_answer_is_measured_again(tmp_path: Path, one_cell: pa.Table) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "output").write_text('{"value": 7')
    assert measured(tmp_path, "print(8)", one_cell) == Outcome(8.0)


def test_a_program_that_is_missing_ends_the_search(tmp_path: Path, one_cell: pa.Table) -> None:
    with pytest.raises(SnapError, match=r"'/no/such' cannot be started \(no such file"):
        load_measurer("command:/no/such {arch}", space("nb101")).measure(one_cell, tmp_path)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("command:prog", r"must hold \{arch\} or \{graph\}"),
        ("command:prog '{arch}", "No closing quotation"),
        ("command:0s:prog {arch}", "more than 0 s"),
        ("command:", "cannot read the measurer 'command:'"),
        ("table:x.parquet", "cannot read the measurer"),
        ("table:missing.parquet:acc", "missing.parquet"),
        ("nonsense", "write it as command:"),
    ],
)
def test_a_measurer_that_cannot_be_read_is_refused(spec: str, problem: str) -> None:
    with pytest.raises(SnapError, match=problem):
        load_measurer(spec, space("nb101"))


def test_a_table_measures_in_its_own_unit_and_direction(
    three_cells: pa.Table, three_cells_file: Path, tmp_path: Path
) -> None:
    measurer = load_measurer(f"table:{three_cells_file}:latency", space("nb101"))
    assert (measurer.metric, measurer.direction) == ("hw/edge/latency_ms", "min")
    outcomes = [measurer.measure(three_cells.slice(row, 1), tmp_path) for row in range(3)]
    assert [outcome.value for outcome in outcomes] == [3.0, 5.0, None]


def test_several_programs_run_at_once_and_end_with_the_engine(
    tmp_path: Path, one_cell: pa.Table
) -> None:
    """Each waits until the other has begun, which one after the other never ends."""
    here = str(tmp_path / "begun")
    body = (
        f"open({here!r} + os.path.basename(os.path.dirname(output)), 'w')\n"
        f"while not all(os.path.exists({here!r} + n) for n in 'ab'): time.sleep(0.01)\n"
        "print(1)"
    )
    spec = "command:" + command(tmp_path, body)
    with LocalEngine(EngineOptions(workers=2)).measuring(
        Order(spec, SETUP, allow_code=False)
    ) as machine:
        for name in "ab":
            (tmp_path / name).mkdir()
            machine.submit(Task(name, one_cell, tmp_path / name))
        done = [machine.wait(), machine.wait()]
    assert sorted(one.arch_id for one in done) == ["a", "b"]
    assert [one.outcome.value for one in done] == [1.0, 1.0]


def test_a_process_that_is_killed_is_a_failure_and_is_replaced(
    tmp_path: Path, one_cell: pa.Table
) -> None:
    """The program kills the process that reads its answer, as the system does short of memory."""
    leash = "open(f'/proc/{os.getppid()}/stat').read().rpartition(')')[2].split()[1]"
    body = f"if arch == 'kill': os.kill(int({leash}), {int(signal.SIGKILL)})\nprint(1)"
    spec = "command:" + command(tmp_path, body)
    name = one_cell.schema.get_field_index("arch_id")
    other = one_cell.set_column(name, "arch_id", pa.array(["kill"]))
    with LocalEngine(EngineOptions()).measuring(Order(spec, SETUP, allow_code=False)) as machine:
        machine.submit(Task("first", other, tmp_path))
        assert machine.wait().outcome == Outcome(
            None, note=f"its process ended with exit code {-signal.SIGKILL}"
        )
        machine.submit(Task("second", one_cell, tmp_path))
        assert machine.wait().outcome == Outcome(1.0)

"""Searches that measure, by the command line: run, resume, start, ask and tell."""

import csv
import io
import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from snap_catalog.parquet import read
from snap_evo.cli import main
from snap_evo.measuring.measurers import TableMeasurer
from snap_evo.measuring.session import Session

Start = Callable[..., subprocess.Popen[str]]
pytestmark = pytest.mark.usefixtures("stand_in")
METRIC = "cifar10/test/baseline_accuracy"


def snap_evo(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def program(tmp_path: Path, body: str) -> str:
    file = tmp_path / "measure.py"
    file.write_text("import os, sys, time\narch, output = sys.argv[1:]\n" + body)
    return f"command:{sys.executable} -S {shlex.quote(str(file))} {{arch}} {{output}}"


def run(out: Path, measure: str, *options: object, code: int = 0) -> Result:
    given = ("--space", "nb201", "--scorer", "params", "--measure", measure, "--out", out)
    return snap_evo("run", *given, *options, code=code)


def started(out: Path, *options: object) -> Session:
    given = ("--scorer", "params", "--metric", "accuracy", "--direction", "max")
    snap_evo("start", out, *given, *options)
    return Session(out)


def asked(out: Path, *options: object) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(snap_evo("ask", out, *options).stdout)))


def sheet(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_table_is_searched_by_measuring(measured_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    printed = run(out, f"table:{measured_file}:{METRIC}", "--measurements", 6).stdout
    table = read(out / "measurements.parquet", "measurements")
    best = json.loads((out / "best.json").read_text())
    assert table.num_rows == 6
    assert (best["value"], best["metric"]) == (max(table["value"].to_pylist()), METRIC)
    assert f"{best['value']:.7g} {METRIC}" in printed
    assert "ended by 6 architectures measured" in printed
    for name in ("best.svg", "progress.svg", "progress.png"):
        assert (out / name).stat().st_size > 1000
    snap_evo("export", out / "best.json")


def test_the_table_that_measures_is_read_once(
    measured_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = TableMeasurer.__init__

    def counting(self: TableMeasurer, file: str, column: str) -> None:
        made.append(file)
        make(self, file, column)

    monkeypatch.setattr(TableMeasurer, "__init__", counting)
    run(tmp_path / "out", f"table:{measured_file}:{METRIC}", "--measurements", 2)
    assert made == [str(measured_file)]
    snap_evo("resume", tmp_path / "out", "--measurements", 3)
    assert made == [str(measured_file)] * 2


def test_one_measurement_is_reported_in_the_singular(tmp_path: Path) -> None:
    out = tmp_path / "out"
    printed = run(out, program(tmp_path, "print(1)"), "--measurements", 1).stdout
    assert "1 architecture measured, 0 failed; ended by 1 architecture measured" in printed


def test_resume_measures_as_many_more(measured_file: Path, tmp_path: Path) -> None:
    parts, whole = tmp_path / "parts", tmp_path / "whole"
    measure = f"table:{measured_file}:{METRIC}"
    run(parts, measure, "--measurements", 2)
    snap_evo("resume", parts, "--measurements", 5)
    run(whole, measure, "--measurements", 5)
    found = [read(out / "measurements.parquet", "measurements") for out in (parts, whole)]
    names = [table["arch_id"].to_pylist() for table in found]
    assert names[0] == names[1]
    assert len(names[0]) == 5


def test_failures_are_recorded_and_measured_again_only_on_request(tmp_path: Path) -> None:
    out, fixed = tmp_path / "out", tmp_path / "fixed"
    body = (
        f"if '0002' in output and not os.path.exists({str(fixed)!r}): sys.exit('no GPU')\nprint(1)"
    )
    printed = run(out, program(tmp_path, body), "--measurements", 3).stdout
    assert "3 architectures measured, 1 failed" in printed
    table = read(out / "measurements.parquet", "measurements")
    assert table["value"].to_pylist() == [1.0, None, 1.0]
    assert table["note"][1].as_py() == "ended with exit code 1 (no GPU)"
    fixed.touch()
    assert "3 architectures measured, 1 failed" in snap_evo("resume", out).stdout
    assert "3 architectures measured, 0 failed" in snap_evo("resume", out, "--retry").stdout
    assert read(out / "measurements.parquet", "measurements")["attempt"].to_pylist() == [1, 1, 1, 2]


def test_a_program_that_never_works_ends_the_search_early(tmp_path: Path) -> None:
    measure = program(tmp_path, "sys.exit('no such data')")
    printed = run(tmp_path / "out", measure, "--measurements", 30, code=1).output
    assert "the first 3 measurements failed" in printed
    assert "(no such data)" in printed
    assert Session(tmp_path / "out").progress().measured == 3


def test_measured_costs_beyond_a_limit_are_never_the_best(tmp_path: Path) -> None:
    body = (
        "number = int(os.path.basename(os.path.dirname(output)))\n"
        'print(\'{"value": %d, "ms": %d}\' % (number, number))'
    )
    out = tmp_path / "out"
    options = ("--measurements", 4, "--max", "ms=2", "--max", "params=1M", "--metric", "top1")
    printed = run(out, program(tmp_path, body), *options).stdout
    assert "2 top1, ms 2, by measurement 2" in printed
    assert "2 measurements beyond" in printed


def test_what_was_measured_is_traded_off_against_costs(tmp_path: Path, measured_file: Path) -> None:
    body = (
        "number = int(os.path.basename(os.path.dirname(output)))\n"
        'print(\'{"value": %d, "ms": %d}\' % (min(number, 3), number))'
    )
    out, options = tmp_path / "out", ("--measurements", 4, "--metric", "top1")
    objective = f"score,ms,depth,{METRIC}"
    given = ("--objective", objective, "--table", measured_file)
    run(out, program(tmp_path, body), *options, "--direction", "min", *given)
    with (out / "front.csv").open() as file:
        front = list(csv.DictReader(file))
    assert [*front[0]] == ["arch_id", "top1", "depth", METRIC, "ms"]
    assert (front[0]["top1"], front[0]["ms"]) == ("1.0", "1.0")
    assert (out / "front.svg").exists()
    printed = run(tmp_path / "b", program(tmp_path, body), *options, "--objective", "ms", code=1)
    assert "do not name 'score'" in printed.output


def test_a_limited_cost_that_is_not_measured_is_a_failure(tmp_path: Path) -> None:
    options = ("--measurements", 4, "--max", "ms=2")
    printed = run(tmp_path / "out", program(tmp_path, "print(1)"), *options, code=1).output
    assert "because it answered no ms, which is limited" in printed


def test_limits_of_known_costs_hold_without_measuring(tmp_path: Path, measured_file: Path) -> None:
    out = tmp_path / "plain"
    limits = ("--max", "depth=3", "--max", f"{METRIC}=92", "--table", measured_file)
    given = ("--scorer", "params", "--algorithm", "random", "--budget", 200, "--out", out)
    snap_evo("run", *given, *limits)
    found = read(out / "search.parquet", "search")
    within = found.filter(found["score"].is_valid())
    assert 0 < within.num_rows < 200
    assert max(within["depth"].to_pylist()) <= 3
    assert max(within[METRIC].to_pylist()) <= 92
    unknown = snap_evo("run", *given, "--max", "latency=4", code=1).output
    assert "'latency' is no cost (params, flops, activations, depth) and no metric" in unknown


HANGING = """
if output.endswith("0003/output") and not os.path.exists({file!r}):
    open({file!r}, "w")
    {then}
    time.sleep(600)
print(0.5)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_lost_by_a_kill_and_resume_goes_on(
    tmp_path: Path, start: Start, stand_in: str, number: signal.Signals
) -> None:
    out, file = tmp_path / "out", str(tmp_path / "begun")
    body = HANGING.format(file=file, then="pass")
    given = ("--scorer", "params", "--measure", program(tmp_path, body), "--measurements", "4")
    code = f"{stand_in}\nif __name__ == '__main__':\n    from snap_evo.cli import main; main()"
    command = [sys.executable, "-c", code, "run", *given, "--out", str(out)]
    process = start(command, Path(file).exists)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    if number == signal.SIGINT:
        assert f"2 measurements kept; to continue: snap-evo resume {out}" in errors
    progress = Session(out).progress()
    assert (progress.measured, len(progress.pending)) == (2, 1)
    begun = progress.pending[0].arch_id
    assert "4 architectures measured, 0 failed" in snap_evo("resume", out).stdout
    names = [result.entry.arch_id for result in Session(out).progress().results]
    assert names[2] == begun
    assert len(set(names)) == 4


def test_an_answer_written_before_a_kill_is_taken_on_resume(
    tmp_path: Path, start: Start, stand_in: str
) -> None:
    out, file = tmp_path / "out", str(tmp_path / "begun")
    written = "open(output + '~', 'w').write('0.75'); os.rename(output + '~', output)"
    body = HANGING.format(file=file, then=written)
    given = ("--scorer", "params", "--measure", program(tmp_path, body), "--measurements", "3")
    code = f"{stand_in}\nif __name__ == '__main__':\n    from snap_evo.cli import main; main()"
    command = [sys.executable, "-c", code, "run", *given, "--out", str(out)]
    process = start(command, lambda: (out / "measuring" / "0003" / "output").exists())
    process.kill()
    process.communicate(timeout=60)
    best = json.loads(snap_evo("resume", out, "--json", "--quiet").stdout)
    assert (best["value"], best["measurements"]) == (0.75, 3)


def test_one_process_runs_a_session_at_a_time(tmp_path: Path) -> None:
    from snap_evo.measuring.journal import locked

    out = tmp_path / "out"
    run(out, program(tmp_path, "print(1)"), "--measurements", 1)
    with locked(out / ".run-lock"):
        printed = snap_evo("resume", out, "--measurements", 2, code=1).output
    assert "another snap-evo is measuring here" in printed


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ((), "--measure needs --measurements"),
        (("--measurements", 3, "--budget", 9), "--budget does not go with"),
        (("--measurements", 3, "--max", "ms"), "'ms' is no"),
        (("--measurements", 3, "--max", "ms=-4"), "'-4' is no amount"),
        (("--measurements", 3, "--max", "ms=1", "--max", "ms=2"), "write each once"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    tmp_path: Path, options: tuple[object, ...], problem: str
) -> None:
    printed = run(tmp_path / "out", program(tmp_path, "print(1)"), *options, code=2).output
    assert problem in printed
    assert not (tmp_path / "out").exists()


def test_options_of_measuring_are_refused_where_nothing_is_measured(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = snap_evo("run", "--scorer", "params", "--measurements", 3, "--out", out, code=2)
    assert "--measurements goes only with --measure." in result.output
    assert not out.exists()


def test_measuring_by_hand(tmp_path: Path) -> None:
    out = tmp_path / "out"
    started(out)
    rows = asked(out, "-n", 3)
    assert [*rows[0]] == ["arch_id", "params", "flops", "activations", "accuracy"]
    assert {row["accuracy"] for row in rows} == {""}
    names = [row["arch_id"] for row in rows]
    assert [row["arch_id"] for row in asked(out, "--pending")] == names
    lines = (f"0.7,{names[2]},gpu 1", f"failed,{names[0]},gpu 2")
    printed = snap_evo("tell", out, sheet(tmp_path / "r.csv", "accuracy,arch_id,machine", *lines))
    assert "columns that are not recorded: machine" in printed.stderr
    assert "0.7 accuracy, by measurement 1" in printed.stdout
    assert [row["arch_id"] for row in asked(out, "--pending")] == [names[1]]
    assert set(names).isdisjoint(row["arch_id"] for row in asked(out, "-n", 3))


def test_ask_writes_graphs_and_code_that_builds_them(tmp_path: Path) -> None:
    out, folder = tmp_path / "out", tmp_path / "networks"
    started(out)
    (found,) = json.loads(snap_evo("ask", out, "--json", "--modules", folder).stdout)
    graphs = read(folder / "0001.parquet", "graphs")
    assert graphs["arch_id"].to_pylist() == [found["arch_id"]]
    assert found["nodes"] == graphs["nodes"][0].as_py()
    pytest.importorskip("torch")
    namespace: dict[str, Callable[..., object]] = {}
    exec((folder / "0001.py").read_text(), namespace)
    network = namespace["network"](channels=8, layers=3)
    assert type(network).__module__.startswith(("torch", "snap_graphs"))


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (("arch_id,accuracy", "{0},0.5", "{1},"), "line 3: accuracy is '', no number"),
        (("arch_id,accuracy", "{0},0.5", "{1},nan"), "line 3: accuracy is 'nan', no number"),
        (("arch_id,accuracy", "{0},0.5", "{1},1_0"), "line 3: accuracy is '1_0', no number"),
        (("arch_id,accuracy", "{0},0.5", "{1},0x1"), "line 3: accuracy is '0x1', no number"),
        (("arch_id,accuracy", "{0},0.5", "{0},0.6"), "line 3: {0} is in line 2 already"),
        (("arch_id,accuracy", "{1},0.5", "|nope|,0.6"), "line 3: "),
        (("arch_id,accuracy", "{0},0.5", "{1}"), "line 3 has 1 values, not 2"),
        (("arch_id,accuracy", "{0},0.5", '{1},"0.6'), "cannot be read"),
        (("arch_id,accuracy,value", "{0},0.5,0.5"), "2 columns hold the values"),
        (("arch_id,error", "{0},0.5"), "0 columns hold the values; name exactly one accuracy"),
        (("arch_id,accuracy,accuracy", "{0},0.5,0.5"), "two columns have one name"),
        (("name,accuracy", "{0},0.5"), "no column arch_id"),
        (("arch_id,accuracy,seconds", "{0},0.5,-1"), "line 2: -1 seconds"),
        (("arch_id,accuracy",), "no measurements"),
        ((), "no column arch_id"),
    ],
)
def test_results_that_are_at_fault_are_refused_whole(
    tmp_path: Path, lines: tuple[str, ...], problem: str
) -> None:
    out = tmp_path / "out"
    started(out)
    names = [row["arch_id"] for row in asked(out, "-n", 2)]
    results = sheet(tmp_path / "r.csv", *(line.format(*names) for line in lines))
    printed = snap_evo("tell", out, results, code=1).output
    assert f"{results}: " in printed
    assert problem.format(*names) in printed
    assert Session(out).progress().results == []


def test_a_measured_architecture_is_recorded_again_only_on_request(tmp_path: Path) -> None:
    out = tmp_path / "out"
    started(out)
    (row,) = asked(out)
    results = sheet(tmp_path / "r.csv", "arch_id,value", f"{row['arch_id']},0.5")
    snap_evo("tell", out, results)
    printed = snap_evo("tell", out, results, code=1).output
    assert "line 2: " in printed
    assert "has been measured already" in printed
    snap_evo("tell", out, results, "--repeat")
    assert [r.entry.attempt for r in Session(out).progress().results] == [1, 2]


def test_a_limited_cost_has_a_column(tmp_path: Path) -> None:
    out = tmp_path / "out"
    started(out, "--max", "ms=4")
    (row,) = asked(out)
    assert [*row][-2:] == ["accuracy", "ms"]
    missing = sheet(tmp_path / "r.csv", "arch_id,accuracy", f"{row['arch_id']},0.5")
    assert "no column ms" in snap_evo("tell", out, missing, code=1).output
    slow = sheet(tmp_path / "r.csv", "arch_id,accuracy,ms", f"{row['arch_id']},0.5,5")
    assert "there is no best one yet" in snap_evo("tell", out, slow).stderr
    assert not (out / "best.json").exists()
    assert Session(out).progress().beyond == 1


def test_a_session_by_hand_is_not_resumed(tmp_path: Path) -> None:
    started(tmp_path / "out")
    printed = snap_evo("resume", tmp_path / "out", code=2).output
    assert "continue with snap-evo ask and snap-evo tell" in printed


def test_a_session_without_its_number_of_measurements_asks_for_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(out, program(tmp_path, "print(1)"), "--measurements", 1)
    file = out / "session.json"
    file.write_text(file.read_text().replace('"measurements": 1', '"measurements": null'))
    refused = snap_evo("resume", out, code=1)
    assert refused.stderr == (
        f"Error: {file}: measure is set, but measurements is null; give --measurements, the "
        "number of architectures to measure\n"
    )
    assert "2 architectures measured" in snap_evo("resume", out, "--measurements", 2).stdout


def test_commands_that_are_suggested_import_the_code_that_was_allowed(tmp_path: Path) -> None:
    blocks = Path(__file__).parents[3] / "docs" / "examples" / "blocks.toml"
    mine, out = tmp_path / "mine", tmp_path / "out"
    begin = ("start", mine, "--space", blocks, "--metric", "accuracy", "--direction", "max")
    done = snap_evo(*begin, "--allow-code")
    assert f"next: snap-evo ask {mine} -n 4 --allow-code" in done.stderr
    refused = snap_evo("ask", mine, code=1).stderr
    assert "without which costs are unknown; add --allow-code" in refused
    measure = program(tmp_path, "sys.exit(1)")
    failed = run(out, measure, "--measurements", 4, "--allow-code", code=1)
    assert f"to continue: snap-evo resume {out} --allow-code" in failed.stderr

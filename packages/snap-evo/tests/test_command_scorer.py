"""Programs as scorers: Parquet in, Parquet out."""

import os
import shlex
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pyarrow as pa
import pytest
from snap_catalog import SnapError
from snap_evo import load_scorer
from snap_evo.command_scorer import CommandScorer

Start = Callable[..., subprocess.Popen[str]]

PROLOGUE = """
import sys, time
import pyarrow as pa, pyarrow.parquet as pq
graphs = pq.read_table(sys.argv[1])
names, params = graphs["arch_id"].to_pylist(), graphs["params"].to_pylist()

def answer(**columns):
    pq.write_table(pa.table(columns), sys.argv[2])

"""


def command(tmp_path: Path, body: str) -> str:
    program = tmp_path / "a program.py"
    program.write_text(PROLOGUE + body)
    return f"{sys.executable} {shlex.quote(str(program))} {{input}} {{output}}"


def scored(tmp_path: Path, body: str, graphs: pa.Table) -> list[float]:
    scores: list[float] = CommandScorer(command(tmp_path, body)).score(graphs).tolist()
    return scores


def test_a_program_scores_what_it_reads(tmp_path: Path, three_cells: pa.Table) -> None:
    body = "print('noise'); answer(arch_id=names, score=[float(p) for p in params])"
    assert scored(tmp_path, body, three_cells) == three_cells["params"].to_pylist()


def test_rows_may_come_in_any_order_and_with_more_columns(
    tmp_path: Path, three_cells: pa.Table
) -> None:
    body = "answer(spread=[0.1] * 3, arch_id=names[::-1], score=params[::-1])"
    assert scored(tmp_path, body, three_cells) == three_cells["params"].to_pylist()


def test_a_program_may_name_its_scorer(tmp_path: Path, three_cells: pa.Table) -> None:
    body = "answer(arch_id=names, score=params, scorer=['zen'] * 3)"
    assert scored(tmp_path, body, three_cells) == three_cells["params"].to_pylist()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            "answer(arch_id=names, score=params, scorer=['zen', None, 'zen'])",
            r"wrote scores of several scorers \(zen, None\)",
        ),
        ("answer(score=params)", r"wrote no column 'arch_id' \(its columns: score\)"),
        ("answer(arch_id=names)", r"wrote no column 'score' \(its columns: arch_id\)"),
        ("answer(arch_id=names, score=['a'] * 3)", "wrote a column score of string"),
        ("answer(arch_id=names[:2], score=params[:2])", "wrote 2 rows for 3 .*none of them 4:1101"),
        ("answer(arch_id=names + ['x'], score=params + [1])", "wrote 4 rows for 3 architectures;"),
        ("answer(arch_id=names[:2] * 2, score=params[:2] * 2)", "wrote 4 rows for 3 archit"),
        ("answer(arch_id=[1, 2, 3], score=params)", "none of them 4:110011:3m"),
        ("answer(arch_id=names, score=[1, None, 3])", "gave 3:111:m the score nan, no finite"),
        ("answer(arch_id=names, score=[1.0, 2.0, float('inf')])", "the score inf, no finite"),
        ("", "did not write {output}"),
        ("open(sys.argv[2], 'w').write('x')", "wrote no readable Parquet file to {output}"),
        ("sys.exit('no licence\\n\\n')", r"ended with exit code 1 \(no licence\)"),
        ("sys.exit(3)", r"ended with exit code 3 \(nothing\)"),
        ("1 / 0", r"ended with exit code 1 \(ZeroDivisionError: division by zero\)"),
    ],
)
def test_a_program_that_misbehaves_is_reported_in_one_line(
    tmp_path: Path, three_cells: pa.Table, body: str, problem: str
) -> None:
    with pytest.raises(SnapError, match=problem) as caught:
        scored(tmp_path, body, three_cells)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"the scorer command {sys.executable!r} ")
    assert str(caught.value).endswith("; fix the program")


LINGERING = """
import os, subprocess
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
pids = [
    os.getpid(),
    subprocess.Popen(sleep).pid,
    subprocess.Popen(sleep, process_group=0).pid,
    subprocess.Popen(sleep, start_new_session=True).pid,
]
open({file!r} + "~", "w").write(" ".join(map(str, pids)))
os.rename({file!r} + "~", {file!r})
"""
"""Starts processes in its group, in one of their own and in a session of their own."""


def lingering(tmp_path: Path, end: str) -> str:
    return command(tmp_path, LINGERING.format(file=str(tmp_path / "pids")) + end)


def assert_ended(tmp_path: Path) -> None:
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 4
    assert all(ends(int(pid)) for pid in pids)


@pytest.mark.parametrize(
    ("end", "problem"),
    [
        ("answer(arch_id=names, score=params)", ""),
        ("sys.exit('no licence')", r"exit code 1 \(no licence\)"),
        ("time.sleep(600)", r"not done after 20 s and was stopped; .*command:3600s:"),
        ("os.kill(os.getpid(), 9)", r"exit code -9 \(nothing\)"),
    ],
)
def test_a_program_ends_with_all_that_it_started(
    tmp_path: Path, three_cells: pa.Table, end: str, problem: str
) -> None:
    seconds = 20 if "not done" in problem else 600
    scorer = CommandScorer(lingering(tmp_path, end), seconds=seconds)
    with pytest.raises(SnapError, match=problem) if problem else nullcontext():
        scorer.score(three_cells)
    assert_ended(tmp_path)


SEARCH = "from snap_evo.cli import main; main()"


def searching(start: Start, tmp_path: Path, *options: str) -> subprocess.Popen[str]:
    """Start a search by a program that hangs, and wait until all its processes are there."""
    scorer = f"command:{lingering(tmp_path, 'time.sleep(600)')}"
    search = ("run", "--space", "nb201", "--scorer", scorer, "--out", str(tmp_path / "out"))
    return start([sys.executable, "-c", SEARCH, *search, *options], (tmp_path / "pids").exists)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("options", [(), ("--time-limit", "600")], ids=["", "with-a-time-limit"])
def test_a_program_ends_with_the_search(
    tmp_path: Path, start: Start, number: signal.Signals, options: tuple[str, ...]
) -> None:
    process = searching(start, tmp_path, *options)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert_ended(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_program_ends_with_a_comparison(
    tmp_path: Path, start: Start, number: signal.Signals
) -> None:
    scorer = f"command:{lingering(tmp_path, 'time.sleep(600)')}"
    options = ("--algorithms", "random", "--seeds", "1", "--jobs", "1", "--best", "1")
    tool = str(Path(sys.executable).with_name("snap-evo"))
    command = [tool, "compare", "--scorer", scorer, *options, "--out", str(tmp_path)]
    process = start(command, (tmp_path / "pids").exists)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert_ended(tmp_path)


def test_what_a_program_prints_is_read_from_its_end_only(
    tmp_path: Path, three_cells: pa.Table
) -> None:
    body = """
for _ in range(200):
    sys.stdout.write("x" * 1_000_000)
sys.exit("\\n\\x00the \\x1b[31m end \\x00")
"""
    tracemalloc.start()
    with pytest.raises(SnapError, match=r"exit code 1 \(the  \[31m end\)"):
        scored(tmp_path, body, three_cells)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_what_an_endless_program_prints_fills_no_disk(
    tmp_path: Path, three_cells: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    sizes: list[int] = []

    def failure(problem: str, _remedy: str = "") -> SnapError:
        sizes.extend(file.stat().st_size for file in (tmp_path / "temporary").rglob("*.*"))
        return SnapError(problem)

    body = "while True: sys.stdout.write('x' * 1_000_000)"
    scorer = CommandScorer(command(tmp_path, body), seconds=3)
    monkeypatch.setattr(scorer, "_failure", failure)
    with pytest.raises(SnapError, match="not done after 3 s"):
        scorer.score(three_cells)
    assert sizes
    assert sum(sizes) < 1e6


def test_a_daemon_that_keeps_printing_holds_nothing_up(
    tmp_path: Path, three_cells: pa.Table
) -> None:
    daemon = "while True: print('still here', flush=True)"
    body = f"""
import subprocess
subprocess.Popen([sys.executable, "-c", {daemon!r}], start_new_session=True)
answer(arch_id=names, score=params)
"""
    assert scored(tmp_path, body, three_cells) == three_cells["params"].to_pylist()


def ends(pid: int) -> bool:
    """Wait until a process is gone, or a zombie that nobody has waited for yet."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        status = Path(f"/proc/{pid}/stat")
        if status.exists() and ") Z " in status.read_text():
            return True
        time.sleep(0.05)
    return False


def test_a_program_that_is_missing_is_reported(three_cells: pa.Table) -> None:
    scorer = CommandScorer("no-such-program {input} {output}")
    with pytest.raises(SnapError, match=r"'no-such-program' cannot be started \(no such file"):
        scorer.score(three_cells)


def test_no_shell_reads_the_command(tmp_path: Path, three_cells: pa.Table) -> None:
    body = "answer(arch_id=names, score=[float(len(sys.argv))] * 3)"
    line = command(tmp_path, body) + " $HOME ; '> x' `ls`"
    assert CommandScorer(line).score(three_cells).tolist() == [7.0] * 3


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("prog {input}", "its arguments must hold {input} and {output}"),
        ("{input} {output}", "its arguments must hold"),
        ("prog '{input} {output}", "No closing quotation; quote as for a shell"),
        ("", "its arguments must hold"),
    ],
)
def test_a_command_that_is_none_is_refused(line: str, problem: str) -> None:
    with pytest.raises(SnapError, match=problem):
        CommandScorer(line)


def test_the_predictor_s_own_command_is_such_a_program(three_cells: pa.Table) -> None:
    pytest.importorskip("snap_gcn")
    predict = f"{Path(sys.executable).parent / 'snap-gcn'} predict {{input}} -o {{output}}"
    by_program = load_scorer(f"command:60s:{predict}").score(three_cells)
    assert by_program == pytest.approx(load_scorer("gcn").score(three_cells), abs=1e-5)

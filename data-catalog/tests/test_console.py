import io
import re
import sys
import time

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_catalog.console import OneLineErrors, counted, progress, say
from snap_catalog.errors import excerpt, one_line

TOO_LITTLE_MEMORY = "Error: out of memory; free some, or use smaller inputs"


@click.group(cls=OneLineErrors)
def _tool() -> None:
    pass


@_tool.command()
@click.argument("outcome")
def work(outcome: str) -> None:
    """Do as message."""
    failures = {
        "refused": SnapError("ops.txt:3: no description; write one"),
        "badly": click.UsageError("no file 'a\nb'"),
        "named": SnapError("a\nb\x1b[31m\u2028.csv: no such file"),
        "memory": MemoryError(),
        "loader": ImportError("x.so: failed to map segment from shared object"),
        "threads": RuntimeError("can't start new thread"),
        "deep": RecursionError(),
        "stopped": KeyboardInterrupt(),
        "broken": ZeroDivisionError(),
        "disk": OSError(5, "input/output error"),
    }
    if outcome in failures:
        raise failures[outcome]
    click.echo("data")


def test_an_expected_failure_is_one_line_on_standard_error_and_exit_code_1() -> None:
    result = CliRunner().invoke(_tool, ["work", "refused"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == "Error: ops.txt:3: no description; write one\n"


def test_wrong_usage_exits_with_2() -> None:
    assert CliRunner().invoke(_tool, ["work", "badly"]).exit_code == 2


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        ("named", r"Error: a\nb\x1b[31m\u2028.csv: no such file"),
        *((outcome, TOO_LITTLE_MEMORY) for outcome in ("memory", "loader", "threads")),
        ("deep", "Error: an input is nested too deeply; flatten it"),
    ],
)
def test_other_expected_failures_are_one_line_too(outcome: str, line: str) -> None:
    result = CliRunner().invoke(_tool, ["work", outcome])
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{line}\n")


def test_wrong_usage_breaks_no_line_within_a_name() -> None:
    assert r"Error: no file 'a\nb'" in CliRunner().invoke(_tool, ["work", "badly"]).stderr


def test_ctrl_c_exits_with_130_and_says_nothing() -> None:
    result = CliRunner().invoke(_tool, ["work", "stopped"])
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "")


@given(st.text())
def test_a_line_shows_every_character_and_steers_no_terminal(text: str) -> None:
    line = one_line(text)
    assert line.isprintable()
    if text.isprintable():
        assert line == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("abc", "'abc'"), ("a" * 99, "'" + "a" * 9 + "..."), (1 << 99_999, "<int too long to show>")],
    ids=["short", "long", "of no repr"],
)
def test_an_excerpt_shows_any_value(value: object, text: str) -> None:
    assert excerpt(value, 10) == text


def test_an_excerpt_of_a_deep_value_names_its_type() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    assert excerpt(value) == "<list too long to show>"


def test_success_exits_with_0_and_prints_only_data() -> None:
    result = CliRunner().invoke(_tool, ["work", "well"])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "data\n", "")


@pytest.mark.parametrize(("outcome", "bug"), [("broken", ZeroDivisionError), ("disk", OSError)])
def test_a_bug_is_not_mistaken_for_an_expected_failure(outcome: str, bug: type) -> None:
    assert isinstance(CliRunner().invoke(_tool, ["work", outcome]).exception, bug)


def test_messages_go_to_standard_error_unless_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    say("written")
    say("hidden", quiet=True)
    assert capsys.readouterr() == ("", "written\n")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that progress lines see, as the only element."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_progress_is_a_line_at_the_end_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], clock: list[float]
) -> None:
    with progress("cells", 2000) as advance:
        advance(1500)
        advance(500, "loss 0.5")
    assert capsys.readouterr() == ("", "cells: 2,000 of 2,000 loss 0.5\n")


def test_long_progress_is_a_line_every_now_and_then(
    capsys: pytest.CaptureFixture[str], clock: list[float]
) -> None:
    with progress("cells", 100) as advance:
        for _ in range(30):
            clock[0] += 1
            advance(1)
    lines = ["cells: 11 of 100, 0:01:29 left", "cells: 22 of 100, 0:01:18 left"]
    assert capsys.readouterr().err.splitlines() == lines


def test_what_an_earlier_run_finished_counts_but_not_for_the_time_left(
    capsys: pytest.CaptureFixture[str], clock: list[float]
) -> None:
    with progress("cells", 100, done=60) as advance:
        for _ in range(2):
            clock[0] += 10
            advance(10)
    assert capsys.readouterr().err == "cells: 80 of 100, 0:00:20 left\n"


def test_no_time_left_is_shown_before_two_batches_are_done(
    capsys: pytest.CaptureFixture[str], clock: list[float]
) -> None:
    with progress("cells", 100) as advance:
        for units in (0, 10, 0, 10):
            clock[0] += 11
            advance(units)
    assert capsys.readouterr().err.splitlines() == [
        "cells: 0 of 100",
        "cells: 10 of 100",
        "cells: 10 of 100",
        "cells: 20 of 100, 0:02:56 left",
    ]


def test_quiet_progress_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("cells", 1, quiet=True) as advance:
        advance(1, "done")
    assert capsys.readouterr() == ("", "")


def as_terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Make standard error look like a terminal, and return what it shows."""
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", screen)
    return screen


@pytest.mark.parametrize(("batches", "estimated"), [(0, False), (1, False), (2, True)])
def test_a_bar_shows_the_time_left_after_two_batches(
    monkeypatch: pytest.MonkeyPatch, batches: int, estimated: bool
) -> None:
    terminal = as_terminal(monkeypatch)
    with progress("cells", 10) as advance:
        for _ in range(batches):
            advance(1)
    assert bool(re.search(r":\d\d|-:--", terminal.getvalue())) == estimated


def test_progress_on_a_terminal_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = as_terminal(monkeypatch)
    with progress("cells", 10) as advance:
        advance(10, "loss 0.5")
    shown = terminal.getvalue()
    assert "cells" in shown
    assert "10/10" in shown
    assert "loss 0.5" in shown


@pytest.mark.parametrize(
    ("count", "words", "text"),
    [
        (1, ("cell",), "1 cell"),
        (0, ("cell",), "0 cells"),
        (2000, ("cell",), "2,000 cells"),
        (1, ("class", "classes"), "1 class"),
        (7, ("class", "classes"), "7 classes"),
    ],
)
def test_one_of_a_kind_is_counted_in_the_singular(
    count: int, words: tuple[str, ...], text: str
) -> None:
    assert counted(count, *words) == text

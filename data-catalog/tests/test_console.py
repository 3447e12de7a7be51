import io
import sys
import time

import click
import pytest
from click.testing import CliRunner
from snap_catalog import SnapError
from snap_catalog.console import OneLineErrors, progress, say


@click.group(cls=OneLineErrors)
def _tool() -> None:
    pass


@_tool.command()
@click.argument("outcome", type=click.Choice(["well", "refused", "broken"]))
def work(outcome: str) -> None:
    """Do as told."""
    if outcome == "refused":
        raise SnapError("ops.txt:3: no description; write one")
    if outcome == "broken":
        raise ZeroDivisionError
    click.echo("data")


def test_an_expected_failure_is_one_line_on_standard_error_and_exit_code_1() -> None:
    result = CliRunner().invoke(_tool, ["work", "refused"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == "Error: ops.txt:3: no description; write one\n"


def test_wrong_usage_exits_with_2() -> None:
    assert CliRunner().invoke(_tool, ["work", "badly"]).exit_code == 2


def test_success_exits_with_0_and_prints_only_data() -> None:
    result = CliRunner().invoke(_tool, ["work", "well"])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "data\n", "")


def test_a_bug_is_not_mistaken_for_an_expected_failure() -> None:
    assert isinstance(CliRunner().invoke(_tool, ["work", "broken"]).exception, ZeroDivisionError)


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
        clock[0] += 20
        advance(20)
    assert capsys.readouterr().err == "cells: 80 of 100, 0:00:20 left\n"


def test_quiet_progress_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("cells", 1, quiet=True) as advance:
        advance(1, "done")
    assert capsys.readouterr() == ("", "")


def test_progress_on_a_terminal_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress("cells", 10) as advance:
        advance(10, "loss 0.5")
    shown = terminal.getvalue()
    assert "cells" in shown
    assert "10/10" in shown
    assert "loss 0.5" in shown

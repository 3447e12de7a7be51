"""Sessions: what to measure next, and what was measured."""

import math
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from snap_catalog import SnapError
from snap_catalog.parquet import read
from snap_evo.measuring.session import Measurement, Session
from snap_evo.measuring.setup import Setup
from snap_evo.registry import load_scorer
from snap_evo.scorers import Scorer

Start = Callable[..., subprocess.Popen[str]]
pytestmark = pytest.mark.usefixtures("stand_in")


def setup(**changed: Any) -> Setup:
    given = {"space": "nb201", "metric": "accuracy", "direction": "max", "scorer": "params"}
    return Setup(**{**given, **changed})


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session.start(tmp_path / "s", setup())


def names(session: Session, count: int) -> list[str]:
    return [found.arch_id for found in session.ask(count)]


def test_what_is_asked_for_is_pending_until_it_is_measured(session: Session) -> None:
    first, second = names(session, 2)
    assert [a.arch_id for a in session.progress().pending] == [first, second]
    session.tell(second, 0.7, costs={"latency": 3.0}, seconds=12.0, note="seed 1")
    progress = session.progress()
    assert [a.arch_id for a in progress.pending] == [first]
    (result,) = progress.results
    assert (result.entry.value, result.entry.seconds, result.entry.note) == (0.7, 12.0, "seed 1")
    assert result.costs == {"latency": 3.0}
    assert progress.best == result


def test_another_process_sees_the_same_and_is_given_other_architectures(session: Session) -> None:
    mine = names(session, 3)
    other = Session(session.folder)
    theirs = names(other, 3)
    assert not set(mine) & set(theirs)
    other.tell(mine[0], 0.1)
    assert session.progress().measured == 1


def test_equal_seeds_and_answers_lead_to_equal_choices(tmp_path: Path) -> None:
    runs = []
    for folder in ("a", "b"):
        session = Session.start(tmp_path / folder, setup(seed=7))
        asked = names(session, 2)
        for value, name in enumerate(asked):
            session.tell(name, value)
        runs.append([*asked, *names(Session(tmp_path / folder), 2)])
    assert runs[0] == runs[1]
    assert names(Session.start(tmp_path / "c", setup(seed=8)), 4) != runs[0]


def test_fewer_are_returned_when_no_more_are_left(session: Session) -> None:
    found = names(session, 1000)
    assert 0 < len(found) < 1000
    assert names(session, 1) == []


@pytest.mark.parametrize("direction", ["max", "min"])
def test_the_best_is_the_first_of_equals_in_the_direction(tmp_path: Path, direction: str) -> None:
    session = Session.start(tmp_path / "s", setup(direction=direction))
    asked = names(session, 5)
    for name, value in zip(asked, (2.0, -1.0, None, 3.0, 3.0), strict=True):
        session.tell(name, value)
    session.tell(asked[0], -1.0)
    best = session.progress().best
    assert best is not None
    assert best.entry.arch_id == (asked[3] if direction == "max" else asked[1])
    assert session.progress().failed == [asked[2]]


def test_attempts_count_up_and_all_are_in_the_table(session: Session) -> None:
    (name,) = names(session, 1)
    session.tell(name, None, note="out of memory")
    session.tell(name, 0.5, costs={"latency": 2.0})
    table = read(session.write_table(), "measurements")
    assert table.select(["metric", "value", "attempt", "note"]).to_pylist() == [
        {"metric": "accuracy", "value": None, "attempt": 1, "note": "out of memory"},
        {"metric": "latency", "value": 2.0, "attempt": 2, "note": ""},
        {"metric": "accuracy", "value": 0.5, "attempt": 2, "note": ""},
    ]
    assert session.progress().failed == []


def test_costs_without_their_metric_are_an_attempt_that_was_killed(session: Session) -> None:
    """Lines are written in one go, but a kill may come between two of them."""
    (name,) = names(session, 1)
    session.tell(name, 0.5, costs={"latency": 2.0})
    journal = session.folder / "measurements.jsonl"
    journal.write_bytes(journal.read_bytes().split(b"\n")[0] + b'\n{"space":"nb')
    assert [a.arch_id for a in session.progress().pending] == [name]
    session.tell(name, 0.6, costs={"latency": 3.0})
    (result,) = session.progress().results
    assert (result.entry.attempt, result.costs) == (2, {"latency": 3.0})
    assert read(session.write_table(), "measurements").num_rows == 3


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("costs", [{}, {"latency": math.nan}])
def test_numbers_that_are_not_finite_are_refused_and_nothing_is_recorded(
    session: Session, value: float, costs: Mapping[str, float]
) -> None:
    good, bad = names(session, 2)
    second = Measurement(bad, 0.5 if costs else value, costs)
    with pytest.raises(SnapError, match="give a finite number"):
        session.tell_all([Measurement(good, 0.5), second])
    assert session.progress().results == []


def test_an_architecture_of_no_such_space_is_refused(session: Session) -> None:
    with pytest.raises(SnapError, match="conv_9x9"):
        session.tell("|conv_9x9~0|+|none~0|none~1|+|none~0|none~1|none~2|", 0.5)


def test_what_was_never_asked_for_may_be_measured_and_is_then_not_proposed(
    session: Session, tmp_path: Path
) -> None:
    (first,) = names(Session.start(tmp_path / "same", setup()), 1)
    session.tell(first, 0.5)
    assert first not in names(session, 5)


def test_an_architecture_beyond_a_limit_of_its_costs_is_never_the_best(tmp_path: Path) -> None:
    session = Session.start(tmp_path / "s", setup(max_params=0.5e6, most="depth=3.0"))
    large = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+" + (
        "|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    )
    session.tell(large, 0.99)
    (small,) = names(session, 1)
    session.tell(small, 0.5)
    progress = session.progress()
    assert (progress.beyond, progress.best and progress.best.entry.arch_id) == (1, small)
    assert np.isnan(session.known().values).tolist() == [True, False]


def test_a_measured_cost_beyond_its_limit_rules_an_architecture_out(tmp_path: Path) -> None:
    session = Session.start(tmp_path / "s", setup(most="latency_ms=4.0"))
    slow, fast, silent = names(session, 3)
    session.tell(slow, 0.9, costs={"latency_ms": 4.1})
    session.tell(fast, 0.5, costs={"latency_ms": 4.0})
    with pytest.raises(SnapError, match="no latency_ms, which the session limits"):
        session.tell(silent, 0.99)
    session.tell(silent, None)
    progress = session.progress()
    assert [result.within for result in progress.results] == [False, True, False]
    assert progress.best is progress.results[1]


def test_a_metric_of_a_table_is_a_limit(measured_file: Path, tmp_path: Path) -> None:
    metric = "cifar10/test/baseline_accuracy"
    session = Session.start(tmp_path / "s", setup(table=str(measured_file), most=f"{metric}=90.0"))
    found = session.ask(20)
    values = read(measured_file, "graphs", ["arch_id", metric])
    known = dict(zip(*(column.to_pylist() for column in values.columns), strict=True))
    assert found
    assert all(known[one.arch_id] <= 90 for one in found)


def test_a_folder_holds_one_session_in_which_something_was_asked(session: Session) -> None:
    session = Session.start(session.folder, setup(metric="error", direction="min"))
    assert session.setup.metric == "error"
    session.ask(1)
    with pytest.raises(SnapError, match="holds a session already"):
        Session.start(session.folder, setup())


def test_files_of_an_earlier_session_are_not_taken_for_those_of_a_new_one(session: Session) -> None:
    (session.folder / "measuring" / "0001").mkdir(parents=True)
    with pytest.raises(SnapError, match="measuring: holds files of measurements of an earlier"):
        Session.start(session.folder, setup())


def test_no_two_architectures_share_a_folder_after_a_line_was_deleted(session: Session) -> None:
    names(session, 3)
    journal = session.folder / "asked.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text(lines[0] + lines[2])
    asked = [*(a.arch_id for a in session.progress().pending), *names(session, 2)]
    assert len({session.folder_of(name) for name in asked}) == len(asked)


def test_a_note_that_is_no_text_is_kept_as_far_as_it_is(session: Session) -> None:
    (name,) = names(session, 1)
    session.tell(name, 0.5, note="a\ud800b")
    assert [result.entry.note for result in session.progress().results] == ["a?b"]


@pytest.mark.parametrize(
    "given",
    [
        {"metric": "params"},
        {"metric": "a\nb"},
        {"metric": "ms", "most": "ms=4.0"},
        {"metric": "ms", "objective": "ms,score"},
    ],
)
def test_a_metric_by_the_name_of_something_else_is_refused(
    tmp_path: Path, given: Mapping[str, str]
) -> None:
    with pytest.raises(SnapError, match="metric"):
        Session.start(tmp_path / "s", setup(**given))


@pytest.mark.parametrize(
    ("scorer", "problem"),
    [
        ("nope", "unknown scorer 'nope'; installed are "),
        ("table:nowhere.parquet:accuracy", "nowhere.parquet: no such file"),
    ],
)
def test_a_scorer_that_cannot_be_loaded_is_refused_at_the_start(
    tmp_path: Path, scorer: str, problem: str
) -> None:
    with pytest.raises(SnapError, match=problem):
        Session.start(tmp_path, setup(scorer=scorer))
    assert not (tmp_path / "session.json").exists()


def test_a_scorer_is_loaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def counting(spec: str) -> Scorer:
        loaded.append(spec)
        return load_scorer(spec)

    monkeypatch.setattr("snap_evo.measuring.session.load_scorer", counting)
    names(Session.start(tmp_path, setup()), 1)
    assert loaded == ["params"]


def test_a_file_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "session.json").write_text('{"user": "somebody"}')
    with pytest.raises(SnapError, match=r"session\.json: exists and is of another kind"):
        Session.start(tmp_path, setup())


def test_a_session_goes_on_in_the_space_that_it_began_in(tmp_path: Path) -> None:
    from snap_graphs import space
    from snap_graphs.spaces.custom import DEFINITION

    file = tmp_path / "own.toml"
    file.write_text((Path(__file__).parents[3] / "docs" / "examples" / "mobile.toml").read_text())
    own = setup(space=str(file), definition=space(str(file)).metadata[DEFINITION])
    session = Session.start(tmp_path / "s", own)
    file.unlink()
    name = session.space.format(session.space.sample(1, 0)[0])
    Session(session.folder).tell(name, 0.5)
    best = Session(session.folder).progress().best
    assert best is not None
    assert best.entry.arch_id == name


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "holds no session.json; begin with: snap-evo start"),
        ("{", r"session.json: damaged \("),
        ('{"session": 2}', r"session.json: damaged \("),
        ("[" * 100_000, r"session.json: damaged \("),
    ],
)
def test_a_session_that_cannot_be_read_is_refused(
    tmp_path: Path, text: str | None, problem: str
) -> None:
    if text is not None:
        (tmp_path / "session.json").write_text(text)
    with pytest.raises(SnapError, match=problem):
        Session(tmp_path)


@pytest.mark.parametrize("most", ["depth", "depth=", "depth=x", "=3", "depth=-1", "depth=nan"])
def test_a_damaged_limit_is_refused(session: Session, most: str) -> None:
    path = session.folder / "session.json"
    path.write_text(path.read_text().replace('"most": null', f'"most": "{most}"'))
    with pytest.raises(SnapError, match="is no limit; write it as NAME=VALUE"):
        Session(session.folder)


def test_a_journal_of_another_space_is_named(session: Session) -> None:
    (name,) = names(session, 1)
    session.tell(name, 0.5)
    journal = session.folder / "measurements.jsonl"
    journal.write_text(journal.read_text().replace(name, "3:111:m"))
    with pytest.raises(SnapError, match="a damaged journal: "):
        session.progress()


WORKER = """
import sys
from snap_evo.measuring.session import Session

session = Session(sys.argv[1])
for _ in range(5):
    for found in session.ask(2):
        session.tell(found.arch_id, 0.5, costs={"by": float(sys.argv[2])})
"""


def test_two_processes_ask_and_tell_at_once(session: Session, stand_in: str) -> None:
    code = stand_in + WORKER
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen([sys.executable, "-c", code, session.folder, str(n)], env=environment)
        for n in range(2)
    ]
    assert [process.wait() for process in started] == [0, 0]
    progress = session.progress()
    asked = [result.entry.arch_id for result in progress.results]
    assert len(asked) == len(set(asked)) == 20
    assert progress.pending == []
    assert sorted(result.costs["by"] for result in progress.results) == [0.0] * 10 + [1.0] * 10

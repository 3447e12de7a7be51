"""How far a scorer says its ranking is to be trusted."""

import json
import shlex
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from snap_catalog import SnapError
from snap_evo import plugins
from snap_evo.cli import main
from snap_evo.combination import Part, RankCombination
from snap_evo.scorers import ParamsScorer, ask_trust, readings
from snap_graphs import space

OWN = 'name = "own"\nnodes = 3\nedges = "all"\n[operators]\nup = "Up"\ndown = "Down"\n'


class Report:
    def __init__(self, cells: int) -> None:
        self.cells = cells

    def __str__(self) -> str:
        return f"rely on it\n  {self.cells} cells looked at"

    def as_dict(self) -> dict[str, Any]:
        return {"cells": self.cells}


class Candid:
    """Likes deep cells, and trusts itself."""

    def score(self, graphs: pa.Table) -> Any:
        return graphs["depth"].to_numpy()

    def trust(self, graphs: pa.Table) -> Report:
        return Report(graphs.num_rows)


class Failing(Candid):
    def trust(self, graphs: pa.Table) -> Report:
        raise KeyError("gone")


def test_a_scorer_is_asked_about_a_sample_of_the_space() -> None:
    assert str(ask_trust(Candid(), "nb201")) == "rely on it\n  1000 cells looked at"
    assert ask_trust(ParamsScorer(), "nb201") is None


def test_a_scorer_that_fails_to_report_trust_is_reported_in_one_line() -> None:
    with pytest.raises(SnapError, match=r"the scorer Failing failed \(KeyError: 'gone'\); fix it"):
        ask_trust(Failing(), "nb201")


def test_the_summary_and_best_json_report_trust_if_nothing_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = EntryPoint("candid", f"{__name__}:Candid", "snap.scorers")
    monkeypatch.setattr(plugins, "entry_points", lambda group: (fake,))
    monkeypatch.setattr(EntryPoint, "load", lambda self: Candid)
    (tmp_path / "own.toml").write_text(OWN)
    options = ("--scorer", "candid", "--budget", "20", "--out", str(tmp_path / "found"))
    done = CliRunner().invoke(main, ["run", "--space", str(tmp_path / "own.toml"), *options])
    assert done.exit_code == 0, done.output
    assert f"trust          rely on it\n{'':15}1000 cells looked at\n" in done.stdout
    best = json.loads((tmp_path / "found" / "best.json").read_text())
    assert (best["space"], best["rank"], best["trust"]) == ("own", 1, {"cells": 1000})


class Reading(Candid):
    """Understands whatever it is shown."""

    def readings(self, graphs: pa.Table) -> list[str]:
        names = sorted({name for nodes in graphs["nodes"].to_pylist() for name in nodes[1:-1]})
        return [f"{name}: read as it is; check" for name in names]


class Illiterate(Candid):
    def readings(self, graphs: pa.Table) -> list[str]:
        raise KeyError("gone")


UNDERSTOOD = ["down: read as it is; check", "up: read as it is; check"]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A space of a user's own, and a scorer `reading` that is installed."""
    fake = EntryPoint("reading", f"{__name__}:Reading", "snap.scorers")
    monkeypatch.setattr(plugins, "entry_points", lambda group: (fake,))
    monkeypatch.setattr(EntryPoint, "load", lambda self: Reading)
    (tmp_path / "own.toml").write_text(OWN)
    return str(tmp_path / "own.toml")


def test_a_scorer_that_reads_is_asked_about_the_operators_of_the_space(own: str) -> None:
    assert readings(Reading(), space(own)) == UNDERSTOOD


def test_a_scorer_without_readings_has_none_to_report(own: str) -> None:
    assert readings(Candid(), space(own)) == []
    assert readings(ParamsScorer(), space(own)) == []


def test_a_scorer_that_fails_to_read_is_reported_in_one_line(own: str) -> None:
    with pytest.raises(SnapError, match=r"the scorer Illiterate failed \(KeyError: 'gone'\)"):
        readings(Illiterate(), space(own))


def test_several_scorers_report_each_reading_once(own: str) -> None:
    both = [Part(str(n), scorer, 1.0) for n, scorer in enumerate((Reading(), Candid(), Reading()))]
    assert readings(RankCombination(both), space(own)) == UNDERSTOOD


def start(own: str, out: Path, *options: str) -> Result:
    arguments = ["start", str(out), "--space", own, "--scorer", "reading", "--metric", "accuracy"]
    done = CliRunner().invoke(main, [*arguments, "--direction", "max", *options])
    assert done.exit_code == 0, done.output
    return done


def test_start_prints_readings_before_what_comes_next(own: str, tmp_path: Path) -> None:
    done = start(own, tmp_path / "s")
    *lines, ready = done.stderr.splitlines()
    assert lines == UNDERSTOOD
    assert "is ready; next: " in ready
    assert done.stdout == ""
    assert start(own, tmp_path / "quiet", "--quiet").output == ""


def test_an_algorithm_that_does_not_look_at_the_scorer_does_not_ask_it(
    own: str, tmp_path: Path
) -> None:
    done = start(own, tmp_path / "s", "--algorithm", "random")
    assert "read as" not in done.stderr


@pytest.mark.parametrize("quiet", [False, True])
@pytest.mark.usefixtures("stand_in")
def test_a_search_that_measures_prints_readings_unless_quiet(
    own: str, tmp_path: Path, quiet: bool
) -> None:
    file = tmp_path / "measure.py"
    file.write_text("import sys\nopen(sys.argv[2], 'w').write('1')\n")
    measure = f"command:{sys.executable} -S {shlex.quote(str(file))} {{arch}} {{output}}"
    options = ["--measure", measure, "--measurements", "1", "--out", str(tmp_path / "out")]
    arguments = ["run", "--space", own, "--scorer", "reading", *options]
    done = CliRunner().invoke(main, [*arguments, *(["--quiet"] if quiet else [])])
    assert done.exit_code == 0, done.output
    assert [line for line in done.stderr.splitlines() if "read as" in line] == (
        [] if quiet else UNDERSTOOD
    )
    assert "read as" not in done.stdout

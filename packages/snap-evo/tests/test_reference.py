"""How far a scorer says its ranking is to be trusted."""

import json
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner
from snap_catalog import SnapError
from snap_evo import plugins
from snap_evo.cli import main
from snap_evo.reference import ask_trust
from snap_evo.scorers import ParamsScorer

OWN = 'name = "own"\nnodes = 3\nedges = "all"\n[operators]\nup = "Up"\ndown = "Down"\n'


class Told:
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

    def trust(self, graphs: pa.Table) -> Told:
        return Told(graphs.num_rows)


class Failing(Candid):
    def trust(self, graphs: pa.Table) -> Told:
        raise KeyError("gone")


def test_a_scorer_is_asked_about_a_sample_of_the_space() -> None:
    assert str(ask_trust(Candid(), "nb201")) == "rely on it\n  1000 cells looked at"
    assert ask_trust(ParamsScorer(), "nb201") is None


def test_a_scorer_that_fails_to_tell_is_told_of_in_one_line() -> None:
    with pytest.raises(SnapError, match=r"the scorer Failing failed \(KeyError: 'gone'\); fix it"):
        ask_trust(Failing(), "nb201")


def test_the_summary_and_best_json_tell_where_nothing_is_measured(
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

"""Statistics of other packages, which entry points name."""

from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from snap_catalog import SnapError
from snap_catalog.parquet import read
from snap_eval import Statistic, statistics
from snap_eval.arrays import Floats

Run = Callable[..., Result]
Files = tuple[Path, Path]


def _above(score: Floats, measured: Floats) -> float:
    return float(measured[score >= np.median(score)].mean())


ABOVE = Statistic("above", _above, "all tied with the median", direction="metric")
SPEARMAN = Statistic("spearman", _above, "all tied with the median")


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def register(value: str) -> None:
        found = [EntryPoint("any", value, "snap.statistics")]
        monkeypatch.setattr(statistics, "entry_points", lambda group: found)
        statistics.known.cache_clear()

    yield register
    monkeypatch.undo()
    statistics.known.cache_clear()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of this module, as an entry point has it."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return Path(__file__).stem


def test_a_statistic_of_another_package_is_reported_with_a_bootstrap(
    run: Run, files: Files, tmp_path: Path, registered: Callable[[str], None], here: str
) -> None:
    registered(f"{here}:ABOVE")
    assert statistics.names()[-1] == "above"
    inputs = ("--scores", files[0], "--graphs", files[1], "--metric", "accuracy")
    result = run("correlate", *inputs, "--statistic", "above", "--bootstrap", 50)
    assert result.exit_code == 0, result.stderr
    (row,) = read(tmp_path / "correlations.parquet", "correlations").to_pylist()
    assert row["ties"] == "all tied with the median"
    assert row["interval"] == "bootstrap over cells"
    assert row["low"] <= row["value"] <= row["high"]
    compared = run("compare", files[0], ":test", *inputs[2:], "--statistic", "above")
    assert "above" in compared.stdout


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("SPEARMAN", "the name 'spearman' is taken"),
        ("Run", "is no snap_eval.Statistic"),
        ("nothing", "cannot be loaded"),
    ],
)
def test_a_wrong_registration_is_refused_by_name(
    registered: Callable[[str], None], here: str, name: str, problem: str
) -> None:
    registered(f"{here}:{name}")
    with pytest.raises(SnapError, match=problem) as failure:
        statistics.known()
    assert str(failure.value).startswith(f"{here}:{name}: ")


def test_without_a_faster_way_every_resample_is_computed() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 40))
    from snap_eval.resampling import Resamples, plain

    resamples = Resamples(40, 25, 3)
    found = plain(_above)(0, x, y, resamples)
    assert found.tolist() == [_above(x[cells], y[cells]) for cells in resamples.each()]

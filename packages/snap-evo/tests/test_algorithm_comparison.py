from pathlib import Path

import numpy as np
import pytest
from snap_evo.algorithm_comparison import Run, regrets, rows
from snap_evo.pictures import band, draw_regret


def run(algorithm: str, *best: float) -> Run:
    return Run(algorithm, 0, "a", np.array(best), len(best), 1.0)


RUNS = [run("de", 1.0, 3.0, 3.0), run("de", 2.0, 2.0), run("de", 3.0, 3.0, 3.0), run("ls", 0.0)]


def test_rows_sum_up_the_runs_of_an_algorithm() -> None:
    de, ls = rows(RUNS, best=3.0)
    assert (de.algorithm, de.runs, de.reached, de.evaluations) == ("de", 3, 2, 2.0)
    assert de.score == pytest.approx(8 / 3)
    assert de.deviation == pytest.approx(np.std([3, 2, 3], ddof=1))
    assert (ls.runs, ls.deviation, ls.reached, ls.evaluations) == (1, None, 0, None)


def test_regret_stays_as_it_was_when_a_run_ends() -> None:
    regret = regrets(RUNS, best=3.0)
    assert regret["de"].tolist() == [[2, 0, 0], [1, 1, 1], [0, 0, 0]]
    assert regret["ls"].tolist() == [[3, 3, 3]]


def test_regret_is_drawn_from_where_every_run_has_found_a_cell(tmp_path: Path) -> None:
    runs = np.array([[np.inf, 2.0, 1.0, 1.0], [np.inf, np.inf, 1.0, 0.0]])
    draw_regret({"de": runs, "ls": np.ones((2, 1))}, tmp_path / "regret.svg")
    assert "</svg>" in (tmp_path / "regret.svg").read_text()


def test_the_picture_does_not_grow_with_evaluations_that_bring_nothing(tmp_path: Path) -> None:
    sizes = []
    for evaluations in (10, 10_000):
        runs = np.array([[3.0, 1.0]]).repeat([1, evaluations], axis=1)
        draw_regret({"de": runs}, tmp_path / "regret.svg")
        sizes.append((tmp_path / "regret.svg").stat().st_size)
    assert sizes[1] < 1.2 * sizes[0]


def test_the_band_holds_the_mean_and_narrows_with_more_runs() -> None:
    random = np.random.default_rng(0)
    few, many = random.normal(size=(10, 4)), random.normal(size=(1000, 4))
    widths = []
    for runs in (few, many):
        low, high = band(runs)
        assert (low <= runs.mean(axis=0)).all()
        assert (runs.mean(axis=0) <= high).all()
        widths.append(high - low)
    assert (widths[0] > 3 * widths[1]).all()

"""The fit of what is expected of a ranking, on points of a known law."""

import numpy as np
import pytest
from snap_gcn.reliability.calibration import correlation

from tools.measure.populations import AS_IS, Point, Ranked
from tools.train.calibrate import calibration, coverage, network_calibration, network_coverage

NAMES = ("near", "nearer", "far", "furthest")


def points(noise: float) -> list[Point]:
    """Draw points of four benchmarks: .9, less the operators' distance, with noise."""
    random = np.random.default_rng(0)
    found = []
    for number, name in enumerate(NAMES, start=1):
        for i, operators in enumerate(np.linspace(0, 0.1 * number, 200)):
            features = {"operators": float(operators), "size": 0.01 * number}
            rho = 0.9 - operators + random.uniform(-noise, noise)
            found.append(Point(name, "" if i else AS_IS, "metric", 9, features, float(rho)))
    return found


def test_a_linear_law_is_found_and_the_interval_holds_four_in_five() -> None:
    found = calibration(points(0.1))
    assert found.intercept == pytest.approx(0.9, abs=0.02)
    assert found.slopes["operators"] == pytest.approx(1, abs=0.1)
    assert found.residuals == pytest.approx((-0.08, 0.08), abs=0.02)


def test_a_limit_is_what_two_benchmarks_reach() -> None:
    assert calibration(points(0.1)).limits == {"operators": pytest.approx(0.3), "size": 0.05}


def test_every_benchmark_is_left_out_in_turn() -> None:
    rows = [line.split(" | ") for line in coverage(points(0.1)).splitlines()[2:]]
    assert [row[0].removeprefix("| ") for row in rows] == list(NAMES)
    covered = [int(row[4].rstrip("%")) for row in rows]
    assert min(covered) > 65
    assert int(rows[-1][3]) == pytest.approx(100, abs=2)


def bands(errors: list[float]) -> list[Ranked]:
    """Return populations of two benchmarks whose scores miss the truth by errors of deviations."""
    return [
        Ranked(name, str(i) if i else AS_IS, "metric", 99, spread, correlation(spread, error))
        for name in NAMES[:2]
        for i, error in enumerate(errors)
        for spread in [2.0 / (1 + i)]
    ]


def test_the_interval_for_networks_holds_four_fifths_of_the_errors() -> None:
    found = network_calibration(bands([float(e) for e in range(1, 11)]))
    low, high = found.errors
    assert 1 < low < 2.01
    assert 8.99 < high < 10
    assert [entry["n"] for entry in found.benchmarks] == [99, 99]


def test_networks_of_like_scores_are_expected_to_be_ranked_worse() -> None:
    found = network_calibration(bands([1.0, 2.0, 3.0]))
    near, far = found.expect(0.1), found.expect(10.0)
    assert near.low < near.middle < near.high < far.low < far.high


def test_every_benchmark_of_networks_is_left_out_in_turn() -> None:
    rows = [line.split(" | ") for line in network_coverage(bands([1.0] * 5)).splitlines()[2:]]
    assert [row[0].removeprefix("| ") for row in rows] == list(NAMES[:2])

"""Record in the bundled predictors which rank correlation to expect elsewhere.

    uv run --all-groups python -m tools.train.calibrate

Fits `snap_gcn.reliability.calibration.Calibration` to how a predictor ranks populations of
NAS-Bench-101's held-out cells and of the benchmarks of role `develop` (`populations.py`); prints
how often the interval holds for a benchmark that was left out. Weights
stay as they are. Takes two minutes on one core.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from msgspec import structs
from scipy.optimize import nnls
from snap_gcn import Predictor
from snap_gcn.model.folder import Model, load, save
from snap_gcn.model.recipe import BUNDLED
from snap_gcn.reliability.calibration import (
    Calibration,
    Measured,
    MeasuredNetworks,
    NetworkCalibration,
    error,
    terms,
)
from snap_gcn.reliability.verdict import RELIABLE

from tools import printed
from tools.measure.populations import AS_IS, Point, Ranked, points, ranked
from tools.pipeline import ROOT, prepare

Floats = npt.NDArray[np.float64]

BUNDLE = ROOT / "packages/snap-gcn/src/snap_gcn/bundle"
_OUTSIDE = 0.1
"""Share of the residuals beyond each end of the interval: it is to hold four in five."""
_SLACK = 0.05
"""What a limit is at least."""
_DIGITS = 4


def calibrated(model: Model, work: Path) -> Model:
    """Return a model with a calibration.

    Args:
        model: the model.
        work: folder of the benchmark tables.
    """
    predictor = Predictor(model)
    cells = calibration(list(points(predictor, work)))
    networks = network_calibration(list(ranked(predictor, work))) if model.config.prior else None
    config = structs.replace(model.config, calibration=cells, networks=networks)
    return replace(model, config=config)


def calibration(found: Sequence[Point]) -> Calibration:
    """Fit a calibration: residuals are of benchmarks that the linear model was not fitted to."""
    fitted = _fitted(found)
    limits = fitted.limits
    residuals, weights = [], []
    for benchmark in _benchmarks(found):
        others = _fitted([p for p in found if p.benchmark != benchmark])
        inside = [
            point.spearman - estimate.middle
            for point in found
            if point.benchmark == benchmark
            and (estimate := replace(others, limits=limits).expect(point.features))
        ]
        residuals += inside
        weights += [1 / max(len(inside), 1)] * len(inside)
    low, high = (_quantile(residuals, weights, end) for end in (_OUTSIDE, 1 - _OUTSIDE))
    return replace(fitted, residuals=(low, high))


def _fitted(found: Sequence[Point]) -> Calibration:
    """Fit the linear model by non-negative least squares; every benchmark counts alike."""
    names = list(terms(found[0].features))
    counts = Counter(point.benchmark for point in found)
    weights = np.sqrt([1 / counts[point.benchmark] for point in found])
    matrix = np.array([[1, *(-v for v in terms(point.features).values())] for point in found])
    target = np.array([point.spearman for point in found])
    (intercept, *slopes), _ = nnls(matrix * weights[:, None], target * weights)
    return Calibration(
        intercept=round(float(intercept), _DIGITS),
        slopes={n: round(float(slope), _DIGITS) for n, slope in zip(names, slopes, strict=True)},
        residuals=(0.0, 0.0),
        limits={name: _limit(found, name) for name in names},
        benchmarks=[_measured(point) for point in found if point.variant == AS_IS],
    )


def _limit(found: Sequence[Point], feature: str) -> float:
    """Return the value of a feature up to which two benchmarks were measured."""
    furthest = [
        max(p.features[feature] for p in found if p.benchmark == benchmark)
        for benchmark in _benchmarks(found)
    ]
    return max(sorted(furthest)[-2], _SLACK)


def _measured(point: Point) -> Measured:
    return Measured(
        benchmark=point.benchmark,
        metric=point.metric,
        n=point.n,
        features=point.features,
        spearman=round(point.spearman, _DIGITS),
    )


def _quantile(values: Sequence[float], weights: Sequence[float], share: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(np.array(weights)[order]) / sum(weights)
    return round(float(np.array(values)[order][np.searchsorted(reached, share)]), _DIGITS)


def network_calibration(found: Sequence[Ranked]) -> NetworkCalibration:
    """Take the interval that holds four fifths of the errors; every benchmark counts alike."""
    counts = Counter(point.benchmark for point in found)
    errors = [error(point.deviation, point.spearman) for point in found]
    weights = [1 / counts[point.benchmark] for point in found]
    low, high = (_quantile(errors, weights, end) for end in (_OUTSIDE, 1 - _OUTSIDE))
    whole = [
        MeasuredNetworks(
            benchmark=point.benchmark,
            metric=point.metric,
            n=point.n,
            deviation=round(point.deviation, _DIGITS),
            spearman=round(point.spearman, _DIGITS),
        )
        for point in found
        if point.variant == AS_IS
    ]
    return NetworkCalibration((low, high), whole)


def network_coverage(found: Sequence[Ranked]) -> str:
    """Lay out what is expected of each benchmark of whole networks when it is left out."""
    head = ["benchmark left out", "Spearman as it is, and expected", "populations", "covered"]
    rows = []
    for benchmark in dict.fromkeys(point.benchmark for point in found):
        others = network_calibration([p for p in found if p.benchmark != benchmark])
        own = [(p, others.expect(p.deviation)) for p in found if p.benchmark == benchmark]
        whole = [
            f"{p.spearman:.2f}, {e.low:.2f} to {e.high:.2f}" for p, e in own if p.variant == AS_IS
        ]
        share = np.mean([e.low <= p.spearman <= e.high for p, e in own])
        rows.append([benchmark, "; ".join(whole), str(len(own)), f"{share:.0%}"])
    return printed.table(head, rows)


def _benchmarks(found: Sequence[Point]) -> list[str]:
    return list(dict.fromkeys(point.benchmark for point in found))


def coverage(found: Sequence[Point]) -> str:
    """Lay out what is expected of each benchmark when it is left out, and how often that holds."""
    head = ["benchmark left out", "Spearman as it is, and expected", "populations", "withheld"]
    head += ["of the others covered", f"expected {RELIABLE} or more", "of these below it"]
    return printed.table(head, [_left_out(found, name) for name in _benchmarks(found)])


def _left_out(found: Sequence[Point], benchmark: str) -> list[str]:
    others = calibration([point for point in found if point.benchmark != benchmark])
    own = [(p, others.expect(p.features)) for p in found if p.benchmark == benchmark]
    given = [(point.spearman, expected) for point, expected in own if expected]
    held = [expected.low <= rho <= expected.high for rho, expected in given]
    promised = [rho for rho, expected in given if expected.low >= RELIABLE]
    whole = [
        f"{p.spearman:.2f}, {f'{e.low:.2f} to {e.high:.2f}' if e else 'withheld'}"
        for p, e in own
        if p.variant == AS_IS
    ]
    counts = [len(own), len(own) - len(given)]
    share = f"{np.mean(held):.0%}" if held else ""
    below = sum(rho < RELIABLE for rho in promised)
    return [benchmark, "; ".join(whole), *map(str, counts), share, str(len(promised)), str(below)]


@click.command()
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
def main(work: Path) -> None:
    """Calibrate the predictors that snap-gcn bundles."""
    prepare(work)
    for name in BUNDLED:
        model = load(BUNDLE / name)
        predictor = Predictor(model)
        cells = list(points(predictor, work))
        config = structs.replace(model.config, calibration=calibration(cells))
        click.echo(f"### `{name}`\n\n{coverage(cells)}\n")
        if config.prior:
            networks = list(ranked(predictor, work))
            config = structs.replace(config, networks=network_calibration(networks))
            click.echo(f"### Whole networks\n\n{network_coverage(networks)}\n")
        save(replace(model, config=config), BUNDLE / name)


if __name__ == "__main__":
    main()

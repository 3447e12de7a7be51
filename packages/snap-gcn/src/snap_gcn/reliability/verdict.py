"""Whether to rely on a ranking, in plain words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from snap_gcn.model.schema import Adapted
from snap_gcn.ranks import interval
from snap_gcn.reliability.calibration import Calibration, Expected, Features
from snap_gcn.reliability.networks import NetworkCalibration

RELIABLE = 0.3
"""Rank correlation from which on a ranking is relied on."""
_FAR = 0.1
"""Mean distance of operators from which on they are a reason not to rely on a ranking."""
_LARGE = 0.1
"""Mean `oversize` of graphs from which on it is a reason."""
_SPLIT = 1.0
"""Disagreement, in deviations of the scores, from which on it is a reason."""
_LESS = 0.1
"""Loss of rank correlation from which on a verdict says that a part of a space is ranked worse."""
_FEW_LABELS = 10
"""Measurements from which on leave-one-out says how good an adapted ranking is."""
_NAMED = 3
"""Operators that a verdict names."""


@dataclass(frozen=True)
class Evidence:
    """What a verdict rests on.

    Attributes:
        architectures: how many were ranked.
        equal: whether all scores are equal.
        few: whether they are too few to estimate the deviation of the scores.
        features: how far they are from training; see `snap_gcn.reliability.calibration.Features`.
        operators: those unlike any trained on, the furthest first, and their distance.
        larger: share of graphs larger or denser than any trained on.
        space: their search space, if they are of one, described as the model knows it.
        tau: Kendall's tau on the cells held out in training.
        doubtful: operators whose descriptions were not understood or contradict their names.
    """

    architectures: int
    equal: bool
    few: bool
    features: Features
    operators: Mapping[str, float]
    larger: float
    space: str | None
    tau: float
    doubtful: Sequence[str] = ()


def judge(evidence: Evidence, calibration: Calibration | None) -> tuple[str, Expected | None]:
    """Return one line on whether to rely on a ranking, and the rank correlation to expect.

    Args:
        evidence: what is known of the architectures ranked.
        calibration: the model's; None where it was not calibrated.
    """
    if evidence.architectures < 2 or evidence.equal:
        return _unranked(evidence), None
    if evidence.doubtful:
        return _doubted(evidence.doubtful), None
    if calibration is None:
        return _uncalibrated(evidence), None
    features = {"disagreement": 0.0, **evidence.features} if evidence.few else evidence.features
    within = calibration.expect_in(evidence.space, features) if evidence.space else None
    expected = within or calibration.expect(features)
    if within and within.middle < RELIABLE:
        return _within(evidence, within, calibration), within
    if expected is None or (not within and expected.low < RELIABLE):
        return _distrust(evidence), expected
    if evidence.few:
        return f"too few architectures ({evidence.architectures}) to judge their ranking", None
    return _reliance(expected, calibration, known=within is not None), expected


def judge_networks(
    evidence: Evidence, size: float, deviation: float, calibration: NetworkCalibration | None
) -> tuple[str, Expected | None]:
    """Return the same for whole networks, of whose scores the members make up little.

    Args:
        evidence: what is known of the networks ranked.
        size: what their size counts for in the scores, from 0 to 1.
        deviation: standard deviation of the scores.
        calibration: the model's; None where it was not calibrated.
    """
    if evidence.architectures < 2 or evidence.equal:
        return _unranked(evidence), None
    why = f"{size:.0%} of the score is the network's size, not what the members learned"
    if evidence.few:
        return f"too few networks ({evidence.architectures}) to judge their ranking; {why}", None
    if calibration is None:
        return f"whether to rely on this ranking is unknown: {why}", None
    expected = calibration.expect(deviation)
    found = " and ".join(f"{rho:.2f}" for rho in calibration.measured(evidence.space))
    if (expected.middle if found else expected.low) < RELIABLE:
        return f"do not rely on this ranking: {why}, and these are much of a size", expected
    if found:
        return (
            f"rely on this ranking as on {evidence.space} (Spearman {found} there): {why}",
            expected,
        )
    return f"rely on this ranking with care: {why}", expected


def judge_adapted(
    evidence: Evidence, record: Adapted, spaces: Iterable[str]
) -> tuple[str, Expected | None]:
    """Return the same for a model that was adapted to measurements.

    Args:
        evidence: what is known of the architectures ranked.
        record: what the model was adapted to.
        spaces: the search spaces of the architectures.
    """
    if evidence.architectures < 2 or evidence.equal:
        return _unranked(evidence), None
    known = f"{record.labels:,} measurements of {record.metric}"
    others = sorted({*spaces} - {*record.spaces})
    if others:
        return (
            f"do not rely on this ranking: the model is adapted to {known} in "
            f"{', '.join(record.spaces)}, and architectures are of {', '.join(others)}",
            None,
        )
    ends = interval(record.left_out, record.labels)
    if record.left_out is None or ends is None or record.labels < _FEW_LABELS:
        return (
            f"rely on this ranking with care: it is adapted to {known}, too few to say how good "
            "it is",
            None,
        )
    found = f"{known} it is adapted to (leave-one-out Spearman {record.left_out:.2f})"
    expected = Expected(*ends, record.left_out, f"the {known}")
    if record.left_out < RELIABLE:
        return f"do not rely on this ranking: it does not order the {found}", expected
    care = " with care," if expected.low < RELIABLE else ""
    return f"rely on this ranking{care} as on the {found}", expected


def judge_mixture(networks: int, cells: int) -> str:
    """Return one line on a ranking of whole networks and cells together."""
    return (
        f"do not rely on this ranking: {networks:,} of the architectures are scored as whole "
        f"networks and {cells:,} as cells, and the two kinds of scores do not compare; rank each "
        "kind in a file of its own (networks are known by node_shape, which most views drop)"
    )


def _reliance(expected: Expected, calibration: Calibration, *, known: bool) -> str:
    if not known:
        return (
            "rely on this ranking with care: this space was never measured, but is no further from "
            f"training than {expected.as_on}"
        )
    measured = _measured(expected.as_on, calibration)
    if expected.middle < min(_spearman(expected.as_on, calibration)) - _LESS:
        return f"rely on this ranking less than on all of {measured}: these score alike"
    return f"rely on this ranking as on {measured}"


def _unranked(evidence: Evidence) -> str:
    if evidence.architectures < 2:
        return f"nothing is ranked: there is {evidence.architectures or 'no'} architecture"
    return (
        f"nothing is ranked: the scores of all {evidence.architectures:,} architectures are equal"
    )


def _uncalibrated(evidence: Evidence) -> str:
    """Judge by what is known of a model whose user trained it."""
    if reasons := list(_reasons(evidence)):
        return f"do not rely on this ranking: {'; '.join(reasons)}"
    if evidence.operators or evidence.larger:
        return (
            "whether to rely on this ranking is unknown: this model was measured on its held-out "
            "training cells alone; compare it with a few measured architectures"
        )
    if evidence.tau < RELIABLE:
        return (
            "do not rely on this ranking: Kendall's tau on the model's held-out training cells "
            f"is {evidence.tau:.2f}"
        )
    return (
        "rely on this ranking as on the model's held-out training cells (Kendall's tau "
        f"{evidence.tau:.2f}), if it is of their search space"
    )


def _doubted(operators: Sequence[str]) -> str:
    """Judge a ranking of operators some of whose descriptions are in doubt."""
    if len(operators) == 1:
        return (
            f"do not rely on this ranking: the description of {operators[0]} is in doubt; "
            "correct it"
        )
    named, more = ", ".join(operators[:_NAMED]), len(operators) - _NAMED
    return (
        f"do not rely on this ranking: the descriptions of {named}"
        f"{f' and {more} more' if more > 0 else ''} are in doubt; correct them"
    )


def _within(evidence: Evidence, expected: Expected, calibration: Calibration) -> str:
    """Judge a ranking of a measured space that is not to be relied on."""
    measured = _measured(expected.as_on, calibration)
    if min(_spearman(expected.as_on, calibration)) < RELIABLE:
        return f"do not rely on this ranking: it is as on {measured}"
    return (
        f"too close to call: the ranking of {measured} is reliable as a whole, but these "
        f"{evidence.architectures:,} architectures score alike"
    )


def _distrust(evidence: Evidence) -> str:
    reasons = "; ".join(_reasons(evidence)) or "it is too far from training"
    return f"do not rely on this ranking: {reasons}"


def _reasons(evidence: Evidence) -> Iterator[str]:
    """Yield what speaks against a ranking."""
    disagreement = evidence.features.get("disagreement", 0.0)
    if disagreement > _SPLIT:
        yield f"the members disagree {disagreement:.1f} times as much as the scores differ"
    if evidence.features["operators"] > _FAR:
        yield f"operators unlike any of training ({', '.join([*evidence.operators][:_NAMED])})"
    if evidence.features["size"] > _LARGE:
        yield f"{evidence.larger:.0%} of the graphs are larger or denser than any of training"


def _measured(benchmark: str, calibration: Calibration) -> str:
    """Name a benchmark with the rank correlations measured on it."""
    found = " and ".join(f"{rho:.2f}" for rho in _spearman(benchmark, calibration))
    return f"{benchmark} (Spearman {found} there)"


def _spearman(benchmark: str, calibration: Calibration) -> list[float]:
    return [e["spearman"] for e in calibration.benchmarks if e["benchmark"] == benchmark]

"""Write the one-line verdict on a ranking."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from snap_gcn.model.schema import Adapted
from snap_gcn.ranks import interval
from snap_gcn.reliability.calibration import (
    Calibration,
    Expected,
    Features,
    NetworkCalibration,
)

RELIABLE = 0.3
"""Least rank correlation of a reliable ranking."""
_FAR = 0.1
"""Mean distance of operators above which it is a reason not to rely on a ranking."""
_LARGE = 0.1
"""Mean `oversize` of graphs above which it is a reason."""
_SPLIT = 1.0
"""Disagreement, in deviations of the scores, above which it is a reason."""
_LESS = 0.1
"""Loss of rank correlation above which a part of a space counts as ranked worse."""
_FEW_LABELS = 10
"""Fewest measurements for which leave-one-out judges an adapted ranking."""
_NAMED = 3
"""Operators that a verdict names."""


@dataclass(frozen=True)
class Evidence:
    """The facts that a verdict is based on."""

    architectures: int  # number of architectures ranked
    equal: bool  # whether all scores are equal
    few: bool  # whether they are too few to estimate the standard deviation of the scores
    features: Features  # distances from training; see `snap_gcn.reliability.calibration.Features`
    # distance of each operator unlike any trained on, the furthest first
    operators: Mapping[str, float]
    larger: float  # share of graphs larger or denser than any trained on
    space: str | None  # their only search space, if its operators have the model's vectors
    tau: float  # Kendall's tau on the cells held out in training
    # operators whose descriptions were not recognised or contradict their names
    doubtful: Sequence[str] = ()


def judge(evidence: Evidence, calibration: Calibration | None) -> tuple[str, Expected | None]:
    """Return the verdict on a ranking of cells, and the rank correlation to expect.

    `calibration` is None if the model was not calibrated.
    """
    if unranked := _unranked(evidence):
        return unranked, None
    if evidence.doubtful:
        return _doubted(evidence.doubtful), None
    if calibration is None:
        return _uncalibrated(evidence), None
    features = {"disagreement": 0.0, **evidence.features} if evidence.few else evidence.features
    within = calibration.expect_in(evidence.space, features) if evidence.space else None
    expected = within or calibration.expect(features)
    if within and within.middle < RELIABLE:
        return _unreliable_part(evidence, within, calibration), within
    if expected is None or (not within and expected.low < RELIABLE):
        reasons = "; ".join(_reasons(evidence)) or "it is too far from training"
        return f"do not rely on this ranking: {reasons}", expected
    if evidence.few:
        return f"too few architectures ({evidence.architectures}) to judge their ranking", None
    if not within:
        return (
            "rely on this ranking with care: this space was never measured, but is no further from "
            f"training than {expected.as_on}",
            expected,
        )
    measured = _measured(within.as_on, calibration)
    if within.middle < min(calibration.measured(within.as_on)) - _LESS:
        return f"rely on this ranking less than on all of {measured}: these score alike", within
    return f"rely on this ranking as on {measured}", within


def judge_networks(
    evidence: Evidence, size: float, deviation: float, calibration: NetworkCalibration | None
) -> tuple[str, Expected | None]:
    """Return the verdict on whole networks, as `judge` does for cells.

    `size` is the weight of the networks' size in the scores, from 0 to 1; `deviation` is the
    standard deviation of the scores.
    """
    if unranked := _unranked(evidence):
        return unranked, None
    why = f"{size:.0%} of the score is the network's size, not what the members learned"
    if evidence.few:
        return f"too few networks ({evidence.architectures}) to judge their ranking; {why}", None
    if calibration is None:
        return f"whether to rely on this ranking is unknown: {why}", None
    expected = calibration.expect(deviation)
    found = " and ".join(f"{rho:.2f}" for rho in calibration.measured(evidence.space))
    if (expected.middle if found else expected.low) < RELIABLE:
        verdict = f"do not rely on this ranking: {why}, and these networks are of similar size"
    elif found:
        verdict = f"rely on this ranking as on {evidence.space} (Spearman {found} there): {why}"
    else:
        verdict = f"rely on this ranking with care: {why}"
    return verdict, expected


def judge_adapted(
    evidence: Evidence, record: Adapted, spaces: Iterable[str]
) -> tuple[str, Expected | None]:
    """Return the verdict on a ranking of architectures of some spaces by an adapted model."""
    if unranked := _unranked(evidence):
        return unranked, None
    known = f"{record.labels:,} measurements of {record.metric}"
    if others := sorted({*spaces} - {*record.spaces}):
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
    """Return the verdict on a ranking of whole networks and cells together."""
    return (
        f"do not rely on this ranking: {networks:,} of the architectures are scored as whole "
        f"networks and {cells:,} as cells, and the two kinds of scores are not comparable; rank "
        "each kind in a file of its own (networks are recognised by node_shape, which most views "
        "drop)"
    )


def _unranked(evidence: Evidence) -> str | None:
    """Return why there is no ranking; None if there is one."""
    if evidence.architectures < 2:
        return f"nothing is ranked: there is {evidence.architectures or 'no'} architecture"
    if evidence.equal:
        return (
            f"nothing is ranked: the scores of all {evidence.architectures:,} architectures are "
            "equal"
        )
    return None


def _uncalibrated(evidence: Evidence) -> str:
    """Judge a ranking by a model that was not calibrated, as a user trains it."""
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
    """Judge a ranking of operators, given those whose descriptions are in doubt."""
    named, more = ", ".join(operators[:_NAMED]), len(operators) - _NAMED
    if len(operators) == 1:
        problem = f"the description of {named} is in doubt; correct it"
    else:
        others = f" and {more} more" if more > 0 else ""
        problem = f"the descriptions of {named}{others} are in doubt; correct them"
    return f"do not rely on this ranking: {problem}"


def _unreliable_part(evidence: Evidence, expected: Expected, calibration: Calibration) -> str:
    """Judge an unreliable ranking of architectures of a measured space."""
    measured = _measured(expected.as_on, calibration)
    if min(calibration.measured(expected.as_on)) < RELIABLE:
        return f"do not rely on this ranking: it is as on {measured}"
    return (
        f"too close to call: the ranking of {measured} is reliable as a whole, but these "
        f"{evidence.architectures:,} architectures score alike"
    )


def _reasons(evidence: Evidence) -> Iterator[str]:
    """Yield the reasons not to rely on a ranking."""
    disagreement = evidence.features.get("disagreement", 0.0)
    if disagreement > _SPLIT:
        yield f"the members disagree {disagreement:.1f} times as much as the scores differ"
    if evidence.features["operators"] > _FAR:
        yield f"operators unlike any of training ({', '.join([*evidence.operators][:_NAMED])})"
    if evidence.features["size"] > _LARGE:
        yield f"{evidence.larger:.0%} of the graphs are larger or denser than any of training"


def _measured(benchmark: str, calibration: Calibration) -> str:
    """Return a benchmark's name with the rank correlations measured on it."""
    found = " and ".join(f"{rho:.2f}" for rho in calibration.measured(benchmark))
    return f"{benchmark} (Spearman {found} there)"

"""What chooses the architectures to measure."""

from collections.abc import Sequence
from functools import lru_cache

from snap_catalog import SnapError
from snap_graphs import Space

from snap_evo.measuring.interfaces import Proposer, Surrogate
from snap_evo.measuring.proposers.pool import is_listed
from snap_evo.measuring.proposers.search_algorithm import AlgorithmProposer
from snap_evo.measuring.proposers.surrogate import SurrogateProposer
from snap_evo.measuring.proposers.tpe import TpeProposer
from snap_evo.measuring.surrogates import load_surrogate
from snap_evo.objectives import Limit
from snap_evo.scorers import Scorer

PROPOSERS = ("surrogate", "random", "re", "ls", "tpe", "gp")
"""The algorithms that propose what to measure."""


def start_proposer(
    home: Space,
    *,
    scorer: Scorer,
    surrogate: str,
    limits: Sequence[Limit],
    network: str | None,
    seed: int,
    algorithm: str,
) -> Proposer:
    """Start what chooses the architectures to measure.

    Args:
        home: the search space.
        scorer: rates architectures before anything is measured.
        surrogate: what learns from measurements, as `load_surrogate` reads it.
        limits: what architectures may cost.
        network: whose costs are meant; the benchmark's own where None.
        seed: of all randomness.
        algorithm: `surrogate`, which alone looks at the scorer and the surrogate; `random`, `re`
            (regularised evolution), `ls` (local search), `tpe` (tree-structured Parzen estimator),
            or `gp` (a Gaussian process on operator counts and costs, begun at random).

    Raises:
        SnapError: the algorithm or the surrogate is unknown, a package is missing, or nothing is
            within the limits.
    """
    if algorithm == "surrogate":
        return SurrogateProposer(home, scorer, _learner(surrogate, home), limits, network, seed)
    if algorithm == "gp":
        return SurrogateProposer(home, None, _learner("counts", home), limits, network, seed)
    if algorithm == "tpe":
        return TpeProposer(home, limits, network, seed)
    if algorithm in PROPOSERS:
        return AlgorithmProposer(home, algorithm, limits, network, seed)
    raise SnapError(
        f"no algorithm {algorithm!r} proposes what to measure; known are {', '.join(PROPOSERS)}"
    )


def _learner(spec: str, home: Space) -> Surrogate:
    """Return a surrogate, in listed spaces the one that other seeds use, as it knows the cells."""
    return _shared_learner(spec, home) if is_listed(home) else load_surrogate(spec)


@lru_cache(maxsize=1)
def _shared_learner(spec: str, home: Space) -> Surrogate:
    return load_surrogate(spec)

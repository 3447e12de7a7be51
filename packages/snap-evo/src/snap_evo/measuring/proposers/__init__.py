"""Proposers, which choose the architectures to measure."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from snap_catalog import SnapError
from snap_graphs import Space

from snap_evo.measuring.interfaces import Proposer, Surrogate
from snap_evo.measuring.proposers.pool import Feasible
from snap_evo.measuring.proposers.search_algorithm import AlgorithmProposer
from snap_evo.measuring.proposers.surrogate import SurrogateProposer
from snap_evo.measuring.proposers.tpe import TpeProposer
from snap_evo.measuring.surrogates import load_surrogate
from snap_evo.scorers import Scorer


class Start(NamedTuple):
    """The arguments of a proposer.

    Attributes:
        feasible: the architectures that it may propose.
        scorer: rates architectures before anything is measured.
        surrogate: learns from measurements, as `load_surrogate` reads it.
        seed: of all randomness.
    """

    feasible: Feasible
    scorer: Scorer
    surrogate: str
    seed: int


def _surrogate(start: Start, scorer: Scorer | None, surrogate: str) -> Proposer:
    learner = _learner(surrogate, start.feasible)
    return SurrogateProposer(start.feasible, scorer, learner, start.seed)


def _search(algorithm: str) -> Callable[[Start], Proposer]:
    return lambda start: AlgorithmProposer(start.feasible, algorithm, start.seed)


PROPOSERS: Mapping[str, Callable[[Start], Proposer]] = {
    # This one alone uses the scorer and the surrogate.
    "surrogate": lambda start: _surrogate(start, start.scorer, start.surrogate),
    "random": _search("random"),
    "re": _search("re"),
    "ls": _search("ls"),
    "tpe": lambda start: TpeProposer(start.feasible, start.seed),
    "gp": lambda start: _surrogate(start, None, "counts"),
    # Add a proposer here: a function that makes a `Proposer`. A search algorithm proposes as it is,
    # by `_search`. Test it in test_proposers.py, which runs through this list, and describe it in
    # the README's table of --algorithms.
}
"""By name the algorithms that propose what to measure."""


def start_proposer(algorithm: str, start: Start) -> Proposer:
    """Start the proposer of a name.

    Raises:
        SnapError: the algorithm or the surrogate is unknown, a package is missing, or nothing is
            within the limits.
    """
    if algorithm not in PROPOSERS:
        raise SnapError(
            f"no algorithm {algorithm!r} proposes what to measure; known are {', '.join(PROPOSERS)}"
        )
    return PROPOSERS[algorithm](start)


def _learner(spec: str, feasible: Feasible) -> Surrogate:
    """Return a surrogate; for a listed space all seeds share one, which knows the cells already."""
    return _shared_learner(spec, feasible.space) if feasible.is_listed else load_surrogate(spec)


@lru_cache(maxsize=1)
def _shared_learner(spec: str, space: Space) -> Surrogate:
    return load_surrogate(spec)

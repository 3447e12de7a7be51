"""Several scorers as one: the weighted sum of the ranks that they give."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.scores import NO_SCORE
from snap_graphs.table import table_space

from snap_evo.scorers import (
    NetworkScorer,
    Scorer,
    Scores,
    distinct_cells,
    read_by,
    score_graphs,
)

_LEAST_HALF = 0.1


class Part(NamedTuple):
    """A scorer of a combination.

    Attributes:
        name: the spec of the scorer.
        scorer: the scorer.
        weight: factor of its ranks, below 0 if a lower score is better.
    """

    name: str
    scorer: Scorer
    weight: float


class RankCombination:
    """Adds up weighted ranks, as scores of different units cannot be added.

    Ranks within a generation would change their meaning as its cells get better, and ranks among
    all candidates so far would change a score after the search has used it. So a cell is ranked
    among a fixed random sample of its space: its score depends on the cell alone.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(parts)
        self._space = ""
        self._scales: tuple[Scale, ...] = ()

    def score(self, graphs: pa.Table) -> Scores:
        """Return (n,) weighted sums of the parts' ranks, `NO_SCORE` if a part has none.

        Raises:
            SnapError: a part failed or scores all cells alike, or the graphs are of several
                spaces.
        """
        space = table_space(graphs)
        if space.name != self._space:
            sample = distinct_cells(space)
            self._scales = tuple(_scale(part, sample) for part in self.parts)
            self._space = space.name
        total = np.zeros(graphs.num_rows)
        lost = np.zeros(graphs.num_rows, np.bool_)
        for part, scale in zip(self.parts, self._scales, strict=True):
            scores = score_graphs(part.scorer, graphs)
            total += part.weight * scale.ranks(scores)
            lost |= scores == NO_SCORE
        return np.where(lost, NO_SCORE, total)

    def readings(self, graphs: pa.Table) -> list[str]:
        """Return how the parts that read descriptions of operators understood them."""
        lines = [line for part in self.parts for line in read_by(part.scorer, graphs)]
        return list(dict.fromkeys(lines))


def _scale(part: Part, sample: pa.Table) -> "Scale":
    scores = score_graphs(part.scorer, sample)
    scores = scores[scores != NO_SCORE] if (scores != NO_SCORE).any() else scores
    if scores.min() == scores.max():
        raise SnapError(
            f"the scorer {part.name} gives all of {len(scores):,} random cells the score "
            f"{scores[0]:g}, so that they have no ranks; leave it out"
        )
    return Scale.among(scores)


@dataclass(frozen=True)
class Scale:
    """Turns scores into ranks among a sample, 0 for its lowest and 1 for its highest.

    Attributes:
        scores: (k,) the different scores of the sample, ascending.
        levels: (k,) their ranks, equal scores averaged.
        below: slope of the ranks below the sample.
        above: slope of the ranks above the sample.
    """

    scores: Scores
    levels: Scores
    below: float
    above: float

    @classmethod
    def among(cls, sample: Scores) -> "Scale":
        """Rank among the scores of a sample, at least two of which differ."""
        scores, counts = np.unique(sample, return_counts=True)
        levels = np.cumsum(counts) - (counts + 1) / 2
        levels = (levels - levels[0]) / (levels[-1] - levels[0])
        middle, least = np.median(sample), _LEAST_HALF * (scores[-1] - scores[0])
        below, above = 0.5 / max(middle - scores[0], least), 0.5 / max(scores[-1] - middle, least)
        return cls(scores, levels, float(below), float(above))

    def ranks(self, scores: Scores) -> Scores:
        """Return (n,) ranks of n scores.

        Ranks are interpolated between the scores of the sample. Beyond its ends, which a search
        reaches, they continue with the mean slope between the sample's median and that end. The two
        count as at least a tenth of the sample's range apart, as a crowded end would otherwise
        outweigh the other scorers.
        """
        inside = np.interp(scores, self.scores, self.levels)
        under = np.minimum(scores - self.scores[0], 0)
        over = np.maximum(scores - self.scores[-1], 0)
        ranks: Scores = inside + self.below * under + self.above * over
        return ranks


def network_scorers(scorer: Scorer) -> Iterator[NetworkScorer]:
    """Yield the scorers that run networks: the scorer itself, or parts of a combination."""
    if isinstance(scorer, NetworkScorer):
        yield scorer
    elif isinstance(scorer, RankCombination):
        for part in scorer.parts:
            yield from network_scorers(part.scorer)

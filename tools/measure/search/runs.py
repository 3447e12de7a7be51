"""Searches that differ by their seeds."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from msgspec.structs import replace
from snap_evo.scorers import Scorer
from snap_evo.search_loop import SearchResult
from snap_evo.search_options import ScoredSearch

MOBILE = ScoredSearch(
    space="darts", network="imagenet", min_params=5e6, max_params=6e6, max_flops=6e8
)
"""The mobile setting: 14 cells of 48 channels first, images of 224 x 224."""


@dataclass(frozen=True)
class Runs:
    """Searches with the seeds 0, 1, ..., otherwise alike.

    Attributes:
        results: what they found.
        seconds: all together, the scorer being loaded.
        processor_seconds: the same by the processor's clock.
    """

    results: Sequence[SearchResult]
    seconds: float
    processor_seconds: float

    @property
    def found(self) -> pa.Table:
        """The best cell of every search, as rows of the `graphs` contract."""
        return pa.concat_tables([result.best for result in self.results])

    @property
    def best(self) -> SearchResult:
        """The search that found the highest score."""
        return self.results[int(np.argmax([result.score for result in self.results]))]


def carry_out(plan: ScoredSearch, judge: Scorer, seeds: int) -> Runs:
    """Search with every seed, one after the other."""
    began, worked = time.perf_counter(), time.process_time()
    results = [replace(plan, seed=seed).run(judge) for seed in range(seeds)]
    return Runs(results, time.perf_counter() - began, time.process_time() - worked)


def plan_of(plan: ScoredSearch, scorer: str, algorithm: str, budget: int) -> ScoredSearch:
    """Return the same search by another algorithm."""
    return replace(plan, scorer=scorer, algorithm=algorithm, budget=budget)

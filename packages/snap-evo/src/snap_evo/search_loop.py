"""Search a space for the cells that a scorer likes best."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_graphs import Cell, Space, graph_table, space

from snap_evo.algorithms import start
from snap_evo.defaults import ALGORITHM, BUDGET, SEED
from snap_evo.scorers import Scorer, Scores, score_graphs


@dataclass(frozen=True)
class SearchResult:
    """What a search did and found.

    Attributes:
        space: name of the search space.
        algorithm: name of the algorithm.
        seed: its seed.
        history: one row a candidate, as in the `search` contract.
        best: the best candidate, the first of equals, as one row of the `graphs` contract.
        seconds: how long the search took.
        scoring_seconds: how much of that the scorer took.
    """

    space: str
    algorithm: str
    seed: int
    history: pa.Table
    best: pa.Table
    seconds: float
    scoring_seconds: float

    @property
    def evaluations(self) -> int:
        """Number of candidates, repetitions included."""
        return int(self.history.num_rows)

    @property
    def distinct(self) -> int:
        """Number of cells scored: candidates that differ once dead operators are removed."""
        return len(self.history["cell_hash"].unique())

    @property
    def score(self) -> float:
        """Score of the best candidate."""
        return float(np.max(self.history["score"].to_numpy()))

    @property
    def cell(self) -> Cell:
        """The best candidate."""
        row = self.best.to_pylist()[0]
        return Cell(tuple(row["nodes"]), tuple(zip(row["src"], row["dst"], strict=True)))


def search(
    space_name: str | Space,
    scorer: Scorer,
    *,
    algorithm: str = ALGORITHM,
    budget: int = BUDGET,
    seed: int = SEED,
    advance: Callable[[int], None] | None = None,
) -> SearchResult:
    """Search a space (paper, Algorithm 1).

    Points of the unit cube are discretised into cells, whose scores steer the algorithm. Cells
    that are isomorphic once dead operators are removed count as one: the first is scored, the
    others take its score. Equal arguments give equal results, times aside.

    Args:
        space_name: a space, or what `snap_graphs.space` finds it by.
        scorer: rates the cells.
        algorithm: `de` (differential evolution) or `random`.
        budget: candidates the algorithm may propose, repetitions included.
        seed: of all randomness.
        advance: called with the number of candidates just finished.

    Raises:
        SnapError: an argument is unknown or out of range, or the scorer failed.
    """
    if budget < 1:
        raise SnapError(f"a budget of {budget} allows no search; it must be at least 1")
    if seed < 0:
        raise SnapError(f"the seed {seed} is negative; it must be at least 0")
    home = space(space_name)
    solver = start(algorithm, home.n_variables, seed)
    record = _Record(home, scorer)
    while (left := budget - record.evaluations) > 0:
        points = solver.ask()[:left]
        scores = record.add([home.decode(point) for point in points])
        if len(scores) < left:
            solver.tell(scores)
        if advance:
            advance(len(scores))
    return record.finish(algorithm, seed)


@dataclass
class _Record:
    space: Space
    scorer: Scorer
    evaluations: int = 0
    scoring_seconds: float = 0.0
    began: float = field(default_factory=time.perf_counter)
    generations: list[pa.Table] = field(default_factory=list)
    known: dict[str, float] = field(default_factory=dict)

    def add(self, cells: list[Cell]) -> Scores:
        """Score one generation and keep it."""
        graphs = graph_table(self.space, cells)
        self._score_new(graphs)
        scores = np.array([self.known[h] for h in graphs["cell_hash"].to_pylist()])
        numbers = np.arange(self.evaluations, self.evaluations + len(cells), dtype=np.int32)
        self.evaluations += len(cells)
        columns = {
            "evaluation": numbers,
            "generation": np.full(len(cells), len(self.generations), np.int32),
            "score": scores,
            "seconds": np.full(len(cells), time.perf_counter() - self.began),
        }
        for name, values in columns.items():
            graphs = graphs.append_column(name, pa.array(values))
        self.generations.append(graphs)
        return scores

    def _score_new(self, graphs: pa.Table) -> None:
        rows: dict[str, int] = {}
        for row, cell_hash in enumerate(graphs["cell_hash"].to_pylist()):
            if cell_hash not in self.known:
                rows.setdefault(cell_hash, row)
        if not rows:
            return
        began = time.perf_counter()
        scores = score_graphs(self.scorer, graphs.take(list(rows.values())))
        self.scoring_seconds += time.perf_counter() - began
        self.known.update(zip(rows, scores.tolist(), strict=True))

    def finish(self, algorithm: str, seed: int) -> SearchResult:
        """Gather what was kept."""
        seconds = time.perf_counter() - self.began
        candidates = pa.concat_tables(self.generations)
        kept = ["evaluation", "generation", "space", "arch_id", "cell_hash", "score", "seconds"]
        first_best = int(np.argmax(candidates["score"].to_numpy()))
        best = candidates.slice(first_best, 1)
        return SearchResult(
            space=self.space.name,
            algorithm=algorithm,
            seed=seed,
            history=candidates.select(kept).combine_chunks(),
            best=best.drop_columns(["evaluation", "generation", "score", "seconds"]),
            seconds=seconds,
            scoring_seconds=self.scoring_seconds,
        )

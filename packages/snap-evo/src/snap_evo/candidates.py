"""The candidates of a search; each cell is scored once."""

import time
from collections.abc import Callable, Sequence
from threading import Thread

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_graphs import Cell

from snap_evo.objectives import Floats, Limit, Objective
from snap_evo.scorers import Scorer, Scores, score_graphs


class OutOfTimeError(Exception):
    """The time limit of the search is over."""


class Candidates:
    """All candidates of a search.

    Attributes:
        evaluations: number of candidates.
        best: the candidate with the best score, the first of equals, as a row of the `graphs`
            contract; None if none was within the limits.
        since_best: number of candidates after the best.
        scoring_seconds: time that the scorer took.
    """

    def __init__(
        self,
        tabulate: Callable[[Sequence[Cell]], pa.Table],
        scorer: Scorer,
        objectives: Sequence[Objective],
        limits: Sequence[Limit],
        time_limit: float | None = None,
        recorded: pa.Table | None = None,
    ) -> None:
        """Start without candidates.

        Args:
            tabulate: returns cells as rows of the `graphs` contract.
            scorer: rates cells.
            objectives: what to optimise.
            limits: limits on costs.
            time_limit: seconds from now within which scoring must end.
            recorded: history of an earlier run, whose scores are reused.
        """
        self.evaluations = 0
        self.since_best = 0
        self.best: pa.Table | None = None
        self.scoring_seconds = 0.0
        self._best_score = -np.inf
        self._tabulate, self._scorer = tabulate, scorer
        self._objectives, self._limits = objectives, limits
        if recorded is None:
            recorded = pa.table({"arch_id": [], "cell_hash": [], "score": [], "seconds": []})
        scored = recorded.filter(recorded["score"].is_valid())
        pairs = zip(scored["cell_hash"].to_pylist(), scored["score"].to_pylist(), strict=True)
        self._known: dict[str, float] = dict(pairs)
        self._recorded = recorded
        self._generations: list[pa.Table] = []
        now = time.perf_counter()
        self._began = now - max(self._recorded["seconds"].to_pylist(), default=0.0)
        self._deadline = None if time_limit is None else now + time_limit

    @property
    def seconds(self) -> float:
        """Time of the search, earlier runs included."""
        return time.perf_counter() - self._began

    def history(self) -> pa.Table:
        """Return one row per candidate, as in the `search` contract."""
        return pa.concat_tables(self._generations).combine_chunks()

    def add(self, cells: Sequence[Cell]) -> tuple[Floats, Floats]:
        """Score one generation and keep it.

        Returns:
            (k, objectives) values, higher is better, -inf for cells beyond a limit; and (k,) by
            what share the cells are beyond the limits, 0 within.

        Raises:
            OutOfTimeError: the time limit is over; the generation is not kept.
            SnapError: the scorer failed, or the recorded history is of another search.
        """
        if self._deadline is not None and time.perf_counter() > self._deadline:
            raise OutOfTimeError
        graphs = self._tabulate(cells)
        self._check_recorded(graphs)
        costs = {limit.column: limit.values(graphs) for limit in self._limits}
        excess = np.zeros(len(cells))
        for limit in self._limits:
            excess += limit.excess(costs[limit.column])
        within = excess == 0
        scores = np.full(len(cells), np.nan)
        scores[within] = self._score(graphs.filter(pa.array(within)))
        columns = {
            objective.name: _where(within, graphs, objective.values) if objective.values else scores
            for objective in self._objectives
        }
        self._keep(graphs, {"score": scores, **columns, **costs})
        values = [objective.oriented(columns[objective.name]) for objective in self._objectives]
        return np.where(within[:, None], np.column_stack(values), -np.inf), excess

    def _check_recorded(self, graphs: pa.Table) -> None:
        recorded = self._recorded["arch_id"].slice(self.evaluations, graphs.num_rows).to_pylist()
        for place, (old, new) in enumerate(zip(recorded, graphs["arch_id"].to_pylist())):  # noqa: B905
            if old != new:
                raise SnapError(
                    f"candidate {self.evaluations + place} was {old} and is now {new}: another "
                    "version of snap-evo made this history; start the search again"
                )

    def _score(self, graphs: pa.Table) -> Scores:
        """Return (n,) scores; only new cells are scored."""
        hashes = graphs["cell_hash"].to_pylist()
        new = {h: row for row, h in reversed([*enumerate(hashes)]) if h not in self._known}
        if new:
            asked = graphs.take(sorted(new.values()))
            scores = self._ask_scorer(asked)
            self._known.update(zip(asked["cell_hash"].to_pylist(), scores.tolist(), strict=True))
        return np.array([self._known[h] for h in hashes])

    def _ask_scorer(self, graphs: pa.Table) -> Scores:
        began = time.perf_counter()
        if self._deadline is None:
            scores = score_graphs(self._scorer, graphs)
        else:
            scores = _before(self._deadline, lambda: score_graphs(self._scorer, graphs))
        self.scoring_seconds += time.perf_counter() - began
        return scores

    def _keep(self, graphs: pa.Table, columns: dict[str, Floats]) -> None:
        first, count = self.evaluations, graphs.num_rows
        seconds = np.full(count, self.seconds)
        recorded = self._recorded["seconds"].slice(first, count).to_numpy()
        seconds[: len(recorded)] = recorded
        rows = {
            "evaluation": np.arange(first, first + count, dtype=np.int32),
            "generation": np.full(count, len(self._generations), np.int32),
            **{name: graphs[name] for name in ("space", "arch_id", "cell_hash")},
        }
        for name, values in {**columns, "seconds": seconds}.items():
            rows[name] = pa.array(values, pa.float64(), from_pandas=True)
        self._generations.append(pa.table(rows, metadata=graphs.schema.metadata))
        self.evaluations += count
        self._note_best(graphs, columns["score"])

    def _note_best(self, graphs: pa.Table, scores: Scores) -> None:
        known = np.where(np.isnan(scores), -np.inf, scores)
        row = int(np.argmax(known))
        self.since_best += graphs.num_rows
        if known[row] > self._best_score:
            self._best_score, self.best = float(known[row]), graphs.slice(row, 1)
            self.since_best = graphs.num_rows - row - 1


def _where(rows: np.ndarray, graphs: pa.Table, values: Callable[[pa.Table], Floats]) -> Floats:
    """Return (n,) values, NaN for rows that are not selected."""
    filled = np.full(len(rows), np.nan)
    filled[rows] = values(graphs.filter(pa.array(rows)))
    return filled


def _before(deadline: float, call: Callable[[], Scores]) -> Scores:
    """Call in a thread, which is left running if it is not done in time, as nothing can end it."""
    outcome: list[Scores | BaseException] = []

    def run() -> None:
        try:
            outcome.append(call())
        except BaseException as error:
            outcome.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.perf_counter()))
    if not outcome:
        raise OutOfTimeError
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]

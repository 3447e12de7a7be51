"""A search as its options describe it, and as the file of its history remembers it."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.parquet import decode_metadata

from snap_evo import defaults
from snap_evo.candidates import Candidates
from snap_evo.objectives import Limit, parse_objectives
from snap_evo.scorers import Scorer
from snap_evo.search_loop import SearchResult, search

_ENTRY = "snap.plan"


@dataclass(frozen=True)
class Plan:
    """All that decides what a search proposes.

    Attributes:
        space: name of the search space.
        scorer: the scorer, as `load_scorer` reads it.
        algorithm: name of the algorithm.
        budget: candidates the algorithm may propose.
        seed: of all randomness.
        objective: objectives, as `parse_objectives` reads them.
        table: the `graphs.parquet` whose metrics are objectives.
        max_params: most parameters of a cell's network.
        max_flops: most multiply-adds of a cell's network.
        patience: stop where that many candidates in a row brought no better score.
    """

    space: str
    scorer: str = defaults.SCORER
    algorithm: str = defaults.ALGORITHM
    budget: int = defaults.BUDGET
    seed: int = defaults.SEED
    objective: str = "score"
    table: str | None = None
    max_params: float | None = None
    max_flops: float | None = None
    patience: int | None = None

    def carry_out(
        self,
        scorer: Scorer,
        *,
        time_limit: float | None = None,
        recorded: pa.Table | None = None,
        after: Callable[[Candidates], None] | None = None,
    ) -> SearchResult:
        """Search; arguments and errors are those of `search`."""
        limits = (("params", self.max_params), ("flops", self.max_flops))
        return search(
            self.space,
            scorer,
            algorithm=self.algorithm,
            budget=self.budget,
            seed=self.seed,
            objectives=parse_objectives(self.objective, self.table),
            limits=[Limit(column, most) for column, most in limits if most is not None],
            patience=self.patience,
            time_limit=time_limit,
            recorded=recorded,
            after=after,
        )

    def metadata(self) -> dict[str, str]:
        """Return the entries that a history's file has of its plan."""
        return {
            "snap.scorer": self.scorer,
            "snap.algorithm": self.algorithm,
            "snap.seed": str(self.seed),
            _ENTRY: json.dumps(asdict(self)),
        }

    @classmethod
    def of(cls, history: pa.Table, source: str) -> "Plan":
        """Return the plan of a history read from a file.

        Raises:
            SnapError: the file has none that this version understands.
        """
        try:
            return cls(**json.loads(decode_metadata(history.schema)[_ENTRY]))
        except (KeyError, TypeError, ValueError) as error:
            raise SnapError(
                f"{source}: its metadata {_ENTRY!r} holds no plan of this version of snap-evo; "
                "start the search anew"
            ) from error

"""A search as its options describe it, and as the file of its history remembers it."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.nested import parse_json
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
        min_params: fewest parameters of a cell's network.
        max_params: most parameters of a cell's network.
        max_flops: most multiply-adds of a cell's network.
        network: which network that is; the benchmark's own where None.
        patience: stop where that many candidates in a row brought no better score.
    """

    space: str
    scorer: str = defaults.SCORER
    algorithm: str = defaults.ALGORITHM
    budget: int = defaults.BUDGET
    seed: int = defaults.SEED
    objective: str = "score"
    table: str | None = None
    min_params: float | None = None
    max_params: float | None = None
    max_flops: float | None = None
    network: str | None = None
    patience: int | None = None

    @property
    def limits(self) -> list[Limit]:
        """What cells may cost."""
        bounds = (
            ("params", self.min_params, self.max_params),
            ("flops", None, self.max_flops),
        )
        return [
            Limit(column, most or np.inf, least or 0.0)
            for column, least, most in bounds
            if least or most
        ]

    def carry_out(
        self,
        scorer: Scorer,
        *,
        time_limit: float | None = None,
        recorded: pa.Table | None = None,
        after: Callable[[Candidates], None] | None = None,
    ) -> SearchResult:
        """Search; arguments and errors are those of `search`."""
        return search(
            self.space,
            scorer,
            algorithm=self.algorithm,
            budget=self.budget,
            seed=self.seed,
            objectives=parse_objectives(self.objective, self.table),
            limits=self.limits,
            network=self.network,
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
            return cls(**parse_json(decode_metadata(history.schema)[_ENTRY]))
        except (KeyError, TypeError, ValueError) as error:
            raise SnapError(
                f"{source}: its metadata {_ENTRY!r} holds no plan of this version of snap-evo; "
                "start the search anew"
            ) from error

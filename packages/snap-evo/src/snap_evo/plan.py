"""A search as its options describe it, and as the file of its history remembers it."""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, get_type_hints

import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.errors import excerpt
from snap_catalog.nested import parse_json
from snap_catalog.parquet import decode_metadata
from snap_graphs import Space, space
from snap_graphs.spaces import defined_space
from snap_graphs.spaces.custom import DEFINITION

from snap_evo import defaults
from snap_evo.candidates import Candidates
from snap_evo.cell_table import CellTable
from snap_evo.combination import network_scorers
from snap_evo.objectives import COSTS, Limit, cost_limits, parse_maxima, parse_objectives
from snap_evo.scorers import Scorer
from snap_evo.search_loop import SearchResult, search

_ENTRY = "snap.plan"


@dataclass(frozen=True)
class Plan:
    """All that decides what a search proposes.

    Attributes:
        space: the search space, as `snap_graphs.space` finds it.
        scorer: the scorer, as `load_scorer` reads it.
        algorithm: name of the algorithm.
        budget: candidates the algorithm may propose.
        seed: of all randomness.
        objective: objectives, as `parse_objectives` reads them.
        table: a `graphs.parquet` of the space, whose metrics may be objectives.
        min_params: fewest parameters of a cell's network.
        max_params: most parameters of a cell's network.
        max_flops: most multiply-adds of a cell's network.
        max_activations: most activations of a cell's network.
        most: further highest values, as `parse_maxima` reads them.
        network: which network that is; the benchmark's own where None.
        patience: stop where that many candidates in a row brought no better score.
        definition: the TOML of a space of the user's own, so that the search goes on in the same
            space when its file has changed; None where `space` is to be looked up.
        allow_code: whether code that the definition names may be imported; no file decides that.
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
    max_activations: float | None = None
    most: str | None = None
    network: str | None = None
    patience: int | None = None
    definition: str | None = None
    allow_code: bool = False

    @property
    def home(self) -> Space:
        """The search space.

        Raises:
            SnapError: there is no such space.
        """
        if self.definition is None:
            return space(self.space)
        return defined_space(self.definition, self.space, allow_code=self.allow_code)

    def limits(self) -> list[Limit]:
        """Return what cells may cost, which reads the table.

        Raises:
            SnapError: a highest value is of something that is known nowhere.
        """
        limits, unknown = parse_maxima(self.most, self.table)
        if unknown:
            raise SnapError(
                f"{next(iter(unknown))!r} is no cost ({', '.join(COSTS)}) and no metric of a "
                "--table; correct the name, or name a graphs.parquet that has it with --table"
            )
        own = cost_limits(self.min_params, self.max_params, self.max_flops, self.max_activations)
        return [*own, *limits]

    def carry_out(
        self,
        scorer: Scorer,
        *,
        time_limit: float | None = None,
        recorded: pa.Table | None = None,
        after: Callable[[Candidates], None] | None = None,
    ) -> SearchResult:
        """Search; arguments and errors are those of `search`."""
        home = self.home
        for each in network_scorers(scorer):
            each.home = home
        if self.table is not None:
            CellTable(self.table).check_space(home.name)
        return search(
            home,
            scorer,
            algorithm=self.algorithm,
            budget=self.budget,
            seed=self.seed,
            objectives=parse_objectives(self.objective, self.table),
            limits=self.limits(),
            network=self.network,
            patience=self.patience,
            time_limit=time_limit,
            recorded=recorded,
            after=after,
        )

    def metadata(self) -> dict[str, str]:
        """Return the entries that a history's file has of its plan.

        The space's own definition is not among them: every table of its cells holds it. Nor is the
        leave to import code, which is to be given again.
        """
        apart = ("definition", "allow_code")
        options = {name: value for name, value in asdict(self).items() if name not in apart}
        return {
            "snap.scorer": self.scorer,
            "snap.algorithm": self.algorithm,
            "snap.seed": str(self.seed),
            _ENTRY: json.dumps(options),
        }

    @classmethod
    def of(cls, history: pa.Table, source: str) -> "Plan":
        """Return the plan of a history read from a file.

        Raises:
            SnapError: the file has none that this version understands.
        """
        entries = decode_metadata(history.schema)
        try:
            options = parse_json(entries[_ENTRY])
            plan = cls(**options, definition=entries.get(DEFINITION), allow_code=False)
        except (KeyError, TypeError, ValueError) as error:
            raise SnapError(
                f"{source}: its metadata {_ENTRY!r} holds no plan of this version of snap-evo; "
                "start the search again"
            ) from error
        for name, kind in get_type_hints(cls).items():
            value = getattr(plan, name)
            if not _is(value, kind):
                raise SnapError(
                    f"{source}: its metadata {_ENTRY!r} has the {name} {excerpt(value)}, which is "
                    "damaged; start the search again"
                )
        return plan


def _is(value: object, kind: Any) -> bool:
    """Return whether a value is of a type, and, of a number, finite."""
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))

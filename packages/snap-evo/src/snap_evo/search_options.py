"""The options of a search: those that every search has, and those of a search by score."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct, structs
from snap_catalog import SnapError

from snap_evo import defaults

if TYPE_CHECKING:
    import pyarrow as pa
    from snap_graphs import Space

    from snap_evo.candidates import Candidates
    from snap_evo.objectives import Limit
    from snap_evo.scorers import Scorer
    from snap_evo.search_loop import SearchResult

_ENTRY = "snap.plan"
_APART = {"definition", "allow_code"}
"""Options that the entry leaves out."""
_Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Text = Annotated[str, Meta(min_length=1)]
_Search = TypeVar("_Search", bound="SearchOptions")


class SearchOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a search looks, for what, and within which limits.

    Attributes:
        space: the search space, as `snap_graphs.space` finds it.
        definition: the TOML of a user's own space, so that the search continues in the same space
            after its file has changed; None to look `space` up.
        scorer: the scorer, as `load_scorer` reads it.
        objective: objectives, as `parse_objectives` reads them.
        table: a `graphs.parquet` of the space, whose metrics may be objectives or limited.
        min_params: fewest parameters of a network; None, here and below, for no limit.
        max_params: most parameters.
        max_flops: most multiply-adds.
        max_activations: most activations.
        most: further highest values, as `parse_maxima` reads them.
        network: the network whose costs count; the benchmark's own if None.
        seed: of all randomness.
    """

    space: Text
    definition: str | None = None
    scorer: Text = defaults.SCORER
    objective: Text = "score"
    table: str | None = None
    min_params: _Positive | None = None
    max_params: _Positive | None = None
    max_flops: _Positive | None = None
    max_activations: _Positive | None = None
    most: str | None = None
    network: str | None = None
    seed: Annotated[int, Meta(ge=0, le=defaults.MOST_SEED)] = defaults.SEED

    def extended(self, kind: type[_Search], **further: Any) -> _Search:
        """Return the same options as those of a kind of search, with further ones."""
        return kind(**{**structs.asdict(self), **further})

    def find_space(self, *, allow_code: bool = False) -> "Space":
        """Return the search space.

        Args:
            allow_code: whether code that the definition names may be imported.

        Raises:
            SnapError: there is no such space.
        """
        from snap_graphs import space
        from snap_graphs.spaces import defined_space

        if self.definition is None:
            return space(self.space)
        return defined_space(self.definition, self.space, allow_code=allow_code)

    def limits(self) -> "list[Limit]":
        """Return the limits of what is known of networks without measuring them.

        Raises:
            SnapError: the table cannot be read.
        """
        from snap_evo.objectives import Limit, parse_maxima

        bounds = (
            ("params", self.min_params, self.max_params),
            ("flops", None, self.max_flops),
            ("activations", None, self.max_activations),
        )
        own = [
            Limit(name, most or math.inf, least or 0.0)
            for name, least, most in bounds
            if least or most
        ]
        return [*own, *parse_maxima(self.most, self.table)[0]]

    def measured_maxima(self) -> dict[str, float]:
        """Return the highest values of costs that are measured with the metric, by name."""
        from snap_evo.objectives import parse_maxima

        return parse_maxima(self.most, self.table)[1]


class ScoredSearch(SearchOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A search for the cells with the best scores.

    Attributes:
        algorithm: name of the algorithm.
        budget: number of candidates that the algorithm may propose.
        patience: stop after this many candidates in a row without a better score.
        allow_code: whether code that the definition names may be imported; no file decides that.
    """

    algorithm: Text = defaults.ALGORITHM
    budget: Count = defaults.BUDGET
    patience: Count | None = None
    allow_code: bool = False

    def limits(self) -> "list[Limit]":
        """Return the limits.

        Raises:
            SnapError: the table cannot be read, or a highest value is of an unknown quantity.
        """
        from snap_evo.objectives import COSTS

        if unknown := self.measured_maxima():
            raise SnapError(
                f"{next(iter(unknown))!r} is no cost ({', '.join(COSTS)}) and no metric of a "
                "--table; correct the name, or name a graphs.parquet that has it with --table"
            )
        return SearchOptions.limits(self)

    def run(
        self,
        scorer: "Scorer",
        *,
        time_limit: float | None = None,
        recorded: "pa.Table | None" = None,
        after: "Callable[[Candidates], None] | None" = None,
    ) -> "SearchResult":
        """Search; arguments and errors are those of `search`."""
        from snap_evo.combination import network_scorers
        from snap_evo.objectives import parse_objectives
        from snap_evo.scorers import CellTable
        from snap_evo.search_loop import search

        space = self.find_space(allow_code=self.allow_code)
        for each in network_scorers(scorer):
            each.space = space
        if self.table is not None:
            CellTable(self.table).check_space(space.name)
        return search(
            space,
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
        """Return the entries that describe the search in the file of its history.

        They leave out the space's definition, which every table of its cells holds, and the
        permission to import code, which the user gives again.
        """
        kept = {name: value for name, value in structs.asdict(self).items() if name not in _APART}
        return {
            "snap.scorer": self.scorer,
            "snap.algorithm": self.algorithm,
            "snap.seed": str(self.seed),
            _ENTRY: msgspec.json.encode(kept).decode(),
        }

    @classmethod
    def of(cls, history: "pa.Table", source: str) -> "ScoredSearch":
        """Return the search of a history that was read from a file.

        Raises:
            SnapError: the file does not describe one that this version understands.
        """
        from snap_catalog.parquet import decode_metadata
        from snap_graphs.spaces.custom import DEFINITION

        entries = decode_metadata(history.schema)
        try:
            if _APART & msgspec.json.decode(entries[_ENTRY], type=dict[str, Any]).keys():
                raise ValueError(f"{' and '.join(_APART)} are no options of a file")
            found = msgspec.json.decode(entries[_ENTRY], type=cls)
        except (KeyError, ValueError, RecursionError) as error:
            raise SnapError(
                f"{source}: its metadata {_ENTRY!r} describes no search of this version of "
                f"snap-evo ({error}); start the search again"
            ) from error
        return structs.replace(found, definition=entries.get(DEFINITION))

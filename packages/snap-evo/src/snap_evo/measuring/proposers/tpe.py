"""The tree-structured Parzen estimator (Bergstra et al., 2011) as a proposer; through Optuna."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from snap_catalog.extras import require
from snap_graphs import Cell, Space
from snap_graphs.spaces import ProductSpace

from snap_evo.measuring.interfaces import Observations
from snap_evo.measuring.proposers.pool import Feasible, Functions
from snap_evo.measuring.proposers.search_algorithm import AlgorithmProposer

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

_BARREN = 100
"""After this many useless suggestions in a row cells are drawn at random."""


class TpeProposer:
    """Suggests an option for each choice of a cell, or a point if cells are not made of choices.

    A suggestion that is known or beyond a limit is not proposed, but counts as a trial with the
    known or the worst value.
    """

    def __init__(self, feasible: Feasible, seed: int) -> None:
        """Start.

        Raises:
            SnapError: Optuna is not installed.
        """
        require("snap-evo[tpe]", "optuna")
        self._feasible, self._seed = feasible, seed
        self._dimensions = _dimensions(feasible.space)
        self._functions = Functions()
        self._random = AlgorithmProposer(feasible, "random", seed)

    def propose(self, known: Observations, count: int) -> pa.Table:
        """Return architectures that the estimator suggests."""
        from optuna.trial import TrialState

        values = self._functions.values(known)
        taken = {*values, *self._functions(known.pending)}
        worst = min(filter(np.isfinite, values.values()), default=0.0)
        study, barren = self._study(known, values), 0
        chosen = [self._feasible.graphs([])]
        while len(chosen) <= count and barren < _BARREN:
            trial = study.ask(self._dimensions)
            graph = self._feasible.graphs([self._cell(trial.params)])
            beyond, function = self._feasible.excess(graph)[0] > 0, self._functions(graph)[0]
            if beyond or np.isfinite(values.get(function, np.nan)):
                study.tell(trial, worst if beyond else values[function])
            elif function in taken:
                study.tell(trial, state=TrialState.FAIL)
            else:
                taken.add(function)
                chosen.append(graph)
                barren = -1
            barren += 1
        return self._with_random(known, pa.concat_tables(chosen), count)

    def _with_random(self, known: Observations, chosen: pa.Table, count: int) -> pa.Table:
        """Add random architectures if the estimator suggests only known ones."""
        left = count - chosen.num_rows
        if not left:
            return chosen
        pending = known.pending.select(chosen.column_names)
        known = known._replace(pending=pa.concat_tables([pending, chosen]))
        return pa.concat_tables([chosen, self._random.propose(known, left)])

    def _study(self, known: Observations, values: Mapping[str, float]) -> "Study":
        """Return a study of the measurements and of the pending architectures."""
        import optuna

        number = [self._seed, known.graphs.num_rows + known.pending.num_rows]
        seed = int(np.random.SeedSequence(number).generate_state(1)[0])
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed)
        )
        study.add_trials([*self._trials(known.graphs, values), *self._trials(known.pending, {})])
        return study

    def _trials(self, graphs: pa.Table, values: Mapping[str, float]) -> Iterator["FrozenTrial"]:
        """Yield trials of architectures; those without a value are running."""
        from optuna.trial import TrialState, create_trial

        texts = graphs["arch_id"].to_pylist()
        rows = dict(zip(self._functions(graphs), texts, strict=True))
        for function, text in rows.items():
            value = values.get(function)
            if value is None or np.isfinite(value):
                yield create_trial(
                    state=TrialState.RUNNING if value is None else TrialState.COMPLETE,
                    value=value,
                    params=self._params(self._feasible.space.read(text)),
                    distributions=self._dimensions,
                )

    def _cell(self, params: Mapping[str, Any]) -> Cell:
        numbers = [params[name] for name in self._dimensions]
        space = self._feasible.space
        if isinstance(space, ProductSpace):
            return space.compose(numbers)
        return space.decode(np.array(numbers))

    def _params(self, cell: Cell) -> dict[str, Any]:
        space = self._feasible.space
        numbers = space.choices(cell) if isinstance(space, ProductSpace) else space.encode(cell)
        return dict(zip(self._dimensions, np.asarray(numbers).tolist(), strict=True))


def _dimensions(space: Space) -> "dict[str, BaseDistribution]":
    """Return by name the distributions to suggest from."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if isinstance(space, ProductSpace):
        return {str(i): CategoricalDistribution(range(n)) for i, n in enumerate(space.options)}
    return {str(i): FloatDistribution(0.0, 1.0) for i in range(space.n_variables)}

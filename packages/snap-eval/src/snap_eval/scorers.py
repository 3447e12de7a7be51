"""Scorers: anything that gives each cell a number."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from snap_catalog import SnapError
from snap_catalog.parquet import decode_metadata, validate
from snap_catalog.scores import by_scorer

from snap_eval import large
from snap_eval.arrays import Bools, Floats, Ints
from snap_eval.correlation import average_ranks
from snap_eval.measured import Measured, cell_keys


class Placed(NamedTuple):
    """A scorer's scores of a benchmark's n cells.

    Attributes:
        score: (n,) the scores; NaN if there is none that ranks a cell.
        found: (n,) whether the scorer has a row for the cell.
        failed: (n,) whether that row says that the scorer failed, by the sentinel -1e8 or infinity.
    """

    score: Floats
    found: Bools
    failed: Bools


@dataclass(frozen=True)
class Scorer:
    """Scores of cells by one model or proxy.

    Attributes:
        name: its name.
        seed: the model's seed; None if it has none.
        scores: `space`, `arch_id` and `score`, a double, higher for better; NaN for none.
        source: its name in errors, usually its file.
        is_baseline: whether it is a cost, a count or a zero-cost proxy, rather than scores that
            the user brings.
        is_one_of_several: whether its file has scores of other scorers too.
        scan: the relation that has the rows, if they are too many for memory; `scores` then has
            none.
    """

    name: str
    seed: int | None
    scores: pa.Table
    source: str
    is_baseline: bool = False
    is_one_of_several: bool = False
    scan: large.Relation | None = None

    def place(self, measured: Measured) -> Placed:
        """Match the scores with a benchmark's cells. The sentinel -1e8 and infinities are none."""
        return Placed(*measured.relation.scores(self.scores))

    def unmatched(self, measured: Sequence[Measured]) -> list[str]:
        """Return the `arch_id` of the scored cells that no benchmark has.

        Raises:
            SnapError: that is all of them.
        """
        lone = np.ones(len(self._cells), bool)
        for benchmark in measured:
            known = pc.is_in(self._cells, value_set=benchmark.cells)
            lone &= ~known.to_numpy(zero_copy_only=False)
        if lone.all():
            raise SnapError(
                f"{self.source} and {', '.join(m.source for m in measured)} have no cell (space, "
                f"arch_id) in common{_first_of_each(self.scores, measured)}; score the cells of "
                "that graphs file"
            )
        names: list[str] = self.scores["arch_id"].filter(pa.array(lone)).to_pylist()
        return names

    @cached_property
    def _cells(self) -> pa.Array:
        return cell_keys(self.scores)


def _first_of_each(scores: pa.Table, measured: Sequence[Measured]) -> str:
    """Describe the first cell of scores and of benchmarks, where both have one."""
    tables = [scores, *(m.graphs for m in measured)]
    firsts = [t.select(["space", "arch_id"]).slice(0, 1).to_pylist() for t in tables if len(t)]
    if not len(scores) or len(firsts) < 2:
        return ""
    return ": the first are " + " and ".join(
        f"{row['arch_id']!r} of {row['space']}" for (row,) in firsts[:2]
    )


def as_scorer(scores: pa.Table, source: str = "scores") -> Scorer:
    """Take a table of the `scores` contract, with `snap.scorer` in its metadata, for a scorer.

    Raises:
        SnapError: as `as_scorers`; or the scores are of several scorers.
    """
    first, *others = as_scorers(scores, source)
    if others:
        names = ", ".join(one.name for one in (first, *others))
        raise SnapError(f"{source}: scores of several scorers ({names}); give those of one")
    return first


def as_scorers(scores: pa.Table, source: str = "scores") -> list[Scorer]:
    """Take a table of the `scores` contract and return its scorers, with the seed of the table.

    Raises:
        SnapError: the table breaks its contract, or its origin is unclear.
    """
    validate(scores, "scores", source=source)
    text = decode_metadata(scores.schema).get("snap.seed")
    if text is not None and not text.isdecimal():
        raise SnapError(f"{source}: the metadata's 'snap.seed' is {text!r}; give a whole number")
    seed = None if text is None else int(text)
    found = {
        name: rows.select(["space", "arch_id", "score"])
        for name, rows in by_scorer(scores, source).items()
    }
    if len(found) == 1:
        return [Scorer(name, seed, rows, source) for name, rows in found.items()]
    return [
        Scorer(name, seed, rows, f"{source}:{name}", is_one_of_several=True)
        for name, rows in found.items()
    ]


def by_name(scorers: Sequence[Scorer]) -> dict[str, list[Scorer]]:
    """Return the models of every scorer, one per seed.

    Raises:
        SnapError: of several models with one name, one has no seed.
    """
    found: dict[str, list[Scorer]] = {}
    for one in scorers:
        found.setdefault(one.name, []).append(one)
    for name, models in found.items():
        unseeded = next((m for m in models if m.seed is None), None)
        if len(models) > 1 and unseeded:
            raise SnapError(
                f"{unseeded.source}: another file has scores by {name!r} too, with a seed; name "
                f"one of them, as --scores NAME={unseeded.source}"
            )
    return found


def common_ranks(
    groups: Mapping[str, list[Scorer]], measured: Measured, negated: Collection[str] = ()
) -> tuple[Ints, Floats]:
    """Return (m,) the cells that all scorers score, and (scorers, m) their ranks from 0 to 1.

    A cell on which a scorer failed ranks last by that scorer, or first if the scorer is to be
    negated. A scorer with several seeds has the mean of their ranks.

    Args:
        groups: the models of each scorer, by name.
        measured: the benchmark.
        negated: the scorers whose ranks count negated.

    Raises:
        SnapError: there is no such cell.
    """
    worst = {name: np.inf if name in negated else -np.inf for name in groups}
    scores = [
        [_filled(model.place(measured), worst[name]) for model in models]
        for name, models in groups.items()
    ]
    (cells,) = np.nonzero(~np.isnan(np.concatenate(scores)).any(axis=0))
    if not cells.size:
        raise SnapError(
            f"{measured.source}: no cell has a score by all of {', '.join(groups)}; leave one out"
        )
    ranks = [np.mean([ranked(s[cells]) for s in models], axis=0) for models in scores]
    return cells, np.stack(ranks)


def _filled(placed: Placed, failed: float) -> Floats:
    return np.where(placed.failed, failed, placed.score)


def ranked(values: Floats) -> Floats:
    """Return (n,) average ranks from 0 to 1; of one cell alone, 0.5."""
    ranks: Floats = (average_ranks(values) - 0.5) / values.size
    return ranks

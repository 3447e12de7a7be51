"""How alike scorers order cells (paper, Figures 4 and 8)."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform
from snap_catalog import SnapError
from snap_catalog.schemas import contract

from snap_eval.arrays import Floats
from snap_eval.correlation import spearman
from snap_eval.measured import Measured
from snap_eval.scorers import Scorer, by_name, common_ranks

_SCHEMA = contract("independence").schema()


def independence(
    scorers: Sequence[Scorer], measured: Sequence[Measured], *, cells: int = 1000, seed: int = 0
) -> pa.Table:
    """Correlate all pairs of scorers over some of the cells that all of them score.

    Of a scorer with several seeds the mean rank counts.

    Args:
        scorers: one per model; those with one name are seeds of one scorer.
        measured: the benchmarks. Scorers without a score of any cell there are left out.
        cells: how many are drawn of each, without replacement; all if there are fewer.
        seed: of the draw.

    Returns:
        A table of the `independence` contract. Places follow from a hierarchical clustering (mean
        linkage) by 1 - |rho|, since a scorer that orders cells backwards says the same.

    Raises:
        SnapError: a benchmark has fewer than two scorers, or no cell that all of them score.
    """
    groups = by_name(scorers)
    rows = [row for m in measured for row in _rows(groups, m, cells, seed)]
    return pa.Table.from_pylist(rows, _SCHEMA.with_metadata({"snap.cells_seed": str(seed)}))


def _rows(
    groups: dict[str, list[Scorer]], measured: Measured, cells: int, seed: int
) -> Iterator[dict[str, Any]]:
    there = {n: g for n, g in groups.items() if any(_scores(m, measured) for m in g)}
    if len(there) < 2:
        raise SnapError(f"{measured.source}: fewer than two scorers have scores of its cells")
    ranks = common_ranks(there, measured)[1]
    rng = np.random.default_rng(seed)
    drawn = rng.choice(ranks.shape[1], min(cells, ranks.shape[1]), replace=False)
    opinions = ranks[:, drawn]
    rho = np.array([[spearman(a, b) for b in opinions] for a in opinions])
    places = np.argsort(clustered(rho))
    for i, scorer in enumerate(there):
        for j, other in enumerate(there):
            yield {
                "benchmark": measured.name,
                "scorer": scorer,
                "other": other,
                "spearman": None if np.isnan(rho[i, j]) else float(rho[i, j]),
                "n": drawn.size,
                "place": int(places[i]),
            }


def _scores(scorer: Scorer, measured: Measured) -> bool:
    return not np.isnan(scorer.place(measured).score).all()


def clustered(rho: Floats) -> npt.NDArray[np.intp]:
    """Return the order in which alike scorers stand side by side.

    Args:
        rho: (s, s) correlations; NaN counts as 0.
    """
    distance = 1 - np.abs(np.nan_to_num((rho + rho.T) / 2))
    np.fill_diagonal(distance, 0)
    condensed = np.clip(squareform(distance, checks=False), 0, None)
    tree = hierarchy.linkage(condensed, "average", optimal_ordering=True)
    return np.asarray(hierarchy.leaves_list(tree), np.intp)

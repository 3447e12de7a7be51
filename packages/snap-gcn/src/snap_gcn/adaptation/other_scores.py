"""Scores of other scorers, as features of an adaptation."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from snap_catalog import SnapError
from snap_catalog.parquet import read
from snap_catalog.scores import NO_SCORE, by_scorer

from snap_gcn.data.arrays import Floats


@dataclass(frozen=True)
class OtherScores:
    """Scores by scorer, and by space and architecture."""

    # by scorer, then by (space, arch_id)
    scores: Mapping[str, Mapping[tuple[str, str], float]] = field(default_factory=dict)

    @classmethod
    def read(cls, paths: Sequence[str | os.PathLike[str]]) -> "OtherScores":
        """Read files of the `scores` contract, each with scores of one or more scorers.

        Raises:
            SnapError: a file cannot be read, two have scores of the same scorer, or a score marks
                a failure.
        """
        found: dict[str, Mapping[tuple[str, str], float]] = {}
        for path in paths:
            table = read(path, "scores", ["space", "arch_id", "scorer", "score"])
            row = pc.index(table["score"], NO_SCORE).as_py() + 1
            if row:
                raise SnapError(f"{path}: row {row}: {NO_SCORE:g} is no score; drop the row")
            for name, rows in by_scorer(table, str(path)).items():
                if name in found:
                    raise SnapError(f"{path}: scores of {name} again; give each scorer once")
                keys = zip(rows["space"].to_pylist(), rows["arch_id"].to_pylist(), strict=True)
                found[name] = dict(zip(keys, rows["score"].to_pylist(), strict=True))
        return cls(found)

    def of(self, table: pa.Table, scorers: Sequence[str], source: str = "graphs") -> Floats:
        """Return the (n, k) scores of n rows of the `graphs` contract by k scorers.

        Raises:
            SnapError: a scorer is missing, or has no score of an architecture.
        """
        for name in scorers:
            if name not in self.scores:
                raise SnapError(
                    f"{source}: the model was adapted with scores of {name}; give a file of them "
                    "to snap-gcn predict with --features"
                )
        if not scorers:
            return np.empty((table.num_rows, 0))
        keys = [*zip(table["space"].to_pylist(), table["arch_id"].to_pylist(), strict=True)]
        found = np.empty((len(keys), len(scorers)))
        for column, name in enumerate(scorers):
            known = self.scores[name]
            missing = next((key for key in keys if key not in known), None)
            if missing is not None:
                raise SnapError(
                    f"{source}: {name} has no score of {missing[1]!r:.80} of {missing[0]}; score "
                    "the same file with it"
                )
            found[:, column] = [known[key] for key in keys]
        return found


NO_SCORES = OtherScores()

"""Combine the scores of all scorers in one table."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from snap_evo.scorers import NetworkScorer
from snap_evo.scoring.job import Job, score_names
from snap_evo.scoring.partial_scores import Part


class Scored(NamedTuple):
    """The scores of one name.

    Attributes:
        rows: (m,) rows of the table that have a score.
        scores: (m,) higher is better.
        seconds: (m,) time that each took.
    """

    rows: Sequence[int]
    scores: Sequence[float]
    seconds: Sequence[float]


def together(
    spec: str, scorer: NetworkScorer, parts: Mapping[int, Part], spaces: Sequence[str]
) -> dict[str, Scored]:
    """Return the scores of networks by name.

    Scores that compare networks with one another do so within a search space.

    Args:
        spec: the scorer's spec.
        scorer: the scorer.
        parts: by row of the table its part; those without scores are left out.
        spaces: of all rows.
    """
    rows = [row for row in range(len(spaces)) if parts[row].scores]
    place = {row: number for number, row in enumerate(rows)}
    scores = {name: np.empty(len(rows)) for name in scorer.names}
    for space in dict.fromkeys(spaces[row] for row in rows):
        same = [row for row in rows if spaces[row] == space]
        values = [{name: v for name, (v,) in parts[row].scores.items()} for row in same]
        for name, found in scorer.together(values).items():
            scores[name][[place[row] for row in same]] = found
    seconds = [scorer.seconds(parts[row].seconds) for row in rows]
    return {
        title: Scored(rows, scores[name].tolist(), [each[name] for each in seconds])
        for title, name in zip(score_names(spec, scorer), scorer.names, strict=True)
    }


def whole(spec: str, part: Part, count: int) -> Scored:
    """Return the scores of n rows that were scored together.

    Raises:
        ValueError: there is another number of scores.
    """
    scores = part.scores[spec]
    if len(scores) != count:
        raise ValueError(len(scores))
    return Scored(range(count), scores, [part.seconds[spec] / max(count, 1)] * count)


def as_table(job: Job, found: Mapping[str, Scored]) -> pa.Table:
    """Return rows of the `scores` contract, name by name."""
    keys = job.graphs.select(["space", "arch_id"])
    keys = pa.concat_tables([keys.take(pa.array(each.rows, pa.int64())) for each in found.values()])
    missing = pa.nulls(len(keys), pa.float64())
    columns = {
        "space": keys["space"],
        "arch_id": keys["arch_id"],
        "score": pa.array(np.concatenate([each.scores for each in found.values()]), pa.float64()),
        "spread": missing,
        "novelty": missing,
        "seconds": pa.array(
            np.concatenate([each.seconds for each in found.values()]), pa.float64()
        ),
    }
    if len(found) > 1:
        counts = [len(each.rows) for each in found.values()]
        columns["scorer"] = pa.array(np.repeat([*found], counts), pa.string())
    metadata = {"snap.scorer": ", ".join(found)}
    if job.images:
        metadata["snap.images"] = json.dumps(job.images)
    return pa.table(columns).replace_schema_metadata(metadata)

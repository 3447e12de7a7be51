"""Make scorers of specs, with the factories of the installed packages.

    scorer      = single | combination
    combination = single "*" WEIGHT "+" single "*" WEIGHT { "+" single "*" WEIGHT }
    single      = NAME [ ":" ARGUMENTS ]

What does not end in a weight is a single scorer, whose arguments may hold any character.
"""

import math
import re

from snap_catalog import SnapError

from snap_evo.combination import Part, RankCombination
from snap_evo.plugins import load_plugin
from snap_evo.scorers import Scorer

_WEIGHT = re.compile(r"\*(-?\d+(?:\.\d+)?)(?:\+|$)", flags=re.ASCII)


def load_scorer(spec: str) -> Scorer:
    """Make a scorer.

    Args:
        spec: an entry point of the group `snap.scorers` with its arguments, such as `params`,
            `table:FILE:COLUMN`, `gcn:MODEL` for a bundled predictor (`snap`, `paper`) or a model
            folder, `command:[SECONDSs:]PROGRAM {input} {output}` or
            `proxy:NAME[+NAME...][,SETTING=VALUE...]`; or several of these with their weights, as
            in `gcn*0.7+params*0.3`.

    Raises:
        SnapError: a name is unknown, its package cannot be imported, or the arguments or weights
            are wrong.
    """
    *pieces, end = _WEIGHT.split(spec)
    if end or not pieces:
        return _single(spec)
    singles, weights = pieces[::2], [float(weight) for weight in pieces[1::2]]
    if len(singles) < 2 or not all(singles):
        raise _unreadable(spec, "a combination is of two scorers or more")
    if not all(weight and math.isfinite(weight) for weight in weights):
        raise _unreadable(spec, "a weight is a number other than 0")
    return RankCombination(
        [Part(s, _single(s), weight) for s, weight in zip(singles, weights, strict=True)]
    )


def _single(spec: str) -> Scorer:
    name = spec.partition(":")[0]
    if {"*", "+"} & set(name):
        raise _unreadable(spec, "each scorer of a combination has a weight")
    scorer: Scorer = load_plugin("scorer", spec)
    return scorer


def _unreadable(spec: str, problem: str) -> SnapError:
    return SnapError(f"cannot read the scorer {spec!r}: {problem}; write it as gcn*0.7+params*0.3")

"""Make scorers of what the user writes, with the factories of the installed packages.

    scorer      = single | combination
    combination = single "*" WEIGHT "+" single "*" WEIGHT { "+" single "*" WEIGHT }
    single      = NAME [ ":" ARGUMENTS ]

What does not end in a weight is a single scorer, whose arguments may hold any character.
"""

import math
import re
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from snap_catalog import SnapError

from snap_evo.combination import Part, RankCombination
from snap_evo.scorers import Scorer

_GROUP = "snap.scorers"
_ARGUMENTS = {"table": ("file", "column"), "gcn": ("model",), "command": ("command",)}
_ARGUMENTS_OPTIONAL = {"gcn"}
_WEIGHT = re.compile(r"\*(-?\d+(?:\.\d+)?)(?:\+|$)", flags=re.ASCII)
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s:(.*)", flags=re.ASCII | re.DOTALL)


def load_scorer(spec: str) -> Scorer:
    """Make a scorer.

    Args:
        spec: the name of an entry point of the group `snap.scorers`, `table:FILE:COLUMN`,
            `gcn:MODEL` for a bundled predictor (`snap`, `paper`) or a model folder,
            `command:[SECONDSs:]PROGRAM {input} {output}`, or several of these with their weights,
            as in `gcn*0.7+params*0.3`.

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
    name, _, rest = spec.partition(":")
    if {"*", "+"} & set(name):
        raise _unreadable(spec, "each scorer of a combination has a weight")
    entry = _find(name)
    options = _options(name, rest, spec)
    try:
        factory = entry.load()
    except (ImportError, AttributeError) as error:
        raise SnapError(
            f"the scorer {name!r} cannot be loaded ({error}); {_remedy(entry, error)}"
        ) from error
    scorer: Scorer = factory(**options)
    return scorer


def _remedy(entry: EntryPoint, error: Exception) -> str:
    """Return what to do about a scorer that cannot be loaded."""
    owner = entry.dist.name if entry.dist else entry.module
    missing = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    if missing and missing != entry.module.partition(".")[0]:
        return f"{owner} needs {missing}; run: pip install {missing}"
    return f"run: pip install --force-reinstall {owner}"


def _unreadable(spec: str, problem: str) -> SnapError:
    return SnapError(f"cannot read the scorer {spec!r}: {problem}; write it as gcn*0.7+params*0.3")


def _find(name: str) -> EntryPoint:
    known = {entry.name: entry for entry in entry_points(group=_GROUP)}
    if name in known:
        return known[name]
    if name == "gcn":
        raise SnapError("the scorer 'gcn' comes with snap-gcn; run: pip install snap-gcn")
    raise SnapError(f"unknown scorer {name!r}; installed are {', '.join(sorted(known))}")


def _options(name: str, rest: str, spec: str) -> dict[str, Any]:
    names = _ARGUMENTS.get(name, ())
    if name == spec and name in _ARGUMENTS_OPTIONAL:
        return {}
    limited = _SECONDS.fullmatch(rest) if name == "command" else None
    if limited:
        return {"seconds": float(limited[1]), **_options(name, limited[2], spec)}
    # From the right, as only the file may hold a colon.
    values = rest.rsplit(":", len(names) - 1) if rest else []
    if len(values) != len(names) or not all(values):
        wanted = ":".join((name, *(argument.upper() for argument in names)))
        raise SnapError(f"cannot read the scorer {spec!r}; write it as {wanted}")
    return dict(zip(names, values, strict=True))

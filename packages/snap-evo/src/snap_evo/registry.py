"""Find scorers by name among the installed packages."""

from importlib.metadata import EntryPoint, entry_points

from snap_catalog import SnapError

from snap_evo.scorers import Scorer

_GROUP = "snap.scorers"
_ARGUMENTS = {"table": ("file", "column"), "gcn": ("model",)}
_ARGUMENTS_OPTIONAL = {"gcn"}


def load_scorer(spec: str) -> Scorer:
    """Make a scorer.

    Args:
        spec: the name of an entry point of the group `snap.scorers`, `table:FILE:COLUMN`, or
            `gcn:MODEL` for a bundled predictor (`snap`, `paper`) or a model folder.

    Raises:
        SnapError: the name is unknown, its package cannot be imported, or the arguments are wrong.
    """
    name, _, rest = spec.partition(":")
    entry = _find(name)
    options = _options(name, rest, spec)
    try:
        factory = entry.load()
    except (ImportError, AttributeError) as error:
        owner = entry.dist.name if entry.dist else entry.module
        raise SnapError(
            f"the scorer {name!r} cannot be loaded ({error}); "
            f"run: pip install --force-reinstall {owner}"
        ) from error
    scorer: Scorer = factory(**options)
    return scorer


def _find(name: str) -> EntryPoint:
    known = {entry.name: entry for entry in entry_points(group=_GROUP)}
    if name in known:
        return known[name]
    if name == "gcn":
        raise SnapError("the scorer 'gcn' comes with snap-gcn; run: pip install snap-gcn")
    raise SnapError(f"unknown scorer {name!r}; installed are {', '.join(sorted(known))}")


def _options(name: str, rest: str, spec: str) -> dict[str, str]:
    names = _ARGUMENTS.get(name, ())
    if name == spec and name in _ARGUMENTS_OPTIONAL:
        return {}
    # From the right, as only the file may hold a colon.
    values = rest.rsplit(":", len(names) - 1) if rest else []
    if len(values) != len(names) or not all(values):
        wanted = ":".join((name, *(argument.upper() for argument in names)))
        raise SnapError(f"cannot read the scorer {spec!r}; write it as {wanted}")
    return dict(zip(names, values, strict=True))

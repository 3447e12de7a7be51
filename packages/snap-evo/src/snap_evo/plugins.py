"""Make what installed packages offer as entry points, by the names and arguments that users write.

    spec = NAME [ ":" ARGUMENT { ":" ARGUMENT } ]

The arguments are the parameters that the entry point's factory requires, or its first one if it
requires none. Only the first argument may hold colons.
"""

import inspect
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from snap_catalog import SnapError


def load_plugin(kind: str, spec: str) -> Any:
    """Make a plug-in.

    Args:
        kind: `scorer` or `surrogate`; the group of its entry points is `snap.KINDs`.
        spec: the name of an entry point, and the arguments of its factory.

    Raises:
        SnapError: the name is unknown, its package cannot be imported, the spec has too many or too
            few arguments, or the factory refuses them.
    """
    name, _, text = spec.partition(":")
    factory = _factory(kind, _entry_point(kind, name))
    required, optional = _parameters(factory)
    if spec == name and not required:
        return factory()
    wanted = required or optional
    # From the right, as only the first argument may hold a colon.
    values = text.rsplit(":", len(wanted) - 1) if wanted else [text]
    if len(values) != len(wanted) or not all(values):
        form = ":".join((name, *(parameter.upper() for parameter in wanted)))
        raise SnapError(f"cannot read the {kind} {spec!r}; write it as {form}")
    return factory(**dict(zip(wanted, values, strict=True)))


def _entry_point(kind: str, name: str) -> EntryPoint:
    known = {entry.name: entry for entry in entry_points(group=f"snap.{kind}s")}
    if name in known:
        return known[name]
    if name == "gcn":
        raise SnapError(f"the {kind} 'gcn' comes with snap-gcn; run: pip install snap-gcn")
    raise SnapError(f"unknown {kind} {name!r}; installed are {', '.join(sorted(known))}")


def _factory(kind: str, entry: EntryPoint) -> Callable[..., Any]:
    try:
        factory: Callable[..., Any] = entry.load()
    except (ImportError, AttributeError) as error:
        raise SnapError(
            f"the {kind} {entry.name!r} cannot be loaded ({error}); {_remedy(entry, error)}"
        ) from error
    return factory


def _parameters(factory: Callable[..., Any]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the names of the required parameters, and the name of the first optional one."""
    found = [
        parameter
        for parameter in inspect.signature(factory).parameters.values()
        if parameter.kind == parameter.POSITIONAL_OR_KEYWORD
    ]
    required = [parameter.name for parameter in found if parameter.default is parameter.empty]
    return required, [parameter.name for parameter in found[:1]]


def _remedy(entry: EntryPoint, error: Exception) -> str:
    """Return what to do about an entry point that cannot be loaded."""
    owner = entry.dist.name if entry.dist else entry.module
    missing = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    if missing and missing != entry.module.partition(".")[0]:
        return f"{owner} needs {missing}; run: pip install {missing}"
    return f"run: pip install --force-reinstall {owner}"

"""Make what installed packages offer as entry points, by the names and arguments that users write.

spec = NAME [ ":" ARGUMENTS ]
"""

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple

from snap_catalog import SnapError


class Kind(NamedTuple):
    """A kind of plug-in.

    Attributes:
        name: as errors say it; the group of its entry points is `snap.NAMEs`.
    """

    name: str

    def find(self, name: str) -> EntryPoint:
        """Return the entry point of a name.

        Raises:
            SnapError: no installed package has it.
        """
        known = {entry.name: entry for entry in entry_points(group=f"snap.{self.name}s")}
        if name in known:
            return known[name]
        if name == "gcn":
            raise SnapError(f"the {self.name} 'gcn' comes with snap-gcn; run: pip install snap-gcn")
        raise SnapError(f"unknown {self.name} {name!r}; installed are {', '.join(sorted(known))}")

    def make(self, entry: EntryPoint, options: dict[str, Any]) -> Any:
        """Load an entry point's factory and call it.

        Raises:
            SnapError: its package cannot be imported, or it refuses the options.
        """
        try:
            factory = entry.load()
        except (ImportError, AttributeError) as error:
            raise SnapError(
                f"the {self.name} {entry.name!r} cannot be loaded ({error}); "
                f"{_remedy(entry, error)}"
            ) from error
        return factory(**options)

    def options(self, spec: str, names: Sequence[str], *, optional: bool = False) -> dict[str, str]:
        """Read the arguments of a spec.

        Args:
            spec: what the user wrote.
            names: of the arguments; only the first may hold a colon.
            optional: whether they may be left out, all together.

        Raises:
            SnapError: there are more or fewer.
        """
        name, _, rest = spec.partition(":")
        if name == spec and optional:
            return {}
        # From the right, as only the file may hold a colon.
        values = rest.rsplit(":", len(names) - 1) if rest else []
        if len(values) != len(names) or not all(values):
            wanted = ":".join((name, *(argument.upper() for argument in names)))
            raise SnapError(f"cannot read the {self.name} {spec!r}; write it as {wanted}")
        return dict(zip(names, values, strict=True))


def _remedy(entry: EntryPoint, error: Exception) -> str:
    """Return what to do about an entry point that cannot be loaded."""
    owner = entry.dist.name if entry.dist else entry.module
    missing = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    if missing and missing != entry.module.partition(".")[0]:
        return f"{owner} needs {missing}; run: pip install {missing}"
    return f"run: pip install --force-reinstall {owner}"

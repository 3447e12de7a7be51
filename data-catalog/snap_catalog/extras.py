"""Packages that only some of the work needs."""

from importlib.util import find_spec

from snap_catalog.errors import SnapError


def require(extra: str, *packages: str) -> None:
    """Refuse, in one line that names the remedy, to go on without some packages.

    Args:
        extra: what brings them, as `snap-graphs[draw]`.
        packages: the names that they are imported by.

    Raises:
        SnapError: one is not installed.
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise SnapError(
            f"this needs {', '.join(missing)}, which {are} missing; run: pip install '{extra}'"
        )

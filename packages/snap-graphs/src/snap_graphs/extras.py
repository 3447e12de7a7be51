"""Packages that only some of the work needs."""

from importlib.util import find_spec

from snap_catalog import SnapError


def require(package: str, extra: str) -> None:
    """Refuse, in one line that names the remedy, to go on without a package.

    Args:
        package: the name it is imported by.
        extra: the extra of snap-graphs that brings it.

    Raises:
        SnapError: it is not installed.
    """
    if find_spec(package) is None:
        raise SnapError(
            f"this needs {package}, which is missing; run: pip install 'snap-graphs[{extra}]'"
        )

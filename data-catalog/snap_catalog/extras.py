"""Check that optional packages are installed."""

from importlib.util import find_spec

from snap_catalog.errors import SnapError


def require(extra: str, *packages: str) -> None:
    """Refuse to go on if a package is missing; the error names the extra to install.

    Args:
        extra: the extra that installs them, such as `snap-graphs[draw]`.
        packages: their import names.

    Raises:
        SnapError: a package is not installed.
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise SnapError(
            f"{', '.join(missing)} {are} required but not installed; run: pip install '{extra}'"
        )

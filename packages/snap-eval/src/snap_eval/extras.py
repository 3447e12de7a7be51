"""Packages that only some of the work needs."""

from importlib.util import find_spec

from snap_catalog import SnapError

_REPORT = ("altair", "jinja2", "snap_graphs", "vl_convert")


def require_report() -> None:
    """Refuse, in one line that names the remedy, to draw a report without what draws it.

    Raises:
        SnapError: a package is not installed.
    """
    missing = [package for package in _REPORT if find_spec(package) is None]
    if missing:
        raise SnapError(
            f"a report needs {', '.join(missing)}, which is missing; run: "
            "pip install 'snap-eval[report]'"
        )

"""Find the files of benchmarks that are installed as data packages."""

import hashlib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from snap_catalog import Benchmark, SnapError


def installed_file(facts: Benchmark) -> Path | None:
    """Locate a benchmark's data in its installed data package, without importing the package.

    Returns:
        The file, or the folder that holds the files where there are several; None where the
        benchmark has no data package or it is not installed.

    Raises:
        SnapError: a file is not the catalogued one.
    """
    if facts.package is None:
        return None
    try:
        package = distribution(facts.package)
    except PackageNotFoundError:
        return None
    paths = [Path(str(package.locate_file(expected.name))) for expected in facts.files]
    for path, expected in zip(paths, facts.files, strict=True):
        _check(path, str(expected.sha256), f"pip install --force-reinstall {facts.package}")
    return paths[0] if len(paths) == 1 else paths[0].parent


def _check(path: Path, sha256: str, remedy: str) -> None:
    if not path.is_file():
        raise SnapError(f"{path}: no such file; run: {remedy}")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise SnapError(f"{path}: SHA-256 is {found}, not the catalogued {sha256}; run: {remedy}")

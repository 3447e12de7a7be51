"""Locate a benchmark's files: in the cache, in a data package, or by downloading them."""

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from snap_catalog import Benchmark, SnapError
from snap_catalog.cache import cache_folder
from snap_catalog.checksums import file_sha256

from snap_graphs.downloads import cached, downloadable, fetch, remedy


def own_source(name: str, entries: Sequence[Benchmark], *, quiet: bool = True) -> Path:
    """Return a source of a benchmark: from the cache, else a data package, else a download.

    Args:
        name: the name that the user gave.
        entries: catalogued benchmarks with suitable files, in order of preference.
        quiet: show no progress of a download.

    Raises:
        SnapError: no source is available, with instructions; or a file has a wrong checksum.
    """
    for find in (cached, installed_file):
        for entry in entries:
            if path := find(entry):
                return path
    for entry in filter(downloadable, entries):
        return fetch(entry, quiet=quiet)
    command = f"snap-graphs convert {name} OUT --source FILE"
    if not entries:
        raise SnapError(f"{name} has no files in the catalog; give your own: {command}")
    raise SnapError(
        f"{name} is neither in the cache ({cache_folder()}) nor installed; "
        f"{'; or '.join(map(remedy, entries))}; then give the file: {command}"
    )


def installed_file(facts: Benchmark) -> Path | None:
    """Locate a benchmark's data in its installed data package, without importing the package.

    Returns:
        The file, or the folder of several files; None if the
        benchmark has no data package or it is not installed.

    Raises:
        SnapError: a file is not the catalogued one.
    """
    paths = _paths(facts)
    for path, expected in zip(paths, facts.files, strict=False):
        _check(path, str(expected.sha256), f"pip install --force-reinstall {facts.package}")
    return _source(paths)


def is_installed(facts: Benchmark, path: Path) -> bool:
    """Return whether `installed_file` would locate a path, without checking its contents."""
    return path == _source(_paths(facts))


def _paths(facts: Benchmark) -> list[Path]:
    """Return the paths of the files in a benchmark's data package, if it is installed."""
    if facts.package is None:
        return []
    try:
        package = distribution(facts.package)
    except PackageNotFoundError:
        return []
    return [Path(str(package.locate_file(expected.name))) for expected in facts.files]


def _source(paths: list[Path]) -> Path | None:
    return None if not paths else paths[0] if len(paths) == 1 else paths[0].parent


def _check(path: Path, sha256: str, remedy: str) -> None:
    if not path.is_file():
        raise SnapError(f"{path}: no such file; run: {remedy}")
    found = file_sha256(path)
    if found != sha256:
        raise SnapError(f"{path}: SHA-256 is {found}, not the catalogued {sha256}; run: {remedy}")

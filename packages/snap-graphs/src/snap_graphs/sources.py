"""Find a benchmark's files without being told where they are."""

from collections.abc import Sequence
from pathlib import Path

from snap_catalog import Benchmark, SnapError
from snap_catalog.cache import cache_folder

from snap_graphs.cache import cached, downloadable, fetch, remedy
from snap_graphs.formats.files import installed_file


def own_source(name: str, entries: Sequence[Benchmark], *, quiet: bool = True) -> Path:
    """Return a source of a benchmark: from the cache, else a data package, else a download.

    Args:
        name: what the user calls it.
        entries: the catalogued benchmarks whose files serve, in the order of preference.
        quiet: show no progress of a download.

    Raises:
        SnapError: none has it, with where to get it; or what one has is not the catalogued file.
    """
    for find in (cached, installed_file):
        for entry in entries:
            if path := find(entry):
                return path
    for entry in filter(downloadable, entries):
        return fetch(entry, quiet=quiet)
    command = f"snap-graphs convert {name} OUT --source FILE"
    if not entries:
        raise SnapError(f"{name} has no files in the catalog; name your own: {command}")
    raise SnapError(
        f"{name} is neither in the cache ({cache_folder()}) nor installed; "
        f"{'; or '.join(map(remedy, entries))}; then name the file: {command}"
    )

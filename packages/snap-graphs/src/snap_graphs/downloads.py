"""Download files of benchmarks into the cache and check them."""

import errno
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from snap_catalog import Benchmark, SnapError
from snap_catalog.cache import cache_folder
from snap_catalog.catalog import SourceFile
from snap_catalog.checksums import file_sha256
from snap_catalog.console import Advance, progress
from snap_catalog.parquet import replacing

if TYPE_CHECKING:
    from requests import RequestException

_RETRIES, _SECONDS, _BLOCK = 2, 30, 1 << 20
"""Retries per address, timeout in seconds, bytes per block."""


def cached(facts: Benchmark) -> Path | None:
    """Return the first file of a benchmark that is in the cache, or None.

    Raises:
        SnapError: its checksum is neither the catalogued nor the pinned one.
    """
    for file in facts.files:
        path = _place(facts, file)
        if path.is_file():
            _check(path, file)
            return path
    return None


def fetch(facts: Benchmark, name: str | None = None, *, quiet: bool = True) -> Path:
    """Return a file of a benchmark, downloaded unless the cache has it.

    Args:
        facts: the benchmark.
        name: one of its files; the first downloadable one if None.
        quiet: show no progress.

    Raises:
        SnapError: the file is unknown, not available, has another checksum than the catalogued or
            pinned one, or the disk is full. Partial files are not kept.
    """
    file = _choose(facts, name)
    path = _place(facts, file)
    if not path.is_file():
        _download(path, file, quiet)
    _check(path, file)
    return path


def downloadable(facts: Benchmark) -> bool:
    """Return whether a program can download a file of the benchmark."""
    return any(file.url for file in facts.files)


def remedy(facts: Benchmark) -> str:
    """Return instructions for getting the benchmark's files by hand."""
    if facts.package:
        return f"run: pip install {facts.package}"
    places = [(file.name, file.page or file.url) for file in facts.files]
    found = [f"{name} from {place}" for name, place in places if place]
    return f"get {', or '.join(found)}" if found else "see its publication for the files"


def _choose(facts: Benchmark, name: str | None) -> SourceFile:
    names = [file.name for file in facts.files]
    if name is not None and name not in names:
        known = ", ".join(names) or "none"
        raise SnapError(f"{facts.name} has no file {name!r}; the catalog has {known}")
    for file in facts.files:
        if (file.url or _place(facts, file).is_file()) and name in (None, file.name):
            return file
    raise SnapError(f"{name or facts.name} cannot be downloaded by a program; {remedy(facts)}")


def _place(facts: Benchmark, file: SourceFile) -> Path:
    return cache_folder() / facts.name / file.name


def _pin(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _pinned(path: Path) -> str | None:
    pin = _pin(path)
    return pin.read_text().strip() if pin.is_file() else None


def _check(path: Path, file: SourceFile) -> None:
    """Compare a file with its catalogued checksum, or with that of the first download."""
    if file.bytes is not None and path.stat().st_size != file.bytes:
        size = path.stat().st_size
        raise SnapError(f"{path}: has {size:,} bytes, not the catalogued {file.bytes:,}; delete it")
    found = file_sha256(path)
    expected = file.sha256 or _pinned(path)
    if expected is None:
        with replacing(_pin(path)) as temporary:
            temporary.write_text(f"{found}\n")
    elif found != expected:
        raise SnapError(f"{path}: SHA-256 is {found}, not {_origin(path, file)}; delete the file")


def _origin(path: Path, file: SourceFile) -> str:
    if file.sha256:
        return f"the catalogued {file.sha256}"
    return f"{_pinned(path)}, pinned on first use in {_pin(path).name}"


def _download(path: Path, file: SourceFile, quiet: bool) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _no_room(path, error) from error
    addresses = [address for address in (file.url, *file.mirrors) if address]
    faults = []
    for address in addresses:
        fault = _attempt(address, path, file, quiet)
        if fault is None:
            return
        faults.append(f"{address}: {fault}")
    advice = f"get it from {file.page} into {path.parent}" if file.page else "try again later"
    raise SnapError(f"{'; '.join(faults)}; nothing was saved; {advice}")


def _attempt(address: str, path: Path, file: SourceFile, quiet: bool) -> str | None:
    """Download from one address; return the problem, or None."""
    import pooch
    from requests import RequestException

    pooch.get_logger().setLevel("ERROR")
    known = file.sha256 or _pinned(path)
    bar = _Bar(path.name, quiet)
    downloader = pooch.HTTPDownloader(progressbar=bar, chunk_size=_BLOCK, timeout=_SECONDS)
    source = pooch.create(
        path.parent,
        base_url="",
        registry={path.name: known and f"sha256:{known}"},
        urls={path.name: address},
        retry_if_failed=_RETRIES,
    )
    try:
        source.fetch(path.name, downloader=downloader)
    except RequestException as error:
        return _reason(error)
    except ValueError:
        return f"the download has another SHA-256 than {_origin(path, file)}"
    except OSError as error:
        raise _no_room(path, error) from error
    finally:
        bar.close()
    return None


def _reason(error: "RequestException") -> str:
    from requests import exceptions

    if error.response is not None:
        return f"answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, exceptions.Timeout):
        return f"no answer in {_SECONDS} seconds"
    if isinstance(error, exceptions.ChunkedEncodingError):
        return "the connection was interrupted"
    return "no connection"


def _no_room(path: Path, error: OSError) -> SnapError:
    reason = (error.strerror or str(error)).lower()
    action = "free some space" if error.errno == errno.ENOSPC else "choose another folder"
    return SnapError(f"{path}: cannot be saved ({reason}); {action}, or set SNAP_CACHE")


class _Bar:
    """Progress bar for pooch, which sets `total` at the start of every attempt."""

    def __init__(self, task: str, quiet: bool) -> None:
        self._task, self._quiet, self._left = task, quiet, 0
        self._open = ExitStack()
        self._advance: Advance | None = None

    @property
    def total(self) -> int:
        return self._left

    @total.setter
    def total(self, total: int) -> None:
        self.close()
        self._left = total
        self._advance = self._open.enter_context(progress(self._task, total, quiet=self._quiet))

    def update(self, count: int) -> None:
        step = min(count, self._left)
        self._left -= step
        if self._advance and step:
            self._advance(step)

    def reset(self) -> None:
        pass

    def close(self) -> None:
        self._open.close()

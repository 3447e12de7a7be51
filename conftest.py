"""Options and fixtures for the tests of every package."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# However busy or slow the machine, only what is computed decides a test.
settings.register_profile("snap", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("snap")

ROOT = Path(__file__).parent
_LONGEST_START = 120.0
"""Seconds after which a command hangs, on the slowest of machines."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `tests/contracts` be run over any file."""
    parser.addoption(
        "--file",
        action="append",
        default=[],
        type=Path,
        help="Parquet file for tests/contracts to check, instead of those the tools make; "
        "may be repeated.",
    )


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real benchmark tables; the test is skipped, saying so, where it is absent."""
    path = Path(os.environ.get("SNAP_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"needs the benchmark tables in {path}; SNAP_SHARED_DATA names another folder")
    return path


@pytest.fixture
def unwritable(tmp_path: Path) -> Path:
    """A folder in which no file can be made; permissions do not bind root, /proc does."""
    if os.geteuid() == 0:
        return Path("/proc")
    tmp_path.chmod(0o500)
    return tmp_path


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """A function that starts a command, and waits until it has come as far as a test needs.

    The command hears Ctrl-C even where the tests do not, as under nohup or in the background of a
    script. When the test is over, however it ends, the command's process group is killed.
    """
    started: list[subprocess.Popen[str]] = []

    def start(
        command: Sequence[str], until: Callable[[], object] = lambda: True
    ) -> subprocess.Popen[str]:
        # A process inherits that a signal is ignored, but not that it is caught.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            process = subprocess.Popen(
                command, stderr=subprocess.PIPE, text=True, start_new_session=True
            )
        finally:
            signal.signal(signal.SIGINT, before)
        started.append(process)
        deadline = time.monotonic() + _LONGEST_START
        while not until():
            assert process.poll() is None, process.communicate(timeout=_LONGEST_START)
            assert time.monotonic() < deadline, f"{command} does not come that far"
            time.sleep(0.01)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=_LONGEST_START)


@pytest.fixture(scope="session", autouse=True)
def _empty_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the downloads of whoever runs the tests out of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNAP_CACHE", str(tmp_path_factory.getbasetemp() / "empty-cache"))
        yield

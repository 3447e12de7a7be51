"""Options and fixtures for the tests of every package."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent


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


@pytest.fixture(scope="session", autouse=True)
def _empty_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the downloads of whoever runs the tests out of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNAP_CACHE", str(tmp_path_factory.getbasetemp() / "empty-cache"))
        yield

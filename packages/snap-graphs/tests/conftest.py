import gzip
import itertools
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def nb101_sample(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 2,000 rows of the NAS-Bench-101 table, which is sorted by MD5: a fair sample."""
    path = tmp_path_factory.mktemp("nb101") / "nb101.csv"
    with gzip.open(shared_data / "nb101.csv.gz", "rt") as lines:
        path.write_text("".join(itertools.islice(lines, 2_001)))
    return path

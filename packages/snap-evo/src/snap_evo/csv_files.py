"""Write CSV files."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from snap_catalog.parquet import replacing


def write_csv(path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a CSV file with a line of column names atomically, and return its path.

    Raises:
        SnapError: the file cannot be written.
    """
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)
    return str(path)

"""The learning curve of a training, as a table and as a picture."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from snap_catalog.parquet import replacing

from snap_evo.pictures import draw_learning
from snap_evo.training.checkpoint import Epoch


def write_curve(epochs: Sequence[Epoch], path: Path) -> None:
    """Write a CSV file, one row an epoch.

    Raises:
        SnapError: the file cannot be written.
    """
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Epoch._fields)
        writer.writerows(epochs)


def draw_curve(epochs: Sequence[Epoch], path: Path, *, title: str = "") -> None:
    """Draw loss and accuracy over epochs.

    Raises:
        SnapError: the file cannot be written.
    """
    columns = np.array(epochs, np.float64).T
    _, _, train_loss, valid_loss, valid_accuracy, _ = columns
    draw_learning(train_loss, valid_loss, valid_accuracy, path, title=title)

"""Predictors trained by variations of the paper's recipe."""

from pathlib import Path

import pyarrow as pa
from snap_catalog.parquet import read
from snap_gcn import Predictor
from snap_gcn.data.vocabulary import Vocabulary
from snap_gcn.model.recipe import Recipe
from snap_gcn.training.checkpoint import TrainingSettings
from snap_gcn.training.fit import fit
from snap_gcn.training.train import assembled

from tools.pipeline import METRIC

COLUMNS = ["space", "arch_id", "nodes", "src", "dst", "cell_hash", "module_hash", METRIC]
"""What training reads of NAS-Bench-101."""


def cells(work: Path) -> pa.Table:
    """Read what training needs of NAS-Bench-101."""
    return read(work / "nb101.parquet", "graphs", columns=COLUMNS)


def train(table: pa.Table, operators: pa.Table, recipe: Recipe, seed: int) -> Predictor:
    """Train a predictor of one member by a variation of the paper's recipe; it is not saved.

    Args:
        table: rows of NAS-Bench-101, held-out ones included.
        operators: rows of the `operators` contract.
        recipe: how to train.
        seed: of all randomness.
    """
    vocabulary = Vocabulary.from_table(operators)
    member = fit(table, vocabulary, METRIC, recipe, seed=seed)
    settings = TrainingSettings(METRIC, "paper", "short", seed)
    return Predictor(assembled(settings, table, vocabulary, [recipe], [member], {}, "trial", ""))

"""What the tools that train with recipes of their own share: trials that are made once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pyarrow as pa
from pipeline import METRIC
from snap_catalog.parquet import read, replacing
from snap_gcn import Predictor
from snap_gcn.data.vocabulary import Vocabulary
from snap_gcn.model.recipe import Recipe
from snap_gcn.training.checkpoint import Run
from snap_gcn.training.fit import fit
from snap_gcn.training.run import assembled

Figures = dict[str, float]
"""What a trial came to, by the names of the figures."""

COLUMNS = ["space", "arch_id", "nodes", "src", "dst", "cell_hash", "module_hash", METRIC]
"""What training reads of NAS-Bench-101."""


def cells(work: Path) -> pa.Table:
    """Read what training needs of NAS-Bench-101."""
    return read(work / "nb101.parquet", "graphs", columns=COLUMNS)


def train(table: pa.Table, operators: pa.Table, recipe: Recipe, seed: int) -> Predictor:
    """Train a predictor of one member by a variation of the paper's recipe; it is not written.

    Args:
        table: rows of NAS-Bench-101, held-out ones included.
        operators: rows of the `operators` contract.
        recipe: how to train.
        seed: of all randomness.
    """
    vocabulary = Vocabulary.from_table(operators)
    member = fit(table, vocabulary, METRIC, recipe, seed=seed)
    run = Run(METRIC, "paper", "short", seed)
    return Predictor(assembled(run, table, vocabulary, [recipe], [member], {}, "trial", ""))


def remembered(path: Path, trial: Callable[[], Figures]) -> Figures:
    """Return what a trial came to: read where it was made before, else made now and written."""
    if path.exists():
        return cast(Figures, json.loads(path.read_text("utf-8")))
    path.parent.mkdir(parents=True, exist_ok=True)
    figures = trial()
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(figures) + "\n", "utf-8")
    return figures

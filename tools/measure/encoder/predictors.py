"""Predictors trained on one kind of operator vectors."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog.catalog import Length
from snap_catalog.parquet import read
from snap_encode import SentenceEncoder
from snap_eval import kendall_tau_b, spearman
from snap_gcn import Predictor

from tools.pipeline import fit
from tools.steps import made_by

Floats = npt.NDArray[np.float32]

METRICS = {"nb201": "cifar10/test/accuracy@200", "darts": "cifar10/valid/accuracy@50"}
"""By search space: what a ranking is held against; both have the role `develop`."""


class Ranking(NamedTuple):
    """Rank correlations of a predictor's scores with a space's metric, over all its cells."""

    spearman: float
    kendall: float


class Fit(NamedTuple):
    """How a predictor is trained: a recipe of `snap-gcn fit`."""

    preset: str
    schedule: str

    def predictor(self, work: Path, operators: Path, seed: int) -> Predictor:
        """Train on a table of operator vectors, into a folder next to it, unless it exists."""
        table = operators.resolve()
        out = table.with_name(f"{table.stem}-{self.preset}-{seed}")
        return Predictor.load(fit(work, str(out), self.preset, self.schedule, seed, str(table)))


PAPER = Fit("paper", "short")
FITS = (PAPER, Fit("snap", "full"))
TUNED_OR_NOT = ("all-MiniLM-L6-v2", "snap-minilm")
"""The encoder that the tuned one began as, and the tuned one."""


def encoded(folder: Path, model: str, length: Length) -> Path:
    """Encode the catalogued descriptions of the operators of NAS-Bench-101 and NAS-Bench-201.

    The file's name identifies the model's weights: another model of that name is encoded again.
    """
    name = f"{model}-{SentenceEncoder(model).sha256[:8]}-{length}.parquet"
    command = ["snap-encode", "--space", "nb101", "--space", "nb201", "--quiet"]
    return made_by([*command, "--model", model, "--length", length, "-o", name], folder, name)


def operator_rows(
    space: str, texts: Mapping[str, str], vectors: Floats, metadata: Mapping[str, str]
) -> pa.Table:
    """Make a table of the `operators` contract of one space's operators and any vectors."""
    columns = {
        "space": pa.array([space] * len(texts), pa.string()),
        "op": pa.array(list(texts), pa.string()),
        "text": pa.array(list(texts.values()), pa.string()),
        "embedding": pa.FixedSizeListArray.from_arrays(vectors.ravel(), vectors.shape[1]),
    }
    return pa.table(columns, metadata=dict(metadata))


def cells(work: Path, space: str) -> pa.Table:
    """Read the measured cells of a space, as `pipeline.prepare` writes them."""
    return read(work / f"{space}.parquet", "graphs")


def rank(predictor: Predictor, graphs: pa.Table, space: str) -> Ranking:
    """Correlate a predictor's scores with a space's metric."""
    scores, measured = predictor.score(graphs), graphs[METRICS[space]].to_numpy()
    return Ranking(spearman(scores, measured), kendall_tau_b(scores, measured))


def unit(vectors: Floats) -> Floats:
    """Scale (n, d) vectors to length 1."""
    scaled: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled

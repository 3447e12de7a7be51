"""Use a trained predictor."""

import os
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_graphs import Graphs

from snap_gcn.folder import Model, load
from snap_gcn.inference import score
from snap_gcn.vocabulary import Vocabulary

BUNDLED = "paper"


class Predictor:
    """A trained predictor and the vectors of the operators it can read."""

    def __init__(self, model: Model, vocabulary: Vocabulary | None = None) -> None:
        self.model = model
        self.vocabulary = vocabulary or Vocabulary.from_table(model.operators)

    @classmethod
    def bundled(cls) -> "Predictor":
        """Load the predictor that comes with the package."""
        return cls.load(str(files("snap_gcn").joinpath("bundle", BUNDLED)))

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> "Predictor":
        """Load a model folder.

        Raises:
            SnapError: it is none, or one of its files is damaged.
        """
        return cls(load(Path(folder)))

    @property
    def name(self) -> str:
        """The model's name, as in `snap.scorer`."""
        return f"gcn:{self.model.config['name']}"

    def with_operators(self, table: pa.Table, source: str = "operators") -> "Predictor":
        """Return a predictor that also reads the operators of another table.

        Args:
            table: rows of the `operators` contract, by the encoder the model was trained with.
            source: what to call the table in an error.

        Raises:
            SnapError: another encoder made the vectors.
        """
        return Predictor(self.model, self.vocabulary.extended(Vocabulary.from_table(table), source))

    def score(self, table: pa.Table, source: str = "graphs") -> npt.NDArray[np.float64]:
        """Score architectures; higher is better.

        Args:
            table: rows with the columns `space`, `nodes`, `src` and `dst` of the `graphs`
                contract.
            source: what to call the table in an error.

        Returns:
            (n,) one score a row.

        Raises:
            SnapError: an operator has no vector.
        """
        return self._columns(table, source)["score"]

    def predict(self, table: pa.Table, source: str = "graphs") -> pa.Table:
        """Score architectures as `score` does, into a table of the `scores` contract.

        `novelty` is the mean over a cell's nodes of one minus the cosine between the operator's
        vector and the nearest one that occurred in training: 0 where all are known.
        """
        columns = self._columns(table, source)
        names = table.select(["space", "arch_id"])
        spread = pa.nulls(table.num_rows, pa.float64())
        scores = names.append_column("score", pa.array(columns["score"]))
        scores = scores.append_column("spread", spread)
        scores = scores.append_column("novelty", pa.array(columns["novelty"]))
        config = self.model.config
        return scores.replace_schema_metadata(
            {
                "snap.scorer": self.name,
                "snap.seed": str(config["seed"]),
                "snap.training_sha256": config["training"]["source_sha256"],
            }
        )

    def _columns(self, table: pa.Table, source: str) -> dict[str, npt.NDArray[np.float64]]:
        graphs = Graphs.from_table(table)
        op = self.vocabulary.find(table, graphs, source)
        trained = [(space, name) for space, name in self.model.config["trained_operators"]]
        distances = self.vocabulary.distances(trained)[op]
        starts = graphs.node_start[:-1]
        total = np.add.reduceat(distances, starts) if len(graphs) else np.empty(0)
        return {
            "score": score(self.model.weights, self.vocabulary.vectors, graphs, op),
            "novelty": total / np.maximum(graphs.sizes, 1),
        }

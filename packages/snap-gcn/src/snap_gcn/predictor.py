"""Use a trained predictor."""

import os
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_graphs import Graphs

from snap_gcn.folder import Model, load
from snap_gcn.inference import Member, score
from snap_gcn.recipe import BUNDLED, from_config
from snap_gcn.seen import viewed
from snap_gcn.vocabulary import Vocabulary

Floats = npt.NDArray[np.float64]


class Predictor:
    """A trained predictor and the vectors of the operators it can read."""

    def __init__(self, model: Model, vocabulary: Vocabulary | None = None) -> None:
        self.model = model
        self.vocabulary = vocabulary or Vocabulary.from_table(model.operators)
        self._recipes = [from_config(entry) for entry in model.config["members"]]
        self._members = [
            Member(model.member(i), recipe.readout) for i, recipe in enumerate(self._recipes)
        ]

    @classmethod
    def bundled(cls, name: str = BUNDLED[0]) -> "Predictor":
        """Load a predictor that comes with the package: `snap`, or the paper's own, `paper`."""
        return cls.load(name)

    @classmethod
    def load(cls, model: str | os.PathLike[str]) -> "Predictor":
        """Load a model folder, or a bundled predictor by its name.

        Raises:
            SnapError: it is none, or one of its files is damaged.
        """
        if model in BUNDLED:
            return cls(load(Path(str(files("snap_gcn").joinpath("bundle", str(model))))))
        return cls(load(Path(model)))

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

    def score(self, table: pa.Table, source: str = "graphs") -> Floats:
        """Score architectures; higher is better.

        Args:
            table: rows with the columns `space`, `arch_id`, `nodes`, `src` and `dst` of the
                `graphs` contract.
            source: what to call the table in an error.

        Returns:
            (n,) one score a row: the mean over the predictor's members.

        Raises:
            SnapError: an operator has no vector.
        """
        mean: Floats = self._scores(table, source).mean(axis=0)
        return mean

    def predict(self, table: pa.Table, source: str = "graphs") -> pa.Table:
        """Score architectures as `score` does, into a table of the `scores` contract.

        `spread` is the standard deviation over the members, null where there is one only.
        `novelty` is the mean over a cell's nodes of one minus the cosine between the operator's
        vector and the nearest one that occurred in training: 0 where all are known.
        """
        scores = self._scores(table, source)
        alone = len(scores) == 1
        spread = pa.nulls(table.num_rows, pa.float64()) if alone else pa.array(scores.std(axis=0))
        columns = {
            "score": pa.array(scores.mean(axis=0)),
            "spread": spread,
            "novelty": pa.array(self._novelty(table, source)),
        }
        told = table.select(["space", "arch_id"])
        for name, values in columns.items():
            told = told.append_column(name, values)
        config = self.model.config
        return told.replace_schema_metadata(
            {
                "snap.scorer": self.name,
                "snap.seed": str(config["seed"]),
                "snap.training_sha256": config["training"]["source_sha256"],
            }
        )

    def _scores(self, table: pa.Table, source: str) -> Floats:
        """Return (members, n) scores."""
        scores = np.empty((len(self._recipes), table.num_rows))
        for views in dict.fromkeys(recipe.views for recipe in self._recipes):
            alike = [i for i, recipe in enumerate(self._recipes) if recipe.views == views]
            seen = viewed(table, views)
            graphs = Graphs.from_table(seen)
            op = self.vocabulary.find(seen, graphs, source)
            members = [self._members[i] for i in alike]
            scores[alike] = score(members, self.vocabulary.vectors, graphs, op)
        return scores

    def _novelty(self, table: pa.Table, source: str) -> Floats:
        graphs = Graphs.from_table(table)
        op = self.vocabulary.find(table, graphs, source)
        trained = [(space, name) for space, name in self.model.config["trained_operators"]]
        distances = self.vocabulary.distances(trained)[op]
        total = np.add.reduceat(distances, graphs.node_start[:-1]) if len(graphs) else np.empty(0)
        return total / np.maximum(graphs.sizes, 1)

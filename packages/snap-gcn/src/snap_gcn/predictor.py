"""Use a trained predictor."""

import os
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from snap_graphs import Graphs
from snap_graphs.arrays import Ints

from snap_gcn.architectures import Architectures, as_table
from snap_gcn.encoders import described, encoded
from snap_gcn.folder import Model, load
from snap_gcn.inference import Ensemble, Member, checked_device
from snap_gcn.novelty import Familiar
from snap_gcn.paths import VIEWS as PATH_VIEWS
from snap_gcn.paths import PathModel
from snap_gcn.places import folder_of
from snap_gcn.recipe import BUNDLED, View, from_config
from snap_gcn.seen import all_viewed
from snap_gcn.threads import in_order
from snap_gcn.vocabulary import Vocabulary

Floats = npt.NDArray[np.float64]

ROWS = 4096
"""Architectures that are scored at once: enough for dense batches, few enough for many cores."""


class Predictor:
    """A trained predictor and the vectors of the operators it can read.

    Attributes:
        model: what its folder holds.
        vocabulary: the operators.
        device: where it computes, `cpu` or `cuda`.
        members: its networks.
        ensemble: the same, ready to score.
        paths: what else it scores by, if anything.
    """

    def __init__(
        self, model: Model, vocabulary: Vocabulary | None = None, device: str = "cpu"
    ) -> None:
        """Make a model ready for use.

        Raises:
            SnapError: there is no such device.
        """
        self.model, self.device = model, device
        self.vocabulary = vocabulary or Vocabulary.from_table(model.operators)
        self._recipes = [from_config(entry) for entry in model.config["members"]]
        self.members = [Member(model.member(i), r.readout) for i, r in enumerate(self._recipes)]
        self.ensemble = Ensemble(self.members, self.vocabulary.vectors, checked_device(device))
        self.paths = PathModel.from_tensors(model.part("paths")) if self.paths_weight else None

    @classmethod
    def bundled(cls, name: str = BUNDLED[0], device: str = "cpu") -> "Predictor":
        """Load a predictor that comes with the package: `snap`, or the paper's own, `paper`."""
        return cls.load(name, device)

    @classmethod
    def load(cls, model: str | os.PathLike[str], device: str = "cpu") -> "Predictor":
        """Load a model folder, or a bundled predictor by its name.

        Raises:
            SnapError: it is none, one of its files is damaged, or there is no such device.
        """
        return cls(load(folder_of(model)), device=device)

    @property
    def name(self) -> str:
        """The model's name, as in `snap.scorer`."""
        return f"gcn:{self.model.config['name']}"

    @property
    def paths_weight(self) -> float:
        """What the score of `paths` counts for, beside the mean of the members'."""
        weight: float = self.model.config.get("paths", 0.0)
        return weight

    @cached_property
    def familiar(self) -> Familiar:
        """What the model was trained on."""
        config = self.model.config
        trained = [(space, name) for space, name in config["trained_operators"]]
        shapes = config["training"].get("shapes", {})
        return Familiar(self.vocabulary.distances(trained), shapes)

    def with_operators(self, table: pa.Table, source: str = "operators") -> "Predictor":
        """Return a predictor that also reads the operators of another table.

        Args:
            table: rows of the `operators` contract, by the encoder the model was trained with.
            source: what to call the table in an error.

        Raises:
            SnapError: another encoder made the vectors.
        """
        vocabulary = self.vocabulary.extended(Vocabulary.from_table(table), source)
        return Predictor(self.model, vocabulary, self.device)

    def with_described(self, schema: pa.Schema, source: str = "graphs") -> "Predictor":
        """Return a predictor that also reads the operators that a table of graphs describes.

        Args:
            schema: the table's; its metadata `snap.operators` maps names to sentences.
            source: what to call the table in an error.

        Raises:
            SnapError: the model's encoder is not installed, or is another.
        """
        texts = described(schema, source)
        new = {op: text for op, text in texts.items() if (None, op) not in self.vocabulary.rows}
        if not new:
            return self
        return self.with_operators(encoded(new, self.model.config["encoder"], source), source)

    def score(
        self, graphs: Architectures, space: str | None = None, source: str = "graphs"
    ) -> Floats:
        """Score architectures; higher is better.

        Args:
            graphs: n architectures: cells or native strings of one space, or a table with the
                columns `space`, `arch_id`, `nodes`, `src` and `dst` of the `graphs` contract.
            space: the space of cells or strings.
            source: what to call the graphs in an error.

        Returns:
            (n,) one score each: the mean over the predictor's members, plus what the paths through
            the cell count for where the predictor looks at them.

        Raises:
            SnapError: an operator has no vector, or the architectures cannot be read.
        """
        scores: Floats = self.predict(graphs, space, source)["score"].to_numpy()
        return scores

    def predict(
        self, graphs: Architectures, space: str | None = None, source: str = "graphs"
    ) -> pa.Table:
        """Score architectures as `score` does, into a table of the `scores` contract.

        `spread` is the standard deviation over the members, null where there is one only.
        `novelty` is the distance from what the model was trained on, as `Familiar` defines it.
        """
        table = as_table(graphs, space)
        reader = self.with_described(table.schema, source)
        parts = [table.slice(i, ROWS) for i in range(0, max(table.num_rows, 1), ROWS)]
        scored = in_order(lambda part: reader.predict_part(part, source), parts, self.workers)
        return pa.concat_tables(scored)

    @property
    def workers(self) -> int:
        """How many parts to score at a time: one a core, or the only one on a CUDA device."""
        return torch.get_num_threads() if self.device == "cpu" else 1

    def predict_part(self, table: pa.Table, source: str = "graphs") -> pa.Table:
        """Score some rows of the `graphs` contract in this thread."""
        scores, paths, novelty = self._scores(table, source)
        alone = len(scores) == 1
        spread = pa.nulls(table.num_rows, pa.float64()) if alone else pa.array(scores.std(axis=0))
        columns = {
            "score": pa.array(scores.mean(axis=0) + self.paths_weight * paths),
            "spread": spread,
            "novelty": pa.array(novelty),
        }
        told = table.select(["space", "arch_id"])
        for name, values in columns.items():
            told = told.append_column(name, values)
        return told.replace_schema_metadata(self.origin)

    @property
    def origin(self) -> dict[str, str]:
        """What a file of scores says of the model."""
        config = self.model.config
        return {
            "snap.scorer": self.name,
            "snap.seed": str(config["seed"]),
            "snap.training_sha256": config["training"]["source_sha256"],
        }

    def score_as_seen(self, graphs: Graphs, op: Ints) -> Floats:
        """Score n graphs just as they are, whatever the members' views; returns (n,).

        Args:
            graphs: the graphs.
            op: (nodes,) rows of the vocabulary.
        """
        scores: Floats = self.ensemble.score(graphs, op).mean(axis=0)
        if self.paths:
            scores += self.paths_weight * self.paths.score(graphs, op, self.vocabulary.vectors)
        return scores

    def _scores(self, table: pa.Table, source: str) -> tuple[Floats, Floats, Floats]:
        """Return (members, n) scores, (n,) scores by paths, and (n,) mean novelty to members."""
        count = table.num_rows
        scores, paths = np.empty((len(self._recipes), count)), np.zeros(count)
        novelty = np.zeros(count)
        for views, seen in all_viewed(table, self.views).items():
            graphs = Graphs.from_table(seen)
            op = self.vocabulary.find(seen, graphs, source)
            if self.paths and views == PATH_VIEWS:
                paths = self.paths.score(graphs, op, self.vocabulary.vectors)
            if alike := self.views[views]:
                scores[alike] = self.ensemble.score(graphs, op, alike)
                novelty += self.familiar.novelty(graphs, op) * len(alike) / len(self._recipes)
        return scores, paths, novelty

    @cached_property
    def views(self) -> dict[tuple[View, ...], list[int]]:
        """The members by what they see graphs through, and what `paths` sees them through."""
        by_views: dict[tuple[View, ...], list[int]] = {}
        for number, recipe in enumerate(self._recipes):
            by_views.setdefault(recipe.views, []).append(number)
        if self.paths:
            by_views.setdefault(PATH_VIEWS, [])
        return by_views

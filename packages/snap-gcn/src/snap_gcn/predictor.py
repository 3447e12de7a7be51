"""Score architectures with a trained predictor."""

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.readings import Understood
from snap_graphs import Graphs
from snap_graphs.arrays import Bools, Ints
from snap_graphs.hashing import mix
from snap_graphs.views import with_shortcuts

from snap_gcn.adaptation.other_scores import NO_SCORES, OtherScores
from snap_gcn.data.architectures import Architectures, as_table
from snap_gcn.data.arrays import Floats
from snap_gcn.data.encoders import described, with_described
from snap_gcn.data.hashing import Keys, combined, network_keys
from snap_gcn.data.views import all_viewed, one_form
from snap_gcn.data.vocabulary import Vocabulary
from snap_gcn.model import prior
from snap_gcn.model.folder import NETWORKS, SURROGATE, WEIGHTS, Model, load, locate
from snap_gcn.model.path_model import VIEWS as PATH_VIEWS
from snap_gcn.model.path_model import PathModel, kinds, statistics
from snap_gcn.model.recipe import BUNDLED, Group, View, grouped
from snap_gcn.model.runtime import Runtime, check_device
from snap_gcn.reliability.training_space import Familiar, TrainingSpace
from snap_gcn.threads import available, in_order

if TYPE_CHECKING:
    from snap_gcn.adaptation.adaptation import Adaptation

FIGURES = ("score", "spread", "novelty")
"""The columns of results for each architecture; see `Predictor.predict`."""
PREDICTED = ("predicted", "predicted_std")
"""The additional columns of an adapted model."""
KEY = "key"
"""The temporary column of keys that equal networks share."""
ROWS = 4096
"""Architectures per part: enough for dense batches, and few enough to occupy many cores."""
_ENCODING = threading.Lock()
"""Held while operators are encoded, so that one thread does it for all."""


class Parts(NamedTuple):
    """The parts of the scores of n cells outside the training space."""

    members: Floats  # (n, m) scores of the networks
    # (n, r + 1) mean scores of the networks of each recipe, and the `PathModel`'s score
    kinds: Floats
    paths: Floats  # (n, k) `snap_gcn.model.path_model.statistics`; k is 0 without a `PathModel`


class Examined(NamedTuple):
    """The results for n architectures, before any adaptation."""

    figures: Floats  # (3, n) score, spread and novelty; see `Predictor.predict`
    keys: Keys  # (n,) keys that equal networks share
    # of the scores that cells would have outside the training space; 0 for architectures that the
    # members do not score
    parts: Parts

    def spread_over(self, rows: Ints, count: int) -> "Examined":
        """Place the results at some rows among `count` architectures.

        The other rows get NaN for the figures, and 0 for keys and parts.
        """
        figures, keys = np.full((len(self.figures), count), np.nan), np.zeros(count, np.uint64)
        figures[:, rows], keys[rows] = self.figures, self.keys
        parts = [np.zeros((count, part.shape[1])) for part in self.parts]
        for whole, part in zip(parts, self.parts, strict=True):
            whole[rows] = part
        return Examined(figures, keys, Parts(*parts))


class Predictor:
    """A trained predictor and the vectors of the operators that it knows.

    Methods that take graphs raise `SnapError` if an operator of a graph that the members score has
    no vector; `source` names the graphs in the message.

    Attributes:
        model: the contents of its folder.
        vocabulary: the operators.
        device: `cpu` or `cuda`.
        other_scores: scores of other scorers, for a model that was adapted with them.
    """

    def __init__(
        self, model: Model, vocabulary: Vocabulary | None = None, device: str = "cpu"
    ) -> None:
        """Prepare a model for scoring, by default with its own operators.

        Raises:
            SnapError: there is no such device, or parts of the model do not fit together.
        """
        check_device(device)
        self.model, self.device, self.other_scores = model, device, NO_SCORES
        self.vocabulary = vocabulary or Vocabulary.from_table(model.operators)
        self._groups = grouped(model.config.members)
        self._runtime = Runtime(model.networks, self._groups, str(model.source / NETWORKS), device)
        self._paths: PathModel | None = None
        if model.config.paths:
            dimensions, source = self.vocabulary.vectors.shape[1], str(model.source / WEIGHTS)
            self._paths = PathModel.from_tensors(model.part("paths"), dimensions, source)
        self._training_space: TrainingSpace | None = None
        if record := model.config.training_space:
            source = str(model.source)
            self._training_space = TrainingSpace.read(record, self.vocabulary, self.kept, source)
        self._readers: dict[str, Predictor] = {}

    @classmethod
    def bundled(cls, name: str = BUNDLED[0], device: str = "cpu") -> "Predictor":
        """Load a predictor of the package: `snap`, or the paper's own, `paper`."""
        return cls.load(name, device)

    @classmethod
    def load(cls, model: str | os.PathLike[str], device: str = "cpu") -> "Predictor":
        """Load a model folder, or a bundled predictor by its name.

        Raises:
            SnapError: there is no such model or device, or a file is damaged.
        """
        return cls(load(locate(model)), device=device)

    @property
    def name(self) -> str:
        """The model's name, as in the metadata `snap.scorer`."""
        return f"gcn:{self.model.config.name}"

    @cached_property
    def familiar(self) -> Familiar:
        """The operators and shapes in the training data."""
        config, own = self.model.config, self._own_vocabulary
        rows = own.rows_of(config.trained_operators, str(self.model.source))
        return Familiar(self.vocabulary.distances(own.vectors[rows]), config.training.shapes)

    @cached_property
    def kept(self) -> Bools:
        """(operators,) Whether each operator has the vector in the model's folder."""
        return self.vocabulary.kept(self._own_vocabulary)

    @cached_property
    def _own_vocabulary(self) -> Vocabulary:
        return Vocabulary.from_table(self.model.operators)

    @cached_property
    def _adaptation(self) -> "Adaptation | None":
        """The adaptation to measurements; None if the model was not adapted."""
        from snap_gcn.adaptation.adaptation import Adaptation, Inputs

        adapted, source = self.model.config.adapted, str(self.model.source / SURROGATE)
        if adapted is None:
            return None
        inputs = Inputs(adapted.operators, adapted.costs, adapted.scorers)
        return Adaptation.from_tensors(self.model.surrogate, inputs, source)

    def with_operators(self, table: pa.Table, source: str = "operators") -> "Predictor":
        """Return a predictor that also knows the operators of a table of the `operators` contract.

        Raises:
            SnapError: the vectors are from another encoder; `source` names the table.
        """
        return self._with(self.vocabulary.extended(Vocabulary.from_table(table), source))

    def with_scores(self, scores: OtherScores, source: str = "features") -> "Predictor":
        """Return a predictor with scores of other scorers.

        Raises:
            SnapError: the model was not adapted with scores of such a scorer; `source` names them.
        """
        adapted = self.model.config.adapted
        known = adapted.scorers if adapted else []
        for name in scores.scores:
            if name not in known:
                raise SnapError(
                    f"{source}: the model {self.name} does not use scores of {name}; leave them out"
                )
        other = self._with(self.vocabulary)
        other.other_scores = scores
        return other

    def with_described(self, schema: pa.Schema, source: str = "graphs") -> "Predictor":
        """Return a predictor that also knows the operators that a table of graphs describes.

        The schema's metadata `snap.operators` maps their names to descriptions.

        Raises:
            SnapError: the model's encoder is not installed, or another version is.
        """
        texts = str(described(schema, source))
        with _ENCODING:
            if texts not in self._readers:
                encoder, own = self.model.config.encoder, self._own_vocabulary
                extended = with_described(self.vocabulary, schema, encoder, source, own)
                same = extended is self.vocabulary
                self._readers = {texts: self if same else self._with(extended)}
            return self._readers[texts]

    def _with(self, vocabulary: Vocabulary) -> "Predictor":
        """Return a predictor with other operators and the same networks."""
        other = Predictor(self.model, vocabulary, self.device)
        other._runtime, other.other_scores = self._runtime, self.other_scores
        return other

    def score(
        self, graphs: Architectures, space: str | None = None, source: str = "graphs"
    ) -> Floats:
        """Score architectures; higher is better.

        A score is the mean over the predictor's members, plus the score of its `PathModel` if it
        has one. Cells of the training space are scored by the members for it, if there are any.
        Whole networks are scored by their size (`snap_gcn.model.prior`) if the predictor has that
        prior and their costs are known.

        Args:
            graphs: n architectures: cells or native strings of one space, or a table with the
                columns `space`, `arch_id`, `nodes`, `src` and `dst` of the `graphs` contract.
            space: the space of cells or strings.
            source: what to call the graphs in an error.

        Returns:
            (n,) scores.

        Raises:
            SnapError: an operator of a cell has no vector, or the architectures cannot be read.
        """
        scores: Floats = self.predict(graphs, space, source)["score"].to_numpy()
        return scores

    def predict(
        self, graphs: Architectures, space: str | None = None, source: str = "graphs"
    ) -> pa.Table:
        """Score architectures as `score` does, and return a table of the `scores` contract.

        `spread` is the standard deviation over the members, null if there is one only. `novelty` is
        the distance from the training data, as defined by `Familiar`. Both are null for
        architectures that the members do not score. An adapted model adds `predicted`, the metric
        to expect in its unit, and `predicted_std`, the standard deviation of a measurement around
        it.
        """
        table = as_table(graphs, space)
        parts = (table.slice(i, ROWS) for i in range(0, table.num_rows, ROWS))
        scored = in_order(lambda part: self.score_part(part, source), parts, self.workers)
        return pa.concat_tables([self.schema.empty_table(), *self.settled(scored)])

    @property
    def workers(self) -> int:
        """Number of parts to score in parallel: one per core, one on a CUDA device."""
        return available() if self.device == "cpu" else 1

    @property
    def figures(self) -> tuple[str, ...]:
        """The columns of results that `predict` returns."""
        return FIGURES if self.model.config.adapted is None else (*FIGURES, *PREDICTED)

    @property
    def schema(self) -> pa.Schema:
        """The schema of `predict`'s table; its metadata names the model and the metric."""
        names = [("space", pa.string()), ("arch_id", pa.string())]
        columns = [*names, *((name, pa.float64()) for name in self.figures)]
        config = self.model.config
        metadata = {
            "snap.scorer": self.name,
            "snap.seed": str(config.seed),
            "snap.training_sha256": config.training.source_sha256,
        }
        if config.adapted is not None:
            metadata["snap.metric"] = config.adapted.metric
            metadata["snap.direction"] = config.adapted.direction
        return pa.schema(columns, metadata)

    def score_part(self, table: pa.Table, source: str = "graphs") -> pa.Table:
        """Score some rows of the `graphs` contract in this thread, for `settled`.

        The table returned has the column `key`, which equal networks share, besides the scores.
        """
        adaptation = self._adaptation
        found = self.examine(table, source, parts=adaptation is not None)
        figures, keys = found.figures, found.keys
        if adaptation is not None:
            others = self.other_scores.of(table, adaptation.inputs.scorers, source)
            predicted = adaptation.predict(found, table, others, source)
            keys = combined([keys, *(mix(column.view(np.uint64)) for column in others.T.copy())])
            figures = np.stack([predicted.score, *figures[1:], predicted.value, predicted.std])
        columns = [table["space"], table["arch_id"]]
        columns += [pa.array(values, from_pandas=True) for values in figures]
        return pa.table([*columns, pa.array(keys)], [*self.schema.names, KEY])

    def examine(self, table: pa.Table, source: str = "graphs", *, parts: bool = True) -> Examined:
        """Score some rows of the `graphs` contract without any adaptation.

        Without `parts`, the parts of cells of the training space, which are not needed for their
        scores, are left 0.
        """
        graphs, formed = Graphs.from_table(table), self._formed(table)
        sizes = prior.sizes(table, graphs, described(table.schema, source))
        share, by_size = self._shares(table, formed), sizes.keys()
        rows = np.flatnonzero(share)
        reader = self.with_described(table.schema, source) if rows.size else self
        found = reader._by_members(
            formed.take(rows), table["space"].take(rows), source, parts
        ).spread_over(rows, len(graphs))
        mixed = share * np.where(share > 0, found.figures[0], 0) + (1 - share) * sizes.score()
        found.figures[0] = np.where(share == 1, found.figures[0], mixed)
        both = np.where(share > 0, combined([by_size, found.keys]), by_size)
        return found._replace(keys=np.where(share == 1, found.keys, both))

    def share_of_members(self, table: pa.Table) -> Floats:
        """Return (n,) the weight of the members in the scores of n rows, from 0 to 1.

        The rest of a score is the prior: see `snap_gcn.model.prior`.
        """
        return self._shares(table, self._formed(table))

    def _formed(self, table: pa.Table) -> Graphs:
        """Return the graphs of a table, in the form that equal cells share if the model uses it."""
        graphs = Graphs.from_table(table)
        return one_form(graphs, table["space"]) if self.model.config.one_form else graphs

    def _shares(self, table: pa.Table, formed: Graphs) -> Floats:
        if not self.model.config.prior:
            return np.ones(len(formed))
        share = prior.share_of_members(table, formed, self.familiar.ranges)
        return np.where(prior.known(table), share, 1)

    def settled(self, parts: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Give equal networks the results of the first of them, over all parts of a table.

        Floating-point sums depend on the order of the nodes, on the batch and on the machine; ties
        must not.

        The parts, from `score_part`, must be in the table's order. Yields rows of the `scores`
        contract.
        """
        first: dict[int, int] = {}
        names = self.figures
        figures = np.empty((0, len(names)))
        for part in parts:
            known, new = len(first), part.num_rows
            rows = np.array([first.setdefault(k, len(first)) for k in part[KEY].to_pylist()], int)
            own = np.stack([part[name].to_numpy() for name in names], axis=1)
            if len(first) > len(figures):
                figures = np.resize(figures, (2 * len(first) + new, len(names)))
            fresh = np.flatnonzero(rows >= known)[::-1]  # of equal ones the first is kept
            figures[rows[fresh]] = own[fresh]
            columns = [part["space"], part["arch_id"]]
            columns += [pa.array(values, from_pandas=True) for values in figures[rows].T]
            yield pa.table(columns, schema=self.schema)

    def readings(self, table: pa.Table, source: str = "graphs") -> list[Understood]:
        """Return how the descriptions of the user's operators in a table were read.

        There is one for each operator that was read and occurs in a graph that the members score.
        """
        scored = table.filter(pa.array(self.share_of_members(table) > 0))
        if not scored.num_rows:
            return []
        reader = self.with_described(table.schema, source)
        if not reader.vocabulary.is_read():
            return []
        rows = {int(row) for _, op in reader.seen(scored, source) for row in np.unique(op)}
        return reader.vocabulary.understood(rows, self._own_vocabulary)

    def seen(self, table: pa.Table, source: str = "graphs") -> list[tuple[Graphs, Ints]]:
        """Return the graphs of a table as the members for any space see them.

        For each sequence of views, there are the graphs and (nodes,) rows of their operators.
        """
        spaces = table["space"]
        wanted = {group.views for group in self._groups if not group.training_space}
        graphs, _ = self._to_score(self._formed(table), spaces, source)
        return list(self._viewed(graphs, spaces, wanted, source).values())

    def _to_score(
        self, graphs: Graphs, spaces: pa.ChunkedArray, source: str
    ) -> tuple[Graphs, Bools]:
        """Return the graphs to score, and (graphs,) whether each is of the training space."""
        own = np.zeros(len(graphs), np.bool_)
        if self._training_space is not None:
            own = self._training_space.holds(graphs, self.vocabulary.find(spaces, graphs, source))
        if self.model.config.one_form:
            others = ~own & self.vocabulary.reads_identity(spaces)
            graphs = with_shortcuts(graphs, spaces, others)
        return graphs, own

    def _viewed(
        self,
        graphs: Graphs,
        spaces: pa.ChunkedArray,
        wanted: Iterable[tuple[View, ...]],
        source: str,
    ) -> dict[tuple[View, ...], tuple[Graphs, Ints]]:
        """Return the graphs through each sequence of views, with the rows of their operators."""
        shown = all_viewed(graphs, spaces, wanted, dead=not self.model.config.one_form)
        find = self.vocabulary.find
        return {views: (seen, find(spaces, seen, source)) for views, seen in shown.items()}

    def _by_members(
        self, formed: Graphs, spaces: pa.ChunkedArray, source: str, parts: bool
    ) -> Examined:
        """Score graphs by the members, without the prior; see `examine`."""
        graphs, own = self._to_score(formed, spaces, source)
        others = np.arange(len(own)) if parts else np.flatnonzero(~own)
        found = self._by_groups(graphs, spaces, others, False, source)
        found = found.spread_over(others, len(own))
        rows = np.flatnonzero(own)
        if rows.size:
            inside = self._by_groups(graphs, spaces, rows, True, source)
            found.figures[:, rows], found.keys[rows] = inside.figures, inside.keys
        return found

    def _by_groups(
        self, graphs: Graphs, spaces: pa.ChunkedArray, rows: Ints, training_space: bool, source: str
    ) -> Examined:
        """Score some graphs by the members for the training space, or by those for any space."""
        if len(rows) < len(graphs):
            graphs, spaces = graphs.take(rows), spaces.take(rows)
        groups = {g: m for g, m in self._groups.items() if g.training_space == training_space}
        paths = None if training_space else self._paths
        vectors = self.vocabulary.vectors
        wanted = [group.views for group in groups] + ([PATH_VIEWS] if paths else [])
        seen = self._viewed(graphs, spaces, wanted, source)
        through, added = np.empty((len(graphs), 0)), np.zeros(len(graphs))
        if paths:
            through = statistics(*seen[PATH_VIEWS], kinds(vectors, paths.examples))
            added = paths.score(seen[PATH_VIEWS][0], through)
        weighted = self.model.config.paths * added
        shared = combined([self._keys(groups, seen), weighted.view(np.uint64)])
        _, first, place = np.unique(shared, return_index=True, return_inverse=True)
        distinct = {
            views: (shown.take(first), op[shown.nodes_of(first)])
            for views, (shown, op) in seen.items()
        }
        scores = np.concatenate(
            [self._runtime.score(group, *distinct[group.views], vectors) for group in groups]
        )
        novelty = np.zeros(len(first))
        if not training_space:
            for group, members in groups.items():
                share = len(members) / len(scores)
                novelty += share * self.familiar.novelty(*distinct[group.views])
        spread = scores.std(axis=0) if len(scores) > 1 else np.full(len(first), np.nan)
        score = scores.mean(axis=0) + weighted[first]
        figures = np.stack([score, spread, novelty])[:, place]
        means = self._by_recipe(scores, groups)[:, place]
        parts = Parts(scores.T[place], np.vstack([means, added]).T, through)
        return Examined(figures, shared, parts)

    def _by_recipe(self, scores: Floats, groups: Mapping[Group, Sequence[int]]) -> Floats:
        """Return (r, n) means over the networks of each recipe, given (m, n) scores of groups."""
        members = self.model.config.members
        recipes = [members[number] for numbers in groups.values() for number in numbers]
        return np.stack(
            [
                scores[[other == recipe for other in recipes]].mean(axis=0)
                for recipe in dict.fromkeys(recipes)
            ]
        )

    def _keys(
        self,
        groups: Mapping[Group, Sequence[int]],
        seen: Mapping[tuple[View, ...], tuple[Graphs, Ints]],
    ) -> Keys:
        """Return (n,) keys shared by graphs that all members of some groups score equally."""
        recipes = self.model.config.members
        layers: dict[tuple[View, ...], int] = {}
        for group, members in groups.items():
            deepest = max(recipes[i].layers for i in members)
            layers[group.views] = max(deepest, layers.get(group.views, 0))
        return combined([network_keys(*seen[views], rounds) for views, rounds in layers.items()])

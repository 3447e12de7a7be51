"""Use a trained predictor."""

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from snap_catalog import SnapError
from snap_catalog.readings import Understood
from snap_graphs import Graphs
from snap_graphs.arrays import Bools, Ints
from snap_graphs.hashing import mix
from snap_graphs.views import with_shortcuts

from snap_gcn.adaptation.given import NO_SCORES, Given
from snap_gcn.data.architectures import Architectures, as_table
from snap_gcn.data.encoders import described, with_described
from snap_gcn.data.equality import Keys, combined, keys
from snap_gcn.data.views import all_viewed, one_form
from snap_gcn.data.vocabulary import Vocabulary
from snap_gcn.model import prior
from snap_gcn.model.folder import NETWORKS, SURROGATE, WEIGHTS, Model, load, locate
from snap_gcn.model.paths import VIEWS as PATH_VIEWS
from snap_gcn.model.paths import PathModel, kinds, statistics
from snap_gcn.model.recipe import BUNDLED, Group, View, grouped
from snap_gcn.model.runtime import Runtime, check_device
from snap_gcn.reliability.likeness import share_of_members
from snap_gcn.reliability.novelty import Familiar
from snap_gcn.reliability.training_space import TrainingSpace
from snap_gcn.threads import available, in_order

if TYPE_CHECKING:
    from snap_gcn.adaptation.adaptation import Adaptation

Floats = npt.NDArray[np.float64]

FIGURES = ("score", "spread", "novelty")
"""What is found of each architecture; see `Predictor.predict`."""
PREDICTED = ("predicted", "predicted_std")
"""What an adapted model finds besides."""
KEY = "key"
"""The column of what equal networks share, which no file has."""
ROWS = 4096
"""Architectures that are scored at once: enough for dense batches, few enough for many cores."""
_ENCODING = threading.Lock()
"""Held while operators are encoded, which one thread does for all."""


class Parts(NamedTuple):
    """What scores of cells outside the training space are made of.

    Attributes:
        members: (n, m) scores of the networks.
        kinds: (n, r + 1) mean scores of the networks of each recipe, and what the paths add.
        paths: (n, k) `snap_gcn.model.paths.statistics`; k is 0 where the predictor has no paths.
    """

    members: Floats
    kinds: Floats
    paths: Floats


class Examined(NamedTuple):
    """What a predictor finds in n architectures, before any adaptation.

    Attributes:
        figures: (3, n) score, spread and novelty; see `Predictor.predict`.
        keys: (n,) equal networks share one.
        parts: of their scores, as if all were of another space than the training space; 0 where
            the members count nothing.
    """

    figures: Floats
    keys: Keys
    parts: Parts

    def over(self, rows: Ints, count: int) -> "Examined":
        """Return the same of `count` architectures, of which these are the given rows.

        Figures of the others are NaN, their keys and parts 0.
        """
        figures, keys = np.full((len(self.figures), count), np.nan), np.zeros(count, np.uint64)
        figures[:, rows], keys[rows] = self.figures, self.keys
        parts = [np.zeros((count, part.shape[1])) for part in self.parts]
        for whole, part in zip(parts, self.parts, strict=True):
            whole[rows] = part
        return Examined(figures, keys, Parts(*parts))


class Predictor:
    """A trained predictor and the vectors of the operators it can read.

    Attributes:
        model: what its folder holds.
        vocabulary: the operators.
        device: where it computes, `cpu` or `cuda`.
        given: scores of other scorers, for a model that was adapted with them.
    """

    def __init__(
        self, model: Model, vocabulary: Vocabulary | None = None, device: str = "cpu"
    ) -> None:
        """Make a model ready for use.

        Raises:
            SnapError: there is no such device, or parts of the model do not fit together.
        """
        check_device(device)
        self.model, self.device = model, device
        self.vocabulary = vocabulary or Vocabulary.from_table(model.operators)
        self._groups = grouped(model.config.members)
        source = str(model.source / NETWORKS)
        self._runtime = Runtime(model.networks, self._groups, source, device)
        self._paths = self._path_model()
        self._training_space = self._own_space()
        self._readers: dict[str, Predictor] = {}
        self.given = NO_SCORES

    def _path_model(self) -> PathModel | None:
        if not self.model.config.paths:
            return None
        dimensions = self.vocabulary.vectors.shape[1]
        source = str(self.model.source / WEIGHTS)
        return PathModel.from_tensors(self.model.part("paths"), dimensions, source)

    def _own_space(self) -> TrainingSpace | None:
        record = self.model.config.training_space
        if record is None:
            return None
        return TrainingSpace.read(record, self.vocabulary, self.kept, str(self.model.source))

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
        return cls(load(locate(model)), device=device)

    @property
    def name(self) -> str:
        """The model's name, as in `snap.scorer`."""
        return f"gcn:{self.model.config.name}"

    @cached_property
    def familiar(self) -> Familiar:
        """What the model was trained on."""
        config, own = self.model.config, self._own_vocabulary
        rows = own.rows_of(config.trained_operators, str(self.model.source))
        return Familiar(self.vocabulary.distances(own.vectors[rows]), config.training.shapes)

    @cached_property
    def kept(self) -> Bools:
        """(operators,) Which operators of the vocabulary have the vectors of the model's folder."""
        return self.vocabulary.kept(self._own_vocabulary)

    @cached_property
    def _own_vocabulary(self) -> Vocabulary:
        return Vocabulary.from_table(self.model.operators)

    @cached_property
    def _adaptation(self) -> "Adaptation | None":
        """What the model learned from measurements, if it was adapted."""
        from snap_gcn.adaptation.adaptation import Adaptation, Inputs

        adapted, source = self.model.config.adapted, str(self.model.source / SURROGATE)
        if adapted is None:
            return None
        inputs = Inputs(adapted.operators, adapted.costs, adapted.scorers)
        return Adaptation.from_tensors(self.model.surrogate, inputs, source)

    def with_operators(self, table: pa.Table, source: str = "operators") -> "Predictor":
        """Return a predictor that also reads the operators of another table.

        Args:
            table: rows of the `operators` contract, by the encoder the model was trained with.
            source: what to call the table in an error.

        Raises:
            SnapError: another encoder made the vectors.
        """
        vocabulary = self.vocabulary.extended(Vocabulary.from_table(table), source)
        return self._reading(vocabulary)

    def with_scores(self, given: Given, source: str = "features") -> "Predictor":
        """Return a predictor that has scores of other scorers at hand.

        Args:
            given: the scores.
            source: what to call them in an error.

        Raises:
            SnapError: the model looks at no scores of such a scorer.
        """
        adapted = self.model.config.adapted
        known = adapted.scorers if adapted else []
        for name in given.scores:
            if name not in known:
                raise SnapError(
                    f"{source}: the model {self.name} looks at no scores of {name}; leave them out"
                )
        other = self._reading(self.vocabulary)
        other.given = given
        return other

    def with_described(self, schema: pa.Schema, source: str = "graphs") -> "Predictor":
        """Return a predictor that also reads the operators that a table of graphs describes.

        Args:
            schema: the table's; its metadata `snap.operators` maps names to sentences.
            source: what to call the table in an error.

        Raises:
            SnapError: the model's encoder is not installed, or is another.
        """
        texts = str(described(schema, source))
        with _ENCODING:
            if texts not in self._readers:
                self._readers = {texts: self._described(schema, source)}
            return self._readers[texts]

    def _described(self, schema: pa.Schema, source: str) -> "Predictor":
        vocabulary = with_described(
            self.vocabulary, schema, self.model.config.encoder, source, self._own_vocabulary
        )
        return self if vocabulary is self.vocabulary else self._reading(vocabulary)

    def _reading(self, vocabulary: Vocabulary) -> "Predictor":
        """Return a predictor with other operators and the same networks."""
        other = Predictor(self.model, vocabulary, self.device)
        other._runtime, other.given = self._runtime, self.given
        return other

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
            the cell count for where the predictor looks at them. Cells of the training space are
            scored by the members for it, where there are any. Whole networks are scored by their
            size (`snap_gcn.model.prior`), where the predictor has that prior and it is known.

        Raises:
            SnapError: an operator of a cell has no vector, or the architectures cannot be read.
        """
        scores: Floats = self.predict(graphs, space, source)["score"].to_numpy()
        return scores

    def predict(
        self, graphs: Architectures, space: str | None = None, source: str = "graphs"
    ) -> pa.Table:
        """Score architectures as `score` does, into a table of the `scores` contract.

        `spread` is the standard deviation over the members, null where there is one only.
        `novelty` is the distance from what the model was trained on, as `Familiar` defines it.
        Both are null where the members count nothing. An adapted model also returns `predicted`,
        the metric to expect in its unit, and `predicted_std`, the standard deviation of a
        measurement around it.
        """
        table = as_table(graphs, space)
        parts = (table.slice(i, ROWS) for i in range(0, table.num_rows, ROWS))
        scored = in_order(lambda part: self.score_part(part, source), parts, self.workers)
        return pa.concat_tables([self.schema.empty_table(), *self.settled(scored)])

    @property
    def workers(self) -> int:
        """How many parts to score at a time: one for each core, one on a CUDA device."""
        return available() if self.device == "cpu" else 1

    @property
    def figures(self) -> tuple[str, ...]:
        """Columns of what `predict` returns, beside the names of the architectures."""
        return FIGURES if self.model.config.adapted is None else (*FIGURES, *PREDICTED)

    @property
    def schema(self) -> pa.Schema:
        """Of what `predict` returns; its metadata names the model, and the metric it predicts."""
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

        Returns:
            Their scores, and the column `key`: equal networks share it.

        Raises:
            SnapError: an operator of a graph for which the members count has no vector.
        """
        adaptation = self._adaptation
        found = self.examine(table, source, parts=adaptation is not None)
        figures, keys = found.figures, found.keys
        if adaptation is not None:
            others = self.given.of(table, adaptation.inputs.scorers, source)
            predicted = adaptation.predict(found, table, others, source)
            keys = combined([keys, *(mix(column.view(np.uint64)) for column in others.T.copy())])
            figures = np.stack([predicted.score, *figures[1:], predicted.value, predicted.std])
        columns = [table["space"], table["arch_id"]]
        columns += [pa.array(values, from_pandas=True) for values in figures]
        return pa.table([*columns, pa.array(keys)], [*self.schema.names, KEY])

    def examine(self, table: pa.Table, source: str = "graphs", *, parts: bool = True) -> Examined:
        """Score some rows of the `graphs` contract without what was learned from measurements.

        Args:
            table: the rows.
            source: what to call them in an error.
            parts: whether to find the parts for cells of the training space too, whose scores are
                made of others; these are 0 otherwise.

        Raises:
            SnapError: an operator of a graph for which the members count has no vector.
        """
        graphs, formed = Graphs.from_table(table), self._formed(table)
        share, sizes = self._shares(table, formed), self._sizes(table, graphs, source)
        asked, size = np.flatnonzero(share), sizes.keys()
        reader = self.with_described(table.schema, source) if asked.size else self
        spaces = table["space"].take(asked)
        found = reader._asked(formed.take(asked), spaces, source, parts).over(asked, len(graphs))
        mixed = share * np.where(share > 0, found.figures[0], 0) + (1 - share) * sizes.score()
        found.figures[0] = np.where(share == 1, found.figures[0], mixed)
        both = np.where(share > 0, combined([size, found.keys]), size)
        return found._replace(keys=np.where(share == 1, found.keys, both))

    def share_of_members(self, table: pa.Table) -> Floats:
        """Return (n,) what the members count for in the scores of n rows, from 0 to 1.

        The rest of a score is the prior: see `snap_gcn.model.prior`.

        Args:
            table: rows of the `graphs` contract, with the columns that it has of `prior.COLUMNS`.
        """
        return self._shares(table, self._formed(table))

    def _formed(self, table: pa.Table) -> Graphs:
        """Return the graphs of a table in the form that equal cells share, if the model has one."""
        graphs = Graphs.from_table(table)
        return one_form(graphs, table["space"]) if self.model.config.one_form else graphs

    def _shares(self, table: pa.Table, formed: Graphs) -> Floats:
        if not self.model.config.prior:
            return np.ones(len(formed))
        share = share_of_members(table, formed, self.familiar.ranges)
        return np.where(prior.known(table), share, 1)

    def _sizes(self, table: pa.Table, graphs: Graphs, source: str) -> prior.Sizes:
        return prior.sizes(table, graphs, described(table.schema, source))

    def _asked(self, formed: Graphs, spaces: pa.ChunkedArray, source: str, parts: bool) -> Examined:
        """Examine graphs for which the members count; see `examine`."""
        graphs, own = self._read(formed, spaces, source)
        others = np.arange(len(own)) if parts else np.flatnonzero(~own)
        found = self._examined(graphs, spaces, others, False, source).over(others, len(own))
        rows = np.flatnonzero(own)
        if rows.size:
            apart = self._examined(graphs, spaces, rows, True, source)
            found.figures[:, rows], found.keys[rows] = apart.figures, apart.keys
        return found

    def settled(self, parts: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Give equal networks the figures of the first of them, in all parts of a table.

        Sums of floating-point numbers depend on the order of the nodes, on the batch and on the
        machine; ties must not.

        Args:
            parts: what `score_part` returned, in the table's order.

        Yields:
            Rows of the `scores` contract.
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
        """Return how the descriptions of the user's operators in a table were understood.

        Args:
            table: rows of the `graphs` contract.
            source: what to call them in an error.

        Returns:
            One for each operator that occurs and was read, where the members count.

        Raises:
            SnapError: an operator for which the members count has no vector.
        """
        asked = table.filter(pa.array(self.share_of_members(table) > 0))
        if not asked.num_rows:
            return []
        reader = self.with_described(table.schema, source)
        if not reader.vocabulary.is_read():
            return []
        rows = {int(row) for _, op in reader.seen(asked, source) for row in np.unique(op)}
        return reader.vocabulary.understood(rows, self._own_vocabulary)

    def seen(self, table: pa.Table, source: str = "graphs") -> list[tuple[Graphs, Ints]]:
        """Return the graphs of a table as the members for any space see them.

        Returns:
            For each way to see them, the graphs and (nodes,) the rows of their operators' vectors.

        Raises:
            SnapError: an operator has no vector.
        """
        spaces = table["space"]
        wanted = {group.views for group in self._groups if not group.training_space}
        shown = self._viewed(
            self._read(self._formed(table), spaces, source)[0], spaces, wanted
        ).values()
        return [(graphs, self.vocabulary.find(spaces, graphs, source)) for graphs in shown]

    def _read(self, graphs: Graphs, spaces: pa.ChunkedArray, source: str) -> tuple[Graphs, Bools]:
        """Return the graphs to score, and (graphs,) which are of the training space."""
        own = self._of_training_space(graphs, spaces, source)
        if self.model.config.one_form:
            others = ~own & self.vocabulary.reads_identity(spaces)
            graphs = with_shortcuts(graphs, spaces, others)
        return graphs, own

    def _of_training_space(self, graphs: Graphs, spaces: pa.ChunkedArray, source: str) -> Bools:
        if self._training_space is None:
            return np.zeros(len(graphs), np.bool_)
        op = self.vocabulary.find(spaces, graphs, source)
        return self._training_space.holds(graphs, op)

    def _viewed(
        self, graphs: Graphs, spaces: pa.ChunkedArray, wanted: Iterable[tuple[View, ...]]
    ) -> Mapping[tuple[View, ...], Graphs]:
        return all_viewed(graphs, spaces, wanted, dead=not self.model.config.one_form)

    def _examined(
        self, graphs: Graphs, spaces: pa.ChunkedArray, rows: Ints, training_space: bool, source: str
    ) -> Examined:
        """Examine some graphs by the members for the training space, or by those for any."""
        if len(rows) < len(graphs):
            graphs, spaces = graphs.take(rows), spaces.take(rows)
        groups = {g: m for g, m in self._groups.items() if g.training_space == training_space}
        paths = None if training_space else self._paths
        vectors = self.vocabulary.vectors
        wanted = [group.views for group in groups] + ([PATH_VIEWS] if paths else [])
        seen = {
            views: (shown, self.vocabulary.find(spaces, shown, source))
            for views, shown in self._viewed(graphs, spaces, wanted).items()
        }
        through, added = np.empty((len(graphs), 0)), np.zeros(len(graphs))
        if paths:
            through = statistics(*seen[PATH_VIEWS], kinds(vectors, paths.examples))
            added = paths.score(seen[PATH_VIEWS][0], through)
        counted = self.model.config.paths * added
        shared = combined([self._keys(groups, seen), counted.view(np.uint64)])
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
        score = scores.mean(axis=0) + counted[first]
        figures = np.stack([score, spread, novelty])[:, place]
        means = self._by_recipe(scores, groups)[:, place]
        parts = Parts(scores.T[place], np.vstack([means, added]).T, through)
        return Examined(figures, shared, parts)

    def _by_recipe(self, scores: Floats, groups: Mapping[Group, Sequence[int]]) -> Floats:
        """Return (r, n) means over the networks of each recipe, given (m, n) scores of groups."""
        members = [number for numbers in groups.values() for number in numbers]
        recipes = [self.model.config.members[number] for number in members]
        means = [
            scores[[other == recipe for other in recipes]].mean(axis=0)
            for recipe in dict.fromkeys(recipes)
        ]
        return np.stack(means)

    def _keys(
        self,
        groups: Mapping[Group, Sequence[int]],
        seen: Mapping[tuple[View, ...], tuple[Graphs, Ints]],
    ) -> Keys:
        """Return (n,) keys that graphs share which all members of some groups score alike."""
        recipes = self.model.config.members
        layers: dict[tuple[View, ...], int] = {}
        for group, members in groups.items():
            deepest = max(recipes[i].layers for i in members)
            layers[group.views] = max(deepest, layers.get(group.views, 0))
        return combined([keys(*seen[views], rounds) for views, rounds in layers.items()])

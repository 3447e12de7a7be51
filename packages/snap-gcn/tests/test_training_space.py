from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from snap_gcn.model.recipe import Recipe, grouped
from snap_gcn.model.runtime import Runtime
from snap_gcn.model.schema import Domain
from snap_gcn.predictor import Predictor
from snap_gcn.reliability.training_space import TrainingSpace, record
from snap_graphs import Cell, Graphs, graph_table

OPERATORS = ("input", "conv3x3-bn-relu", "output", "skip_connect")


def chain(*operators: str) -> Cell:
    nodes = ("input", *operators, "output")
    return Cell(nodes, tuple((i, i + 1) for i in range(len(nodes) - 1)))


def table_of(cells: Sequence[Cell], space: str = "nb101") -> pa.Table:
    return graph_table(space, cells, arch_ids=[str(i) for i in range(len(cells))])


CONV = "conv3x3-bn-relu"
NEAR = table_of([chain(CONV), chain(CONV, "maxpool3x3", CONV)])


def test_cells_of_seen_operators_and_shapes_are_of_the_training_space() -> None:
    graphs = Graphs.from_table(
        table_of([chain(CONV), chain(CONV, CONV, CONV), chain("skip_connect")])
    )
    rows = np.array([OPERATORS.index(graphs.vocabulary[word]) for word in graphs.op])
    seen = TrainingSpace(np.array([True, True, True, False]), {"nodes": [3, 4]})
    assert seen.holds(graphs, rows).tolist() == [True, False, False]


def test_the_record_holds_what_the_members_for_the_training_space_saw() -> None:
    found = record(
        NEAR, [Recipe(), Recipe(training_space=True)], [[("nb101", "a")], [("nb101", "b")]]
    )
    assert found == Domain(
        operators=[("nb101", "b")],
        shapes={"nodes": [3, 5], "edges": [2, 4], "inputs": [1, 1]},
    )


def test_without_a_member_for_the_training_space_there_is_no_record() -> None:
    assert record(NEAR, [Recipe()], [[("nb101", "a")]]) is None


def test_cells_of_the_training_space_are_scored_by_the_members_for_it_alone() -> None:
    predictor = Predictor.bundled()
    far = chain(CONV, "skip_connect", CONV)
    mixed = table_of([chain(CONV), far, chain(CONV, "maxpool3x3", CONV)])
    scores = predictor.predict(mixed)
    model = predictor.model
    runtime = Runtime(model.networks, grouped(model.config.members), "model.onnx")
    (group,) = (group for group in grouped(model.config.members) if group.training_space)
    graphs = Graphs.from_table(NEAR)
    rows = predictor.vocabulary.find(NEAR["space"], graphs, "cells")
    own = runtime.score(group, graphs, rows, predictor.vocabulary.vectors)
    assert scores["score"].to_numpy()[[0, 2]] == pytest.approx(own.mean(axis=0), abs=1e-5)
    assert scores["spread"].to_numpy()[[0, 2]] == pytest.approx(own.std(axis=0), abs=1e-5)
    assert scores["novelty"].to_pylist()[::2] == [0, 0]
    alone = predictor.predict(mixed.slice(1, 1))
    assert scores["score"][1].as_py() == pytest.approx(alone["score"][0].as_py(), abs=1e-5)
    assert scores["arch_id"].to_pylist() == ["0", "1", "2"]


def test_like_cells_of_another_space_are_not_of_the_training_space() -> None:
    like = table_of([chain("nor_conv_3x3"), chain("nor_conv_1x1", "nor_conv_3x3")], "nb201")
    assert Predictor.bundled().predict(like)["spread"].to_numpy().min() > 0
    assert Predictor.bundled().predict(like)["novelty"].to_numpy().min() > 0


def test_cells_whose_operators_are_described_otherwise_are_not_of_the_training_space() -> None:
    predictor = Predictor.bundled()
    table = predictor.vocabulary.table
    rows = [
        predictor.vocabulary.rows["nb101", "maxpool3x3"],
        predictor.vocabulary.rows["nb101", CONV],
    ]
    swapped = table.take(rows).set_column(
        table.schema.get_field_index("op"), "op", pa.array([CONV, "maxpool3x3"])
    )
    reader = predictor.with_operators(swapped)
    cells = table_of([chain(CONV), chain("conv1x1-bn-relu")])
    assert (
        predictor.predict(cells)["spread"].to_pylist()
        != reader.predict(cells)["spread"].to_pylist()
    )
    seen = reader.model.config.training_space
    assert seen is not None
    graphs = Graphs.from_table(cells)
    op = reader.vocabulary.find(cells["space"], graphs, "cells")
    own = TrainingSpace.read(seen, reader.vocabulary, reader.kept, "snap")
    assert own.holds(graphs, op).tolist() == [False, True]

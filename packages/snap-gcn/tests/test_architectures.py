import numpy as np
import pyarrow as pa
import pytest
from snap_catalog import SnapError
from snap_gcn.predictor import Predictor
from snap_graphs import Cell, graph_table, space

STRINGS = ["4:111101:3m", "3:111:3"]


def test_strings_cells_and_tables_get_the_same_scores() -> None:
    predictor = Predictor.bundled()
    cells = [space("nb101").parse(string) for string in STRINGS]
    by_table = predictor.score(graph_table("nb101", cells))
    assert by_table.shape == (2,)
    np.testing.assert_array_equal(predictor.score(STRINGS, space="nb101"), by_table)
    np.testing.assert_array_equal(predictor.score(cells, space="nb101"), by_table)


def test_a_prediction_names_the_architectures(cells: pa.Table) -> None:
    reported = Predictor.bundled().predict(STRINGS, space="nb101")
    assert reported["arch_id"].to_pylist() == STRINGS
    assert reported["space"].to_pylist() == ["nb101", "nb101"]


def test_cells_may_be_of_a_space_of_ones_own(cells: pa.Table) -> None:
    known = Predictor.bundled().vocabulary.table
    own = known.set_column(
        known.column_names.index("space"), "space", pa.nulls(len(known), pa.string())
    )
    first = {name: row for row, name in reversed(list(enumerate(known["op"].to_pylist())))}
    predictor = Predictor.bundled().with_operators(own.take(list(first.values())))
    cell = Cell(("input", "max_pool_3x3", "output"), ((0, 1), (1, 2)))
    reported = predictor.predict([cell, cell], space="mine")
    assert reported["arch_id"].to_pylist() == ["0", "1"]


def test_cells_without_a_space_are_refused() -> None:
    with pytest.raises(SnapError, match="need their search space"):
        Predictor.bundled().score(STRINGS)


def test_a_string_of_another_space_is_refused() -> None:
    with pytest.raises(SnapError):
        Predictor.bundled().score(["nonsense"], space="nb101")

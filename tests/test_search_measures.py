"""The parts of tools/search that need no search: differences between cells, the paper's tables."""

import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_graphs import Cell, space

from tools.measure.search.mobile import difference, mean_difference
from tools.measure.search.tables import PAPER

HOME = space("darts")


def drawn(seed: int, count: int) -> list[Cell]:
    return HOME.sample(count, seed=seed)


@given(st.integers(0, 1000))
def test_differences_are_of_sixteen_operators_and_go_both_ways(seed: int) -> None:
    one, other = drawn(seed, 2)
    assert difference(one, one) == 0
    assert 0 <= difference(one, other) == difference(other, one) <= 16


@given(st.integers(0, 1000))
def test_an_edit_changes_two_operators_at_most(seed: int) -> None:
    (cell,) = drawn(seed, 1)
    near = HOME.mutate(cell, np.random.default_rng(seed))
    assert difference(cell, near) <= 2


def test_the_order_of_a_nodes_edges_makes_no_difference() -> None:
    pairs = "('sep_conv_3x3', {}), ('skip_connect', {})"
    node = ", ".join(pairs.format(*ends) for ends in ((0, 1), (0, 1), (0, 1), (0, 1)))
    turned = ", ".join(
        f"('skip_connect', {b}), ('sep_conv_3x3', {a})" for a, b in ((0, 1), (0, 1), (0, 1), (0, 1))
    )
    cells = [HOME.parse(f"Genotype(normal=[{text}], reduce=[{node}])") for text in (node, turned)]
    assert difference(*cells) == 0


def test_the_mean_is_over_all_pairs() -> None:
    cells = drawn(0, 3)
    pairs = [difference(cells[a], cells[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert mean_difference(cells) == pytest.approx(sum(pairs) / 3)


def test_every_row_of_the_papers_tables_fills_its_columns() -> None:
    tables = tomllib.loads(PAPER.read_text("utf-8"))["table"]
    assert [len(table["rows"]) for table in tables] == [8, 16, 10]
    for table in tables:
        assert {len(row) for row in table["rows"]} == {len(table["head"])}

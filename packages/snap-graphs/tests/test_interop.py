from random import Random
from typing import Any

import networkx as nx
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_graphs import Cell, Metric, from_networkx, graph_table, to_networkx, to_pyg

METRIC = "cifar10/test/accuracy"


@st.composite
def cells(draw: st.DrawFn, operators: tuple[str, ...] = ("input", "conv", "pool")) -> Cell:
    interior = draw(st.lists(st.sampled_from(operators), max_size=6))
    nodes = ("input", *interior, "output")
    pairs = [(s, d) for s in range(len(nodes)) for d in range(s + 1, len(nodes))]
    return Cell(nodes, tuple(sorted(draw(st.sets(st.sampled_from(pairs))))))


def table_of(*cells: Cell, values: list[float] | None = None) -> pa.Table:
    names = [str(i) for i in range(len(cells))]
    metrics = {METRIC: Metric(np.array(values, float), "max", "percent")} if values else None
    return graph_table("mine", cells, arch_ids=names, metrics=metrics)


TWO = (
    Cell(("input", "pool", "conv", "output"), ((0, 1), (0, 2), (1, 3), (2, 3))),
    Cell(("input", "conv", "output"), ((0, 1), (1, 2))),
)


@given(cells())
def test_a_cell_comes_back_from_networkx(cell: Cell) -> None:
    (row,) = table_of(cell).to_pylist()
    graph = to_networkx(row)
    assert from_networkx(graph) == cell
    assert graph.graph == {k: v for k, v in row.items() if k not in {"nodes", "src", "dst"}}


@given(cells(("conv", "pool")), st.randoms())
def test_nodes_in_any_order_and_of_any_type_give_an_isomorphic_cell(
    cell: Cell, random: Random
) -> None:
    order = [*enumerate(cell.nodes)]
    random.shuffle(order)
    shuffled: nx.DiGraph[str] = nx.DiGraph()
    shuffled.add_nodes_from((f"n{i}", {"kind": op}) for i, op in order)
    shuffled.add_edges_from((f"n{source}", f"n{target}") for source, target in cell.edges)
    found = from_networkx(shuffled, op="kind")
    first, second = (to_networkx({"nodes": c.nodes, **_ends(c)}) for c in (cell, found))
    same = nx.algorithms.isomorphism.categorical_node_match("op", None)
    assert nx.is_isomorphic(first, second, node_match=same)


def _ends(cell: Cell) -> dict[str, list[int]]:
    return {"src": [s for s, _ in cell.edges], "dst": [d for _, d in cell.edges]}


def test_rows_of_pandas_and_polars_are_rows() -> None:
    table = table_of(*TWO)
    rows = (table.to_pandas().iloc[0], pl.DataFrame(table).row(0, named=True))
    assert [from_networkx(to_networkx(row)) for row in rows] == [TWO[0], TWO[0]]


def graph(*edges: tuple[str, str], **ops: str) -> "nx.DiGraph[str]":
    made: nx.DiGraph[str] = nx.DiGraph(edges)
    for node, op in ops.items():
        made.nodes[node]["op"] = op
    return made


ENDS = {"a": "input", "c": "output"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (graph(("a", "b"), ("b", "c"), **ENDS), "node 'b' has no operator name"),
        (graph(("a", "b"), ("b", "a"), ("b", "c"), b="conv", **ENDS), "has a cycle"),
        (graph(("a", "b"), ("b", "c"), a="input", b="output", c="conv"), "from input to output"),
        (graph(("a", "b"), ("b", "c"), b="conv", **ENDS).to_undirected(), "is undirected"),
    ],
)
def test_a_graph_that_is_no_cell_is_refused(wrong: Any, message: str) -> None:
    with pytest.raises(SnapError, match=message):
        from_networkx(wrong)


@given(st.lists(cells(), min_size=1, max_size=5))
def test_a_data_set_of_pyg_has_the_operators_and_edges_of_every_graph(some: list[Cell]) -> None:
    dataset = to_pyg(table_of(*some))
    assert len(dataset) == len(some)
    for data, cell in zip(dataset, some, strict=True):
        assert tuple(dataset.operators[i] for i in data.op) == cell.nodes
        assert tuple(map(tuple, data.edge_index.T.tolist())) == cell.edges
        assert data.num_nodes == len(cell.nodes)
        assert "y" not in data


def test_a_metric_becomes_the_label_and_what_is_missing_is_nan() -> None:
    dataset = to_pyg(table_of(*TWO, values=[93.5, float("nan")]), "accuracy")
    assert dataset[0].y.tolist() == [93.5]
    assert dataset[1].y.isnan().all()
    assert (str(dataset.y.dtype), tuple(dataset.y.shape)) == ("torch.float32", (2,))


def test_batches_join_the_graphs() -> None:
    from torch_geometric.loader import DataLoader

    (batch,) = DataLoader(to_pyg(table_of(*TWO, values=[1.0, 2.0]), METRIC), batch_size=2)
    assert batch.edge_index.tolist() == [[0, 0, 1, 2, 4, 5], [1, 2, 3, 3, 5, 6]]
    assert (batch.batch.tolist(), batch.y.tolist()) == ([0, 0, 0, 0, 1, 1, 1], [1.0, 2.0])


def test_a_vocabulary_that_is_given_numbers_the_operators() -> None:
    names = ["output", "conv", "pool", "input"]
    assert to_pyg(table_of(*TWO), operators=names)[0].op.tolist() == [3, 2, 1, 0]
    with pytest.raises(SnapError, match="misses conv, output"):
        to_pyg(table_of(TWO[1]), operators=["input"])


def test_an_empty_table_and_an_unknown_metric_are_refused() -> None:
    with pytest.raises(SnapError, match="no graphs"):
        to_pyg(table_of(*TWO).slice(0, 0))
    with pytest.raises(SnapError, match="fits no metric column"):
        to_pyg(table_of(*TWO), "loss")

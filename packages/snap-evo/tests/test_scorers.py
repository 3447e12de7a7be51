import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from snap_catalog import SnapError
from snap_catalog.parquet import write
from snap_evo.scorers import FlopsScorer, ParamsScorer, TableScorer, score_graphs
from snap_graphs import Metric, graph_table, space
from snap_graphs.spaces import defined_space
from snap_graphs.table import append_metric


class Returns:
    def __init__(self, value: Any) -> None:
        self.value = value

    def score(self, graphs: pa.Table) -> Any:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


def test_costs_are_the_columns_of_the_table(three_cells: pa.Table) -> None:
    assert ParamsScorer().score(three_cells).tolist() == three_cells["params"].to_pylist()
    assert FlopsScorer().score(three_cells).tolist() == three_cells["flops"].to_pylist()


@pytest.mark.parametrize("scorer", [ParamsScorer(), FlopsScorer()])
def test_costs_that_the_space_does_not_define_are_refused(scorer: Any) -> None:
    cell = space("nb101").parse("3:111:m")
    with pytest.raises(SnapError, match=r"^own: the (params|flops) of its cells are unknown; use"):
        scorer.score(graph_table("own", [cell], arch_ids=["a"]))


def test_a_table_gives_the_values_of_a_metric(
    three_cells: pa.Table, three_cells_file: Path
) -> None:
    scorer = TableScorer(three_cells_file, "cifar10/test/accuracy")
    assert scorer.score(three_cells.slice(0, 2)).tolist() == [90.0, 80.0]


def test_a_metric_that_should_be_low_is_negated(
    three_cells: pa.Table, three_cells_file: Path
) -> None:
    scorer = TableScorer(three_cells_file, "latency")
    assert scorer.score(three_cells.slice(0, 2)).tolist() == [-3.0, -5.0]


def test_a_table_gives_the_values_of_a_plain_numeric_column(
    three_cells: pa.Table, three_cells_file: Path
) -> None:
    scorer = TableScorer(three_cells_file, "params")
    assert scorer.score(three_cells).tolist() == three_cells["params"].to_pylist()


def test_a_cell_written_otherwise_is_found_by_its_isomorphism_class(three_cells_file: Path) -> None:
    graphs = graph_table("nb101", [space("nb101").parse("4:110011:m3")])
    assert TableScorer(three_cells_file, "accuracy").score(graphs).tolist() == [90.0]


def test_the_string_goes_before_the_isomorphism_class(measured_file: Path) -> None:
    dead = "|none~0|+|nor_conv_3x3~0|{}~1|+|none~0|none~1|nor_conv_3x3~2|"
    texts = [dead.format(operator) for operator in ("none", "nor_conv_3x3")]
    graphs = graph_table("nb201", [space("nb201").parse(text) for text in texts])
    assert len(set(graphs["cell_hash"].to_pylist())) == 1
    scores = TableScorer(measured_file, "params").score(graphs)
    assert scores.tolist() == graphs["params"].to_pylist()
    assert scores[0] < scores[1]


@pytest.mark.parametrize("text", ["4:110101:31", "2:1:"])
def test_a_cell_without_a_value_is_refused(three_cells_file: Path, text: str) -> None:
    graphs = graph_table("nb101", [space("nb101").parse(text)])
    with pytest.raises(SnapError, match=f"three.parquet: no value of cifar10/test.* for {text};"):
        TableScorer(three_cells_file, "accuracy").score(graphs)


OWN = """
name = "{name}"
nodes = 3
edges = "all"
[operators]
a = "Convolution 3x3"
b = "Max pooling"
"""


def own_graphs(name: str) -> pa.Table:
    search_space = defined_space(OWN.format(name=name), name)
    return graph_table(search_space, list(search_space.enumerate()))


@pytest.fixture
def two_spaces_file(tmp_path: Path) -> Path:
    """Cells of `spa`, and of `spb` the first two."""
    tables = [own_graphs("spa"), own_graphs("spb").slice(0, 2)]
    values = Metric(np.arange(10.0), "max", "percent")
    table = pa.concat_tables([one.replace_schema_metadata(None) for one in tables])
    write(
        append_metric(table, "d/test/a", values),
        tmp_path / "two.parquet",
        "graphs",
        producer="snap-graphs",
    )
    return tmp_path / "two.parquet"


def test_equal_strings_of_two_spaces_are_two_cells(two_spaces_file: Path) -> None:
    scorer = TableScorer(two_spaces_file, "d/test/a")
    assert scorer.score(own_graphs("spa")).tolist() == list(range(8))
    assert scorer.score(own_graphs("spb").slice(0, 2)).tolist() == [8, 9]
    missing = own_graphs("spb").slice(2)
    with pytest.raises(
        SnapError, match=re.escape(f"no value of d/test/a for {missing['arch_id'][0]};")
    ):
        scorer.score(missing)


def test_a_table_of_other_spaces_is_refused_by_their_names(two_spaces_file: Path) -> None:
    problem = r"two\.parquet: holds cells of spa, spb, none of spc; name a table of spc$"
    with pytest.raises(SnapError, match=problem):
        TableScorer(two_spaces_file, "d/test/a").score(own_graphs("spc"))


@pytest.mark.parametrize("column", ["valid", "space", "nodes", ""])
def test_a_column_that_is_no_number_or_ambiguous_is_refused(
    three_cells_file: Path, column: str
) -> None:
    with pytest.raises(SnapError, match="choose one of: cifar10/test/accuracy, hw/edge/latency_ms"):
        TableScorer(three_cells_file, column)


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_text("no table")
    with pytest.raises(SnapError, match=r"x\.parquet: not a readable Parquet file"):
        TableScorer(path, "params")


def test_scores_may_be_any_sequence_of_numbers(three_cells: pa.Table) -> None:
    scores = score_graphs(Returns([1, 2, 3]), three_cells)
    assert scores.dtype == np.float64
    assert scores.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([1.0, 2.0], r"shape \(2,\) for 3 architectures"),
        (np.ones((3, 1)), r"shape \(3, 1\) for 3 architectures"),
        (1.0, r"shape \(\) for 3 architectures"),
        ([1.0, np.nan, 2.0], "gave 3:111:m the score nan"),
        ([1.0, 2.0, np.inf], "gave 4:110101:31 the score inf"),
        (["a", "b", "c"], "failed .ValueError"),
        (KeyError("two\nlines"), r"failed \(KeyError: .*\); fix it"),
    ],
)
def test_a_misbehaving_scorer_is_reported_in_one_line(
    three_cells: pa.Table, value: Any, problem: str
) -> None:
    with pytest.raises(SnapError, match=problem) as caught:
        score_graphs(Returns(value), three_cells)
    assert "\n" not in str(caught.value)
    assert "the scorer Returns" in str(caught.value)


def test_an_expected_failure_of_a_scorer_keeps_its_words(three_cells: pa.Table) -> None:
    with pytest.raises(SnapError, match=r"^the model is gone$"):
        score_graphs(Returns(SnapError("the model is gone")), three_cells)

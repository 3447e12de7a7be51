from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_eval.join import TABLES, Sources, join

Make = Callable[..., pa.Table]
METRIC = "cifar10/test/accuracy"


def test_rows_without_partner_or_measurement_are_counted(
    make_graphs: Make, make_scores: Make
) -> None:
    graphs = make_graphs(list("abcde"), {METRIC: [1, 2, None, float("nan"), 5]})
    scores = make_scores(list("zydcba"), [9, 8, 4, 3, 2, 1])
    pairs = join(scores, graphs, METRIC, TABLES)
    assert (pairs.score.tolist(), pairs.measured.tolist()) == ([1, 2], [1, 2])
    assert pairs.scores_without_graph == 2
    assert pairs.graphs_without_score == 1
    assert pairs.cells_without_metric == 2


@settings(deadline=None, max_examples=25)
@given(
    st.dictionaries(st.text("ab'\"|~", max_size=4), st.floats(-9, 9), min_size=1),
    st.dictionaries(st.text("ab'\"|~", max_size=4), st.floats(0, 100), min_size=1),
)
def test_the_join_is_the_one_of_two_dictionaries(
    make_graphs: Make, make_scores: Make, scored: dict[str, float], measured: dict[str, float]
) -> None:
    graphs = make_graphs(list(measured), {METRIC: list(measured.values())})
    scores = make_scores(list(scored), list(scored.values()))
    common = sorted(scored.keys() & measured.keys())
    if not common:
        with pytest.raises(SnapError, match="in common"):
            join(scores, graphs, METRIC, TABLES)
        return
    pairs = join(scores, graphs, METRIC, TABLES)
    assert pairs.score.tolist() == [scored[key] for key in common]
    assert pairs.measured.tolist() == [measured[key] for key in common]
    assert pairs.scores_without_graph == len(scored) - len(common)
    assert pairs.graphs_without_score == len(measured) - len(common)


def test_an_architecture_is_matched_within_its_space_only(
    make_graphs: Make, make_scores: Make
) -> None:
    graphs = make_graphs(["a", "a"], {METRIC: [1, 2]}, spaces=["nb101", "nb201"])
    pairs = join(make_scores(["a"], [7], spaces=["nb201"]), graphs, METRIC, TABLES)
    assert (pairs.spaces, pairs.measured.tolist()) == (("nb201",), [2])


def test_a_class_is_stood_for_by_its_first_living_measured_cell(
    make_graphs: Make, make_scores: Make
) -> None:
    names = list("fedcba")  # listed backwards: the order of the file must not matter
    graphs = make_graphs(
        names,
        {METRIC: [6, 5, 4, 3, None, 1]},
        hashes=[2, 1, 2, 1, 1, 1],
        n_dead=[0, 0, 0, 0, 0, 1],
    )
    pairs = join(make_scores(names, [0] * 6), graphs, METRIC, TABLES)
    assert pairs.measured.tolist() == [1, 3, 4, 5, 6]
    assert pairs.measured[pairs.unique_reachable].tolist() == [3, 4]


def test_equal_cells_of_two_spaces_both_count(make_graphs: Make, make_scores: Make) -> None:
    spaces = ["nb101", "nb201"]
    graphs = make_graphs(["a", "b"], {METRIC: [1, 2]}, hashes=[5, 5], spaces=spaces)
    pairs = join(make_scores(["a", "b"], [1, 2], spaces=spaces), graphs, METRIC, TABLES)
    assert pairs.unique_reachable.all()


def test_files_without_a_common_cell_are_refused_by_name(
    make_graphs: Make, make_scores: Make
) -> None:
    with pytest.raises(SnapError, match=r"^s\.parquet and g\.parquet have no cell .* in common"):
        join(
            make_scores(["a"], [1]),
            make_graphs(["b"], {METRIC: [1]}),
            METRIC,
            Sources("s.parquet", "g.parquet"),
        )


def test_a_metric_without_a_value_in_common_cells_is_refused_by_name(
    make_graphs: Make, make_scores: Make
) -> None:
    with pytest.raises(SnapError, match=r"none of its 1 cells that scores scores .*accuracy"):
        join(make_scores(["a"], [1]), make_graphs(["a"], {METRIC: [None]}), METRIC, TABLES)


def test_none_is_no_unreachable_operator(make_graphs: Make, make_scores: Make) -> None:
    graphs = make_graphs(["a", "b"], {METRIC: [1, 2]}, n_dead=[1, 1])
    nodes = [["input", "none", "output"], ["input", "conv", "output"]]
    place = graphs.column_names.index("nodes")
    graphs = graphs.set_column(place, "nodes", pa.array(nodes, pa.list_(pa.string())))
    pairs = join(make_scores(["a", "b"], [1, 2]), graphs, METRIC, TABLES)
    assert pairs.unique_reachable.tolist() == [True, False]

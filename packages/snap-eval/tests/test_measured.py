from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from snap_catalog import SnapError
from snap_catalog.parquet import write
from snap_eval import as_measured, read_measured, targets
from snap_eval.measured import count_operators

Make = Callable[..., pa.Table]
ACCURACY = "cifar10/test/accuracy@200"
ENERGY = "hw/toaster/joules"


def _populations(table: pa.Table, metric: str) -> dict[str, list[str]]:
    benchmark = as_measured(table)
    chosen = ~np.isnan(benchmark.oriented(metric))
    return {
        name: benchmark.graphs["arch_id"].filter(pa.array(mask)).to_pylist()
        for name, mask in benchmark.populations(chosen).items()
    }


def test_a_class_is_stood_for_by_its_first_measured_cell(make_graphs: Make) -> None:
    names = list("fedcba")  # listed backwards: the order of the file must not matter
    graphs = make_graphs(
        names,
        {ACCURACY: [6, 5, 4, 3, None, 1]},
        hashes=[2, 1, 2, 1, 1, 1],
        n_dead=[0, 0, 0, 0, 0, 1],
    )
    assert _populations(graphs, ACCURACY) == {
        "all": ["a", "c", "d", "e", "f"],
        "unique": ["a", "d"],
        "unique_reachable": ["c", "d"],
    }


def test_equal_cells_of_two_spaces_both_count(make_graphs: Make) -> None:
    spaces = ["nb101", "nb201"]
    graphs = make_graphs(["a", "b"], {ACCURACY: [1, 2]}, hashes=[5, 5], spaces=spaces)
    named = graphs.replace_schema_metadata({"snap.benchmark": "both"})
    assert _populations(named, ACCURACY)["unique"] == ["a", "b"]


def test_none_is_no_unreachable_operator(make_graphs: Make) -> None:
    graphs = make_graphs(["a", "b"], {ACCURACY: [1, 2]}, n_dead=[1, 1])
    nodes = [["input", "none", "output"], ["input", "conv", "output"]]
    place = graphs.column_names.index("nodes")
    graphs = graphs.set_column(place, "nodes", pa.array(nodes, pa.list_(pa.string())))
    assert _populations(graphs, ACCURACY)["unique_reachable"] == ["a"]


def test_nas_bench_201_has_8765_classes(shared_data: Path) -> None:
    from snap_graphs.convert import convert

    benchmark = as_measured(convert("nb201", shared_data / "nb201_cifar10.csv.gz"))
    populations = benchmark.populations(~np.isnan(benchmark.oriented(ACCURACY)))
    sizes = {name: int(mask.sum()) for name, mask in populations.items()}
    assert sizes == {"all": 15625, "unique": 8765, "unique_reachable": 8765}


def test_less_is_turned_into_better(make_graphs: Make) -> None:
    benchmark = as_measured(make_graphs(list("ab"), {ENERGY: [1.0, None]}))
    np.testing.assert_array_equal(benchmark.oriented(ENERGY), [-1.0, np.nan])


def test_operators_are_counted_cell_by_cell_by_name_or_pattern(make_graphs: Make) -> None:
    graphs = make_graphs(["a", "b"], {})
    nodes = [["input", "conv_1x1", "conv_3x3", "output"], ["input", "conv_1x1", "skip", "output"]]
    place = graphs.column_names.index("nodes")
    graphs = graphs.set_column(place, "nodes", pa.array(nodes, pa.list_(pa.string())))
    assert count_operators(graphs, "*conv*").tolist() == [2, 1]
    assert count_operators(graphs, "skip").tolist() == [0, 1]
    assert count_operators(graphs.slice(1), "conv_1x1").tolist() == [1]


@pytest.mark.parametrize(
    ("stated", "spec", "name"),
    [
        ({}, "{}", "nb201"),
        ({"snap.benchmark": "analog-nasbench"}, "{}", "analog-nasbench"),
        ({"snap.benchmark": "analog-nasbench"}, "mine={}", "mine"),
    ],
)
def test_a_benchmark_is_called_what_is_said_else_stated_else_by_its_space(
    make_graphs: Make, tmp_path: Path, stated: Mapping[str, str], spec: str, name: str
) -> None:
    graphs = make_graphs(list("ab"), {ACCURACY: [1, 2]}, metadata=stated)
    write(graphs, tmp_path / "g.parquet", "graphs", producer="snap-eval")
    assert read_measured(spec.format(tmp_path / "g.parquet")).name == name


def test_cells_of_several_spaces_need_a_name(make_graphs: Make) -> None:
    graphs = make_graphs(["a", "b"], {ACCURACY: [1, 2]}, spaces=["nb101", "nb201"])
    with pytest.raises(SnapError, match=r"several spaces \(nb101, nb201\).*give --graphs NAME=g"):
        as_measured(graphs, source="g")
    assert as_measured(graphs, "both").name == "both"


def test_repeated_architectures_are_refused(make_graphs: Make) -> None:
    with pytest.raises(SnapError, match=r"^graphs: 2 rows share .*'a'"):
        as_measured(make_graphs(["a", "a"], {ACCURACY: [1, 2]}))


def test_without_a_metric_all_accuracies_are_meant(make_graphs: Make) -> None:
    names = [ACCURACY, "cifar10/valid/accuracy@200", ENERGY, "proxy/cifar10/zen", "a/test/loss"]
    graphs = make_graphs(["a"], {**{name: [1] for name in names}, "c/test/accuracy#1": [1]})
    place = graphs.column_names.index("a/test/loss")
    field = graphs.schema.field("a/test/loss").with_metadata({"direction": "min"})
    graphs = graphs.set_column(place, field, graphs["a/test/loss"])
    found = targets([as_measured(graphs)])
    assert [target.metric for target in found] == names[:2]


def test_a_metric_may_be_in_one_of_several_benchmarks(make_graphs: Make) -> None:
    both = [
        as_measured(make_graphs(["a"], {metric: [1]}), name)
        for name, metric in {"one": ACCURACY, "other": ENERGY}.items()
    ]
    found = targets(both, ["toaster", "test/acc"])
    assert [(t.measured.name, t.metric) for t in found] == [("one", ACCURACY), ("other", ENERGY)]
    with pytest.raises(SnapError, match="'loss' fits no metric column"):
        targets(both, ["test/acc", "loss"])


def test_a_benchmark_without_an_accuracy_needs_a_metric(make_graphs: Make) -> None:
    with pytest.raises(SnapError, match="has no accuracy; give a --metric"):
        targets([as_measured(make_graphs(["a"], {ENERGY: [1]}))])


def test_an_infinite_measurement_is_refused_by_name(make_graphs: Make) -> None:
    graphs = make_graphs(["a", "b"], {ACCURACY: [1.0, float("inf")], ENERGY: [1.0, 2.0]})
    with pytest.raises(SnapError, match="of 'b' is infinite"):
        targets([as_measured(graphs)], [ACCURACY])
    assert len(targets([as_measured(graphs)], [ENERGY])) == 1


def test_graphs_without_a_cell_are_refused(make_graphs: Make) -> None:
    with pytest.raises(SnapError, match="none: holds no cell"):
        as_measured(make_graphs([], {ACCURACY: []}), source="none")


def test_a_benchmark_whose_name_does_not_print_is_refused(
    make_graphs: Make, tmp_path: Path
) -> None:
    file = tmp_path / "g.parquet"
    write(make_graphs(["a"], {}), file, "graphs", producer="snap-eval")
    with pytest.raises(SnapError, match="holds characters that do not print"):
        read_measured(f"na\nme={file}")

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pytest
from snap_catalog import SnapError
from snap_evo import cluster
from snap_evo.algorithm_comparison import run_search
from snap_evo.engines import EngineOptions
from snap_evo.measuring.engines import Order, RayTasks, Task
from snap_evo.measuring.setup import Setup
from snap_evo.scorers import ParamsScorer
from snap_evo.search_options import ScoredSearch
from snap_graphs import graph_table, space

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="needs snap-evo[ray]"),
]


@pytest.fixture(scope="module", autouse=True)
def running() -> Iterator[None]:
    with cluster.cluster():
        yield


def drawn(count: int) -> pa.Table:
    return graph_table("nb201", space("nb201").sample(count, seed=0))


def test_a_population_scored_by_two_workers_gets_the_same_scores() -> None:
    scorer = cluster.ClusterScorer("params", 2)
    for count in (1, 2, 7):
        expected = ParamsScorer().score(drawn(count))
        assert scorer.score(drawn(count)).tolist() == expected.tolist()


def test_islands_find_what_they_find_alone() -> None:
    searches = [
        ScoredSearch(space="nb201", scorer="params", algorithm="de", budget=40, seed=seed)
        for seed in range(3)
    ]
    runs = list(cluster.RayEngine(EngineOptions("ray"), 2).map(run_search, searches))
    for search, run in zip(searches, runs, strict=True):
        alone = run_search(search)
        assert (run.arch_id, run.best.tolist()) == (alone.arch_id, alone.best.tolist())


def test_measurements_are_tasks_of_the_cluster(tmp_path: Path) -> None:
    spec = f"command:{sys.executable} -S -c 'import sys; print(len(sys.argv[1]))' {{arch}}"
    setup = Setup(space="nb201", metric="length", direction="max")
    machine = RayTasks(Order(spec, setup, allow_code=False), slots=2, gpus=0)
    cells = drawn(2)
    for row, name in enumerate(cells["arch_id"].to_pylist()):
        (tmp_path / str(row)).mkdir()
        machine.submit(Task(name, cells.slice(row, 1), tmp_path / str(row)))
    for done in (machine.wait(), machine.wait()):
        assert done.outcome.value == len(done.arch_id)
    machine.close()


def test_a_workers_failure_is_reported_in_one_line(three_cells_file: Path) -> None:
    scorer = cluster.ClusterScorer(f"table:{three_cells_file}:cifar10/test/accuracy", 2)
    with pytest.raises(SnapError, match=r"^[^\n]*holds cells of nb101, none of nb201[^\n]*$"):
        scorer.score(drawn(4))

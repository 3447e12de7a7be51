from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from snap_catalog import SnapError
from snap_evo import cluster, comparison
from snap_evo.plan import Plan
from snap_evo.scorers import ParamsScorer
from snap_graphs import graph_table, space

pytest.importorskip("ray", reason="needs snap-evo[ray]")


@pytest.fixture(scope="module", autouse=True)
def two_workers() -> Iterator[None]:
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def drawn(count: int) -> pa.Table:
    return graph_table("nb201", space("nb201").sample(np.random.default_rng(0), count))


@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_population_scored_by_two_workers_gets_the_same_scores(count: int) -> None:
    with cluster.cluster() as processors:
        assert processors == 2
        scores = cluster.ClusterScorer("params", processors).score(drawn(count))
    assert scores.tolist() == ParamsScorer().score(drawn(count)).tolist()


def test_islands_on_two_workers_find_what_they_find_alone() -> None:
    plans = [Plan("nb201", "params", "de", 40, seed) for seed in range(3)]
    done: list[int] = []
    with cluster.cluster():
        runs = cluster.compare(plans, lambda: done.append(1))
    assert len(done) == 3
    for plan, run in zip(plans, runs, strict=True):
        alone = comparison.carry_out(plan)
        assert (run.arch_id, run.best.tolist()) == (alone.arch_id, alone.best.tolist())


def test_a_workers_failure_is_told_in_one_line(three_cells_file: Path) -> None:
    scorer = cluster.ClusterScorer(f"table:{three_cells_file}:cifar10/test/accuracy", 2)
    with pytest.raises(SnapError, match=r"^[^\n]*no value of cifar10/test/accuracy for [^\n]*$"):
        scorer.score(drawn(4))

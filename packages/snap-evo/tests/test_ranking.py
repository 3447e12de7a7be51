import numpy as np
import pyarrow as pa
from snap_evo.ranking import Ranking, rank_space
from snap_evo.scorers import ParamsScorer


def test_ranks_count_what_is_better(three_cells: pa.Table) -> None:
    ranking = Ranking(three_cells, np.array([1.0, 3.0, 1.0]))
    assert [ranking.rank(row) for row in range(3)] == [2, 1, 2]
    assert [ranking.ties(row) for row in range(3)] == [1, 0, 1]


def test_architectures_are_found_by_their_string(three_cells: pa.Table) -> None:
    ranking = Ranking(three_cells, np.zeros(3))
    assert ranking.row(ranking.arch_id(1)) == 1
    assert ranking.row("2:1:") == -1


def test_the_whole_of_nas_bench_201_is_ranked() -> None:
    ranking = rank_space("nb201", ParamsScorer())
    assert ranking is not None
    assert len(ranking) == 15_625
    assert ranking.distinct == 8_765
    largest = ranking.row(
        f"|{'|+|'.join('|'.join(f'nor_conv_3x3~{i}' for i in range(n)) for n in (1, 2, 3))}|"
    )
    assert ranking.rank(largest) == 1
    assert ranking.ties(largest) == 0


def test_a_space_that_cannot_be_listed_has_no_ranking() -> None:
    assert rank_space("nb101", ParamsScorer()) is None

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from snap_catalog import SnapError
from snap_catalog.parquet import read, write
from snap_gcn import engines
from snap_gcn.engines import predict_file
from snap_gcn.predictor import Predictor
from snap_graphs.convert import convert


@pytest.fixture(scope="module")
def analog() -> pa.Table:
    return convert("nb201")


@pytest.fixture
def graphs(analog: pa.Table, tmp_path: Path) -> str:
    write(analog, tmp_path / "g.parquet", "graphs", producer="snap-graphs")
    return f"{tmp_path}/g.parquet"


def ignore(units: int, note: str = "") -> None:
    pass


def test_a_file_is_scored_as_a_table_is(graphs: str, analog: pa.Table, tmp_path: Path) -> None:
    done: list[int] = []
    out = f"{tmp_path}/s.parquet"
    predict_file(Predictor.bundled(), graphs, out, lambda units, note="": done.append(units))
    same(read(out, "scores"), Predictor.bundled().predict(analog))
    assert sum(done) == 15_625
    assert len(done) > 1


def same(one: pa.Table, other: pa.Table) -> None:
    """Compare scores within the stated tolerance."""
    assert one["arch_id"].equals(other["arch_id"])
    for name in ("score", "spread", "novelty"):
        a, b = one[name].to_numpy(), other[name].to_numpy()
        np.testing.assert_allclose(a, b, atol=1e-5 * np.abs(b).max())


def test_scores_do_not_depend_on_the_number_of_threads(
    analog: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for count in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", count)
        found.append(Predictor.bundled().predict(analog))
    same(*found)


def test_a_file_without_rows_gets_a_file_without_scores(analog: pa.Table, tmp_path: Path) -> None:
    write(analog.slice(0, 0), tmp_path / "g.parquet", "graphs", producer="snap-graphs")
    predict_file(Predictor.bundled(), f"{tmp_path}/g.parquet", f"{tmp_path}/s.parquet", ignore)
    assert read(tmp_path / "s.parquet", "scores").num_rows == 0


def test_a_failure_in_a_later_part_leaves_nothing(
    graphs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "ROWS", 100)
    predictor = Predictor.bundled()
    whole, calls = predictor.score_part, iter(range(1000))

    def failing(table: pa.Table, source: str) -> pa.Table:
        if next(calls) == 9:
            raise SnapError("enough")
        return whole(table, source)

    monkeypatch.setattr(predictor, "score_part", lambda table, source="": failing(table, source))
    with pytest.raises(SnapError, match="enough"):
        predict_file(predictor, graphs, f"{tmp_path}/s.parquet", ignore)
    assert [path.name for path in tmp_path.iterdir()] == ["g.parquet"]


def test_without_ray_the_remedy_is_reported(
    graphs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SnapError, match=r"run: pip install 'snap-gcn\[ray\]'"):
        predict_file(Predictor.bundled(), graphs, f"{tmp_path}/s.parquet", ignore, "ray")
    assert [path.name for path in tmp_path.iterdir()] == ["g.parquet"]


_RAY = """
import sys
import ray
from snap_gcn.cli import main
ray.init(num_cpus=4, log_to_driver=False, logging_level="ERROR", include_dashboard=False)
main(["predict", sys.argv[1], "-o", sys.argv[2], "--engine", "ray", "--quiet"])
"""


@pytest.mark.slow
def test_ray_workers_give_the_same_scores_in_the_same_order(
    graphs: str, analog: pa.Table, tmp_path: Path
) -> None:
    out = tmp_path / "s.parquet"
    command = [sys.executable, "-c", _RAY, graphs, str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    same(read(out, "scores"), Predictor.bundled().predict(analog))

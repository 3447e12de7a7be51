from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from snap_catalog import SnapError
from snap_catalog.parquet import write
from snap_graphs import Metric, graph_table, space
from snap_graphs.convert import convert


@pytest.fixture(scope="session")
def measured() -> pa.Table:
    """All NAS-Bench-201 cells with measured accuracies."""
    try:
        return convert("nb201")
    except SnapError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def measured_file(measured: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("measured") / "nb201.parquet"
    write(measured, path, "graphs", producer="snap-graphs")
    return path


@pytest.fixture
def three_cells() -> pa.Table:
    """Two NAS-Bench-101 cells and a third without measurements."""
    cells = [space("nb101").parse(text) for text in ("4:110011:3m", "3:111:m", "4:110101:31")]
    return graph_table(
        "nb101",
        cells,
        metrics={
            "cifar10/test/accuracy": Metric(np.array([90.0, 80.0, np.nan]), "max", "percent"),
            "hw/edge/latency_ms": Metric(np.array([3.0, 5.0, np.nan]), "min", "ms"),
        },
    )


@pytest.fixture
def three_cells_file(three_cells: pa.Table, tmp_path: Path) -> Path:
    path = tmp_path / "three.parquet"
    write(three_cells, path, "graphs", producer="snap-graphs")
    return path


_STAND_IN = """
import pyarrow as pa
from snap_evo.measuring import proposers


class InOrder:
    '''Proposes cells that keep to the limits, in an order that the seed alone decides.'''

    def __init__(self, algorithm, start):
        feasible = start.feasible
        cells = list(dict.fromkeys(feasible.space.sample(60, start.seed)))
        self.cells = feasible.graphs(cells)
        self.cells = self.cells.filter(pa.array(feasible.excess(self.cells) == 0))

    def propose(self, known, count):
        seen = {*known.graphs["arch_id"].to_pylist(), *known.pending["arch_id"].to_pylist()}
        new = [name not in seen for name in self.cells["arch_id"].to_pylist()]
        return self.cells.filter(pa.array(new, pa.bool_())).slice(0, count)


proposers.start_proposer = InOrder
"""


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> str:
    """A proposer that needs no predictor, here and in every process that runs this code first."""
    from snap_evo.measuring import proposers

    monkeypatch.setattr(proposers, "start_proposer", proposers.start_proposer)
    exec(_STAND_IN, {})
    return _STAND_IN

import numpy as np
import pyarrow as pa
import pytest
from snap_gcn.data.vocabulary import Vocabulary
from snap_gcn.predictor import Predictor
from snap_graphs import Metric, graph_table, space
from snap_graphs.convert import convert


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    """Every catalogued operator, by the encoder of the bundled predictor."""
    return Predictor.bundled().vocabulary


@pytest.fixture(scope="session")
def cells() -> pa.Table:
    """NAS-Bench-101 cells; the made-up accuracy grows with the share of convolutions, and edges."""
    rng = np.random.default_rng(0)
    nb101 = space("nb101")
    drawn = {nb101.format(c): c for c in (nb101.decode(rng.random(26)) for _ in range(250))}
    convs = [sum("conv" in node for node in c.nodes) / len(c.nodes) for c in drawn.values()]
    edges = [len(c.edges) for c in drawn.values()]
    accuracy = 80 + 15 * np.array(convs) + 0.1 * np.array(edges)
    metrics = {
        "made/test/accuracy": Metric(accuracy, "max", "percent"),
        "made/test/loss": Metric(100 - accuracy, "min", "nats"),
    }
    return graph_table("nb101", list(drawn.values()), arch_ids=list(drawn), metrics=metrics)


@pytest.fixture(scope="session")
def measured_cells() -> pa.Table:
    """600 cells of NAS-Bench-201, drawn, with AnalogNAS-Bench's accuracies."""
    whole = convert("nb201")
    return whole.take(np.random.default_rng(0).permutation(whole.num_rows)[:600])


@pytest.fixture(autouse=True)
def _no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep sentence encoders out, which take seconds to load; a test may put in its own."""
    monkeypatch.setattr("snap_gcn.data.encoders.entry_points", lambda **_: ())

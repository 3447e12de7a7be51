import numpy as np
import pyarrow as pa
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from snap_gcn.batches import Batcher
from snap_gcn.inference import Member, score
from snap_gcn.network import GcnNetwork
from snap_gcn.recipe import Readout, Recipe
from snap_gcn.vocabulary import Vocabulary
from snap_graphs import Graphs, graph_table, space


@settings(deadline=None, max_examples=20)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["nb101", "nb201", "darts"]),
    st.integers(1, 4),
    st.sampled_from([("output",), ("sum",), ("sum", "output")]),
)
def test_inference_agrees_with_the_trained_network(
    vocabulary: Vocabulary, seed: int, name: str, layers: int, readout: tuple[Readout, ...]
) -> None:
    rng = np.random.default_rng(seed)
    points = rng.random((40, space(name).n_variables))
    table = graph_table(name, [space(name).decode(point) for point in points])
    network = _network(layers, seed, readout)
    graphs = Graphs.from_table(table)
    op = vocabulary.find(table, graphs, "graphs")
    with torch.no_grad():
        batch = Batcher.build(graphs, op)(np.arange(len(graphs)))
        expected = network(torch.from_numpy(vocabulary.vectors), batch).numpy()
    (found,) = score([Member(network.state_dict(), readout)], vocabulary.vectors, graphs, op)
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)


def test_a_score_does_not_depend_on_the_other_graphs(
    vocabulary: Vocabulary, cells: pa.Table
) -> None:
    member = Member(_network(3, 0, ("sum",)).state_dict(), ("sum",))

    def scores(table: pa.Table) -> np.ndarray:
        graphs = Graphs.from_table(table)
        op = vocabulary.find(table, graphs, "graphs")
        (scores,) = score([member], vocabulary.vectors, graphs, op)
        return np.asarray(scores)

    np.testing.assert_allclose(scores(cells)[100:120], scores(cells.slice(100, 20)), atol=1e-6)


def _network(layers: int, seed: int, readout: tuple[Readout, ...]) -> GcnNetwork:
    torch.manual_seed(seed)
    network = GcnNetwork(Recipe(layers=layers, width=16, readout=readout), 384)
    for name, value in network.state_dict().items():
        if name.endswith("running_mean"):
            value.uniform_(-0.5, 0.5)
        elif name.startswith("norms") and name.endswith(("running_var", "weight")):
            value.uniform_(0.5, 2)
    return network.eval()

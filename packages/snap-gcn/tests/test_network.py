import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from snap_gcn.data import batches
from snap_gcn.data.batches import Batcher
from snap_gcn.data.vocabulary import Vocabulary
from snap_gcn.model.export import score
from snap_gcn.model.network import GcnNetwork, TrainingEdges
from snap_gcn.model.recipe import Readout, Recipe
from snap_graphs import Graphs, graph_table, space

READOUTS: list[tuple[Readout, ...]] = [("output",), ("sum",), ("sum", "output")]


@settings(deadline=None, max_examples=20)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["nb101", "nb201", "darts"]),
    st.integers(1, 4),
    st.sampled_from(READOUTS),
)
def test_use_agrees_with_the_trained_network(
    vocabulary: Vocabulary, seed: int, name: str, layers: int, readout: tuple[Readout, ...]
) -> None:
    rng = np.random.default_rng(seed)
    points = rng.random((40, space(name).n_variables))
    table = graph_table(name, [space(name).decode(point) for point in points])
    network = random_network(layers, seed, readout)
    graphs = Graphs.from_table(table)
    op = vocabulary.find(table["space"], graphs, "graphs")
    (found,) = score([network.folded()], vocabulary.vectors, graphs, op)
    expected = trained_scores(network, vocabulary, graphs, op)
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from(READOUTS))
def test_dense_batches_and_lists_of_edges_agree(
    vocabulary: Vocabulary, seed: int, layers: int, readout: tuple[Readout, ...]
) -> None:
    graphs = random_graphs(seed, [2, 5, 5, 9, 40], vocabulary)
    member = random_network(layers, seed, readout).folded()
    dense = score([member], vocabulary.vectors, graphs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "_LARGEST", 1)
        patch.setattr(batches, "_NODES", 12)
        sparse = score([member], vocabulary.vectors, graphs)
    np.testing.assert_allclose(dense, sparse, atol=1e-5, rtol=1e-5)


def test_small_and_very_large_graphs_are_scored_in_their_order(vocabulary: Vocabulary) -> None:
    graphs = random_graphs(0, [300, 5, 700, 129, 128], vocabulary)
    network = random_network(3, 0, ("sum", "output"))
    (found,) = score([network.folded()], vocabulary.vectors, graphs)
    expected = trained_scores(network, vocabulary, graphs, graphs.op)
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-5)


def test_a_score_does_not_depend_on_the_other_graphs(
    vocabulary: Vocabulary, cells: pa.Table
) -> None:
    member = random_network(3, 0, ("sum",)).folded()

    def scores(table: pa.Table) -> np.ndarray:
        graphs = Graphs.from_table(table)
        op = vocabulary.find(table["space"], graphs, "graphs")
        (scores,) = score([member], vocabulary.vectors, graphs, op)
        return np.asarray(scores)

    np.testing.assert_allclose(scores(cells)[100:120], scores(cells.slice(100, 20)), atol=1e-5)


def trained_scores(
    network: GcnNetwork, vocabulary: Vocabulary, graphs: Graphs, op: np.ndarray
) -> np.ndarray:
    """Score as in training, in one batch, with batch normalisation in evaluation mode."""
    batch = Batcher.build(graphs, op)(np.arange(len(graphs)))
    with torch.no_grad():
        vectors = torch.from_numpy(vocabulary.vectors)
        scores = network(vectors, TrainingEdges(*map(torch.from_numpy, batch)))
    return np.asarray(scores.numpy())


def random_graphs(seed: int, sizes: list[int], vocabulary: Vocabulary) -> Graphs:
    """Graphs of random operators, about two edges a node."""
    rng = np.random.default_rng(seed)
    edges = [np.nonzero(np.triu(rng.random((n, n)) < 4 / n, 1)) for n in sizes]
    return Graphs(
        vocabulary=(),
        op=rng.integers(len(vocabulary.vectors), size=sum(sizes)),
        node_start=np.cumsum([0, *sizes]),
        src=np.concatenate([src for src, _ in edges]),
        dst=np.concatenate([dst for _, dst in edges]),
        edge_start=np.cumsum([0, *(len(src) for src, _ in edges)]),
    )


def random_network(layers: int, seed: int, readout: tuple[Readout, ...]) -> GcnNetwork:
    """A network whose batch normalisations have seen something."""
    torch.manual_seed(seed)
    network = GcnNetwork(Recipe(layers=layers, width=16, readout=readout), 384)
    for name, value in network.state_dict().items():
        if name.endswith("running_mean"):
            value.uniform_(-0.5, 0.5)
        elif name.startswith("norms") and name.endswith(("running_var", "weight")):
            value.uniform_(0.5, 2)
    return network.eval()

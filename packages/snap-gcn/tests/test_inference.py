import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_gcn import inference
from snap_gcn.data.batches import Batcher
from snap_gcn.data.vocabulary import Vocabulary
from snap_gcn.inference import Ensemble, Member, checked_device, score
from snap_gcn.model.network import GcnNetwork
from snap_gcn.model.recipe import Readout, Recipe
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


@settings(deadline=None, max_examples=10)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 4),
    st.sampled_from([("output",), ("sum",), ("sum", "output")]),
)
def test_dense_and_sparse_batches_agree(
    vocabulary: Vocabulary, seed: int, layers: int, readout: tuple[Readout, ...]
) -> None:
    graphs = _random_graphs(seed, [2, 5, 5, 9, 40], vocabulary)
    member = Member(_network(layers, seed, readout).state_dict(), readout)
    dense = score([member], vocabulary.vectors, graphs, graphs.op)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inference, "_LARGEST", 1)
        patch.setattr(inference, "_NODES", 12)
        sparse = score([member], vocabulary.vectors, graphs, graphs.op)
    np.testing.assert_allclose(dense, sparse, atol=1e-5, rtol=1e-5)


def test_small_and_very_large_graphs_are_scored_in_their_order(vocabulary: Vocabulary) -> None:
    graphs = _random_graphs(0, [300, 5, 700, 129, 128], vocabulary)
    network = _network(3, 0, ("sum", "output"))
    with torch.no_grad():
        batch = Batcher.build(graphs, graphs.op)(np.arange(len(graphs)))
        expected = network(torch.from_numpy(vocabulary.vectors), batch).numpy()
    member = Member(network.state_dict(), ("sum", "output"))
    (found,) = score([member], vocabulary.vectors, graphs, graphs.op)
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-5)


def test_some_members_of_an_ensemble_can_be_asked(vocabulary: Vocabulary, cells: pa.Table) -> None:
    graphs = Graphs.from_table(cells.slice(0, 20))
    op = vocabulary.find(cells.slice(0, 20), graphs, "graphs")
    members = [Member(_network(2, seed, ("sum",)).state_dict(), ("sum",)) for seed in range(3)]
    ensemble = Ensemble(members, vocabulary.vectors)
    np.testing.assert_array_equal(
        ensemble.score(graphs, op, [2, 0]), ensemble.score(graphs, op)[[2, 0]]
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(SnapError, match="finds no CUDA device here; use --device cpu"):
        checked_device("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_cuda_device_gives_the_scores_of_the_processor(vocabulary: Vocabulary) -> None:
    graphs = _random_graphs(0, [5, 7, 7, 200], vocabulary)
    member = Member(_network(3, 0, ("sum", "output")).state_dict(), ("sum", "output"))
    here, there = (
        Ensemble([member], vocabulary.vectors, device).score(graphs, graphs.op)
        for device in ("cpu", "cuda")
    )
    np.testing.assert_allclose(here, there, atol=1e-4, rtol=1e-4)


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


def _random_graphs(seed: int, sizes: list[int], vocabulary: Vocabulary) -> Graphs:
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


def _network(layers: int, seed: int, readout: tuple[Readout, ...]) -> GcnNetwork:
    torch.manual_seed(seed)
    network = GcnNetwork(Recipe(layers=layers, width=16, readout=readout), 384)
    for name, value in network.state_dict().items():
        if name.endswith("running_mean"):
            value.uniform_(-0.5, 0.5)
        elif name.startswith("norms") and name.endswith(("running_var", "weight")):
            value.uniform_(0.5, 2)
    return network.eval()

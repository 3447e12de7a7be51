import numpy as np
import pyarrow as pa
import torch
from scipy.linalg import block_diag
from snap_gcn.data.batches import Batcher, EdgeBatch
from snap_graphs import Graphs
from torch_geometric.nn.conv.gcn_conv import gcn_norm
from torch_geometric.utils import to_undirected


def test_weights_are_those_of_torch_geometric(cells: pa.Table) -> None:
    graphs = Graphs.from_table(cells.slice(0, 50))
    batch = Batcher.build(graphs, graphs.op)(np.arange(50))
    offset = np.repeat(graphs.node_start[:-1], np.diff(graphs.edge_start))
    edges = torch.from_numpy(np.stack([graphs.src + offset, graphs.dst + offset]))
    index, weight = gcn_norm(to_undirected(edges), num_nodes=len(graphs.op))
    assert torch.allclose(
        _matrix(index, weight),
        _dense(batch),
        atol=1e-6,
    )


def test_a_gathered_graph_is_the_one_that_was_put_in(cells: pa.Table) -> None:
    graphs = Graphs.from_table(cells)
    batcher = Batcher.build(graphs, graphs.op)
    rows = np.array([7, 200, 7, 41])
    batch = batcher(rows)
    alone = [batcher(np.array([row])) for row in rows]
    assert batch.nodes.tolist() == [op for part in alone for op in part.nodes.tolist()]
    sizes = [len(part.nodes) for part in alone]
    assert batch.last.tolist() == (np.cumsum(sizes) - 1).tolist()
    matrices = [_dense(part).numpy() for part in alone]
    expected = block_diag(*matrices)
    np.testing.assert_array_equal(_dense(batch).numpy(), expected)


def _dense(batch: EdgeBatch) -> torch.Tensor:
    return _matrix(torch.from_numpy(batch.edges), torch.from_numpy(batch.weights))


def _matrix(edges: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    size = int(edges.max()) + 1
    matrix = torch.zeros(size, size)
    return matrix.index_put((edges[0], edges[1]), weights, accumulate=True)

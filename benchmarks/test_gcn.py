"""Training and inference beside a plain torch-geometric loop over the same cells.

    uv run --all-groups pytest benchmarks

Figures in brackets are ratios to the fastest of the group. Needs the benchmark tables.
"""

import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
import torch
from snap_gcn import Predictor
from snap_gcn.model.recipe import BUNDLED, Recipe, grouped
from snap_gcn.model.runtime import Runtime
from snap_gcn.training.checkpoint import Checkpoint
from snap_gcn.training.fit import Fitted, fit
from snap_graphs import Graphs
from snap_graphs.convert import convert
from torch import Tensor, nn
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader
from torch_geometric.nn import GCNConv
from torch_geometric.utils import to_undirected

METRIC = "cifar10/test/accuracy@108"
CELLS = 20_000


class PlainNetwork(nn.Module):
    """The paper's network, written as a torch-geometric tutorial would."""

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        sizes = [dimensions, 64, 64, 64]
        self.convs = nn.ModuleList(GCNConv(a, b) for a, b in itertools.pairwise(sizes))
        self.norms = nn.ModuleList(nn.BatchNorm1d(64) for _ in self.convs)
        self.head = nn.Linear(64, 1)

    def forward(self, data: Any) -> Tensor:
        x = data.x
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = torch.relu(norm(conv(x, data.edge_index)))
        out: Tensor = self.head(x[data.ptr[1:] - 1]).squeeze(1)
        return out


@pytest.fixture(scope="module")
def table(shared_data: Path) -> pa.Table:
    return convert("nb101", shared_data / "nb101.csv.gz").slice(0, CELLS)


@pytest.fixture(scope="module")
def plain_data(table: pa.Table) -> list[Data]:
    vocabulary = Predictor.bundled().vocabulary
    graphs = Graphs.from_table(table)
    op = vocabulary.find(table["space"], graphs, "bench")
    vectors = torch.from_numpy(vocabulary.vectors)
    labels = torch.from_numpy(table[METRIC].to_numpy() / 100).float()
    data = []
    for i in range(len(graphs)):
        nodes = slice(graphs.node_start[i], graphs.node_start[i + 1])
        edges = slice(graphs.edge_start[i], graphs.edge_start[i + 1])
        links = torch.from_numpy(np.stack([graphs.src[edges], graphs.dst[edges]]))
        index = to_undirected(links, num_nodes=int(graphs.sizes[i]))
        data.append(Data(x=vectors[torch.from_numpy(op[nodes])], edge_index=index, y=labels[i]))
    return data


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.benchmark(group=f"one epoch over {CELLS:,} cells, batch 128, one thread")
class TestEpoch:
    def test_snap_gcn(self, benchmark: Any, table: pa.Table) -> None:
        vocabulary = Predictor.bundled().vocabulary

        def epoch() -> None:
            fit(table, vocabulary, METRIC, Recipe(epochs=1), seed=0)

        benchmark.pedantic(epoch, rounds=3, warmup_rounds=1)

    def test_torch_geometric_loader(self, benchmark: Any, plain_data: list[Data]) -> None:
        network = PlainNetwork(384)
        optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-4)
        loader = DataLoader(plain_data, batch_size=128, shuffle=True)

        def epoch() -> None:
            for batch in loader:
                loss = nn.functional.mse_loss(network(batch), batch.y)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()

        benchmark.pedantic(epoch, rounds=3, warmup_rounds=1)


@pytest.mark.benchmark(group="what --resume needs of the preset `paper`, written after an epoch")
def test_checkpoint(benchmark: Any, table: pa.Table, tmp_path: Path) -> None:
    vocabulary, seen = Predictor.bundled().vocabulary, list[Fitted]()
    fit(table.slice(0, 1000), vocabulary, METRIC, Recipe(epochs=2), seed=0, on_epoch=seen.append)
    checkpoint = Checkpoint(tmp_path / "model.partial", {})
    benchmark.pedantic(checkpoint.save, ([seen[0]],), rounds=9, warmup_rounds=1)


@pytest.mark.benchmark(group=f"scoring {CELLS:,} cells, one thread")
class TestScoring:
    def test_snap_gcn(self, benchmark: Any, table: pa.Table) -> None:
        predictor = Predictor.bundled("paper")
        model, vectors = predictor.model, predictor.vocabulary.vectors
        groups = grouped(model.config.members)
        runtime, (group,) = Runtime(model.networks, groups, "model.onnx"), groups
        graphs = Graphs.from_table(table)
        op = predictor.vocabulary.find(table["space"], graphs, "bench")

        def scores() -> npt.NDArray[np.float64]:
            return runtime.score(group, graphs, op, vectors)

        benchmark.pedantic(scores, rounds=5, warmup_rounds=1)

    def test_torch_geometric_loader(self, benchmark: Any, plain_data: list[Data]) -> None:
        network = PlainNetwork(384).eval()
        loader = DataLoader(plain_data, batch_size=1024)

        def scores() -> list[Tensor]:
            with torch.inference_mode():
                return [network(batch) for batch in loader]

        benchmark.pedantic(scores, rounds=3, warmup_rounds=1)


@pytest.mark.benchmark(group=f"scoring {CELLS:,} cells of a table, in steady state, all threads")
@pytest.mark.parametrize("name", BUNDLED)
def test_predictor(benchmark: Any, table: pa.Table, name: str) -> None:
    torch.set_num_threads(os.cpu_count() or 1)
    predictor = Predictor.bundled(name)
    benchmark.pedantic(lambda: predictor.score(table), rounds=5, warmup_rounds=1)
    benchmark.extra_info["graphs a second"] = round(CELLS / benchmark.stats.stats.min)

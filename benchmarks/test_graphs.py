"""Reading all of NAS-Bench-101 into arrays to train on, and viewing it otherwise.

    uv run --all-groups pytest benchmarks/test_graphs.py

Figures in brackets are ratios to the fastest of the group. Needs the benchmark tables; a converted
file in SNAP_BENCH_NB101 saves its conversion.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from snap_catalog.parquet import read, write
from snap_graphs import Graphs, space, views
from snap_graphs.arrays import Dense
from snap_graphs.convert import convert
from snap_graphs.table import graph_table

METRIC = "cifar10/test/accuracy@108"
COLUMNS = ["space", "nodes", "src", "dst", METRIC]
VIEWS: dict[str, Callable[[pa.Table], pa.Table]] = {
    "prune": views.prune,
    "contract_skips": views.contract_skips,
    "show_implicit": views.show_implicit,
    "insert_identities": lambda t: views.insert_identities(t, np.random.default_rng(0), 0.2),
}


@pytest.fixture(scope="module")
def nb101(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if "SNAP_BENCH_NB101" in os.environ:
        return Path(os.environ["SNAP_BENCH_NB101"])
    path = tmp_path_factory.mktemp("bench") / "nb101.parquet"
    source = request.getfixturevalue("shared_data") / "nb101.csv.gz"
    write(convert("nb101", source), path, "graphs", producer="snap-graphs")
    return path


@pytest.fixture(scope="module")
def nb201(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "nb201.parquet"
    table = graph_table("nb201", list(space("nb201").enumerate()))
    write(table, path, "graphs", producer="snap-graphs")
    return path


def tensors(path: Path, columns: list[str]) -> list[Dense]:
    return list(Graphs.from_table(read(path, "graphs", columns=columns)).dense())


def plain_loop(path: Path, columns: list[str]) -> list[tuple[Any, Any]]:
    """What a script does: a row at a time, an adjacency matrix each."""
    vocabulary: dict[str, int] = {}
    result = []
    for row in pq.read_table(path, columns=columns).to_pylist():
        op = np.array([vocabulary.setdefault(name, len(vocabulary)) for name in row["nodes"]])
        adjacency = np.zeros((len(op), len(op)), np.bool_)
        for src, dst in zip(row["src"], row["dst"], strict=True):
            adjacency[src, dst] = True
        result.append((op, adjacency))
    return result


def peak_megabytes(function: Callable[[Path, list[str]], object], path: Path) -> int:
    """Run a function of this file in a process of its own and return the most memory it held.

    Linux only: `ru_maxrss` would count what this process holds when it starts the other.
    """
    code = (
        "import importlib.util, pathlib, re\n"
        f"spec = importlib.util.spec_from_file_location('bench', {__file__!r})\n"
        "bench = importlib.util.module_from_spec(spec); spec.loader.exec_module(bench)\n"
        f"bench.{function.__name__}(pathlib.Path({str(path)!r}), ['nodes', 'src', 'dst'])\n"
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]) // 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.benchmark(group="reading the 423,624 cells of NAS-Bench-101 into arrays")
@pytest.mark.parametrize("function", [tensors, plain_loop])
def test_read_nb101(benchmark: Any, nb101: Path, function: Callable[..., object]) -> None:
    benchmark.pedantic(function, (nb101, COLUMNS), rounds=1 + 2 * (function is tensors))
    benchmark.extra_info["peak MB"] = peak_megabytes(function, nb101)


@pytest.mark.benchmark(group="reading the 15,625 cells of NAS-Bench-201 into arrays")
@pytest.mark.parametrize("function", [tensors, plain_loop])
def test_read_nb201(benchmark: Any, nb201: Path, function: Callable[..., object]) -> None:
    benchmark.pedantic(function, (nb201, COLUMNS[:-1]), rounds=3)
    benchmark.extra_info["peak MB"] = peak_megabytes(function, nb201)


@pytest.mark.benchmark(group="one view of all of NAS-Bench-101, graphs only")
@pytest.mark.parametrize("name", VIEWS)
def test_view_graphs(benchmark: Any, nb101: Path, name: str) -> None:
    table = read(nb101, "graphs", columns=COLUMNS)
    benchmark.pedantic(VIEWS[name], (table,), rounds=3)


@pytest.mark.benchmark(group="one view of all of NAS-Bench-101, with hashes, depth and paths")
@pytest.mark.parametrize("name", VIEWS)
def test_view_with_structure(benchmark: Any, nb101: Path, name: str) -> None:
    benchmark.pedantic(VIEWS[name], (read(nb101, "graphs"),), rounds=1)


@pytest.mark.benchmark(group="inserting identities into a share of NAS-Bench-101: linear")
@pytest.mark.parametrize("share", [1, 2, 4])
def test_views_grow_linearly(benchmark: Any, nb101: Path, share: int) -> None:
    table = read(nb101, "graphs", columns=COLUMNS)
    part = table.slice(0, share * table.num_rows // 4)
    benchmark.pedantic(VIEWS["insert_identities"], (part,), rounds=3)


@pytest.mark.benchmark(group="listing the 423,624 cells of NAS-Bench-101")
def test_enumerate_nb101(benchmark: Any) -> None:
    def listing() -> int:
        return sum(1 for _ in space("nb101").enumerate())

    assert benchmark.pedantic(listing, rounds=1) == 423_624

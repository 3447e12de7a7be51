import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from subprocess import PIPE, Popen

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from snap_catalog.parquet import write

ACCURACY = "cifar10/test/accuracy@200"
ENERGY = "hw/toaster/joules"


def _graphs(
    arch_ids: Sequence[str],
    metrics: Mapping[str, Sequence[float | None]],
    *,
    n_dead: Sequence[int] | None = None,
    hashes: Sequence[int] | None = None,
    spaces: Sequence[str] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> pa.Table:
    n = len(arch_ids)
    columns = {
        "space": pa.array(spaces or ["nb201"] * n, pa.string()),
        "arch_id": pa.array(arch_ids, pa.string()),
        "nodes": pa.array([["input", "output"]] * n, pa.list_(pa.string())),
        "src": pa.array([[0]] * n, pa.list_(pa.int16())),
        "dst": pa.array([[1]] * n, pa.list_(pa.int16())),
        "cell_hash": pa.array([f"{h:032x}" for h in hashes or range(n)], pa.string()),
        "n_dead": pa.array(n_dead or [0] * n, pa.int16()),
        "params": pa.nulls(n, pa.int64()),
        "flops": pa.nulls(n, pa.int64()),
        "activations": pa.nulls(n, pa.int64()),
        "depth": pa.array([0] * n, pa.int16()),
        "n_paths": pa.array([1] * n, pa.int32()),
    }
    table = pa.table(columns)
    for name, values in metrics.items():
        direction = "min" if name.startswith("hw/") else "max"
        field = pa.field(name, pa.float64(), metadata={"direction": direction})
        table = table.append_column(field, pa.array(values, pa.float64()))
    return table.replace_schema_metadata(dict(metadata or {}))


def _scores(
    arch_ids: Sequence[str],
    values: Sequence[float],
    *,
    spaces: Sequence[str] | None = None,
    scorers: Sequence[str | None] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> pa.Table:
    n = len(arch_ids)
    columns = {
        "space": pa.array(spaces or ["nb201"] * n, pa.string()),
        "arch_id": pa.array(arch_ids, pa.string()),
        "score": pa.array(values, pa.float64()),
        "spread": pa.nulls(n, pa.float64()),
        "novelty": pa.nulls(n, pa.float64()),
    }
    if scorers:
        columns["scorer"] = pa.array(scorers, pa.string())
    entries = {"snap.scorer": "gcn"} if metadata is None else dict(metadata)
    return pa.table(columns).replace_schema_metadata(entries)


def _search(arch_ids: Sequence[str], objectives: Mapping[str, Sequence[float]]) -> pa.Table:
    n = len(arch_ids)
    columns = {
        "evaluation": pa.array(range(n), pa.int32()),
        "generation": pa.array([0] * n, pa.int32()),
        "space": pa.array(["nb201"] * n, pa.string()),
        "arch_id": pa.array(arch_ids, pa.string()),
        "cell_hash": pa.array([f"{h:032x}" for h in range(n)], pa.string()),
        "score": pa.array([1.0] * n, pa.float64()),
        "seconds": pa.array([0.0] * n, pa.float64()),
        **{name: pa.array(values, pa.float64()) for name, values in objectives.items()},
    }
    facts = {"snap.scorer": "gcn", "snap.algorithm": "de", "snap.seed": "0"}
    return pa.table(columns).replace_schema_metadata(facts)


@pytest.fixture(name="make_search", scope="session")
def _make_search() -> Callable[..., pa.Table]:
    return _search


@pytest.fixture(name="make_graphs", scope="session")
def _make_graphs() -> Callable[..., pa.Table]:
    return _graphs


@pytest.fixture(name="make_scores", scope="session")
def _make_scores() -> Callable[..., pa.Table]:
    return _scores


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A scores and a graphs file with eight cells in common."""
    names = [f"cell{i}" for i in range(8)]
    accuracies = [90.0, 91.0, 92.0, 93.0, 94.0, 94.0, 10.0, 50.0]
    graphs = _graphs(names, {ACCURACY: accuracies, ENERGY: accuracies[::-1]})
    scores = _scores(names, [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0])
    write(scores, tmp_path / "scores.parquet", "scores", producer="snap-eval")
    write(graphs, tmp_path / "graphs.parquet", "graphs", producer="snap-eval")
    return tmp_path / "scores.parquet", tmp_path / "graphs.parquet"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Run `snap-eval` with `tmp_path` as the current folder."""
    from snap_eval.cli import main

    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, [str(a) for a in arguments])


_MAIN = """
import signal, sys
# A shell has the signal ignored in what it runs in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)
from snap_eval.cli import main
"""


@pytest.fixture
def interrupted(tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    """Run `snap-eval` after a setup, and send it SIGINT once it prints `begun`.

    Returns:
        Its exit status, and what else it prints on standard output and standard error.
    """

    def run(setup: str, *arguments: object) -> tuple[int, str, str]:
        command = [sys.executable, "-c", f"{_MAIN}{setup}main()", *map(str, arguments)]
        with Popen(command, stdout=PIPE, stderr=PIPE, text=True, cwd=tmp_path) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "begun\n"
                process.send_signal(signal.SIGINT)
                printed = process.communicate(timeout=300)
            finally:
                process.kill()
        return process.returncode, *printed

    return run

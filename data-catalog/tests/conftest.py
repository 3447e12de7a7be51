from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from snap_catalog.schemas import Contract, Name, contract

_ARROW = {
    "string": pa.string(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "list<string>": pa.list_(pa.string()),
    "list<int16>": pa.list_(pa.int16()),
    "list<int64>": pa.list_(pa.int64()),
    "list<list<int32>>": pa.list_(pa.list_(pa.int32())),
    "fixed_size_list<float>": pa.list_(pa.float32(), 2),
}

_MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

_ROWS: dict[Name, dict[str, list[Any]]] = {
    "graphs": {
        "space": ["toy", "toy"],
        "arch_id": ["a", "b"],
        "nodes": [["input", "conv", "output"], ["input", "output"]],
        "src": [[0, 0, 1], [0]],
        "dst": [[1, 2, 2], [1]],
        "cell_hash": ["0" * 32, "f" * 32],
        "n_dead": [0, 0],
        "params": [100, None],
        "flops": [1000, None],
        "activations": [10, None],
        "depth": [1, 0],
        "n_paths": [2, 1],
        "module_hash": ["x", "y"],
        "node_shape": [[[3, 8, 8], None, [10]], None],
        "node_params": [[0, 100, 0], None],
        "node_flops": [[0, 1000, 0], None],
    },
    "operators": {
        "space": ["toy", None],
        "op": ["conv", "conv"],
        "text": ["Convolution", "Convolution"],
        "embedding": [[0.5, -0.5], [0.25, 0.0]],
        "reading": [None, "convolution, kernel 3x3 (assumed)"],
        "confidence": [None, 0.75],
        "doubt": [None, None],
    },
    "scores": {
        "space": ["toy", "toy"],
        "arch_id": ["a", "b"],
        "score": [0.5, -1.0],
        "spread": [None, 0.1],
        "novelty": [None, 0.0],
        "predicted": [None, 93.2],
        "predicted_std": [None, 0.4],
        "scorer": [None, "gcn"],
        "seconds": [None, 0.2],
    },
    "search": {
        "evaluation": [0, 1],
        "generation": [0, 0],
        "space": ["toy", "toy"],
        "arch_id": ["a", "a"],
        "cell_hash": ["0" * 32, "0" * 32],
        "score": [0.5, 0.5],
        "seconds": [0.0, 0.1],
    },
    "correlations": {
        "benchmark": ["toy"],
        "metric": ["c/t/accuracy"],
        "direction": ["max"],
        "scorer": ["params"],
        "sign": [-1],
        "seeds": [[]],
        "statistic": ["spearman"],
        "population": ["all"],
        "group": ["small"],
        "value": [None],
        "deviation": [None],
        "low": [None],
        "high": [None],
        "n": [2],
        "missing": [0],
        "failed": [0],
        "ties": ["average"],
        "interval": ["none"],
        "role": ["unknown"],
    },
    "independence": {
        "benchmark": ["toy", "toy"],
        "scorer": ["params", "params"],
        "other": ["params", "flops"],
        "spearman": [1.0, None],
        "n": [2, 2],
        "place": [0, 0],
    },
    "measurements": {
        "space": ["toy", "toy"],
        "arch_id": ["a", "a"],
        "metric": ["accuracy", "accuracy"],
        "value": [None, 0.5],
        "seconds": [None, 2.0],
        "at": [_MOMENT, _MOMENT],
        "attempt": [1, 2],
        "note": ["exit code 1", ""],
    },
    "trials": {
        "setting": ['{"layers": 3}', '{"layers": 3}'],
        "quantity": ["spearman", "spearman"],
        "seed": [0, None],
        "value": [0.5, None],
        "reported": [None, 0.6],
    },
}


def _metadata(rules: Contract) -> dict[str, str]:
    return dict.fromkeys(rules.metadata, "x")


def _make(name: Name, **changed: Any) -> pa.Table:
    """A small table that keeps a contract, with columns replaced, or dropped where None."""
    types = {column.name: column.type for column in contract(name).columns}
    rows = {**_ROWS[name], **changed}
    columns = {
        column: values
        if isinstance(values, pa.Array | pa.ChunkedArray)
        else pa.array(values, _ARROW[types[column]])
        for column, values in rows.items()
        if values is not None
    }
    return pa.table(columns).replace_schema_metadata(_metadata(contract(name)))


@pytest.fixture(name="make", scope="session")
def _make_fixture() -> Callable[..., pa.Table]:
    return _make

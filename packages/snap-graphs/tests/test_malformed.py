"""Readers of records refuse whatever they are given in one line, or read it."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_graphs.convert import convert
from snap_graphs.formats.base import Request, fault

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=5)
)
KEYS = st.sampled_from(
    [
        "net",
        "genotype",
        "normal",
        "reduce",
        "normal_concat",
        "reduce_concat",
        "width",
        "depth",
        "params",
        "flops",
        "min_test_top1",
        "train_ep_top1",
        "test_ep_top1",
        "budget",
        "info",
        "val_accuracy",
        "test_accuracy",
        "runtime",
        "optimized_hyperparamater_config",
        "model_parameters",
        "valid_perf",
        "perf",
        "latency",
        "para",
        "nasbench201",
        "fbnet",
        "cifar10",
        "config",
        "arch_str",
        "edgegpu_latency",
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=12,
)
GENOTYPE = {
    "normal": [["none", 0], ["none", 1]],
    "normal_concat": [2],
    "reduce": [["none", 0], ["none", 1]],
    "reduce_concat": [2],
}
NETWORK = {
    "net": {"genotype": GENOTYPE, "width": 16, "depth": 8},
    "params": 1,
    "flops": 1,
    "min_test_top1": 5.0,
    "train_ep_top1": [6.0, 5.0],
    "test_ep_top1": [7.0, 6.0],
}
PAIRS = [(operator, source) for operator in ("none", "skip_connect") for source in (0, 1)] * 2
ROW = {
    "arch": f"Genotype(normal={PAIRS}, reduce={PAIRS})",
    "params_M": "1.0",
    "cifar10/valid/accuracy@50": "90.0",
}
ENTRY = {"valid_perf": 0.5, "perf": 0.4, "latency": 0.01, "para": 1.5}


def attempt(name: str, path: Path) -> None:
    """Convert; anything but success or one line of refusal fails the test."""
    for skip_bad in (False, True):
        try:
            convert(name, path, Request(skip_bad=skip_bad))
        except SnapError as error:
            if "\n" in str(error):
                raise


@st.composite
def spoilt(draw: st.DrawFn, record: dict[str, Any]) -> Any:
    """A good record in which a part, chosen at random, is anything else."""
    if draw(st.booleans()):
        return draw(VALUES)
    copy = json.loads(json.dumps(record))
    place, key = copy, draw(st.sampled_from(sorted(copy)))
    while isinstance(place[key], dict) and place[key] and draw(st.booleans()):
        place, key = place[key], draw(st.sampled_from(sorted(place[key])))
    place[key] = draw(VALUES)
    return copy


fuzz = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@given(record=spoilt(NETWORK))
@fuzz
def test_an_nds_sweep_with_anything_in_it_is_read_or_refused(tmp_path: Path, record: Any) -> None:
    path = tmp_path / "ENAS.json"
    path.write_text(json.dumps([NETWORK, record]))
    attempt("nds", path)


@given(data=st.data())
@fuzz
def test_a_nas_bench_301_run_with_anything_in_it_is_read_or_refused(
    tmp_path: Path, generator: Callable[[str], ModuleType], data: st.DataObject
) -> None:
    record = data.draw(spoilt(generator("nasbench301").result(ROW)))
    path = tmp_path / "results_0.json"
    path.write_text(json.dumps(record))
    attempt("nb301", path)


@given(key=st.integers(-5, 10**6) | SCALARS, record=spoilt(ENTRY))
@fuzz
def test_a_nas_bench_graph_file_with_anything_in_it_is_read_or_refused(
    tmp_path: Path, key: Any, record: Any
) -> None:
    path = tmp_path / "cora.bench"
    path.write_bytes(pickle.dumps({8: ENTRY, key: record}))
    attempt("nb-graph", path)


@given(content=VALUES)
@fuzz
def test_a_hardware_pickle_with_anything_in_it_is_read_or_refused(
    tmp_path: Path, content: Any
) -> None:
    path = tmp_path / "a.pickle"
    path.write_bytes(pickle.dumps({"nasbench201": content, "fbnet": content}))
    attempt("hw", path)
    attempt("hw-fbnet", path)


@given(content=VALUES)
@fuzz
def test_a_transnas_file_with_anything_in_it_is_read_or_refused(
    tmp_path: Path, content: Any
) -> None:
    import torch

    tasks = {"jigsaw": {"metrics": {"valid_top1": content}, "model_info": content}}
    data = {"micro": {"64-41414-0_00_000": tasks, "64-41414-0_00_001": content}, "macro": content}
    path = tmp_path / "a.pth"
    torch.save({"data": data}, path)
    attempt("transnas-micro", path)
    attempt("transnas-macro", path)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (KeyError("net"), "'net' is missing"),
        (ValueError("two\nlines"), "two lines"),
        (RecursionError(), "RecursionError"),
    ],
)
def test_a_fault_is_one_line(error: Exception, line: str) -> None:
    assert fault(error) == line

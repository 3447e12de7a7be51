"""Hostile text in every format that is made of text; test_pickles, test_archives and
test_torch_files hold the binary ones."""

import itertools
import struct
import tracemalloc
from pathlib import Path

import pytest
from nb101_tfrecord import framed
from snap_catalog import SnapError
from snap_graphs.convert import convert

DEEP, HUGE = 100_000, 100 << 30
PAIRS = ", ".join(["('sep_conv_3x3', 0), ('skip_connect', 1)"] * 4)


def genotype(pairs: str = PAIRS, concat: str = "range(2, 6)") -> str:
    return (
        f"Genotype(normal=[{pairs}], normal_concat={concat}, "
        f"reduce=[{pairs}], reduce_concat=range(2, 6))"
    )


def column(value: str, name: str = "arch") -> str:
    return f'{name}\n"{value}"\n'


def laughs() -> str:
    """Every list is nine references to the list before."""
    names = [f"a{i}" for i in range(30)]
    pairs = itertools.pairwise(names)
    return "a0: &a0 [lol]\n" + "".join(
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in pairs
    )


ZERO_COST = "benchmark--nasbench201--cifar10--0.json"
TRANSNAS = "benchmark--transbench101_micro--class_object--0.json"

RUNS_CODE = {
    "yaml": ("custom", "c.yaml", "!!python/object/apply:os.system ['touch {mark}']", "constructor"),
    "genotype": (
        "darts",
        "t.csv",
        column("__import__('os').system('touch {mark}')"),
        "not a genotype",
    ),
    "range": (
        "darts",
        "t.csv",
        column(genotype(concat="range(__import__('os').system('touch {mark}'))")),
        "not a genotype",
    ),
}

RECURSES = {
    "json list": ("custom", "c.json", "[" * DEEP, "nested too deeply"),
    "json object": ("custom", "c.json", '{"a":' * DEEP, "nested too deeply"),
    "json shard": ("nb201", ZERO_COST, "[" * DEEP, "recursion"),
    "json task": ("transnas-micro", TRANSNAS, "[" * DEEP, "recursion"),
    "json sweep": ("nds", "DARTS.json", "[" * DEEP, "recursion"),
    "yaml list": ("custom", "c.yaml", "[" * DEEP, "nested more than"),
    "yaml dash": ("custom", "c.yaml", "- " * DEEP, "nested more than"),
    "yaml laughs": ("custom", "c.yaml", laughs(), "alias"),
    "yaml itself": ("custom", "c.yaml", "a: &a [*a]", "alias"),
    "genotype": ("darts", "t.csv", column("Genotype" + "(" * DEEP), "not a genotype"),
    "genotype list": ("nb301", "t.csv", column(genotype("[" * 3_000)), "not a genotype"),
    "genotype minus": ("darts", "t.csv", column("-" * DEEP + "1"), "not a genotype"),
    "genotype sum": ("darts", "t.csv", column("1" + "+1" * DEEP), "not a genotype"),
}

GROWS = {
    "json integer": ("custom", "c.json", "[" + "9" * DEEP + "]", "4300 digits"),
    "shard integer": ("nb201", ZERO_COST, "[" + "9" * DEEP + "]", "4300 digits"),
    "shard digits": (
        "nb201",
        ZERO_COST,
        '[{"arch": "(' + "1, " * DEEP + '1)"}]',
        "longer than 65,536 characters",
    ),
    "range": (
        "darts",
        "t.csv",
        column(genotype(concat="range(0, 999999999999)")),
        "range takes one or two small numbers",
    ),
    "vertices": (
        "nb101",
        "t.csv",
        "n_vertices,adj_upper,ops\n99999999999,1,3\n",
        "are not a NAS-Bench-101 cell",
    ),
    "negative vertices": (
        "nb101",
        "t.csv",
        "n_vertices,adj_upper,ops\n-5,1,3\n",
        "are not a NAS-Bench-101 cell",
    ),
    "edges": (
        "nb101",
        "t.csv",
        "n_vertices,adj_upper,ops\n7," + "1" * DEEP + ",3\n",
        "not a NAS-B",
    ),
    "edge string": ("nb201", "t.csv", column("|none~0|+" * DEEP), "not a NAS-Bench-201 cell"),
    "edge index": (
        "custom",
        "c.json",
        '{"space": "a", "cells": [{"id": "a", "nodes": ["input", "output"], '
        '"edges": [[0, 99999999999999999999]]}]}',
        "edges must be a list of pairs of node positions",
    ),
    "blocks": ("transnas-macro", "t.csv", column("64-" + "4" * DEEP + "-basic"), "no TransNAS"),
}


@pytest.mark.parametrize("case", RUNS_CODE)
def test_text_that_would_run_code_is_refused_and_runs_nothing(tmp_path: Path, case: str) -> None:
    name, file, content, fault = RUNS_CODE[case]
    mark = tmp_path / "mark"
    (tmp_path / file).write_text(content.replace("{mark}", str(mark)))
    with pytest.raises(SnapError, match=fault):
        convert(name, tmp_path / file)
    assert not mark.exists()


@pytest.mark.parametrize("case", [*RECURSES, *GROWS])
def test_text_that_recurses_or_grows_is_refused_in_one_short_line(
    tmp_path: Path, case: str
) -> None:
    name, file, content, fault = {**RECURSES, **GROWS}[case]
    path = tmp_path / file
    path.write_text(content)
    with pytest.raises(SnapError) as caught:
        convert(name, path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert fault in message
    assert "\n" not in message
    assert len(message) - len(str(path)) < 500


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (struct.pack("<Q", HUGE) + bytes(20), "record 1"),
        (framed(b"[" * DEEP), "record 1"),
        (framed(b'["0", 108, "0", "input,output", "' + b"\x0a\xff\xff\xff\xff\x7f" + b'"]'), "rec"),
        (framed(b'["0", 108, "' + b"1" * DEEP + b'", "input,output", ""]'), "record 1"),
        (framed(b"[]")[:-1], "record 1"),
        (framed(b"[]")[:-1] + b"\x00", "record 1"),
    ],
)
def test_a_hostile_tfrecord_is_refused_without_allocating(
    tmp_path: Path, content: bytes, fault: str
) -> None:
    path = tmp_path / "nasbench_only108.tfrecord"
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(SnapError) as caught:
        convert("nb101", path)
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
    assert fault in str(caught.value)
    assert len(str(caught.value)) - len(str(path)) < 500

import json
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_catalog.parquet import decode_metadata, validate
from snap_graphs import Cell, Graphs
from snap_graphs.convert import convert
from snap_graphs.formats.base import Request

METRIC = "cifar10/test/accuracy"
HUGE = "0x" + "f" * 5000
OWN = "{space: mine, cells: [{id: a, nodes: [input, output], "
"""The begin of a file of one cell."""
CELL: dict[str, Any] = {
    "id": "a",
    "nodes": ["input", "conv", "pool", "output"],
    "edges": [[0, 1], [0, 2], [1, 3], [2, 3]],
    "metrics": {METRIC: 93.5},
}
DOCUMENT: dict[str, Any] = {
    "space": "mine",
    "operators": {"conv": "Convolution 3x3", "pool": None},
    "metrics": {METRIC: {"direction": "max", "unit": "percent"}},
    "cells": [CELL, {"id": 7, "nodes": ["input", "output"], "edges": [[0, 1]]}],
}


def write(path: Path, document: object) -> Path:
    dump = json.dumps if path.suffix == ".json" else yaml.safe_dump
    path.write_text(dump(document))
    return path


@pytest.mark.parametrize("suffix", ["json", "yaml", "yml"])
def test_a_users_own_cells_become_graphs_without_costs(tmp_path: Path, suffix: str) -> None:
    table = convert("custom", write(tmp_path / f"cells.{suffix}", DOCUMENT))
    validate(table, "graphs")
    assert table["space"].to_pylist() == ["mine", "mine"]
    assert table["arch_id"].to_pylist() == ["a", "7"]
    assert table[METRIC].to_pylist() == [93.5, None]
    assert table["params"].null_count == table["flops"].null_count == 2
    assert next(Graphs.from_table(table).cells()) == Cell(
        tuple(CELL["nodes"]), ((0, 1), (0, 2), (1, 3), (2, 3))
    )
    field = table.schema.field(METRIC)
    assert field.metadata == {b"direction": b"max", b"unit": b"percent"}


def test_descriptions_licence_and_source_are_recorded(tmp_path: Path) -> None:
    document = {**DOCUMENT, "licence": "CC0-1.0", "citation": "Me, 2026"}
    entries = decode_metadata(convert("custom", write(tmp_path / "c.json", document)).schema)
    assert json.loads(entries["snap.operators"]) == {"conv": "Convolution 3x3"}
    assert entries["snap.licence"] == "CC0-1.0"
    assert entries["snap.citation"] == "Me, 2026"
    assert entries["snap.source"] == "c.json"


def test_space_and_cells_are_all_that_a_file_needs(tmp_path: Path) -> None:
    cell = {"id": "x", "nodes": ["input", "anything", "output"], "edges": [[0, 1], [1, 2]]}
    table = convert("custom", write(tmp_path / "c.json", {"space": "mine", "cells": [cell]}))
    assert table["nodes"].to_pylist() == [cell["nodes"]]
    assert "snap.operators" not in decode_metadata(table.schema)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"space": None}, "space must be a name"),
        ({"space": "a b"}, "space must be a name"),
        ({"space": "nb201"}, "nb201 is the name of a known space"),
        ({"cels": []}, "unknown entry 'cels'; known are space"),
        ({"cells": {}}, "cells must be a list"),
        ({"operators": ["conv"]}, "operators must be a mapping"),
        ({"operators": {"conv": 3}}, "operator 'conv': the description must be text"),
        ({"metrics": {"accuracy": {"direction": "max"}}}, "metric 'accuracy' is not named"),
        ({"metrics": {METRIC: {"unit": "percent"}}}, "needs direction: max or min"),
        ({"metrics": {METRIC: "max"}}, "needs direction: max or min"),
        ({"licence": 3}, "licence must be text, not 3"),
        ({"cells": []}, "contains no readable architecture"),
    ],
)
def test_a_faulty_file_is_refused_in_one_line(
    tmp_path: Path, change: dict[str, Any], fault: str
) -> None:
    path = write(tmp_path / "c.json", {**DOCUMENT, **change})
    with pytest.raises(SnapError) as caught:
        convert("custom", path)
    assert str(caught.value).startswith(f"{path}: ")
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


BAD_CELLS: list[tuple[Any, str]] = [
    ("a", "a cell needs the entries id, nodes and edges"),
    ({"id": "b", "nodes": ["input", "output"]}, "a cell needs the entries"),
    ({**CELL, "id": True}, "id must be text or a whole number"),
    ({**CELL, "id": 1.5}, "id must be text or a whole number"),
    ({**CELL, "idea": 1}, "unknown entry 'idea'"),
    (CELL, "id 'a' is repeated"),
    ({**CELL, "id": "b", "nodes": "input"}, "nodes must be a list of operator names"),
    ({**CELL, "id": "b", "nodes": ["input", False, "output"]}, "nodes must be a list"),
    ({**CELL, "id": "b", "nodes": ["input", "conv2", "pool", "output"]}, "operator 'conv2' is not"),
    ({**CELL, "id": "b", "nodes": ["conv", "input", "pool", "output"]}, "must run from input"),
    ({**CELL, "id": "b", "nodes": ["input", "output", "output"]}, "exactly one node `output`"),
    ({**CELL, "id": "b", "nodes": ["input"] * 2**15 + ["output"]}, "more than the 32,767"),
    ({**CELL, "id": "b", "edges": [[0, 1, 2]]}, "edges must be a list of pairs"),
    ({**CELL, "id": "b", "edges": [[0, True]]}, "edges must be a list of pairs"),
    ({**CELL, "id": "b", "edges": [[0, 9]]}, "the edge 0->9 does not lead"),
    ({**CELL, "id": "b", "edges": [[0, 1], [2, 1], [1, 2]]}, "(a cycle has none)"),
    ({**CELL, "id": "b", "edges": [[0, 3], [0, 3]]}, "the edge 0->3 is repeated"),
    ({**CELL, "id": "b", "edges": [[0, 1], [2, 3]]}, "no path leads from input to output"),
    ({**CELL, "id": "b", "metrics": {"x/y/z": 1}}, "metric 'x/y/z' is not declared"),
    ({**CELL, "id": "b", "metrics": {METRIC: "93"}}, "must be a number or null, not '93'"),
    ({**CELL, "id": "b", "metrics": {METRIC: True}}, "must be a number or null, not True"),
    ({**CELL, "id": "b", "metrics": {METRIC: 10**400}}, "is not finite"),
    ({**CELL, "id": "b", "metrics": [1]}, "metrics must be a mapping"),
]


@pytest.mark.parametrize(("cell", "fault"), BAD_CELLS)
def test_a_bad_cell_is_named_by_its_number_or_skipped(
    tmp_path: Path, cell: Any, fault: str
) -> None:
    path = write(tmp_path / "c.json", {**DOCUMENT, "cells": [CELL, cell]})
    with pytest.raises(SnapError) as caught:
        convert("custom", path)
    assert str(caught.value).startswith(f"{path}: record 2: ")
    assert fault in str(caught.value)
    request = Request(skip_bad=True)
    assert convert("custom", path, request).num_rows == 1
    assert request.skipped == 1


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("c.json", "{", "cannot be read"),
        ("c.json", '{"space": NaN}', "NaN is not a JSON number"),
        ("c.json", "[" * 100_000, "cannot be read"),
        ("c.json", "1" * 5_000, "cannot be read"),
        ("c.json", "[]", "must have the entries space and cells"),
        ("c.yaml", "a: [", "cannot be read"),
        ("c.yaml", "a: &x [1]\nb: [*x, *x]", "it has an alias"),
        ("c.yaml", "[" * 100_000, "nested more than 16 levels"),
        ("c.yaml", "!!python/object/apply:os.system ['true']", "cannot be read"),
        ("c.yaml", "a: \x00", "cannot be read"),
        ("c.yaml", "", "must have the entries space and cells"),
        ("c.yaml", f"space: {HUGE}", "not <int too long to show>"),
        ("c.yaml", f"{OWN}edges: [[0, {HUGE}]]}}]}}", "record 1: edges must be a list of pairs"),
        ("c.json", '{"space": ' + "[" * 900 + "]" * 900 + "}", "space must be a name"),
        ("c.json", '{"space": "\\ud800"}', "cannot be read"),
        ("c.json", '{"space": "a", "space": "b"}', "the entry 'space' is repeated"),
        ("c.yaml", "space: a\nspace: b", "the entry 'space' is repeated"),
    ],
)
def test_hostile_or_damaged_files_are_refused(
    tmp_path: Path, name: str, text: str, fault: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(SnapError, match=fault) as caught:
        convert("custom", path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_or_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(SnapError, match="cannot be read"):
        convert("custom", path)
    with path.open("wb") as file:
        file.truncate(2**24 + 1)
    with pytest.raises(SnapError, match="larger than 16 MiB; split it"):
        convert("custom", path)


def test_ids_in_yaml_are_kept_as_they_are_written(tmp_path: Path) -> None:
    ids = ["001", "1", "1e5", "1.50", "true", "yes", "0x10", "1_0", "2020-01-01", "1:59"]
    cells = "".join(f"- {{id: {i}, nodes: [input, output], edges: [[0, 1]]}}\n" for i in ids)
    (tmp_path / "c.yaml").write_text(f"space: mine\ncells:\n{cells}")
    assert convert("custom", tmp_path / "c.yaml")["arch_id"].to_pylist() == ids


@pytest.mark.parametrize(
    ("unit", "value", "found"), [("percent", 93.5, 93.5), ("fraction", 0.5, 50)]
)
def test_a_fraction_becomes_percent(tmp_path: Path, unit: str, value: float, found: float) -> None:
    metrics = {METRIC: {"direction": "max", "unit": unit}}
    document = {**DOCUMENT, "metrics": metrics, "cells": [{**CELL, "metrics": {METRIC: value}}]}
    table = convert("custom", write(tmp_path / "c.json", document))
    assert table[METRIC].to_pylist() == [found]
    assert table.schema.field(METRIC).metadata[b"unit"] == b"percent"


def test_percent_that_is_none_is_refused(tmp_path: Path) -> None:
    document = {**DOCUMENT, "cells": [{**CELL, "metrics": {METRIC: 0.935}}]}
    with pytest.raises(SnapError, match="should be percent, but all values are between 0 and 1"):
        convert("custom", write(tmp_path / "c.json", document))


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(list(CELL)), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(
    deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(st.sampled_from([*DOCUMENT, "citation"]), values, max_size=3),
    st.dictionaries(st.sampled_from(list(CELL)), values, max_size=3),
)
def test_any_document_is_converted_or_refused_in_one_line(
    tmp_path: Path, change: dict[str, Any], change_of_cell: dict[str, Any]
) -> None:
    document = {**DOCUMENT, "cells": [{**CELL, **change_of_cell}], **change}
    path = write(tmp_path / "c.json", document)
    try:
        validate(convert("custom", path), "graphs")
    except SnapError as error:
        lines = str(error).splitlines()
        assert len(lines) == 1

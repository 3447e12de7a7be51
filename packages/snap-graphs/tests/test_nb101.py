"""Which cells NAS-Bench-101 has, and how it names them."""

import itertools
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from snap_catalog import SnapError
from snap_graphs import Cell, graph_table, space
from snap_graphs.canonical import prune
from snap_graphs.cli import main
from snap_graphs.convert import convert
from snap_graphs.spaces.nb101 import module_hash

UNPRUNED, PRUNED = "6:110000001101001:3m13", "4:110011:3m"
"""The same module; in the first, one vertex leads nowhere and another comes from nowhere."""
HASH = "7c65f6bd01b87407734781b6038050bc"
"""As the benchmark's own reader computes it."""
OUTSIDE = {
    "too many edges": ("5:1111111111:333", "5 vertices and 10 edges on paths"),
    "too many vertices": (
        f"8:{'1000000100000100001000100101'}:333333",
        "8 vertices and 7 edges on paths",
    ),
    "no edges": ("3:000:3", "no path leads from the input to the output"),
    "output cut off": ("4:100100:31", "no path leads from the input to the output"),
    "input cut off": ("4:000111:31", "no path leads from the input to the output"),
}


def chain(live: int, dead: int) -> str:
    """Write a chain of live vertices before whose output stand dead ones that the input feeds."""
    size = live + dead
    edges = {(i, i + 1) for i in range(live - 2)} | {(live - 2, size - 1)}
    edges |= {(0, live - 1 + i) for i in range(dead)}
    pairs = itertools.combinations(range(size), 2)
    return f"{size}:{''.join(str(int(pair in edges)) for pair in pairs)}:{'3' * (size - 2)}"


def table(path: Path, *rows: str, hashes: tuple[str, ...] = ()) -> Path:
    lines = ["n_vertices,adj_upper,ops" + ",hash" * bool(hashes)]
    for i, row in enumerate(rows):
        lines.append(",".join([*row.split(":"), *hashes[i : i + 1]]))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_hash_of_an_unpruned_cell_is_that_of_the_pruned_one() -> None:
    home = space("nb101")
    assert module_hash(home.parse(UNPRUNED)) == module_hash(home.parse(PRUNED)) == HASH


def test_cell_and_string_stay_as_they_are_given(tmp_path: Path) -> None:
    found = convert("nb101", table(tmp_path / "a.csv", UNPRUNED, PRUNED))
    assert found["arch_id"].to_pylist() == [UNPRUNED, PRUNED]
    assert [len(nodes) for nodes in found["nodes"].to_pylist()] == [6, 4]
    assert found["module_hash"].to_pylist() == [HASH] * 2
    assert found["n_dead"].to_pylist() == [2, 0]
    for column in ("cell_hash", "params", "flops", "depth"):
        assert len(set(found[column].to_pylist())) == 1


def test_a_table_may_carry_the_benchmarks_hash_of_an_unpruned_cell(tmp_path: Path) -> None:
    source = table(tmp_path / "a.csv", UNPRUNED, hashes=(HASH,))
    assert convert("nb101", source)["module_hash"].to_pylist() == [HASH]


@given(st.integers(2, 7), st.integers(0, 20))
def test_vertices_on_no_path_do_not_count(live: int, dead: int) -> None:
    home = space("nb101")
    cell = home.parse(chain(live, dead))
    assert len(cell.nodes) == live + dead
    assert home.format(prune(cell)) == chain(live, 0)
    assert module_hash(cell) == module_hash(home.parse(chain(live, 0)))
    assert home.decode(home.encode(cell)) == prune(cell)


@pytest.mark.parametrize(("arch_id", "fault"), OUTSIDE.values(), ids=list(OUTSIDE))
def test_a_cell_outside_the_benchmark_is_refused(tmp_path: Path, arch_id: str, fault: str) -> None:
    with pytest.raises(SnapError, match=fault):
        space("nb101").parse(arch_id)
    with pytest.raises(SnapError, match=rf"a\.csv: record 2: .*{fault}") as caught:
        convert("nb101", table(tmp_path / "a.csv", PRUNED, arch_id))
    assert "\n" not in str(caught.value)
    size, upper, letters = arch_id.split(":")
    pairs = itertools.combinations(range(int(size)), 2)
    edges = tuple(itertools.compress(pairs, map(int, upper)))
    names = {"3": "conv3x3-bn-relu", "1": "conv1x1-bn-relu"}
    with pytest.raises(SnapError, match=fault):
        module_hash(Cell(("input", *(names[x] for x in letters), "output"), edges))


@pytest.mark.parametrize("size", ["0", "1", "129", "999", "99999999999"])
def test_a_size_that_no_cell_has_is_refused(tmp_path: Path, size: str) -> None:
    with pytest.raises(SnapError, match="not a NAS-Bench-101 cell"):
        space("nb101").parse(f"{size}:{'1' * 20}:3")
    with pytest.raises(SnapError, match="record 1: "):
        convert("nb101", table(tmp_path / "a.csv", f"{size}:{'1' * 20}:3"))


def edited(graphs: pa.Table, column: str, values: list[object]) -> pa.Table:
    field = graphs.schema.field(column)
    return graphs.set_column(
        graphs.column_names.index(column), field, pa.array(values, type=field.type)
    )


@pytest.mark.parametrize(
    ("changes", "metadata", "fault"),
    [
        ({}, {}, None),
        ({"arch_id": [OUTSIDE["too many edges"][0]]}, {}, "row 1: .*10 edges"),
        ({"arch_id": ["3:111:1"]}, {}, "row 1: nodes and edges do not match '3:111:1'"),
        ({"dst": [[1, 2, 2]], "src": [[0, 0, 1]]}, {}, None),
        ({"dst": [[1, 2]], "src": [[0, 1]]}, {}, "row 1: nodes and edges do not match"),
        ({"dst": [[1, 2]], "src": [[0, 1]]}, {"snap.views": "prune"}, None),
        ({"space": ["own"], "arch_id": ["any"]}, {}, None),
    ],
)
def test_validate_refuses_what_the_space_does_not_have(
    tmp_path: Path, changes: dict[str, list[object]], metadata: dict[str, str], fault: str | None
) -> None:
    graphs = graph_table("nb101", [space("nb101").parse("3:111:3")])
    for column, values in changes.items():
        graphs = edited(graphs, column, values)
    stamps = {"snap.schema": "graphs", "snap.schema_version": "1", "snap.producer": "a", **metadata}
    pq.write_table(graphs.replace_schema_metadata(stamps), tmp_path / "a.parquet")
    result = CliRunner().invoke(main, ["validate", str(tmp_path / "a.parquet")])
    assert result.exit_code == int(fault is not None)
    assert len(result.stderr.splitlines()) == 1
    if fault is not None:
        assert re.search(rf"a\.parquet: {fault}", result.stderr)

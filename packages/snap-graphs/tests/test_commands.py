import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from snap_catalog.parquet import decode_metadata, read, write
from snap_graphs import Graphs, space
from snap_graphs.cli import main
from snap_graphs.networks import Network, network_table

METRIC = "cifar10/test/accuracy@200"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def good(*arguments: object) -> Result:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture
def graphs(tmp_path: Path) -> Path:
    """Three cells of NAS-Bench-201, one of them not measured."""
    kinds = ("none", "skip_connect", "nor_conv_1x1")
    cells = [f"|none~0|+|none~0|none~1|+|{kind}~0|none~1|none~2|" for kind in kinds]
    rows = zip(cells, ("90.5", "", "80"), strict=True)
    source = tmp_path / "source.csv"
    source.write_text(f"arch,{METRIC}\n" + "".join(f"{a},{b}\n" for a, b in rows))
    out = tmp_path / "graphs.parquet"
    good("convert", "nb201", out, "--source", source)
    return out


def test_info_tells_rows_classes_metrics_and_provenance(graphs: Path) -> None:
    result = good("info", graphs)
    assert result.stderr == ""
    assert f"{graphs}: 3 of nb201; 3 distinct cells" in result.stdout
    assert f"{METRIC}  80 to 90.5 percent, higher is better, 1 empty" in result.stdout
    assert "source: source.csv" in result.stdout
    assert "licence: MIT" in result.stdout


def test_info_gives_the_same_as_json(graphs: Path) -> None:
    found = json.loads(good("info", graphs, "--json").stdout)
    assert found["rows"] == 3
    assert found["spaces"] == {"nb201": 3}
    assert found["classes"] == 3
    (metric,) = found["metrics"]
    assert (metric["low"], metric["high"], metric["nulls"]) == (80, 90.5, 1)
    assert (metric["direction"], metric["unit"]) == ("max", "percent")
    assert found["provenance"]["benchmark"] == "nb201"
    assert found["operators"]["output"] == 3


def test_validate_says_yes_or_names_the_fault(graphs: Path, tmp_path: Path) -> None:
    assert "3 valid rows, contract 'graphs'" in good("validate", graphs).stderr
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(graphs.read_bytes()[:500])
    for path, fault in ((cut, "not a readable Parquet file"), (tmp_path / "no", "no such file")):
        result = run("validate", path)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"Error: {path}: ")
        assert fault in result.stderr
        assert result.stderr.count("\n") == 1


def test_validate_knows_what_is_no_file_of_the_tools(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"x": [1]}), path)
    assert "not a file of the SNAP tools" in run("validate", path).stderr


def test_draw_makes_a_picture_of_one_architecture(graphs: Path, tmp_path: Path) -> None:
    arch = read(graphs, "graphs")["arch_id"][1].as_py()
    good("draw", graphs, "--arch", arch, "-o", tmp_path / "cell.svg", "--title", "a cell")
    assert "skip connect" in (tmp_path / "cell.svg").read_text()


def test_draw_refuses_an_unknown_architecture_and_an_unknown_kind_of_picture(
    graphs: Path, tmp_path: Path
) -> None:
    result = run("draw", graphs, "--arch", "x", "-o", tmp_path / "cell.svg")
    assert result.exit_code == 1
    assert "no architecture 'x'; give an arch_id of the file, such as |none~0|" in result.stderr
    result = run("draw", graphs, "--arch", "x", "-o", tmp_path / "cell.gif")
    assert result.exit_code == 2


def test_enumerate_lists_a_space_whole_or_one_cell_a_class(tmp_path: Path) -> None:
    out = tmp_path / "all.parquet"
    good("enumerate", "nb201", out)
    assert read(out, "graphs").num_rows == 15_625
    good("enumerate", "nb201", out, "--unique")
    table = read(out, "graphs")
    assert table.num_rows == len(table["cell_hash"].unique()) == 8_765


def test_hashes_are_for_nb101_alone(tmp_path: Path) -> None:
    result = run("enumerate", "nb201", tmp_path / "x.parquet", "--hashes")
    assert result.exit_code == 1
    assert "only nb101 has module hashes" in result.stderr


def test_hashes_are_added_on_demand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = space("nb101")
    few = [home.parse(text) for text in ("2:1:", "3:111:m")]
    monkeypatch.setattr(type(home), "enumerate", lambda _self: iter(few))
    good("enumerate", "nb101", tmp_path / "x.parquet", "--hashes")
    hashes = read(tmp_path / "x.parquet", "graphs")["module_hash"].to_pylist()
    assert len(set(hashes)) == 2


def test_sample_draws_different_architectures_by_seed(tmp_path: Path) -> None:
    out = [tmp_path / f"{i}.parquet" for i in range(3)]
    for path, seed in zip(out, (1, 1, 2), strict=True):
        good("sample", "nb101", path, "-n", 50, "--seed", seed)
    tables = [read(path, "graphs") for path in out]
    assert len(set(tables[0]["arch_id"].to_pylist())) == 50
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])
    assert decode_metadata(tables[0].schema)["snap.seed"] == "1"


def test_sample_can_draw_a_whole_space_but_not_more(tmp_path: Path) -> None:
    good("sample", "nb201", tmp_path / "x.parquet", "-n", 15_625)
    result = run("sample", "nb201", tmp_path / "x.parquet", "-n", 15_626)
    assert result.exit_code == 1
    assert "nb201 has 15,625 cells; sample at most as many, not 15,626" in result.stderr


def test_view_writes_what_was_asked_for_and_records_it(graphs: Path, tmp_path: Path) -> None:
    out = tmp_path / "view.parquet"
    good("view", graphs, out, "--prune", "--contract-skips")
    table = read(out, "graphs")
    assert all(set(n) <= {"input", "nor_conv_1x1", "output"} for n in table["nodes"].to_pylist())
    assert table["arch_id"].equals(read(graphs, "graphs")["arch_id"])
    good("view", out, out, "--insert-identities", 1, "--seed", 3)
    entries = decode_metadata(read(out, "graphs").schema)
    assert entries["snap.views"] == "prune, contract-skips, insert-identities 1.0 3"
    assert entries["snap.benchmark"] == "nb201"


def test_view_shows_the_projections_of_nb101(tmp_path: Path) -> None:
    source = tmp_path / "source.csv"
    source.write_text("n_vertices,adj_upper,ops\n3,111,m\n")
    good("convert", "nb101", tmp_path / "a.parquet", "--source", source)
    good("view", tmp_path / "a.parquet", tmp_path / "b.parquet", "--show-implicit")
    (cell,) = Graphs.from_table(read(tmp_path / "b.parquet", "graphs")).cells()
    assert cell.nodes.count("conv1x1-bn-relu") == 2


def test_view_makes_blocks_of_networks_one_node_each(tmp_path: Path) -> None:
    names = ("input", "dwconv3x3-bn-relu", "conv1x1-bn", "output")
    edges = ((0, 1), (1, 2), (2, 3))
    made = Network(names, edges, ((8, 4, 4),) * 4, (0, 1, 2, 0), (0, 3, 4, 0), 5, {})
    write(
        network_table("mine", ["a"], [made]),
        tmp_path / "a.parquet",
        "graphs",
        producer="snap-graphs",
    )
    good("view", tmp_path / "a.parquet", tmp_path / "b.parquet", "--blocks", "--prune")
    table = read(tmp_path / "b.parquet", "graphs")
    assert table["nodes"].to_pylist() == [["input", "mbconv3x3-e1-bn-relu", "output"]]
    assert table["node_params"].to_pylist() == [[0, 3, 0]]
    entries = decode_metadata(table.schema)
    assert entries["snap.views"] == "blocks, prune"
    assert "Inverted residual 3x3, expansion 1" in entries["snap.operators"]


def test_view_without_a_view_is_wrong_usage(graphs: Path, tmp_path: Path) -> None:
    result = run("view", graphs, tmp_path / "x.parquet")
    assert result.exit_code == 2
    assert "give at least one view" in result.stderr


def test_concat_and_join_write_one_file(graphs: Path, tmp_path: Path) -> None:
    cells = tmp_path / "cells.json"
    cell = {"id": "x", "nodes": ["input", "output"], "edges": [[0, 1]]}
    cells.write_text(json.dumps({"space": "mine", "cells": [cell]}))
    good("convert", "custom", tmp_path / "mine.parquet", "--source", cells)
    good("concat", graphs, tmp_path / "mine.parquet", "-o", tmp_path / "both.parquet")
    both = read(tmp_path / "both.parquet", "graphs")
    assert both["space"].to_pylist() == ["nb201"] * 3 + ["mine"]
    extra = tmp_path / "extra.csv"
    extra.write_text("arch_id,ms\nx,3\ny,4\n")
    column = "ms=hw/mine/latency_ms:ms:min"
    result = good(
        "join", tmp_path / "both.parquet", extra, "-o", tmp_path / "c.parquet", "--column", column
    )
    assert "1 of 4 architectures matched; 1 rows of the table matched none" in result.stderr
    assert read(tmp_path / "c.parquet", "graphs")["hw/mine/latency_ms"].to_pylist()[3] == 3


def test_concat_refuses_a_file_named_twice(graphs: Path, tmp_path: Path) -> None:
    assert run("concat", graphs, graphs, "-o", tmp_path / "x.parquet").exit_code == 2


def test_convert_maps_columns_and_counts_bad_records(tmp_path: Path) -> None:
    cell = space("nb201").format(next(space("nb201").enumerate()))
    source, out = tmp_path / "t.csv", tmp_path / "out.parquet"
    source.write_text(f"arch,acc,ms\n{cell},91,3\n|oops|,90,4\n")
    columns = ("--column", f"acc={METRIC}", "--column", "ms=hw/mine/latency_ms:ms:min")
    result = run("convert", "nb201", out, "--source", source, *columns)
    assert result.exit_code == 1
    assert "record 2: " in result.stderr
    result = good("convert", "nb201", out, "--source", source, *columns, "--skip-bad")
    assert f"{source}: 1 bad records skipped" in result.stderr
    table = read(out, "graphs")
    assert table[METRIC].to_pylist() == [91]
    field = table.schema.field("hw/mine/latency_ms")
    assert field.metadata == {b"direction": b"min", b"unit": b"ms"}


@pytest.mark.parametrize(
    ("metric", "value", "said"),
    [
        (f"{METRIC}:fraction", 91.0, (b"max", b"percent")),
        (f"{METRIC}:percent", 0.91, (b"max", b"percent")),
        ("a/b/loss:nats", 0.91, (b"min", b"nats")),
        ("a/b/loss::max", 0.91, (b"max", b"")),
        ("a/b/error:fraction", 91.0, (b"min", b"percent")),
        ("a/b/vibes:fraction", 91.0, (b"max", b"percent")),
        ("a/b/vibes:points:min", 0.91, (b"min", b"points")),
    ],
)
@pytest.mark.parametrize("command", ["convert", "join"])
def test_a_column_is_of_the_unit_and_direction_that_the_user_says(
    graphs: Path, tmp_path: Path, command: str, metric: str, value: float, said: tuple[bytes, bytes]
) -> None:
    source, out = tmp_path / "t.csv", tmp_path / "out.parquet"
    table = read(graphs, "graphs")
    source.write_text(f"arch,v\n{table['arch_id'][0]},0.91\n")
    option = ("--column", f"v={metric}")
    if command == "convert":
        good("convert", "nb201", out, "--source", source, *option)
    else:
        bare = tmp_path / "bare.parquet"
        write(table.drop_columns(METRIC), bare, "graphs", producer="snap-graphs")
        good("join", bare, source, "-o", out, *option)
    name = metric.split(":")[0]
    found = read(out, "graphs")
    assert found[name][0].as_py() == value
    entries = found.schema.field(name).metadata
    assert (entries[b"direction"], entries[b"unit"]) == said


@pytest.mark.parametrize(
    "column", ["acc", "=x/y/z", "acc=accuracy", "acc=x/y/z:percent:up", "acc=x/y/z:a:max:b"]
)
def test_a_column_that_is_not_of_the_form_is_wrong_usage(tmp_path: Path, column: str) -> None:
    result = run("convert", "nb201", tmp_path / "x.parquet", "--column", column)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_and_option_says_what_it_does(name: str) -> None:
    assert len(main.commands[name].help or "") > 20
    options = [p for p in main.commands[name].params if isinstance(p, click.Option)]
    assert all(option.help for option in options)


def test_help_imports_nothing_heavy() -> None:
    code = "import snap_graphs.cli, sys; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"matplotlib", "yaml", "networkx", "torch", "scipy"} & set(loaded.stdout.split())

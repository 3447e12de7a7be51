import gzip
import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from snap_catalog import SnapError
from snap_catalog.parquet import decode_metadata, validate, write
from snap_graphs import Metric, graph_table, space
from snap_graphs.combine import concat, join
from snap_graphs.formats.base import Declared, Request

VALID, TEST = "cifar10/valid/accuracy@200", "cifar10/test/accuracy@200"


def graphs(first: int, last: int, metric: str | None = None, unit: str = "percent") -> pa.Table:
    """Some cells of NAS-Bench-201, by their place in the space."""
    home = space("nb201")
    operators = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
    cells = [
        home.decode(np.array([(operators.index(op) + 0.5) / 5 for op in ops]))
        for ops in (
            [operators[i % 5], operators[i // 5], *["none"] * 4] for i in range(first, last)
        )
    ]
    values = np.arange(first, last, dtype=np.float64)
    metrics = {metric: Metric(values, "max", unit)} if metric else {}
    table = graph_table("nb201", cells, metrics=metrics)
    return table.replace_schema_metadata({"snap.benchmark": "nb201", "snap.source": f"{first}.csv"})


def csv(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_tables_are_put_below_one_another_and_lack_what_one_lacks() -> None:
    table = concat({"a": graphs(0, 3, VALID), "b": graphs(3, 5, TEST), "c": graphs(5, 6)})
    validate(table, "graphs")
    assert table[VALID].to_pylist() == [0, 1, 2, None, None, None]
    assert table[TEST].to_pylist() == [None, None, None, 3, 4, None]
    assert table.schema.field(TEST).metadata == {b"direction": b"max", b"unit": b"percent"}


def test_metadata_is_kept_where_all_agree() -> None:
    entries = decode_metadata(concat({"a": graphs(0, 2), "b": graphs(2, 4)}).schema)
    assert entries == {"snap.benchmark": "nb201"}


def test_an_optional_column_that_one_file_lacks_is_refused_or_null_but_never_lost() -> None:
    own = graph_table("own", [space("nb101").parse("3:011:m")], arch_ids=["x"])
    table = concat({"a": graphs(0, 2), "b": own})
    assert table["space"].to_pylist() == ["nb201", "nb201", "own"]
    assert table["params"].null_count == 1


def test_an_architecture_in_two_files_is_refused() -> None:
    with pytest.raises(SnapError, match=r"^b: architecture '\|.*\|' is also in a; remove it"):
        concat({"a": graphs(0, 3), "b": graphs(2, 4)})


def test_a_metric_in_two_units_is_refused() -> None:
    with pytest.raises(SnapError, match=f"^b: column '{TEST}' differs .* from that of a"):
        concat({"a": graphs(0, 1, TEST), "b": graphs(1, 2, TEST, unit="fraction")})


def test_join_adds_catalogued_metrics_by_native_string(tmp_path: Path) -> None:
    some = graphs(0, 4)
    ids = some["arch_id"].to_pylist()
    path = csv(tmp_path / "t.csv", f"arch,{TEST},index", f"{ids[2]},90.5,0", f"{ids[0]},80,1")
    joined = join(some, path, Request())
    validate(joined.table, "graphs")
    assert joined.table[TEST].to_pylist() == [80, None, 90.5, None]
    assert joined.table.schema.field(TEST).metadata[b"unit"] == b"percent"
    assert joined[1:] == (2, 0)


def test_joined_files_are_recorded_one_after_the_other(tmp_path: Path) -> None:
    some = graphs(0, 1)
    paths = [
        csv(tmp_path / f"{name}.csv", f"arch,{name}", f"{some['arch_id'][0]},90")
        for name in ("a", "b")
    ]
    for path, metric in zip(paths, (VALID, TEST), strict=True):
        some = join(some, path, Request(columns={path.stem: metric})).table
    entries = decode_metadata(some.schema)
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    assert entries["snap.joined"] == f"a.csv {digests[0]}, b.csv {digests[1]}"
    assert entries["snap.benchmark"] == "nb201"


def test_rows_that_match_nothing_are_counted(tmp_path: Path) -> None:
    some = graphs(0, 2)
    other = graphs(5, 6)["arch_id"][0]
    known = some["arch_id"][1]
    path = csv(tmp_path / "t.csv", f"arch,{TEST}", f"{other},1", "no-cell,2", f"{known},3")
    assert join(some, path, Request())[1:] == (1, 2)


def test_join_takes_a_graphs_file_with_what_it_says_of_its_metrics(tmp_path: Path) -> None:
    path = tmp_path / "own.parquet"
    other = graph_table("own", [space("nb101").parse("2:1:")], arch_ids=["x"])
    other = other.append_column(
        pa.field("svhn/test/error", pa.float64(), metadata={"direction": "min", "unit": "percent"}),
        pa.array([4.5]),
    )
    write(other, path, "graphs", producer="snap-graphs")
    some = graph_table("own", [space("nb101").parse("2:1:")] * 2, arch_ids=["x", "y"])
    table = join(some, path, Request()).table
    assert table["svhn/test/error"].to_pylist() == [4.5, None]
    assert table.schema.field("svhn/test/error").metadata[b"direction"] == b"min"


def test_join_maps_columns_and_believes_what_the_user_says_of_them(tmp_path: Path) -> None:
    some = graphs(0, 2)
    path = csv(tmp_path / "t.csv", "arch,ms", f"{some['arch_id'][0]},3.5")
    name = "hw/mine/latency_ms"
    request = Request(columns={"ms": name}, declared={name: Declared("ms", "min")})
    field = join(some, path, request).table.schema.field(name)
    assert field.metadata == {b"direction": b"min", b"unit": b"ms"}


def test_nb101_joins_by_module_hash(tmp_path: Path) -> None:
    cells = [space("nb101").parse(text) for text in ("2:1:", "3:011:m")]
    some = graph_table("nb101", cells, module_hashes=["a" * 32, "b" * 32])
    path = csv(tmp_path / "t.csv", "hash,cifar10/valid/accuracy@4", f"{'b' * 32},36")
    table = join(some, path, Request()).table
    assert table["cifar10/valid/accuracy@4"].to_pylist() == [None, 36]


NONE = graphs(0, 1)["arch_id"][0].as_py()
"""The first cell of the tables of this module."""


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (("name,x/y/z", f"{NONE},1"), "a column arch_id, arch or"),
        (("hash,x/y/z", f"{NONE},1"), "a column arch_id, arch or"),
        (("arch,accuracy", f"{NONE},1"), "no metric column found; map one with --column"),
        ((f"arch_id,{TEST}", "a,1", "a,2"), "2 rows are about a; keep one"),
        (("arch,svhn/x/y", f"{NONE},1"), "unknown metric 'svhn/x/y'; remove it, or add"),
        ((f"arch,{VALID}", f"{NONE},1"), f"already have '{VALID}'"),
        (
            (f"arch,{TEST}", f"{NONE},high"),
            f"row 1: column '{TEST}' holds 'high', which is not a number",
        ),
        (
            (f"arch,{TEST}", f"{NONE},{2**63 + 1}"),
            f"row 1: column '{TEST}' holds",
        ),
        ((f"arch,{TEST}", f"{NONE},"), f"column '{TEST}' has no values; fill it in or remove it"),
        ((f"arch,{TEST}", f"{NONE},true"), "holds 'true', which is not a number"),
        ((f"arch,{TEST}", f"{NONE},1", ",2"), "row 2: column 'arch' is empty; fill it in or drop"),
        ((f"arch,{TEST}", f"{NONE},inf"), f"row 1: '{TEST}' is not finite; leave it empty"),
        ((f"arch,{TEST}", f"{NONE},0.91"), f"add --column {TEST}={TEST}:fraction to convert them"),
        ((f"arch,{TEST}", f"{NONE},191"), "holds 191, and a percent lies within 0 and 100"),
        ((f"arch,{TEST},{TEST}", f"{NONE},1,2"), f"2 columns are called '{TEST}'"),
        (
            (f"arch,{TEST},scorer", f"{NONE},1,zen", "x,1,nwot"),
            "column 'scorer' names several scorers (zen, nwot); keep the rows of one",
        ),
    ],
)
def test_a_table_that_cannot_be_joined_is_refused_in_one_line(
    tmp_path: Path, lines: tuple[str, ...], fault: str
) -> None:
    path = csv(tmp_path / "t.csv", *lines)
    with pytest.raises(SnapError) as caught:
        join(graphs(0, 2, VALID), path, Request())
    assert str(caught.value).startswith(f"{path}: ")
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["arch", "arch_id"])
def test_where_nothing_matches_one_name_of_each_side_is_shown(tmp_path: Path, key: str) -> None:
    path = csv(tmp_path / "t.csv", f"{key},{TEST}", "stranger,90", "other,80")
    with pytest.raises(SnapError) as caught:
        join(graphs(0, 2), path, Request())
    assert str(caught.value) == (
        f"{path}: none of its 2 architectures is in the graphs; its first is 'stranger', that of "
        f"the graphs {NONE!r}; name them as the graphs do"
    )


def own(space_name: str, *names: str) -> pa.Table:
    cell = space("nb101").parse("3:011:m")
    return graph_table(space_name, [cell] * len(names), arch_ids=names)


def test_names_that_look_like_numbers_match_as_they_are_written(tmp_path: Path) -> None:
    names = ["001", "1", "1e5", "100000.0", "true", "nan", "NA"]
    path = csv(tmp_path / "t.csv", "arch_id,x/y/loss", *(f"{n},{i}" for i, n in enumerate(names)))
    joined = join(own("mine", *reversed(names)), path, Request())
    assert joined.table["x/y/loss"].to_pylist() == [6, 5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    "names",
    [pa.array([["x"]]), pa.array([{"x": 1}]), pa.array([b"x"]), pa.array([1.5])],
    ids=lambda names: str(names.type),
)
def test_names_that_are_no_text_are_refused_in_one_line(tmp_path: Path, names: pa.Array) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"arch_id": names, TEST: [90.0]}), path)
    with pytest.raises(SnapError, match=r"column 'arch_id' must hold text, not [^\n]*$"):
        join(graphs(0, 2), path, Request())


@pytest.mark.parametrize(
    ("ids", "values", "fault"),
    [
        ([NONE, "x"], pa.array([True, False]), f"column '{TEST}' holds bool, not numbers"),
        ([NONE, "x"], pa.array([None, None], pa.null()), f"column '{TEST}' has no values"),
        ([NONE, "x"], pa.array([1, 2**63], pa.uint64()), f"row 2: column '{TEST}' holds 92233"),
        ([NONE, None], pa.array([1.0, 2.0]), "row 2: column 'arch' is empty"),
    ],
)
def test_parquet_columns_that_lose_meaning_are_refused_in_one_line(
    tmp_path: Path, ids: list[str | None], values: pa.Array, fault: str
) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"arch": ids, TEST: values}), path)
    with pytest.raises(SnapError, match=f"^{path}: {fault}[^\n]*$"):
        join(graphs(0, 2), path, Request())


def test_names_are_matched_within_the_space_that_the_table_names(tmp_path: Path) -> None:
    both = concat({"a": own("one", "x", "y"), "b": own("other", "x")})
    path = csv(tmp_path / "t.csv", "space,arch_id,x/y/loss", "one,x,1", "other,x,2", "other,y,3")
    joined = join(both, path, Request())
    assert joined.table["x/y/loss"].to_pylist() == [1, None, 2]
    assert joined[1:] == (2, 1)


def test_a_name_that_two_spaces_have_is_refused_where_no_column_says_which_is_meant(
    tmp_path: Path,
) -> None:
    both = concat({"a": own("one", "x", "y"), "b": own("other", "x")})
    with pytest.raises(SnapError, match="architectures of 2 spaces are called 'x'; add a column"):
        join(both, csv(tmp_path / "t.csv", "arch_id,x/y/loss", "x,1"), Request())
    joined = join(both, csv(tmp_path / "u.csv", "arch_id,x/y/loss", "y,1"), Request())
    assert joined.table["x/y/loss"].to_pylist() == [None, 1, None]


def test_join_knows_metrics_by_their_conventional_names(tmp_path: Path) -> None:
    path = csv(tmp_path / "t.csv", "arch,svhn/test/error", f"{NONE},4.5")
    field = join(graphs(0, 2), path, Request()).table.schema.field("svhn/test/error")
    assert field.metadata == {b"direction": b"min", b"unit": b"percent"}


def test_join_converts_fractions(tmp_path: Path) -> None:
    path = csv(tmp_path / "t.csv", "arch,acc", f"{NONE},0.91")
    request = Request(columns={"acc": TEST}, declared={TEST: Declared("fraction")})
    table = join(graphs(0, 2), path, request).table
    assert table[TEST].to_pylist() == [91, None]
    assert table.schema.field(TEST).metadata == {b"direction": b"max", b"unit": b"percent"}


def test_a_table_without_rows_joins_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"arch": pa.array([], pa.string()), TEST: pa.array([], "f8")}), path)
    joined = join(graphs(0, 2), path, Request())
    assert joined[1:] == (0, 0)
    assert joined.table[TEST].null_count == 2


def test_the_published_hardware_table_matches_every_cell(shared_data: Path) -> None:
    some = graph_table("nb201", list(space("nb201").enumerate()))
    path = shared_data / "nb201_hardware_cifar10.csv.gz"
    with gzip.open(path, "rt") as lines:
        columns = next(lines).strip().split(",")[1:]
    request = Request(declared={c: Declared("as published", "min") for c in columns})
    joined = join(some, path, request)
    assert joined[1:] == (15_625, 0)
    assert not any(joined.table[c].null_count for c in columns)

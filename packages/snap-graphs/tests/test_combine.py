import gzip
import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from snap_catalog import MetricFacts, SnapError
from snap_catalog.parquet import decode_metadata, validate, write
from snap_graphs import Metric, graph_table, space
from snap_graphs.combine import concat, join
from snap_graphs.formats.base import Request

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
    with pytest.raises(SnapError, match=r"^b: architecture '\|.*\|' is also in a; drop it"):
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
        csv(tmp_path / f"{name}.csv", f"arch,{name}", f"{some['arch_id'][0]},1")
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
    request = Request(columns={"ms": name}, declared={name: MetricFacts(name, "min", "ms", "test")})
    field = join(some, path, request).table.schema.field(name)
    assert field.metadata == {b"direction": b"min", b"unit": b"ms"}


def test_nb101_joins_by_module_hash(tmp_path: Path) -> None:
    cells = [space("nb101").parse(text) for text in ("2:1:", "3:011:m")]
    some = graph_table("nb101", cells, module_hashes=["a" * 32, "b" * 32])
    path = csv(tmp_path / "t.csv", "hash,cifar10/valid/accuracy@4", f"{'b' * 32},36")
    table = join(some, path, Request()).table
    assert table["cifar10/valid/accuracy@4"].to_pylist() == [None, 36]


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (("name,x/y/z", "a,1"), "it needs a column arch_id, arch or"),
        (("hash,x/y/z", "a,1"), "it needs a column arch_id, arch or"),
        (("arch,accuracy", "a,1"), "no metric column in it; map one with --column"),
        ((f"arch_id,{TEST}", "a,1", "a,2"), "2 rows are about a; keep one"),
        (("arch,svhn/x/y", "a,1"), "the catalog does not know 'svhn/x/y'; say --column"),
        ((f"arch,{VALID}", "a,1"), f"already have '{VALID}'"),
        ((f"arch,{TEST}", "a,high"), "holds no numbers"),
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
    request = Request(declared={c: MetricFacts(c, "min", "as published", "test") for c in columns})
    joined = join(some, path, request)
    assert joined[1:] == (15_625, 0)
    assert not any(joined.table[c].null_count for c in columns)

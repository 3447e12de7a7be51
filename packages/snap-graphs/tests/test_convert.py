import gzip
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from snap_catalog import SnapError
from snap_catalog.parquet import decode_metadata, validate
from snap_graphs.convert import convert
from snap_graphs.formats.base import Declared, Request

CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"
OTHER = CELL.replace("avg_pool_3x3", "nor_conv_1x1")
METRIC = "cifar10/test/accuracy@200"


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_analog_nasbench_comes_from_its_package_without_running_its_pickle() -> None:
    table = convert("nb201")
    validate(table, "graphs")
    assert table.num_rows == len(set(table["arch_id"].to_pylist())) == 15_625
    assert pc.max(table["cifar10/test/baseline_accuracy"]).as_py() == pytest.approx(94.0664)
    assert decode_metadata(table.schema)["snap.benchmark"] == "analog-nasbench"


def test_analog_baseline_ranks_as_the_original_table_does(shared_data: Path) -> None:
    """A wrong digit or edge order would scramble the join; the two agree at .99 when read right."""
    from scipy.stats import spearmanr

    analog = convert("nb201").select(["arch_id", "cifar10/test/baseline_accuracy"])
    original = convert("nb201", shared_data / "nb201_cifar10.csv.gz").select(["arch_id", METRIC])
    both = analog.join(original, "arch_id", join_type="inner")
    rho = spearmanr(both["cifar10/test/baseline_accuracy"], both[METRIC]).statistic
    assert both.num_rows == 15_625
    assert rho > 0.98


def test_nb201_table_is_converted_with_its_best_published_accuracy(shared_data: Path) -> None:
    table = convert("nb201", shared_data / "nb201_cifar10.csv.gz")
    validate(table, "graphs")
    assert table.num_rows == 15_625
    assert pc.max(table[METRIC]).as_py() == pytest.approx(94.37, abs=0.005)
    field = table.schema.field(METRIC)
    assert field.metadata == {b"direction": b"max", b"unit": b"percent"}


def test_nb101_rows_keep_the_published_hash(nb101_sample: Path) -> None:
    table = convert("nb101", nb101_sample)
    validate(table, "graphs")
    published = pa_csv.read_csv(nb101_sample)["hash"]
    assert table["module_hash"].to_pylist() == published.to_pylist()


def test_nb101_hashes_are_computed_where_the_table_has_none(
    nb101_sample: Path, tmp_path: Path
) -> None:
    lines = [line.split(",", 1)[1] for line in nb101_sample.read_text().splitlines()[:300]]
    table = convert("nb101", write(tmp_path / "bare.csv", *lines))
    published = pa_csv.read_csv(nb101_sample)["hash"].slice(0, 299)
    assert table["module_hash"].to_pylist() == published.to_pylist()


def test_csv_gzip_and_parquet_give_the_same_graphs(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.csv", f"arch,{METRIC}", f"{CELL},90.5", f"{OTHER},")
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    parquet = tmp_path / "a.parquet"
    pq.write_table(pa_csv.read_csv(plain), parquet)
    tables = [convert("nb201", path) for path in (plain, packed, parquet)]
    assert tables[0][METRIC].to_pylist() == [90.5, None]
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])


def test_an_nb101_vertex_list_that_looks_like_a_number_stays_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "n_vertices,adj_upper,ops", "2,1,", "4,011001,13")
    with pytest.raises(SnapError, match="no such file"):
        convert("nb101", tmp_path / "b.csv")
    assert convert("nb101", path)["arch_id"].to_pylist() == ["2:1:", "4:011001:13"]


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (("arch,arch", f"{CELL},{CELL}"), "2 columns are called 'arch'"),
        (("cell",), "column 'arch' is missing; there are cell"),
        (("arch", CELL, "|oops~0|"), "record 2: '|oops~0|' is not a NAS-Bench-201 cell"),
        ((f"arch,{METRIC}", f"{CELL},inf"), "record 1: a metric is not finite"),
        (("arch,svhn/test/vibes", f"{CELL},1"), "unknown metric 'svhn/test/vibes'"),
        (
            (f"arch,{METRIC}", f"{CELL},high"),
            f"row 1: column '{METRIC}' holds 'high', which",
        ),
        ((f"arch,{METRIC}", f"{CELL},"), "column 'cifar10/test/accuracy@200' has no values"),
        (("arch,x", "a,b,c"), "not a readable CSV table"),
    ],
)
def test_a_bad_table_is_refused_in_one_line(
    tmp_path: Path, lines: tuple[str, ...], fault: str
) -> None:
    path = write(tmp_path / "bad.csv", *lines)
    with pytest.raises(SnapError) as caught:
        convert("nb201", path)
    assert str(caught.value).startswith(f"{path}: ")
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "columns", "fault"),
    [
        (
            "nb101",
            {"n_vertices": [2.5], "adj_upper": ["1"], "ops": [""]},
            "whole numbers, not doub",
        ),
        (
            "nb101",
            {"n_vertices": [b"2"], "adj_upper": ["1"], "ops": [""]},
            "whole numbers, not bin",
        ),
        ("nb101", {"n_vertices": [2], "adj_upper": [1], "ops": [""]}, "'adj_upper' must hold text"),
        ("nb201", {"arch": [CELL, None]}, "row 2: column 'arch' is empty; fill it in or drop"),
        ("nb201", {"arch": [CELL], METRIC: [True]}, "holds bool, not numbers"),
        ("nb201", {"arch": [[CELL]]}, "column 'arch' must hold text, not list"),
    ],
)
def test_columns_of_another_type_are_refused(
    tmp_path: Path, name: str, columns: dict[str, list[object]], fault: str
) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path)
    with pytest.raises(SnapError, match=fault):
        convert(name, path)


def test_a_dataset_that_the_catalog_does_not_have_needs_no_declaration(tmp_path: Path) -> None:
    names = "svhn/valid/accuracy,svhn/test/loss@9,proxy/svhn/zen,hw/phone/latency_ms"
    table = convert("nb201", write(tmp_path / "a.csv", f"arch,{names}", f"{CELL},95.1,0.2,7,3"))
    validate(table, "graphs")
    found = [
        (*table.schema.field(n).metadata.values(), table[n][0].as_py()) for n in names.split(",")
    ]
    assert found == [
        (b"max", b"percent", 95.1),
        (b"min", b"", 0.2),
        (b"max", b"score", 7),
        (b"min", b"ms", 3),
    ]


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (
            ("0.91", "0.3"),
            "should be percent, but all values are between 0 and 1; add --column acc={}:fraction",
        ),
        (("0", "0"), "or --column acc={}:percent if they are percent"),
        (("0.91", "100.5"), "holds 100.5, and a percent lies within 0 and 100; correct it"),
        (("-1", "93"), "holds -1, and a percent lies within 0 and 100; correct it"),
    ],
)
@pytest.mark.parametrize("metric", [METRIC, "svhn/valid/top1"])
def test_percent_that_is_none_is_refused_with_the_remedy(
    tmp_path: Path, values: tuple[str, str], fault: str, metric: str
) -> None:
    rows = (f"{cell},{value}" for cell, value in zip((CELL, OTHER), values, strict=True))
    path = write(tmp_path / "a.csv", "arch,acc", *rows)
    with pytest.raises(SnapError) as refusal:
        convert("nb201", path, Request(columns={"acc": metric}))
    assert str(refusal.value).startswith(f"{path}: {metric!r} ")
    assert fault.format(metric) in str(refusal.value)


@pytest.mark.parametrize(
    ("unit", "values", "found"),
    [
        ("fraction", ("0.91", ""), [91.0, None]),
        ("percent", ("0.91", ""), [0.91, None]),
        (None, ("0.91", "9"), [0.91, 9]),
    ],
)
def test_fractions_become_percent_and_what_the_user_calls_percent_is_believed(
    tmp_path: Path, unit: str | None, values: tuple[str, str], found: list[float | None]
) -> None:
    rows = (f"{cell},{value}" for cell, value in zip((CELL, OTHER), values, strict=True))
    path = write(tmp_path / "a.csv", f"arch,{METRIC}", *rows)
    table = convert("nb201", path, Request(declared={METRIC: Declared(unit)}))
    assert table[METRIC].to_pylist() == found
    assert table.schema.field(METRIC).metadata == {b"direction": b"max", b"unit": b"percent"}


def test_a_fraction_that_is_none_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"arch,{METRIC}", f"{CELL},91")
    with pytest.raises(SnapError, match="holds 91, and a fraction lies within 0 and 1"):
        convert("nb201", path, Request(declared={METRIC: Declared("fraction")}))


def test_two_columns_of_one_metric_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"arch,acc,{METRIC}", f"{CELL},91,92")
    with pytest.raises(SnapError, match=f"two columns map to '{METRIC}', one is '{METRIC}'"):
        convert("nb201", path, Request(columns={"acc": METRIC}))


def test_categories_are_text(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"arch": pa.array([CELL]).dictionary_encode()}), path)
    assert convert("nb201", path)["arch_id"].to_pylist() == [CELL]


def test_a_wrong_published_hash_is_found(nb101_sample: Path, tmp_path: Path) -> None:
    lines = nb101_sample.read_text().splitlines()[:20]
    lines[7] = "0" * 32 + lines[7][32:]
    path = write(tmp_path / "a.csv", *lines)
    with pytest.raises(SnapError, match=r"a\.csv: record 7: hash '0{32}' is wrong \(expected"):
        convert("nb101", path)


def test_a_truncated_gzip_or_parquet_file_is_refused(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.csv", "arch", *[CELL] * 500)
    parquet = tmp_path / "a.parquet"
    pq.write_table(pa.table({"arch": [CELL]}), parquet)
    for name, content in (
        ("cut.csv.gz", gzip.compress(whole.read_bytes())),
        ("cut.parquet", parquet.read_bytes()),
    ):
        path = tmp_path / name
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(SnapError, match=r"not a readable Parquet file|cannot be unpacked"):
            convert("nb201", path)


def test_a_missing_data_package_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import PackageNotFoundError

    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("snap_graphs.sources.distribution", missing)
    with pytest.raises(SnapError, match="run: pip install analog-nasbench"):
        convert("nb201")


def test_a_data_package_that_was_tampered_with_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from snap_catalog import benchmark
    from snap_graphs.sources import installed_file

    original = installed_file(benchmark("analog-nasbench"))
    assert original is not None
    copy = tmp_path / benchmark("analog-nasbench").files[0].name
    copy.parent.mkdir()
    shutil.copy(original, copy)
    with copy.open("ab") as file:
        file.write(b"!")

    class Moved:
        def locate_file(self, name: str) -> Path:
            return tmp_path / name

    monkeypatch.setattr("snap_graphs.sources.distribution", lambda _name: Moved())
    with pytest.raises(SnapError, match=r"SHA-256 is .* not the catalogued"):
        convert("nb201")


@pytest.mark.parametrize(
    ("name", "fault"),
    [("nb999", "unknown benchmark 'nb999'"), ("custom", "give your own: snap-graphs")],
)
def test_what_cannot_be_converted_is_told_with_the_remedy(name: str, fault: str) -> None:
    with pytest.raises(SnapError, match=fault):
        convert(name)

import pickle
import shutil
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from snap_catalog import SnapError, benchmark
from snap_catalog.parquet import decode_metadata, validate
from snap_graphs import space
from snap_graphs.convert import convert
from snap_graphs.formats.base import Request

LIGHT = Path(str(distribution("nas-bench-graph").locate_file("nas_bench_graph/light")))
ENTRY = {"valid_perf": 0.5, "perf": 0.4, "latency": 0.01, "para": 1.5}


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return convert("nb-graph")


def test_the_installed_wheel_has_every_architecture_on_nine_datasets(table: pa.Table) -> None:
    validate(table, "graphs")
    assert table.num_rows == len(set(table["arch_id"].to_pylist())) == 26_206
    assert table["proteins/test/rocauc"].null_count == 26_206 - 2_021
    datasets = {name.split("/")[0] for name in table.column_names if "/test/" in name}
    assert len(datasets) == len(benchmark("nb-graph").files) == 9
    assert decode_metadata(table.schema)["snap.benchmark"] == "nb-graph"


def test_values_are_those_of_the_pickles_in_percent_and_parameters(table: pa.Table) -> None:
    """The standard reader of pickles, on a file whose checksum is catalogued, as the judge."""
    cora = pickle.loads((LIGHT / "cora.bench").read_bytes())
    best = max(cora.values(), key=lambda entry: entry["valid_perf"])
    assert pc.max(table["cora/valid/accuracy"]).as_py() == pytest.approx(100 * best["valid_perf"])
    by_key = dict(zip(sorted(cora), table["cora/test/accuracy"].to_pylist(), strict=True))
    assert by_key[0] == pytest.approx(100 * cora[0]["perf"])
    assert by_key[88887] == pytest.approx(100 * cora[88887]["perf"])
    assert table["cora/model/params"][0].as_py() == pytest.approx(1e6 * cora[0]["para"])


def test_every_key_is_the_lowest_of_its_class(table: pa.Table) -> None:
    home = space("nb-graph")
    assert len(set(table["cell_hash"].to_pylist())) == 26_206
    for arch_id in table["arch_id"].to_pylist()[::13]:
        cell = home.parse(arch_id)
        assert home.canonical(cell) == cell


def test_a_folder_a_file_and_the_wheel_read_alike(tmp_path: Path) -> None:
    shutil.copy(LIGHT / "proteins.bench", tmp_path)
    wheel = tmp_path / "nas_bench_graph-1.4.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(LIGHT / "proteins.bench", "nas_bench_graph/light/proteins.bench")
        archive.writestr("nas_bench_graph/__init__.py", "raise SystemExit")
    tables = [convert("nb-graph", path) for path in (tmp_path / "proteins.bench", wheel)]
    wheel.unlink()
    tables.append(convert("nb-graph", tmp_path))
    assert tables[0].num_rows == 2_021
    assert all(other.to_pydict() == tables[0].to_pydict() for other in tables[1:])


def test_the_readmes_architecture_is_renumbered_into_the_benchmarks_order() -> None:
    home = space("nb-graph")
    cell = home.parse("Arch([0, 1, 2, 1], ['gcn', 'gin', 'fc', 'cheb'])")
    assert home.format(home.canonical(cell)) == "Arch([0, 1, 1, 2], ['gcn', 'gin', 'cheb', 'fc'])"
    with pytest.raises(SnapError, match="not a link list of the benchmark"):
        home.encode(cell)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Arch([0, 1, 2, 1], ['gcn', 'gin', 'fc'])", "four operators"),
        ("Arch([0, 1, 2, 4], ['gcn', 'gin', 'fc', 'gcn'])", "each must be 0 or the number"),
        ("Arch([0, 1, 2, 1], ['gcn', 'gin', 'fc', 'mlp'])", "four operators of gat"),
        ("gcn-gin-fc-cheb", "is not a NAS-Bench-Graph architecture"),
    ],
)
def test_what_is_no_architecture_is_refused(text: str, fault: str) -> None:
    with pytest.raises(SnapError, match=fault):
        space("nb-graph").parse(text)


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        ({8: ENTRY | {"perf": float("nan")}}, "record 1: perf is not finite"),
        ({95555: ENTRY}, "record 1: the key 95555 is not an architecture"),
        ({8: ENTRY, 100_000: ENTRY}, "record 2: the key 100000 is not an architecture"),
        ({"8": ENTRY}, "the key '8' is not an architecture"),
        ({-1: ENTRY}, "the key -1 is not an architecture"),
        ({8: {"perf": 0.5}}, "record 1: 'valid_perf' is missing"),
        ({8: None}, "record 1"),
        ([ENTRY], "not laid out as nas-bench-graph"),
        ({8: Path("/")}, "refers to pathlib"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(tmp_path: Path, entries: object, fault: str) -> None:
    path = tmp_path / "cora.bench"
    path.write_bytes(pickle.dumps(entries))
    with pytest.raises(SnapError, match=fault) as caught:
        convert("nb-graph", path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_bad_records_are_counted_where_asked(tmp_path: Path) -> None:
    path = tmp_path / "cora.bench"
    path.write_bytes(pickle.dumps({8: ENTRY, 95555: ENTRY}))
    request = Request(skip_bad=True)
    assert convert("nb-graph", path, request).num_rows == request.skipped == 1


def test_a_changed_file_of_the_package_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(LIGHT, tmp_path / "nas_bench_graph" / "light")
    with (tmp_path / "nas_bench_graph" / "light" / "pubmed.bench").open("ab") as file:
        file.write(b"!")

    class Moved:
        def locate_file(self, name: str) -> Path:
            return tmp_path / name

    monkeypatch.setattr("snap_graphs.sources.distribution", lambda _name: Moved())
    with pytest.raises(SnapError, match=r"pubmed\.bench: SHA-256 is .* not the catalogued"):
        convert("nb-graph")

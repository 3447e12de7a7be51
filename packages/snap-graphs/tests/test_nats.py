import bz2
import io
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nats as made
import pytest
from snap_catalog import SnapError
from snap_catalog.parquet import validate
from snap_catalog.tables import read_table
from snap_graphs.convert import convert
from snap_graphs.formats.base import Request

ARCHS = tuple(
    f"|nor_conv_3x3~0|+|none~0|{op}~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
    for op in ("none", "skip_connect", "avg_pool_3x3")
)
SIZES = ("8:8:8:8:8", "8:16:24:32:40", "64:8:64:8:64")
VALID, TEST = "cifar10/valid/accuracy@200", "cifar10/test/accuracy@200"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "NATS-tss-v1_0-3ffb9-simple"
    made.write_folder(path, ARCHS)
    return path


def real(shared_data: Path) -> Path:
    return shared_data / "official" / "NATS-tss-v1_0-3ffb9-simple"


def test_the_official_folder_agrees_with_the_published_table(shared_data: Path) -> None:
    """A wrong split, epoch or mean over seeds would show here."""
    table = convert("nb201", real(shared_data))
    validate(table, "graphs")
    published = read_table(shared_data / "nb201_cifar10.csv.gz").select(["arch", VALID, TEST])
    both = table.select(["arch_id", VALID, TEST]).join(
        published, "arch_id", "arch", right_suffix=" published"
    )
    assert both.num_rows == 3
    for column in (VALID, TEST):
        expected = both[f"{column} published"].to_pylist()
        assert both[column].to_pylist() == pytest.approx(expected, abs=1e-9)


def test_the_official_folder_keeps_every_seed_and_both_budgets(shared_data: Path) -> None:
    table = convert("nb201", real(shared_data), Request(repeat="all"))
    row = next(row for row in table.to_pylist() if row["arch_id"].startswith("|nor_conv_3x3~0|+"))
    seeds = [row[f"cifar10-valid/test/accuracy@200#{i}"] for i in range(3)]
    assert seeds == [87.6, 87.96, 87.39]  # seeds 777, 888, 999
    assert row["cifar10/test/accuracy@12#0"] == 74.0
    assert "cifar10/test/accuracy@12#1" not in row


def test_each_metric_comes_from_the_split_that_the_official_reader_takes(folder: Path) -> None:
    table = convert("nb201", folder, Request(repeat="all"))
    assert table["arch_id"].to_pylist() == list(ARCHS)
    sources = {
        "cifar10/train": ("cifar10", "train"),
        "cifar10/valid": ("cifar10-valid", "x-valid"),
        "cifar10/test": ("cifar10", "ori-test"),
        "cifar10-valid/train": ("cifar10-valid", "train"),
        "cifar10-valid/test": ("cifar10-valid", "ori-test"),
        "cifar100/train": ("cifar100", "train"),
        "cifar100/valid": ("cifar100", "x-valid"),
        "cifar100/test": ("cifar100", "x-test"),
        "imagenet16-120/train": ("ImageNet16-120", "train"),
        "imagenet16-120/valid": ("ImageNet16-120", "x-valid"),
        "imagenet16-120/test": ("ImageNet16-120", "x-test"),
    }
    expected = {
        f"{ours}/accuracy@{epochs}#{i}": [
            made.accuracy(index, dataset, seed, split, int(epochs) - 1) for index in range(3)
        ]
        for ours, (dataset, split) in sources.items()
        for epochs, seeds in made.TOPOLOGY.items()
        for i, seed in enumerate(seeds)
    }
    found = {name: table[name].to_pylist() for name in table.column_names if "/" in name}
    assert found == expected


def test_only_the_budgets_asked_for_are_kept(folder: Path) -> None:
    table = convert("nb201", folder, Request(epochs=frozenset({12})))
    assert {name.partition("@")[2] for name in table.column_names if "@" in name} == {"12"}


def test_a_tar_gives_what_its_folder_gives(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "NATS-tss-v1_0-3ffb9-simple.tar"
    made.write_tar(path, folder)
    assert convert("nb201", path).equals(convert("nb201", folder))


def test_the_pth_file_gives_what_the_folder_gives(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    path = tmp_path / "NAS-Bench-201-v1_1-096897.pth"
    made.write_pth(path, ARCHS)
    assert convert("nb201", path).equals(convert("nb201", folder))


def test_a_pth_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    path = tmp_path / "a.pth"
    torch.save({"state_dict": {}}, path)
    with pytest.raises(SnapError, match=r"a\.pth: not laid out as NAS-Bench-201"):
        convert("nb201", path)


def test_the_size_space_is_read_at_its_three_budgets(tmp_path: Path) -> None:
    folder = tmp_path / "NATS-sss-v1_0-50262-simple"
    made.write_folder(folder, SIZES, made.SIZE)
    table = convert("natss", folder, Request(repeat="all"))
    validate(table, "graphs")
    assert table["arch_id"].to_pylist() == list(SIZES)
    for epochs, seeds in made.SIZE.items():
        for i, seed in enumerate(seeds):
            column = table[f"cifar10/valid/accuracy@{int(epochs)}#{i}"].to_pylist()
            assert column == [
                made.accuracy(index, "cifar10-valid", seed, "x-valid", int(epochs) - 1)
                for index in range(3)
            ]


def test_one_space_is_not_taken_for_the_other(folder: Path) -> None:
    with pytest.raises(SnapError, match=r"record 000000\.pickle\.pbz2: .* not a network of NATS"):
        convert("natss", folder)


def rewrite(folder: Path, change: Callable[[Any], Any]) -> None:
    path = folder / "000001.pickle.pbz2"
    budgets = pickle.loads(bz2.decompress(path.read_bytes()))
    change(budgets)
    made.write_packed(path, budgets)


def set_accuracy(budgets: Any, value: object) -> None:
    run = budgets["200"]["all_results"]["cifar10", 777]
    run["eval_acc1es"]["ori-test@199"] = value


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda b: set_accuracy(b, float("nan")), "accuracy nan on cifar10 is not a percentage"),
        (lambda b: set_accuracy(b, float("inf")), "accuracy inf on cifar10 is not a percentage"),
        (lambda b: set_accuracy(b, 100.5), "accuracy 100.5 on cifar10 is not a percentage"),
        (lambda b: set_accuracy(b, "high"), "must be real number"),
        (lambda b: b["200"].update(arch_str="|none~0|"), "name 2 architectures"),
        (lambda b: [s.update(arch_str="|none~0|") for s in b.values()], "not a NAS-Bench-201 cell"),
        (lambda b: [s.update(arch_str=ARCHS[0]) for s in b.values()], "is repeated"),
        (lambda b: b["12"].pop("all_results"), "all_results"),
        (lambda b: b.clear(), "name 0 architectures"),
        (lambda b: b.update(other=7), "not subscriptable"),
    ],
)
def test_a_bad_architecture_is_refused_by_its_file_or_counted(
    folder: Path, change: Callable[[Any], Any], fault: str
) -> None:
    rewrite(folder, change)
    with pytest.raises(SnapError, match=rf"record 000001\.pickle\.pbz2: .*{fault}") as caught:
        convert("nb201", folder)
    assert "\n" not in str(caught.value)
    request = Request(skip_bad=True)
    assert convert("nb201", folder, request).num_rows == 2
    assert request.skipped == 1


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"not packed", "not bzip2 data"),
        (bz2.compress(bytes(10_000))[:-5], "truncated"),
        (bz2.compress(bytes(1 << 25)), "unpacks to more than"),
        (bz2.compress(b"not a pickle"), "refused as a pickle"),
        (bz2.compress(pickle.dumps(print)), "builtins.print"),
    ],
    ids=["unpacked", "truncated", "bomb", "no pickle", "function"],
)
def test_a_hostile_member_is_refused(folder: Path, content: bytes, fault: str) -> None:
    (folder / "000001.pickle.pbz2").write_bytes(content)
    with pytest.raises(SnapError, match=rf"record 000001\.pickle\.pbz2: .*{fault}"):
        convert("nb201", folder)


def test_a_tar_member_that_escapes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as tar:
        tar.addfile(tarfile.TarInfo("../000000.pickle.pbz2"), io.BytesIO())
    with pytest.raises(SnapError, match=r"member '\.\./000000\.pickle\.pbz2' leads out"):
        convert("nb201", path)


def test_a_truncated_tar_is_refused(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.tar"
    made.write_tar(path, folder)
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(SnapError, match=r"cut\.tar: "):
        convert("nb201", path)


def test_progress_adds_up_to_the_folder(folder: Path) -> None:
    steps: list[int] = []
    convert("nb201", folder, Request(advance=steps.append))
    assert sum(steps) == sum(file.stat().st_size for file in folder.iterdir())

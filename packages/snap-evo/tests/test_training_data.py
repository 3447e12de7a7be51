"""The images that a network is trained on, which anybody may have written."""

import io
import zipfile
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_catalog import SnapError

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

from snap_evo.training.arrays import split  # noqa: E402
from snap_evo.training.augmentation import blank, mirror, shift  # noqa: E402
from snap_evo.training.data import read_data  # noqa: E402
from snap_evo.training.folders import decode  # noqa: E402


def arrays(**changes: Any) -> dict[str, Any]:
    """Return a sound data set, with changes."""
    random = np.random.default_rng(0)
    sound = {
        "train_images": random.integers(0, 256, (6, 8, 8), dtype=np.uint8),
        "train_labels": np.array([0, 1, 2, 0, 1, 2]),
        "valid_images": random.integers(0, 256, (3, 8, 8), dtype=np.uint8),
        "valid_labels": np.array([0, 1, 2]),
    }
    return {name: value for name, value in {**sound, **changes}.items() if value is not None}


def saved(folder: Path, **changes: Any) -> str:
    path = folder / "data.npz"
    np.savez(path, **arrays(**changes))
    return str(path)


def test_arrays_become_images_of_three_channels(tmp_path: Path) -> None:
    data = read_data(saved(tmp_path), None, 32)
    assert (data.side, data.classes) == (8, ("0", "1", "2"))
    read = data.train.pixels.read([4, 1])
    assert read.shape == (2, 3, 8, 8)
    assert read[0, 2].tolist() == arrays()["train_images"][4].tolist()
    assert data.train.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert data.normalisation.mean == pytest.approx([arrays()["train_images"].mean()] * 3)
    assert data.normalisation.deviation == pytest.approx([arrays()["train_images"].std()] * 3)


def test_colours_stay_in_their_channels(tmp_path: Path) -> None:
    colours = np.zeros((6, 8, 8, 3), np.float32)
    colours[..., 1] = 5
    data = read_data(saved(tmp_path, train_images=colours, valid_images=colours[:3]), None, 32)
    assert data.train.pixels.read([0])[0, :, 0, 0].tolist() == [0, 5, 0]
    assert data.normalisation == ([0, 5, 0], [1, 1, 1])


def test_halves_become_single_precision(tmp_path: Path) -> None:
    halves = np.full((6, 8, 8), np.finfo(np.float16).max, np.float16)
    np.savez(tmp_path / "a.npz", images=halves, labels=np.arange(6) % 2)
    read = read_data(str(tmp_path / "a.npz"), None, 8).train.pixels.read([0])
    assert read.dtype == torch.float32
    assert (read == 65504).all()


def test_whole_arrays_are_split_the_same_way_each_time(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, images=np.zeros((20, 8, 8), np.uint8), labels=np.arange(20) % 2)
    first, again = (read_data(str(path), None, 32) for _ in range(2))
    assert (len(first.train.labels), len(first.valid.labels)) == (16, 4)
    assert first.valid.labels.tolist() == again.valid.labels.tolist()


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60))
def test_a_split_leaves_every_class_something_to_train_on(labels: list[int]) -> None:
    train, valid = split(np.array(labels))
    assert sorted([*train.tolist(), *valid.tolist()]) == list(range(len(labels)))
    assert {labels[i] for i in train} == set(labels)


NAN = np.zeros((6, 8, 8), np.float32)
NAN[3, 1, 1] = np.nan


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"train_labels": None}, "images or labels are missing (it has train_images, valid_images"),
        ({"train_images": np.zeros((6, 8))}, "train_images has the shape (6, 8)"),
        ({"train_images": np.zeros((6, 3, 8, 8))}, "train_images has the shape (6, 3, 8, 8)"),
        ({"train_images": np.zeros((6, 8, 9))}, "images of 8 x 9; give square ones"),
        ({"train_images": np.zeros((6, 4, 4))}, "images of 4 x 4; give square ones of 8"),
        ({"train_images": np.zeros((6, 9, 9), np.uint8)}, "differ in shape ((9, 9) and (8, 8))"),
        ({"train_images": np.zeros((6, 8, 8), np.int64)}, "train_images is of type int64"),
        ({"train_images": np.zeros((6, 8, 8))}, "differ in type"),
        ({"train_images": NAN}, "holds NaN, infinity or numbers beyond 1e+30, first in image 3"),
        ({"train_images": np.full((6, 8, 8), "a")}, "train_images is of type <U1"),
        ({"train_labels": np.array([0, 1, 2, 0, 1])}, "6 images and train_labels 5 labels"),
        ({"train_labels": np.array([0.5] * 6)}, "train_labels is float64 of shape (6,)"),
        ({"train_labels": np.array([0, 1, 2, 0, 1, -1])}, "train_labels holds -1"),
        ({"train_labels": np.array([0, 1, 2, 0, 1, 10**6])}, "train_labels holds 1000000"),
        ({"train_labels": np.array([0, 1, 3, 0, 1, 3])}, "no training image is of class 2"),
        ({"train_labels": np.zeros(6, int), "valid_labels": np.zeros(3, int)}, "one class only"),
        (
            {"valid_labels": np.array([0, 1, 7])},
            "no training image has the label 7 of valid_labels",
        ),
        (
            {"valid_images": np.zeros((0, 8, 8), np.uint8), "valid_labels": np.zeros(0, int)},
            "valid_images holds 0 images",
        ),
        ({"train_images": np.array([{}] * 6)}, "train_images holds Python objects"),
    ],
)
def test_bad_arrays_are_refused_in_one_line(
    tmp_path: Path, changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(SnapError) as refused:
        read_data(saved(tmp_path, **changes), None, 32)
    assert problem in str(refused.value)
    assert str(tmp_path / "data.npz") in str(refused.value)


def member(shape: tuple[int, ...], content: bytes = b"") -> bytes:
    """Return an array in NumPy's format whose header may lie."""
    stream = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + content


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (member((2**40, 8, 8)), "not as long as its shape"),
        (member((6, 8, 8), bytes(10)), "not as long as its shape"),
        (member((-1, -8, 8), bytes(8)), "not as long as its shape"),
        (b"no array", "is no array"),
        (b"", "is no array"),
        (bytes(2**27), "unpacks to more than"),
    ],
)
def test_an_archive_may_not_claim_more_than_it_has(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", content)
        archive.writestr("labels.npy", content)
    with pytest.raises(SnapError, match=problem):
        read_data(str(path), None, 32)


@given(cut=st.integers(0, 1500), at=st.integers(0, 1500), byte=st.integers(0, 255))
def test_a_damaged_archive_is_refused_or_read(cut: int, at: int, byte: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(saved(Path(folder)))
        content = bytearray(path.read_bytes())
        content[at % len(content)] = byte
        path.write_bytes(content[: len(content) - cut])
        with suppress(SnapError):
            assert read_data(str(path), None, 32).side == 8


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.npz").write_text("images")
    with pytest.raises(SnapError, match=r"neither a folder nor an \.npz file"):
        read_data(str(tmp_path / "data.npz"), None, 32)


def picture(path: Path, shade: int, size: tuple[int, int] = (20, 10)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade, 0, 0)).save(path)


def test_folders_of_images_are_classes(tmp_path: Path) -> None:
    for part, count in (("train", 3), ("val", 1)):
        for number in range(count):
            picture(tmp_path / part / "cat" / f"{number}.png", 10)
            picture(tmp_path / part / "dog" / f"{number}.PNG", 250)
    (tmp_path / "train" / "cat" / "notes.txt").write_text("no image")
    data = read_data(str(tmp_path), None, 16)
    assert (data.classes, data.side) == (("cat", "dog"), 16)
    assert data.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    read = data.train.pixels.read([5, 0])
    assert (read.shape, read.dtype) == ((2, 3, 16, 16), torch.uint8)
    assert read[:, 0, 0, 0].tolist() == [250, 10]
    assert data.normalisation.mean == pytest.approx([130, 0, 0])


def test_a_folder_that_is_not_split_is_split_by_class(tmp_path: Path) -> None:
    for number in range(10):
        picture(tmp_path / "cat" / f"{number}.png", number)
        picture(tmp_path / "dog" / f"{number}.png", 200 + number)
    data = read_data(str(tmp_path), 8, 32)
    assert data.side == 8
    assert data.valid.labels.tolist() == [0, 0, 1, 1]


def test_folders_without_images_or_with_further_classes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapError, match="holds no images in folders"):
        read_data(str(tmp_path), None, 16)
    picture(tmp_path / "train" / "cat" / "0.png", 0)
    picture(tmp_path / "val" / "dog" / "0.png", 0)
    with pytest.raises(SnapError, match="dog: no class of"):
        read_data(str(tmp_path), None, 16)


def test_a_damaged_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "3.png").write_bytes(b"no image")
    with pytest.raises(SnapError, match=r"3\.png: no readable image"):
        decode(tmp_path / "cat" / "3.png", 16)


def numbered(count: int, side: int) -> Any:
    return torch.arange(1.0, count * side * side + 1).reshape(count, 1, side, side)


def test_augmentation_moves_mirrors_and_blanks_pixels_of_each_image() -> None:
    random, images = torch.Generator().manual_seed(0), numbered(64, 16)
    moved = shift(images, random)
    assert moved.shape == images.shape
    middles = {(int(m[0, 8, 8]) - 1 - 256 * n) // 16 - 8 for n, m in enumerate(moved)}
    assert middles == {-2, -1, 0, 1, 2}
    mirrored = mirror(images, random)
    flipped = [torch.equal(m, i.flip(2)) for m, i in zip(mirrored, images, strict=True)]
    kept = [torch.equal(m, i) for m, i in zip(mirrored, images, strict=True)]
    assert all(a != b for a, b in zip(flipped, kept, strict=True))
    assert 0 < sum(flipped) < 64
    blanked = (blank(images, random) == 0).sum((1, 2, 3))
    assert blanked.max() == 64
    assert blanked.min() >= 16

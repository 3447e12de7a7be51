from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
import torch
from snap_catalog import SnapError
from snap_gcn.data.vocabulary import Vocabulary
from snap_gcn.model.recipe import Recipe
from snap_gcn.training.checkpoint import Checkpoint, TrainingSettings
from snap_gcn.training.ensemble import fit_members
from snap_gcn.training.fit import Fitted

METRIC = "made/test/accuracy"
RECIPES = [Recipe(epochs=2, width=16), Recipe(epochs=2, width=16, identities=0.3)]
SETTINGS = TrainingSettings(METRIC, "snap", "full", seed=0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "g.parquet").write_bytes(b"cells")
    return tmp_path


def checkpoint(data: Path, run: TrainingSettings = SETTINGS) -> Checkpoint:
    files = {"graphs": str(data / "g.parquet")}
    return Checkpoint.of(data / "model.partial", run, files)


def train(cells: pa.Table, vocabulary: Vocabulary, **options: object) -> list[Fitted]:
    return fit_members(cells, vocabulary, METRIC, RECIPES, seed=0, **options)  # type: ignore[arg-type]


def test_what_was_saved_after_any_epoch_leads_to_the_same_members(
    data: Path, cells: pa.Table, vocabulary: Vocabulary
) -> None:
    saved = checkpoint(data)
    read: list[list[Fitted]] = []

    def on_epoch(members: list[Fitted]) -> None:
        saved.save(members)
        read.append(saved.begun(resume=True))

    whole = train(cells, vocabulary, on_epoch=on_epoch)
    assert [[len(m.history) for m in members] for members in read] == [[1], [2], [2, 1], [2, 2]]
    for begun in read:
        for one, two in zip(whole, train(cells, vocabulary, begun=begun), strict=True):
            assert all(torch.equal(one.weights[name], two.weights[name]) for name in one.weights)
            assert one.trained == two.trained
            assert [e[:2] for e in one.history] == [e[:2] for e in two.history]


def test_without_a_file_nothing_was_begun(data: Path) -> None:
    assert checkpoint(data).begun(resume=True) == []
    assert checkpoint(data).begun(resume=False) == []


def test_a_stopped_training_is_not_overwritten_unasked(data: Path) -> None:
    checkpoint(data).save([])
    with pytest.raises(SnapError, match=r"model\.partial: a training was stopped here; .*--resume"):
        checkpoint(data).begun(resume=False)


@pytest.mark.parametrize(
    ("changed", "reported"),
    [
        ({"seed": 1}, "seed 0, not 1"),
        ({"metric": "made/test/loss"}, "metric made/test/accuracy, not made/test/loss"),
        ({"preset": "paper", "seed": 2}, "preset snap, not paper; seed 0, not 2"),
        ({"schedule": "short"}, "schedule full, not short"),
        ({"patience": 3}, "patience None, not 3"),
        ({"processes": 2}, "processes 1, not 2"),
    ],
)
def test_other_settings_are_refused_by_name(
    data: Path, changed: dict[str, object], reported: str
) -> None:
    checkpoint(data).save([])
    other = checkpoint(data, replace(SETTINGS, **changed))  # type: ignore[arg-type]
    with pytest.raises(SnapError) as caught:
        other.begun(resume=True)
    assert str(caught.value) == (
        f"{data / 'model.partial'}: begun with {reported}; give the same, or delete it"
    )


def test_other_data_are_refused_by_name(data: Path) -> None:
    checkpoint(data).save([])
    (data / "g.parquet").write_bytes(b"other cells")
    with pytest.raises(SnapError, match=r"begun with graphs [0-9a-f]{64}, not [0-9a-f]{64};"):
        checkpoint(data).begun(resume=True)


@pytest.mark.parametrize("content", [b"", b"\x02\0\0\0\0\0\0\0{}", b"junk" * 100])
def test_a_damaged_file_is_reported(data: Path, content: bytes) -> None:
    (data / "model.partial").write_bytes(content)
    with pytest.raises(SnapError, match=r"model\.partial: damaged \(.*\); delete it") as caught:
        checkpoint(data).begun(resume=True)
    assert "\n" not in str(caught.value)


def test_a_place_that_cannot_be_written_is_reported(unwritable: Path) -> None:
    with pytest.raises(SnapError, match="cannot write here"):
        Checkpoint(unwritable / "model.partial", {}).save([])

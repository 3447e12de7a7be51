import sys
from pathlib import Path

import pytest
from msgspec import structs
from snap_catalog import SnapError
from snap_gcn.model.folder import load, locate
from snap_gcn.model.recipe import Recipe
from snap_gcn.model.schema import Curves
from snap_gcn.training import monitor
from snap_gcn.training.fit import Epoch, Fitted

CURVES = Curves(loss=[0.9, 0.4, 0.3], tau=[0.2, 0.6, 0.5])


def member(epochs: int, *, over: bool = False) -> Fitted:
    history = [Epoch(1 / n, n / 10, 1.0) for n in range(1, epochs + 1)]
    rest = None if over else object()
    return Fitted({}, epochs, history, [], 90, 10, rest)  # type: ignore[arg-type]


def test_the_learning_curve_is_a_picture_that_equal_training_repeats() -> None:
    training = load(locate("snap")).config.training
    training = structs.replace(training, history=[CURVES, CURVES], kept=[2, 3])
    drawn = monitor.drawn(training)
    assert drawn.startswith(b"<?xml")
    assert drawn == monitor.drawn(training)


def test_the_bar_counts_what_was_begun_and_what_a_member_does_without(
    capsys: pytest.CaptureFixture[str],
) -> None:
    recipes = [Recipe(epochs=5), Recipe(epochs=5)]
    with monitor.bar(recipes, [member(3)]) as show:
        show([member(4, over=True)])
        for epochs in (1, 2, 3, 4):
            show([member(4, over=True), member(epochs)])
        assert capsys.readouterr().err == ""
        show([member(4, over=True), member(5, over=True)])
    assert capsys.readouterr().err == "training epochs: 10 of 10 loss 0.20000 tau 0.5000\n"


def test_tensorboard_shows_loss_and_tau_of_every_member(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with monitor.tensorboard(tmp_path / "log") as log:
        log([member(1)])
        log([member(2, over=True)])
        log([member(2, over=True), member(1)])
    events = EventAccumulator(str(tmp_path / "log")).Reload()
    reported = {
        tag: [(event.step, round(event.value, 3)) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }
    assert reported == {
        "loss/member 1": [(1, 1.0), (2, 0.5)],
        "tau/member 1": [(1, 0.1), (2, 0.2)],
        "loss/member 2": [(1, 1.0)],
        "tau/member 2": [(1, 0.1)],
    }


def test_a_missing_tensorboard_is_reported_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with (
        pytest.raises(SnapError, match=r"run: pip install 'snap-gcn\[tensorboard\]'"),
        monitor.tensorboard(tmp_path / "log"),
    ):
        pass


def test_a_log_that_cannot_be_written_is_reported(unwritable: Path) -> None:
    with (
        pytest.raises(SnapError, match="cannot write here"),
        monitor.tensorboard(unwritable / "log"),
    ):
        pass

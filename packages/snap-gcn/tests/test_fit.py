from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch
from snap_catalog import SnapError
from snap_gcn.data.vocabulary import Vocabulary
from snap_gcn.model.recipe import PRESETS, Recipe, members
from snap_gcn.training.dataset import TrainingData, held_out, split
from snap_gcn.training.fit import Fitted, fit

SMALL = Recipe(epochs=4, width=16)
ACCURACY, LOSS = "made/test/accuracy", "made/test/loss"


def train(table: pa.Table, vocabulary: Vocabulary, metric: str = ACCURACY, seed: int = 0) -> Fitted:
    return fit(table, vocabulary, metric, SMALL, seed=seed)


def same(a: Fitted, b: Fitted) -> bool:
    return all(torch.equal(a.weights[name], b.weights[name]) for name in a.weights)


def test_training_learns_an_order_it_has_not_seen(cells: pa.Table, vocabulary: Vocabulary) -> None:
    longer = fit(cells, vocabulary, ACCURACY, Recipe(epochs=30), seed=0)
    assert longer.history[-1].loss < longer.history[0].loss / 3
    assert longer.history[-1].tau > 0.8


def test_equal_seeds_give_equal_weights_and_others_do_not(
    cells: pa.Table, vocabulary: Vocabulary
) -> None:
    assert same(train(cells, vocabulary), train(cells, vocabulary))
    assert not same(train(cells, vocabulary), train(cells, vocabulary, seed=1))


def test_weights_do_not_depend_on_the_number_of_threads(
    cells: pa.Table, vocabulary: Vocabulary
) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    one = train(cells, vocabulary)
    torch.set_num_threads(2)
    two = train(cells, vocabulary)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)
    assert same(one, two)


def test_held_out_labels_never_reach_the_weights(cells: pa.Table, vocabulary: Vocabulary) -> None:
    values = cells[ACCURACY].to_numpy()
    scrambled = np.where(held_out(cells), 100 - values, values)
    place = cells.column_names.index(ACCURACY)
    other = cells.set_column(place, cells.schema.field(ACCURACY), pa.array(scrambled))
    assert same(train(cells, vocabulary), train(other, vocabulary))


def test_the_nb101_split_is_made_by_module_hash(cells: pa.Table) -> None:
    hashes = ["f" * 24 + f"{i:08x}" for i in range(20)]
    table = cells.slice(0, 20).append_column("module_hash", pa.array(hashes))
    assert np.flatnonzero(held_out(table)).tolist() == [0, 10]
    assert 0.05 < held_out(cells).mean() < 0.15


def test_a_metric_that_is_better_when_lower_is_turned(
    cells: pa.Table, vocabulary: Vocabulary
) -> None:
    by_loss = fit(cells, vocabulary, LOSS, Recipe(epochs=30), seed=0)
    assert by_loss.history[-1].tau > 0.8


def test_rows_without_the_metric_are_left_out(cells: pa.Table, vocabulary: Vocabulary) -> None:
    values = cells[ACCURACY].to_pylist()
    place = cells.column_names.index(ACCURACY)
    half = pa.array([v if i % 2 else None for i, v in enumerate(values)])
    table = cells.set_column(place, cells.schema.field(ACCURACY), half)
    fitted = train(table, vocabulary)
    assert fitted.n_train + fitted.n_validate == sum(i % 2 for i in range(len(values)))


def test_the_operators_of_the_training_cells_are_recorded(
    cells: pa.Table, vocabulary: Vocabulary
) -> None:
    names = {name for _, name in train(cells, vocabulary).trained}
    assert names == {"input", "output", "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"}


def test_every_epoch_is_reported(cells: pa.Table, vocabulary: Vocabulary) -> None:
    seen: list[Fitted] = []
    fitted = fit(cells, vocabulary, ACCURACY, SMALL, seed=0, on_epoch=seen.append)
    assert [len(member.history) for member in seen] == [1, 2, 3, 4]
    assert seen[-1] == fitted


@pytest.mark.parametrize(
    "recipe", [SMALL, replace(SMALL, identities=0.5, target="rank", step_size=2, batch_size=32)]
)
def test_training_goes_on_to_the_same_weights_from_every_epoch(
    cells: pa.Table, vocabulary: Vocabulary, recipe: Recipe
) -> None:
    seen: list[Fitted] = []
    whole = fit(cells, vocabulary, ACCURACY, recipe, seed=0, on_epoch=seen.append)
    for begun in [*seen, seen[0]]:
        torch.rand(3)  # whatever else draws from torch's generator
        again = fit(cells, vocabulary, ACCURACY, recipe, seed=0, begun=begun)
        assert same(whole, again)
        assert again.trained == whole.trained
        assert [e[:2] for e in again.history] == [e[:2] for e in whole.history]


def taus_become(monkeypatch: pytest.MonkeyPatch, *taus: float) -> None:
    """Let the validation of successive epochs say so."""
    left = iter(taus)
    monkeypatch.setattr(TrainingData, "tau", lambda _data, _weights: next(left))


def test_patience_stops_training_and_keeps_the_best_epoch(
    cells: pa.Table, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer = replace(SMALL, epochs=9)
    two = fit(cells, vocabulary, ACCURACY, replace(SMALL, epochs=2), seed=0)
    taus_become(monkeypatch, 0.1, 0.5, 0.5, 0.4)
    stopped = fit(cells, vocabulary, ACCURACY, longer, seed=0, patience=2)
    assert (len(stopped.history), stopped.kept, stopped.epoch.tau) == (4, 2, 0.5)
    assert same(stopped, two)


def test_patience_survives_a_stop(
    cells: pa.Table, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer = replace(SMALL, epochs=9)
    seen: list[Fitted] = []
    taus_become(monkeypatch, 0.1, 0.5, 0.3, 0.4)
    whole = fit(cells, vocabulary, ACCURACY, longer, seed=0, patience=2, on_epoch=seen.append)
    taus_become(monkeypatch, 0.4)
    again = fit(cells, vocabulary, ACCURACY, longer, seed=0, patience=2, begun=seen[2])
    assert same(whole, again)
    assert (again.kept, len(again.history)) == (2, 4)


def test_without_patience_the_last_epoch_is_kept(
    cells: pa.Table, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    taus_become(monkeypatch, 0.4, 0.3, 0.2, 0.1)
    assert fit(cells, vocabulary, ACCURACY, SMALL, seed=0).kept == 4


def test_a_loss_that_becomes_no_number_is_reported(cells: pa.Table, vocabulary: Vocabulary) -> None:
    wild = Recipe(epochs=2, learning_rate=float("inf"))
    with pytest.raises(SnapError, match=r"mine\.parquet: the loss became nan in epoch 1"):
        fit(cells, vocabulary, ACCURACY, wild, seed=0, source="mine.parquet")


def test_a_diverging_loss_is_reported(cells: pa.Table, vocabulary: Vocabulary) -> None:
    wild = Recipe(epochs=9, learning_rate=1e3)
    with pytest.raises(SnapError, match=r"diverged: the loss, 1 for a constant, became .* epoch 2"):
        fit(cells, vocabulary, ACCURACY, wild, seed=0)


def test_a_network_that_distinguishes_no_cells_is_reported(
    cells: pa.Table, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    taus_become(monkeypatch, 0.1, float("nan"))
    with pytest.raises(SnapError, match=r"score all held-out cells alike.* in epoch 2; check made"):
        fit(cells, vocabulary, ACCURACY, SMALL, seed=0)


def test_too_few_cells_are_refused(cells: pa.Table, vocabulary: Vocabulary) -> None:
    with pytest.raises(SnapError, match="too few architectures"):
        train(cells.slice(0, 3), vocabulary)


@pytest.mark.parametrize("part", ["training", "held-out"])
def test_a_constant_metric_is_refused(cells: pa.Table, vocabulary: Vocabulary, part: str) -> None:
    place = cells.column_names.index(ACCURACY)
    values = cells[ACCURACY].to_numpy().copy()
    values[held_out(cells) == (part == "held-out")] = 90.0
    flat = cells.set_column(place, cells.schema.field(ACCURACY), pa.array(values))
    with pytest.raises(SnapError, match=f"the same for every {part} cell"):
        train(flat, vocabulary)


def test_the_paper_s_preset_is_the_paper_s() -> None:
    (full,) = members("paper", "full")
    assert full == Recipe()
    assert (full.layers, full.width, full.epochs) == (3, 64, 150)
    assert (full.learning_rate, full.step_size, full.gamma) == (1e-3, 40, 0.1)
    assert (full.readout, full.views, full.identities, full.target) == (("output",), (), 0, "value")


def test_the_short_schedule_cuts_epochs_step_and_cells_alike() -> None:
    (short,) = members("paper", "short")
    assert (short.epochs, short.step_size, short.fraction) == (20, 5, 0.2)
    assert all(recipe.epochs >= 1 for recipe in members("snap", "short"))


@pytest.mark.parametrize("recipe", sorted(set(PRESETS["snap"].members), key=str))
def test_every_member_of_the_default_preset_learns(
    cells: pa.Table, vocabulary: Vocabulary, recipe: Recipe
) -> None:
    longer = replace(recipe, epochs=20, step_size=20, fraction=1.0, batch_size=32)
    assert fit(cells, vocabulary, ACCURACY, longer, seed=0).history[-1].tau > 0.6


def test_inserted_identities_are_new_in_every_epoch(
    cells: pa.Table, vocabulary: Vocabulary
) -> None:
    train, held = split(cells, ACCURACY, 1.0, np.random.default_rng(0), "cells")
    recipe = Recipe(identities=0.5)
    data = TrainingData(train, held, vocabulary, ACCURACY, recipe, "cells")
    random = np.random.default_rng(0)
    first, second = data.batcher(random), data.batcher(random)
    assert not np.array_equal(first.node_start, second.node_start)
    assert ("nb101", "skip_connect") in data.trained(first)


def test_a_rank_target_ignores_by_how_much_cells_differ(
    cells: pa.Table, vocabulary: Vocabulary
) -> None:
    place = cells.column_names.index(ACCURACY)
    squeezed = pa.array(np.exp(cells[ACCURACY].to_numpy() / 10))
    other = cells.set_column(place, cells.schema.field(ACCURACY), squeezed)
    recipe = replace(SMALL, target="rank")
    one, two = (fit(t, vocabulary, ACCURACY, recipe, seed=0) for t in (cells, other))
    assert same(one, two)

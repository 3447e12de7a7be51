from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch
from snap_catalog import SnapError
from snap_gcn.data import TrainingData, held_out, split
from snap_gcn.fit import Epoch, Fitted, fit
from snap_gcn.recipe import PRESETS, Recipe, members
from snap_gcn.vocabulary import Vocabulary

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


def test_the_operators_of_the_training_cells_are_told(
    cells: pa.Table, vocabulary: Vocabulary
) -> None:
    names = {name for _, name in train(cells, vocabulary).trained}
    assert names == {"input", "output", "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"}


def test_every_epoch_is_reported(cells: pa.Table, vocabulary: Vocabulary) -> None:
    seen: list[Epoch] = []
    fitted = fit(cells, vocabulary, ACCURACY, SMALL, seed=0, on_epoch=seen.append)
    assert seen == fitted.history
    assert len(seen) == 4


def test_a_diverging_loss_is_told(cells: pa.Table, vocabulary: Vocabulary) -> None:
    wild = Recipe(epochs=2, learning_rate=float("inf"))
    with pytest.raises(SnapError, match=r"mine\.parquet: the loss became nan in epoch 1"):
        fit(cells, vocabulary, ACCURACY, wild, seed=0, source="mine.parquet")


def test_too_few_cells_are_refused(cells: pa.Table, vocabulary: Vocabulary) -> None:
    with pytest.raises(SnapError, match="too few architectures"):
        train(cells.slice(0, 3), vocabulary)


def test_a_constant_metric_is_refused(cells: pa.Table, vocabulary: Vocabulary) -> None:
    place = cells.column_names.index(ACCURACY)
    flat = cells.set_column(place, cells.schema.field(ACCURACY), pa.array([90.0] * len(cells)))
    with pytest.raises(SnapError, match="the same for every"):
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


@pytest.mark.parametrize("recipe", PRESETS["snap"])
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
    data = TrainingData.build(train, held, vocabulary, ACCURACY, recipe, "cells")
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

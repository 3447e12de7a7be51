import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from snap_catalog.texts import Split
from snap_encode.tuning.evaluate import (
    Figures,
    evaluate,
    kernel_accuracy,
    kind_accuracy,
    ranks,
    reciprocal_rank,
    silhouette,
)
from snap_encode.tuning.examples import examples, once

_HELD_OUT: tuple[Split, ...] = ("validate", "test")
_NAMES = ["conv", "conv", "pool", "pool", "norm", "norm"]


def _unit(*angles: float) -> NDArray[np.float32]:
    """Return vectors on the unit circle."""
    radians = np.radians(angles)
    return np.stack([np.cos(radians), np.sin(radians)], 1).astype(np.float32)


def test_a_text_among_its_own_ranks_first() -> None:
    assert ranks(_unit(0, 5, 60, 65, 120, 125), _NAMES).tolist() == [1] * 6


def test_a_text_ranks_behind_every_operator_that_is_nearer() -> None:
    # The second text of `conv` lies among those of `norm`, and `pool` is between them.
    assert ranks(_unit(0, 123, 60, 65, 120, 125), _NAMES).tolist() == [3, 3, 1, 1, 1, 1]


def test_a_text_does_not_vouch_for_itself() -> None:
    assert ranks(_unit(0, 90, 1, 1), ["a", "a", "b", "b"])[0] == 2


@given(st.permutations(range(6)))
def test_ranks_do_not_depend_on_the_order_of_the_texts(order: list[int]) -> None:
    vectors = _unit(0, 123, 60, 65, 120, 125)
    shuffled = ranks(vectors[order], [_NAMES[i] for i in order])
    assert shuffled.tolist() == ranks(vectors, _NAMES)[order].tolist()


def test_categories_far_apart_have_a_silhouette_near_one_and_mixed_ones_below_zero() -> None:
    vectors = _unit(0, 1, 90, 91)
    assert silhouette(vectors, ["a", "a", "b", "b"]) > 0.99
    assert silhouette(vectors, ["a", "b", "b", "a"]) < 0


# conv 3 in two wordings, conv 5 in two wordings, pool 3.
_KINDS, _KERNELS = ["conv", "conv", "conv", "conv", "pool"], [3, 3, 5, 5, 3]
_WORDINGS = ["a", "b", "a", "b", "c"]


def test_kinds_before_kernels_is_right_and_kernels_before_kinds_is_wrong() -> None:
    by_kind, by_kernel = _unit(0, 1, 5, 6, 90), _unit(0, 1, 90, 91, 5)
    assert kind_accuracy(by_kind, _KINDS, _KERNELS, _WORDINGS) == 1
    assert kind_accuracy(by_kernel, _KINDS, _KERNELS, _WORDINGS) == 0


def test_without_a_triplet_there_is_no_accuracy_of_kinds() -> None:
    assert np.isnan(kind_accuracy(_unit(0, 1), ["conv", "conv"], [3, 5], ["a", "b"]))


def _grid(wording: float, kernel: float) -> NDArray[np.float32]:
    """Return two wordings by three kernels, so many degrees apart."""
    return _unit(*(i * wording + j * kernel for i in range(2) for j in range(3))).reshape(2, 3, 2)


@pytest.mark.parametrize(
    ("wording", "kernel", "in_words", "verbatim"),
    [(1, 20, 1, 1), (20, 1, 0.5, 0), (20, 0, 0, 0)],
)
def test_kernels_are_told_apart_where_they_move_a_vector_more_than_words_do(
    wording: float, kernel: float, in_words: float, verbatim: float
) -> None:
    message, in_its_words = kernel_accuracy(_grid(wording, kernel))
    assert message.shape == in_its_words.shape == (2 * 1 * 3 * 2,)
    assert (message.mean(), in_its_words.mean()) == (in_words, verbatim)


def _random(texts: list[str]) -> NDArray[np.float32]:
    vectors = np.random.default_rng(0).normal(size=(len(texts), 16)).astype(np.float32)
    return _of_length_1(vectors)


def _of_length_1(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    scaled: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def _knowing(texts: list[str]) -> NDArray[np.float32]:
    """Return the vectors of a perfect encoder, which knows operator and settings of each text."""
    known = {e.text: e for e in examples("train", "validate", "test")}
    names = sorted({e.term.name for e in known.values()})
    categories = sorted({e.term.category for e in known.values()})
    kinds = sorted({e.term.kind for e in known.values()})
    groups = [*names, *categories, *kinds]
    vectors = np.zeros((len(texts), len(groups) + 20), np.float32)
    for row, text in zip(vectors, texts, strict=True):
        example = known[text]
        row[names.index(example.term.name)] = 1
        row[len(names) + categories.index(example.term.category)] = 2
        row[len(names) + len(categories) + kinds.index(example.term.kind)] = 1
        row[len(groups) + example.settings.get("kernel", 0)] = 0.5
    return _of_length_1(vectors)


def test_an_encoder_that_knows_everything_gets_the_full_figures() -> None:
    for split in _HELD_OUT:
        figures = evaluate(_knowing, split)
        assert figures._replace(silhouette=1) == Figures(1, 1, 1, 1, 1, 1)
        assert figures.silhouette > 0.5
    assert reciprocal_rank(_knowing) == 1


def test_an_encoder_that_knows_nothing_is_found_out() -> None:
    for split in _HELD_OUT:
        figures = evaluate(_random, split)
        assert figures.accuracy < 0.15
        assert figures.silhouette < 0.05
        assert 0.3 < figures.told_apart < 0.7


def test_every_wording_is_asked_once_and_its_settings_vary() -> None:
    known = once(examples("validate", "test"))
    assert len({(e.term.name, e.wording) for e in known}) == len(known)
    assert len({e.settings["kernel"] for e in known if "kernel" in e.settings}) > 2

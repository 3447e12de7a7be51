"""The parts of tools/measure/encoder that need no training: wordings, comparisons, labels."""

from collections.abc import Mapping
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from snap_catalog import corpus, operators
from snap_catalog.parquet import validate

from tools import printed
from tools.measure.encoder.controls import MATCHINGS, matched, meaningless
from tools.measure.encoder.labels import label_places
from tools.measure.encoder.lengths import REPORTED, Entry, disagreements
from tools.measure.encoder.map import COLOURS, catalogued
from tools.measure.encoder.robustness import compared
from tools.measure.encoder.wording import WRITTEN, Texts, derangements, misspelt, wordings


def texts(space: str) -> Texts:
    return {operator.name: operator.descriptions["short"] for operator in operators()[space]}


@given(st.text(max_size=20), st.integers(1, 3), st.integers())
def test_a_misspelling_changes_the_length_by_no_more_than_its_edits(
    text: str, edits: int, seed: int
) -> None:
    assert abs(len(misspelt(text, edits, Random(seed))) - len(text)) <= edits


@given(st.text(max_size=20), st.integers())
def test_a_single_misspelling_always_shows(text: str, seed: int) -> None:
    assert misspelt(text, 1, Random(seed)) != text


def test_five_labels_can_all_be_wrong_in_44_ways() -> None:
    orders = list(derangements("abcde"))
    assert len(orders) == len(set(orders)) == 44
    assert not any(a == b for order in orders for a, b in zip("abcde", order, strict=True))


@pytest.mark.parametrize("space", ["nb201", "darts"])
def test_every_variant_describes_every_operator_of_the_space(space: str) -> None:
    said = texts(space)
    for variants in wordings(said, draws=2).values():
        assert all(list(variant) == list(said) for variant in variants)


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("space", ["nb201", "darts"])
def test_a_rewording_keeps_the_operators_apart_and_is_never_the_catalog_text(
    space: str, written: str
) -> None:
    said = texts(space)
    kinds = wordings(said, draws=2, written=written)
    spoken = [kind for kind in kinds if not kind.startswith(("misspelt", "padded", "wrong"))]
    assert len(spoken) >= 5
    for variant in (variant for kind in spoken for variant in kinds[kind]):
        assert len(set(variant.values())) == len(said)
        assert not set(variant.values()) & set(said.values())


def test_permuted_labels_leave_the_ends_of_the_cell_alone() -> None:
    said = texts("nb201")
    for variant in wordings(said, draws=2)["wrong: labels permuted"]:
        same = {op for op in said if variant[op] == said[op]}
        assert same == {"input", "output"}
        assert sorted(variant.values()) == sorted(said.values())


def test_the_ends_of_the_cell_can_be_left_as_they_are() -> None:
    said = texts("nb201")
    for variants in wordings(said, draws=2, ends=False).values():
        for variant in variants:
            assert list(variant) == list(said)
            assert {op for op in said if variant[op] == said[op]} == {"input", "output"}


def test_wordings_are_the_same_in_every_run() -> None:
    assert wordings(texts("nb201"), draws=3) == wordings(texts("nb201"), draws=3)


def test_drift_and_recognition_are_of_the_changed_operators_only() -> None:
    old = np.eye(3, dtype=np.float32)
    new = np.array([[0, 2, 0], [0, 1, 0], [3, 0, 3]], np.float32)
    drift, recognised = compared(old, new, np.array([True, False, True]))
    assert drift == pytest.approx((1 + 1 - 0.5**0.5) / 2, abs=1e-6)
    assert recognised == 0.0


def test_unchanged_vectors_do_not_drift_whatever_their_length() -> None:
    old = np.random.default_rng(0).normal(size=(4, 8)).astype(np.float32)
    drift, recognised = compared(old, 3 * old, np.ones(4, np.bool_))
    assert drift == pytest.approx(0, abs=1e-6)
    assert recognised == 1.0


@pytest.mark.parametrize("kind", ["one-hot", "random"])
def test_a_matched_operator_has_the_vector_of_its_match_and_others_have_their_own(
    kind: str,
) -> None:
    vectors = meaningless(kind, seed=0)
    table = matched("nb201", vectors, MATCHINGS["convolutions matched by hand"])
    validate(table, "operators")
    rows = dict(zip(table["op"].to_pylist(), table["embedding"].to_pylist(), strict=True))
    assert rows["nor_conv_3x3"] == vectors["conv3x3-bn-relu"].tolist()
    assert rows["avg_pool_3x3"] == vectors["avg_pool_3x3"].tolist()
    assert len(set(map(tuple, rows.values()))) == len(rows)


@pytest.mark.parametrize("same", MATCHINGS.values(), ids=MATCHINGS)
def test_matches_are_operators_of_the_two_spaces(same: Mapping[str, str]) -> None:
    assert set(same) <= set(texts("nb201"))
    assert set(same.values()) <= set(texts("nb101"))


def test_a_disagreement_is_told_once_and_only_between_entries_that_share_something() -> None:
    a, b = Entry("all-MiniLM-L6-v2", "short"), Entry("all-MiniLM-L6-v2", "long")
    c = Entry("MiniLM-64", "medium")
    found = disagreements({a: 0.5, b: 0.6, c: 0.9}, {a: 0.76, b: 0.56, c: 0.43})
    assert found == [
        "- all-MiniLM-L6-v2 long ranks better than all-MiniLM-L6-v2 short (0.600 and 0.500); the "
        "paper has it the other way round (0.56 and 0.76)"
    ]
    stated = {entry: ranking.spearman for entry, ranking in REPORTED.items()}
    assert disagreements(stated, stated) == []


def test_a_markdown_table_has_a_line_under_its_header() -> None:
    assert printed.table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_every_catalogued_operator_is_on_the_map_in_a_category_of_the_corpus() -> None:
    points = list(catalogued())
    labels = [point.label for point in points]
    assert len(labels) == len(set(labels))
    assert set(labels) == {text for space in operators() for text in texts(space).values()}
    assert {point.category for point in points} <= {term.category for term in corpus().values()}
    assert {point.category for point in points} - {"linear"} <= set(COLOURS)


def test_labels_of_crowded_points_cover_neither_one_another_nor_the_points() -> None:
    points = np.array([[2, 2], [2.05, 2], [2, 2.05], [2.05, 2.05], [3.9, 0.1]])
    sizes = np.array([[0.8, 0.12]] * 5)
    centres = label_places(points, sizes, (4, 4))
    for i, centre in enumerate(centres):
        reach = (np.abs(np.delete(centres, i, axis=0) - centre) >= [0.8 - 1e-9, 0.12 - 1e-9]).any(1)
        assert reach.all()
        assert (np.abs(points - centre) > sizes[i] / 2).any(1).all()
        assert (centre - sizes[i] / 2 >= 0).all()
        assert (centre + sizes[i] / 2 <= 4).all()

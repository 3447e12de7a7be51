import re
from collections import Counter
from collections.abc import Collection
from typing import get_args

import pytest
from snap_catalog import Term, corpus, operators
from snap_catalog.catalog import entries
from snap_catalog.texts import Split, mentioned

_SETTINGS = {
    *("kernel", "stride", "dilation", "groups", "channels", "expansion"),
    *("heads", "size", "rate"),
}
_SHARES = {"train": (0.6, 0.8), "validate": (0.05, 0.2), "test": (0.15, 0.3)}
# The pairs of the paper's Table 8.
_TABLE_8 = {
    *("conv2x2", "maxpool", "avgpool", "nn_dropout", "nn_batchnorm2d", "skip connection"),
    *("residual", "a 2d conv layer with a 2x2 kernel."),
}
_KERNEL_FORMS = ("3x3", "3 by 3", "kernel size 3", "kernel_size=3", "k3")


def _each(terms: Collection[Term]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("term", terms, ids=lambda term: term.name)


def _texts(term: Term) -> list[str]:
    return [text for _, text in term.examples()]


def _term(*descriptions: str, **settings: tuple[int, ...]) -> Term:
    return Term("op", "category", "kind", "train", descriptions, settings=settings)


def test_a_description_is_filled_with_every_combination_of_only_what_it_mentions() -> None:
    term = _term("pool", "{kernel}x{kernel}, stride {stride}", kernel=(2, 3), stride=(1,))
    assert list(term.examples()) == [
        ({}, "pool"),
        ({"kernel": 2, "stride": 1}, "2x2, stride 1"),
        ({"kernel": 3, "stride": 1}, "3x3, stride 1"),
    ]


def test_a_description_mentions_a_repeated_setting_once() -> None:
    assert mentioned("{stride} after {kernel} by {kernel}") == ("stride", "kernel")


def test_no_two_categories_describe_an_operator_of_one_name() -> None:
    names = Counter(name for terms in entries("corpus").values() for name in terms)
    assert [name for name, count in names.items() if count > 1] == []


@_each(corpus().values())
def test_a_term_is_described_at_least_eight_times(term: Term) -> None:
    assert len(term.descriptions) >= 8
    assert all(text and text == text.strip() for text in term.descriptions)
    assert term.kind


@_each(corpus().values())
def test_a_terms_settings_are_known_and_each_is_mentioned(term: Term) -> None:
    used = {name for text in term.descriptions for name in mentioned(text)}
    assert used == set(term.settings)
    assert used <= _SETTINGS
    assert all(values for values in term.settings.values())


@_each([term for term in corpus().values() if "kernel" in term.settings])
def test_a_kernel_is_mentioned_often_and_left_out_at_times(term: Term) -> None:
    names = [mentioned(text) for text in term.descriptions]
    assert sum("kernel" in name for name in names) >= 4
    assert sum(not name for name in names) >= 2


def test_no_text_describes_two_operators_or_one_twice() -> None:
    texts = Counter(text.casefold() for term in corpus().values() for text in _texts(term))
    assert [text for text, count in texts.items() if count > 1] == []


def test_no_description_is_just_the_operators_name() -> None:
    assert not [term.name for term in corpus().values() if term.name in term.descriptions]


def test_no_text_is_a_description_that_the_encoder_is_evaluated_on() -> None:
    evaluated = {
        text.casefold()
        for known in operators().values()
        for operator in known
        for text in operator.descriptions.values()
    }
    assert (evaluated | _TABLE_8).isdisjoint(
        text.casefold() for term in corpus().values() for text in _texts(term)
    )


@pytest.mark.parametrize("form", _KERNEL_FORMS)
def test_kernel_sizes_are_written_in_every_usual_form(form: str) -> None:
    pattern = re.compile(rf"\b{re.escape(form)}\b", re.IGNORECASE)
    convolutions = [term for term in corpus().values() if term.category == "convolution"]
    found = [term.name for term in convolutions if any(map(pattern.search, _texts(term)))]
    assert len(found) >= 3


@pytest.mark.parametrize("split", get_args(Split))
def test_whole_classes_are_held_out_in_the_intended_share(split: Split) -> None:
    splits = Counter(term.split for term in corpus().values())
    assert set(splits) == set(get_args(Split))
    low, high = _SHARES[split]
    assert low <= splits[split] / splits.total() <= high


def test_every_category_teaches_something() -> None:
    taught = {term.category for term in corpus().values() if term.split == "train"}
    assert taught == set(entries("corpus"))


def test_a_lazy_class_is_held_out_together_with_the_class_it_becomes() -> None:
    lazy = [term for name, term in corpus().items() if name.startswith("Lazy")]
    assert lazy
    for term in lazy:
        twin = corpus()[term.name.removeprefix("Lazy")]
        assert (term.split, term.category) == (twin.split, twin.category), term.name

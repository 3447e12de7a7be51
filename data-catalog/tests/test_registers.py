import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest
from snap_catalog import operators
from snap_catalog.registers import HELD_OUT, OTHER, UNREADABLE, Wording, wordings
from snap_catalog.texts import Split

ROOT = Path(__file__).parents[2]
_KINDS = ROOT / "packages/snap-encode/src/snap_encode/reading/kinds.toml"
_EVALUATED = [ROOT / f"tools/measure/encoder/{name}.toml" for name in ("perturbed", "fresh")]
_REGISTERS = sorted({wording.register for wording in wordings()})
_OF_OPERATORS = [register for register in _REGISTERS if register != "elsewhere"]
_NUMBERS = {
    "kernel": (1, 2, 3, 5, 7),
    "stride": (1, 2),
    "dilation": (1, 2, 3),
    "groups": (4, 8),
    "expansion": (4, 6),
    "channels": (16, 64),
    "padding": (0, 1, 2),
}
_NAME = 2
"""Texts of up to this many words are names, such as `skip`, which everybody gives an operator."""


def _examples(wording: Wording) -> Iterator[str]:
    """Fill the places of a text with the usual numbers."""
    for values in product(*(_NUMBERS[place] for place in wording.places)):
        yield wording.filled(dict(zip(wording.places, values, strict=True)))


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _texts(entry: Any) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
    elif isinstance(entry, dict | list):
        for each in entry.values() if isinstance(entry, dict) else entry:
            yield from _texts(each)


def test_there_are_thousands_of_texts_in_more_than_ten_registers() -> None:
    distinct = {_folded(wording.text) for wording in wordings() if wording.kind != UNREADABLE}
    assert len(distinct) >= 3_000
    assert len(_OF_OPERATORS) >= 10


@pytest.mark.skipif(not _KINDS.exists(), reason="needs the repository")
@pytest.mark.parametrize("register", _OF_OPERATORS)
def test_a_register_describes_every_kind_of_operator(register: str) -> None:
    kinds = {*tomllib.loads(_KINDS.read_text("utf-8")), *HELD_OUT, UNREADABLE}
    assert {w.kind for w in wordings() if w.register == register} - {OTHER} == kinds


def test_one_register_describes_no_operator() -> None:
    assert {w.kind for w in wordings() if w.register == "elsewhere"} == {UNREADABLE, OTHER}


@pytest.mark.parametrize("kind", sorted({w.kind for w in wordings()}))
def test_a_kind_is_described_often_in_every_register_that_has_it(kind: str) -> None:
    counts = Counter(wording.register for wording in wordings() if wording.kind == kind)
    assert min(counts.values()) >= 3


def test_whole_registers_and_whole_operators_are_held_out() -> None:
    splits = {
        register: {w.split for w in wordings() if w.register == register and w.kind not in HELD_OUT}
        for register in _REGISTERS
    }
    assert all(len(split) == 1 for split in splits.values())
    held_out = {register: split for register, (split,) in splits.items() if split != "train"}
    assert held_out == {"prose": "validate", "keras": "test", "colloquial": "test"}
    assert {w.split for w in wordings() if w.kind in HELD_OUT} == {"test"}
    assert set().union(*splits.values()) == set(get_args(Split))


@pytest.mark.skipif(not _EVALUATED[0].exists(), reason="needs the repository")
def test_no_text_is_one_that_readers_are_evaluated_on() -> None:
    evaluated = {
        _folded(text)
        for known in operators().values()
        for operator in known
        for text in operator.descriptions.values()
    }
    for path in _EVALUATED:
        evaluated |= {_folded(text) for text in _texts(tomllib.loads(path.read_text("utf-8")))}
    same = {
        (wording.register, wording.text)
        for wording in wordings()
        if len(wording.text.split()) > _NAME
        and not evaluated.isdisjoint(_folded(text) for text in _examples(wording))
    }
    assert same == set()


def test_no_text_of_an_operator_is_empty_framed_by_blanks_or_a_place_without_a_number() -> None:
    every = dict.fromkeys(_NUMBERS, 3)
    for wording in wordings():
        assert wording.text == wording.text.strip() != ""
        if wording.kind != UNREADABLE:
            assert not re.search(r"\{[a-z]+\}", wording.filled(every)), wording


def test_places_are_filled_with_the_numbers_given_and_listed_once() -> None:
    text = "{kernel}x{kernel}, stride {stride} in {other}"
    wording = Wording("plain", "train", "convolution", text, {})
    assert wording.places == ("kernel", "stride")
    assert wording.filled({"kernel": 5, "stride": 2}) == "5x5, stride 2 in {other}"


def test_what_a_text_states_is_a_setting_with_a_number_or_a_function() -> None:
    for wording in wordings():
        assert set(wording.settings) <= set(_NUMBERS)
        assert all(type(value) is int and value > 0 for value in wording.settings.values())
        assert set(wording.settings).isdisjoint(wording.places)
        named = wording.kind in ("normalisation", "activation", "recurrent")
        assert named or wording.function is None


def test_no_register_repeats_a_text_within_a_kind() -> None:
    counts = Counter((w.register, w.kind, w.text) for w in wordings())
    assert [found for found, count in counts.items() if count > 1] == []

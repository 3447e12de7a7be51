"""The texts for tuning and evaluation, and their intended similarities."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from snap_catalog import Term, corpus
from snap_catalog.texts import Split

from snap_encode.torch_docs import official_description

SAME, RELATED, UNRELATED = 1.0, 0.7, 0.0
"""Intended similarity of two texts (paper, appendix F); see `targets`."""


@dataclass(frozen=True)
class Example:
    """A description of an operator.

    Attributes:
        term: the operator.
        wording: number of the operator's description that the text fills.
        text: the description with its settings filled in.
        settings: the settings that the text mentions.
    """

    term: Term
    wording: int
    text: str
    settings: Mapping[str, int]


def examples(*splits: Split) -> list[Example]:
    """Return all descriptions of the corpus' operators in some splits.

    For a class of `torch.nn`, these include its name and its description in torch, if unique
    (appendix F).
    """
    return [
        Example(term, number, text, settings)
        for term in corpus().values()
        if term.split in splits
        for number, description in enumerate(_descriptions(term))
        for settings, text in replace(term, descriptions=(description,)).examples()
    ]


def _descriptions(term: Term) -> tuple[str, ...]:
    if not term.torch:
        return (term.name, *term.descriptions)
    texts = [*_official_descriptions().values()]
    official = _official_descriptions()[term.name]
    unique = [official.replace("{", "{{").replace("}", "}}")] if texts.count(official) == 1 else []
    return (term.name, f"torch.nn.{term.name}", *unique, *term.descriptions)


@cache
def _official_descriptions() -> Mapping[str, str]:
    return {term.name: official_description(term.name) for term in corpus().values() if term.torch}


def once(known: Sequence[Example]) -> list[Example]:
    """Return one example per wording, with settings that vary between wordings."""
    fillings: dict[tuple[str, int], list[Example]] = {}
    for example in known:
        fillings.setdefault((example.term.name, example.wording), []).append(example)
    return [same[wording % len(same)] for (_, wording), same in fillings.items()]


def digest(known: Sequence[Example]) -> str:
    """Return the SHA-256 of examples: texts, operators, categories and settings."""
    facts = [(e.text, e.term.name, e.term.category, dict(e.settings)) for e in known]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def targets(batch: Sequence[Example]) -> NDArray[np.float32]:
    """Return the symmetric (n, n) matrix of intended similarities between n texts.

    As in appendix F of the paper: 1 for the same operator, 0.7 for the same category, 0 otherwise.
    Unlike in the appendix, two texts that give one operator different settings (such as kernel
    sizes) count as two operators of one category. A setting that one text leaves open is ignored.
    """
    similarity = np.where(alike([e.term.category for e in batch]), RELATED, UNRELATED)
    same = alike([e.term.name for e in batch])
    contrary = np.zeros_like(same)
    for setting in {name for e in batch for name in e.settings}:
        values = np.array([e.settings.get(setting, np.nan) for e in batch])
        stated = ~np.isnan(values)
        contrary |= stated[:, None] & stated & (values[:, None] != values)
    similarity[same & ~contrary] = SAME
    return similarity.astype(np.float32)


def alike(labels: ArrayLike) -> NDArray[np.bool_]:
    """Return the (n, n) matrix of equal labels."""
    values = np.asarray(labels)
    equal: NDArray[np.bool_] = values[:, None] == values
    return equal

"""The texts that an encoder is tuned and measured on, and how alike they are meant to be."""

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
    """Something said of an operator.

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
    """Return all that is said of the corpus' operators in some splits.

    Of a class of `torch.nn` that includes its name and what torch says of it alone (appendix F).
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
    return (term.name, f"torch.nn.{term.name}", *_official(term.name), *term.descriptions)


def _official(name: str) -> list[str]:
    """Return what torch says of a class, unless it says the same of another."""
    texts = _official_descriptions()
    if list(texts.values()).count(texts[name]) > 1:
        return []
    return [texts[name].replace("{", "{{").replace("}", "}}")]


@cache
def _official_descriptions() -> Mapping[str, str]:
    return {term.name: official_description(term.name) for term in corpus().values() if term.torch}


def once(known: Sequence[Example]) -> list[Example]:
    """Return one example of every wording; the settings differ from wording to wording."""
    fillings: dict[tuple[str, int], list[Example]] = {}
    for example in known:
        fillings.setdefault((example.term.name, example.wording), []).append(example)
    return [same[wording % len(same)] for (_, wording), same in fillings.items()]


def digest(known: Sequence[Example]) -> str:
    """Return the SHA-256 of what is taught: texts, operators, categories and settings."""
    told = [(e.text, e.term.name, e.term.category, dict(e.settings)) for e in known]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def targets(batch: Sequence[Example]) -> NDArray[np.float32]:
    """Return how alike the vectors of some texts are meant to be.

    After appendix F of the paper: 1 if they speak of one operator, 0.7 where of two of one
    category, 0 elsewhere. The appendix does not look at settings; here two texts that give one
    operator different settings (kernel sizes, say) speak of two operators of one category. A
    setting that one of two texts leaves open does not tell them apart.

    Args:
        batch: n texts.

    Returns:
        Symmetric array of shape (n, n).
    """
    similarity = np.where(alike([e.term.category for e in batch]), RELATED, UNRELATED)
    same = alike([e.term.name for e in batch])
    contrary = np.zeros_like(same)
    for setting in {name for e in batch for name in e.settings}:
        values = np.array([e.settings.get(setting, np.nan) for e in batch])
        told = ~np.isnan(values)
        contrary |= told[:, None] & told & (values[:, None] != values)
    similarity[same & ~contrary] = SAME
    return similarity.astype(np.float32)


def alike(labels: ArrayLike) -> NDArray[np.bool_]:
    """Return which two of n labels are equal, as a matrix."""
    values = np.asarray(labels)
    equal: NDArray[np.bool_] = values[:, None] == values
    return equal

"""Read descriptions of operators."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from snap_catalog import operators
from snap_catalog.definition import COMMON
from snap_catalog.registers import UNREADABLE

from snap_encode.encoder import SentenceEncoder
from snap_encode.reading.classifier import LABELS, Head
from snap_encode.reading.code import Call, calls, main_layer
from snap_encode.reading.kinds import KINDS, follows, function
from snap_encode.reading.numbers import STATED, Stated, numbers
from snap_encode.reading.plain_text import plain
from snap_encode.reading.reading import UNSURE, Reading, sentence
from snap_encode.reading.spelling import corrected

READS_WITH = "snap-minilm"
"""The sentence encoder whose vectors the classifier uses."""

_SENTENCE = re.compile(r"(?<=[.!?\u3002\uff01\uff1f])\s+")
_NONSENSE, _SHORT = 0.5, 2
"""Probability of `unreadable` from which the spelling of longer texts is not corrected."""
_CODE = 0.98
"""Confidence of the kind if code calls a known library layer."""


class Described(NamedTuple):
    """The reading of an operator with a name.

    Attributes:
        reading: the reading of its description.
        doubt: the problem of the description, if there is one.
    """

    reading: Reading
    doubt: str | None


class Reader:
    """Reads descriptions of operators.

    A classifier on sentence vectors and letter n-grams determines the kind, rules extract numbers,
    and a parser recognises calls of library layers in code.
    """

    def __init__(self) -> None:
        """Prepare the reader; models are loaded on first use."""
        self._encoder = SentenceEncoder(READS_WITH)
        self._head = Head()

    def read(self, texts: Sequence[str], *, quiet: bool = True) -> list[Reading]:
        """Read descriptions; show no progress if `quiet`."""
        to_the_point = self._relevant(texts, quiet)
        known = self._shares(to_the_point, quiet)
        spelt = [corrected(t) if _may_be_misspelt(t, known[t]) else t for t in to_the_point]
        known |= self._shares([text for text in spelt if text not in known], quiet)
        readings = []
        for text, *versions in zip(texts, to_the_point, spelt, strict=True):
            found = [_reading(version, known[version]) for version in dict.fromkeys(versions)]
            best = max(found, key=lambda reading: reading.confidence["kind"])
            readings.append(replace(best, text=text))
        return readings

    def described(
        self, operators: Sequence[tuple[str, str]], *, quiet: bool = True
    ) -> list[Described]:
        """Read operators, given pairs of name and description, and find their problems.

        Nodes named `input` and `output` are the ends of a graph, whatever their description. Other
        names are only checked for contradictions with the description.
        """
        names = [name for name, _ in operators]
        readings = self.read([*names, *(text for _, text in operators)], quiet=quiet)
        named, from_text = readings[: len(names)], readings[len(names) :]
        return [
            Described(_end(name, text) if name in COMMON else text, text.doubt(of_name))
            for name, of_name, text in zip(names, named, from_text, strict=True)
        ]

    def _relevant(self, texts: Sequence[str], quiet: bool) -> list[str]:
        """Remove sentences that describe no operator from texts in which others do."""
        parts = {text: _SENTENCE.split(text) for text in texts if not calls(text)}
        several = {text: sentences for text, sentences in parts.items() if len(sentences) > 1}
        known = self._shares([each for sentences in several.values() for each in sentences], quiet)
        shorter = {}
        for text, sentences in several.items():
            kept = [s for s in sentences if max(known[s][kind] for kind in KINDS) >= UNSURE]
            shorter[text] = " ".join(kept) or text
        return [shorter.get(text, text) for text in texts]

    def _shares(self, texts: Sequence[str], quiet: bool) -> dict[str, dict[str, float]]:
        """Return the probability of each label, by text."""
        distinct = list(dict.fromkeys(texts))
        if not distinct:
            return {}
        vectors = self._encoder.encode(distinct, quiet=quiet)
        rows = self._head.probabilities(distinct, vectors).tolist()
        return {
            text: dict(zip(LABELS, row, strict=True))
            for text, row in zip(distinct, rows, strict=True)
        }


def _end(name: str, found: Reading) -> Reading:
    """Return the reading of the input or the output of a graph."""
    return Reading(found.text, name, confidence={"kind": 1.0}, sentence=KINDS[name].sentence)


def _may_be_misspelt(text: str, shares: Mapping[str, float]) -> bool:
    """Return whether to correct the spelling of a text; nonsense would become an operator."""
    return shares[UNREADABLE] < _NONSENSE or len(text.split()) <= _SHORT


def read(text: str) -> Reading:
    """Read one description; for repeated calls, keep a `Reader`."""
    return Reader().read([text])[0]


def _reading(text: str, shares: Mapping[str, float]) -> Reading:
    found = calls(text)
    call = main_layer(found)
    kind, sure = _kind(call, shares)
    stated = _from_code(found, call) or numbers(text)
    kind = _refined(_special(kind, text) if call is None else kind, stated, call)
    facts = KINDS[kind]
    general = facts.general or kind
    kernel, certain = _kernel(kind, stated)
    confidence = {"kind": sure, **{k: v for k, v in stated.sure.items() if k != "kernel"}}
    if kernel is not None:
        confidence["kernel"] = certain
    named = call.layer.function if call and call.layer else None
    reading = Reading(
        text=text,
        kind=kind,
        kernel=kernel,
        stride=stated.values.get("stride"),
        dilation=stated.values.get("dilation", facts.dilation),
        groups=stated.values.get("groups") if "conv" in general or facts.widens else None,
        expansion=stated.values.get("expansion") if facts.widens else None,
        function=(named or function(text, kind)) if facts.function else None,
        follows=() if facts.function else follows(text),
        confidence=confidence,
    )
    return replace(reading, sentence=_catalogued().get(text) or sentence(reading))


def _kind(call: Call | None, shares: Mapping[str, float]) -> tuple[str, float]:
    if call is not None and call.layer is not None:
        return call.layer.kind, _CODE
    kind = max(KINDS, key=lambda name: shares[name])
    return kind, shares[kind]


def _from_code(found: Sequence[Call], call: Call | None) -> Stated | None:
    """Return the numbers in the arguments of a call."""
    source = call or next((other for other in found if "kernel" in other.numbers), None)
    if source is None or not (source.numbers or call):
        return None
    return Stated(source.numbers, dict.fromkeys(source.numbers, STATED), source.width)


def _special(kind: str, text: str) -> str:
    """Return the more specific kind that a text names, or the kind of the classifier."""
    shown = plain(text)
    special = [
        name
        for name, pattern in _WORDS.items()
        if KINDS[name].general == kind and pattern.search(shown)
    ]
    if len(special) == 1:
        return special[0]
    joined = {"dilated_convolution", "separable_convolution"}
    return "dilated_separable_convolution" if set(special) == joined else kind


_WORDS = {
    name: re.compile(rf"(?<!non[- ])(?<!not )(?<!no )(?<!nicht )(?:{kind.words})")
    for name, kind in KINDS.items()
    if kind.words
}


def _refined(kind: str, stated: Stated, call: Call | None) -> str:
    """Refine the kind by numbers, such as the dilation of a convolution."""
    if kind == "convolution" and call is not None and call.depthwise:
        return "depthwise_convolution"
    if kind == "factorised_convolution" and stated.values.get("kernel") == 1:
        return "convolution"
    for setting, special in _SPECIAL.items():
        if stated.values.get(setting, 1) > 1 and kind in special:
            return special[kind]
    return kind


_SPECIAL = {
    "dilation": {
        "convolution": "dilated_convolution",
        "separable_convolution": "dilated_separable_convolution",
    },
    "groups": {"convolution": "grouped_convolution"},
}


def _kernel(kind: str, stated: Stated) -> tuple[tuple[int, int] | None, float]:
    """Return the window of an operator and its confidence, 0 if it is assumed."""
    usual = KINDS[kind].kernel
    if usual is None:
        return None, 0.0
    height = stated.values.get("kernel")
    if height is not None:
        return (height, stated.width or height), stated.sure["kernel"]
    if stated.pointwise and kind in ("convolution", "grouped_convolution"):
        return (1, 1), STATED
    return (usual, usual), 0.0


@cache
def _catalogued() -> Mapping[str, str]:
    """Return the catalog's short descriptions that no kind's sentence equals."""
    rendered = {kind.sentence for kind in KINDS.values()} | {"Skip"}
    texts = (o.descriptions["short"] for known in operators().values() for o in known)
    return {text: text for text in texts if text not in rendered}

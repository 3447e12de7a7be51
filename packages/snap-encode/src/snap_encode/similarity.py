"""Compare texts by the cosines of their vectors, and find the known operators nearest to a text."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from snap_catalog import SnapError, corpus, operators
from snap_catalog.catalog import Length

from snap_encode.encoder import SentenceEncoder
from snap_encode.models import DEFAULT_MODEL


class Match(NamedTuple):
    """Known operators that match a text.

    Attributes:
        cosine: its similarity to the text, -1 to 1.
        operators: each as `SPACE:NAME`; the space is `torch.nn` or `corpus` outside the catalog.
        description: the description, or the operator's name if that is nearer.
    """

    cosine: float
    operators: tuple[str, ...]
    description: str


def nearest(
    text: str,
    k: int = 5,
    model: str = DEFAULT_MODEL,
    *,
    catalogued: bool = False,
    quiet: bool = True,
) -> list[Match]:
    """Return the known operators nearest to a text.

    Each operator is listed once, with its nearest description.

    Args:
        text: description of an operator.
        k: number of matches.
        model: a known model, a folder, or a name on the Hugging Face hub.
        catalogued: consider only operators of catalogued search spaces.
        quiet: show no progress.

    Returns:
        Up to k matches, the nearest first.

    Raises:
        SnapError: the model cannot be loaded.
    """
    known = _descriptions(_catalogued() if catalogued else chain(_catalogued(), _of_the_corpus()))
    vectors = SentenceEncoder(model).encode([text, *known], quiet=quiet)
    (similarity,) = cosines(vectors[:1], vectors[1:])
    matches: list[Match] = []
    listed: set[str] = set()
    for cosine, (description, names) in sorted(
        zip(similarity.tolist(), known.items(), strict=True), key=lambda pair: -pair[0]
    ):
        new = tuple(name for name in names if name not in listed)
        if new and len(matches) < k:
            matches.append(Match(cosine, new, description))
            listed.update(new)
    return matches


def described(argument: str, length: Length) -> str:
    """Return the description of a catalogued operator, `SPACE:NAME`; return other texts unchanged.

    Raises:
        SnapError: the space is catalogued, but has no such operator.
    """
    space, colon, name = argument.partition(":")
    if not colon or space not in operators():
        return argument
    known = {operator.name: operator for operator in operators()[space]}
    if name not in known:
        raise SnapError(f"{space!r} has no operator {name!r}; it has {', '.join(known)}")
    return known[name].descriptions[length]


def _descriptions(known: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    """Group pairs of operator (`SPACE:NAME`) and description by description."""
    grouped: dict[str, dict[str, None]] = {}
    for operator, text in known:
        grouped.setdefault(text, {})[operator] = None
    return {text: list(names) for text, names in grouped.items()}


def _catalogued() -> Iterator[tuple[str, str]]:
    for space, known in operators().items():
        for operator in known:
            for text in (operator.name, *operator.descriptions.values()):
                yield f"{space}:{operator.name}", text


def _of_the_corpus() -> Iterator[tuple[str, str]]:
    """Yield the operators with their names and descriptions, filled with kernel sizes only.

    All combinations of all settings would double the number of texts without adding meaning.
    """
    for term in corpus().values():
        name = f"{'torch.nn' if term.torch else 'corpus'}:{term.name}"
        yield name, term.name
        for settings, text in term.examples():
            if settings.keys() <= {"kernel"}:
                yield name, text


def cosines(rows: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (n, m) cosines, -1 to 1, of (n, d) and (m, d) vectors, none of them zero."""
    one, other = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (rows, columns))
    similarity: NDArray[np.float32] = (one @ other.T).clip(-1, 1)
    return similarity

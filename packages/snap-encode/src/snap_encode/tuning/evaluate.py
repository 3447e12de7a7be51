"""Measure how well an encoder separates operators."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from snap_catalog.texts import Split

from snap_encode.tuning.examples import Example, alike, examples, once

Embed = Callable[[list[str]], NDArray[np.float32]]
"""n texts -> vectors of length 1, shape (n, d)."""


class Figures(NamedTuple):
    """Quality of an encoder on the operators of a split; 1 is the best value of each measure.

    Attributes:
        accuracy: share of texts whose operator is the nearest of the split's; see `ranks`.
        reciprocal_rank: mean reciprocal rank of a text's operator among the split's.
        silhouette: of the categories; see `silhouette`.
        same_kind: share of triplets in which the same kind of operator with another kernel is
            nearer than another kind with the same kernel; see `kind_accuracy`.
        told_apart: share of triplets in which the same kernel, re-worded, is nearer than another
            kernel in those words; see `kernel_accuracy`.
        told_apart_verbatim: the same against another kernel in the anchor's own words.
    """

    accuracy: float
    reciprocal_rank: float
    silhouette: float
    same_kind: float
    told_apart: float
    told_apart_verbatim: float


def evaluate(embed: Embed, split: Split) -> Figures:
    """Measure an encoder on unseen operators: `validate` to choose by, `test` to report."""
    known = once(examples(split))
    vectors = embed([e.text for e in known])
    places = ranks(vectors, [e.term.name for e in known])
    sized = [e for e in examples(split) if e.settings.keys() == {"kernel"}]
    return Figures(
        float((places == 1).mean()),
        float((1 / places).mean()),
        silhouette(vectors, [e.term.category for e in known]),
        *_kernels(embed([e.text for e in sized]), sized),
    )


def _kernels(vectors: NDArray[np.float32], known: Sequence[Example]) -> tuple[float, float, float]:
    """Return the last three measures, from texts whose only setting is the kernel."""
    kinds = [f"{e.term.category}/{e.term.kind}" for e in known]
    kernels = [e.settings["kernel"] for e in known]
    wordings = [f"{e.term.name}/{e.wording}" for e in known]
    outcomes = zip(*(kernel_accuracy(grid) for grid in _grids(vectors, known)), strict=True)
    shares = [float(np.concatenate(parts).mean()) for parts in outcomes]
    in_words, verbatim = shares or (np.nan, np.nan)
    return kind_accuracy(vectors, kinds, kernels, wordings), in_words, verbatim


def reciprocal_rank(embed: Embed) -> float:
    """Return the mean reciprocal rank on the validation operators."""
    known = once(examples("validate"))
    places = ranks(embed([e.text for e in known]), [e.term.name for e in known])
    return float((1 / places).mean())


def ranks(vectors: NDArray[np.float32], names: ArrayLike) -> NDArray[np.int64]:
    """Return the (n,) ranks of each text's operator among all operators; 1 is the nearest.

    The similarity to an operator is the mean cosine to its other texts.

    Args:
        vectors: of length 1, shape (n, d).
        names: the operator of each text, n; every operator has two texts or more.
    """
    known, own = np.unique(np.asarray(names), return_inverse=True)
    member = np.eye(len(known))[own]
    similarity = np.asarray(vectors @ vectors.T, float)
    np.fill_diagonal(similarity, 0)
    nearness = similarity @ member / (member.sum(0) - member)
    nearer: NDArray[np.int64] = (nearness > nearness[np.arange(len(own)), own, None]).sum(1)
    return nearer + 1


def silhouette(vectors: NDArray[np.float32], categories: Sequence[str]) -> float:
    """Return the mean silhouette, -1 to 1, of n categories of (n, d) vectors by cosine distance."""
    from sklearn.metrics import silhouette_score

    return float(silhouette_score(vectors, categories, metric="cosine"))


def kind_accuracy(
    vectors: NDArray[np.float32], kinds: ArrayLike, kernels: ArrayLike, wordings: ArrayLike
) -> float:
    """Return how often "same kind, other kernel" is nearer than "other kind, same kernel".

    Over all triplets of an anchor, a text of the same kind with another kernel in other words, and
    a text of another kind with the anchor's kernel; NaN if there is no such triplet.

    Args:
        vectors: of length 1, shape (n, d).
        kinds: the kind of operator of each text, n.
        kernels: its kernel size, n.
        wordings: labels of the wordings, n; texts that differ in their numbers only share one.
    """
    kind, kernel, wording = (alike(labels) for labels in (kinds, kernels, wordings))
    positive, negative = kind & ~kernel & ~wording, ~kind & kernel
    similarity = vectors @ vectors.T
    right = count = 0
    for near, is_positive, is_negative in zip(similarity, positive, negative, strict=True):
        nearer = near[is_positive][:, None] > near[is_negative]
        right, count = right + int(nearer.sum()), count + nearer.size
    return right / count if count else np.nan


def kernel_accuracy(
    vectors: NDArray[np.float32],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the triplets in which "same kernel, reworded" is nearer than "another kernel".

    Args:
        vectors: of one operator, in w wordings with k kernels each; of length 1, shape (w, k, d).

    Returns:
        (w (w - 1) k (k - 1),) for each triplet of an anchor, the same kernel in other words, and
        another kernel in those other words, whether the first two are nearer; and the same against
        another kernel in the anchor's words.
    """
    count, sizes, _ = vectors.shape
    cosines = np.einsum("iad,jbd->ijab", vectors, vectors)
    words, kernels = ~np.eye(count, dtype=bool), ~np.eye(sizes, dtype=bool)
    same = np.diagonal(cosines, axis1=2, axis2=3)[..., None]
    verbatim = cosines[np.arange(count), np.arange(count)][:, None]
    return (
        (same > cosines)[words][:, kernels].ravel(),
        (same > verbatim)[words][:, kernels].ravel(),
    )


def _grids(vectors: NDArray[np.float32], known: Sequence[Example]) -> Iterator[NDArray[np.float32]]:
    """Yield the vectors of each operator by wording and kernel; `known` is in this order."""
    start = 0
    for _, same in groupby(known, lambda e: e.term.name):
        count = len(list(same))
        kernels = len(known[start].term.settings["kernel"])
        yield vectors[start : start + count].reshape(-1, kernels, vectors.shape[1])
        start += count

"""Draw where an encoder puts every catalogued operator, before and after tuning."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import numpy as np
import numpy.typing as npt
from snap_catalog import Term, corpus, operators
from snap_catalog.parquet import replacing
from snap_encode import SentenceEncoder

from tools.measure.encoder.labels import label_places
from tools.measure.encoder.predictors import TUNED_OR_NOT, Floats, unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS: Mapping[str, str] = {
    "convolution": "#0072b2",
    "pooling": "#d55e00",
    "connection": "#000000",
    "graph": "#cc79a7",
    "normalisation": "#009e73",
    "activation": "#e69f00",
    "attention, transformer": "#56b4e9",
    "other": "#a0a0a0",
}
"""By category; the palette of Okabe and Ito, which the colour-blind can distinguish."""

_TOGETHER = {"attention": "attention, transformer", "transformer": "attention, transformer"}
_CATALOGUED = {
    "graph": "graph|gnn",
    "pooling": "pool",
    "connection": "^(input|output|none|skip|residual connection)$",
    "linear": "^fully connected",
    "convolution": "convolution|residual",
}
"""What the short description of a catalogued operator of a category has; the first counts."""
_WIDTH, _HEIGHT, _TITLE, _MARGIN = 9.5, 6.5, 0.35, 0.4
_CHARACTER, _LINE = 0.058, 0.12
"""All in inches, in which the axes count; the last two are the size of a character of a label."""
_DOT = 26
_AREA = np.array([_WIDTH, _HEIGHT])

Places = npt.NDArray[np.float64]


class Point(NamedTuple):
    """An operator on the map: its description, its category, and its label if it has one."""

    texts: tuple[str, ...]
    category: str
    label: str = ""


@click.command("map")
@click.option(
    "-o",
    "--out",
    default="docs/encoder-map.svg",
    show_default=True,
    type=click.Path(path_type=Path),
)
@click.option("--model", "models", nargs=2, default=TUNED_OR_NOT, show_default=True)
@click.option("--seed", default=0, show_default=True)
def draw_map(out: Path, models: tuple[str, str], seed: int) -> None:
    """Draw all catalogued operators, as one encoder and as another one places them.

    The projection is t-SNE over cosine distances. Large dots with a label are the operators of
    the search spaces, by their short descriptions; small ones those of the corpus, each the mean
    of its descriptions.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    points = [*catalogued(), *map(_of_corpus, corpus().values())]
    with rc_context({"svg.hashsalt": "snap", "svg.fonttype": "none"}):
        figure = Figure(figsize=(_WIDTH, len(models) * (_HEIGHT + _TITLE)))
        for row, model in enumerate(reversed(models)):
            low, high = row * (_HEIGHT + _TITLE), figure.get_figheight()
            axes = figure.add_axes((0, low / high, 1, _HEIGHT / high))
            axes.set_title(model, fontsize=11, loc="left", x=0.01)
            _draw(axes, points, _projected(_vectors(model, points), seed))
        axes.legend(
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=8,
            fontsize=7,
            frameon=False,
            handletextpad=0.1,
            columnspacing=1,
        )
        with replacing(out) as temporary:
            figure.savefig(temporary, format=out.suffix[1:], dpi=100, metadata={"Date": None})


def catalogued() -> Iterator[Point]:
    """Yield the operators of the search spaces; one described alike in several comes once."""
    every = (operator for space in operators().values() for operator in space)
    for text in dict.fromkeys(operator.descriptions["short"] for operator in every):
        yield Point((text,), category(text), text)


def category(text: str) -> str:
    """Return the category of a catalogued operator."""
    return next(name for name, words in _CATALOGUED.items() if re.search(words, text.lower()))


def _of_corpus(term: Term) -> Point:
    return Point(tuple(dict.fromkeys(text for _, text in term.examples())), term.category)


def _vectors(model: str, points: Sequence[Point]) -> Floats:
    """Return (n, d) vectors of length 1, each the mean of a point's texts."""
    texts = [text for point in points for text in point.texts]
    starts = np.cumsum([0, *(len(point.texts) for point in points[:-1])])
    sums = np.add.reduceat(SentenceEncoder(model).encode(texts, quiet=False), starts)
    return unit(sums)


def _projected(vectors: Floats, seed: int) -> Places:
    """Return (n, 2) places in inches."""
    from sklearn.manifold import TSNE

    embedding = TSNE(metric="cosine", init="pca", perplexity=20, random_state=seed)
    places = embedding.fit_transform(vectors).astype(np.float64)
    low, high = places.min(axis=0), places.max(axis=0)
    scaled: Places = _MARGIN + (places - low) / (high - low) * (_AREA - 2 * _MARGIN)
    return scaled


def _draw(axes: "Axes", points: Sequence[Point], places: Places) -> None:
    sizes = np.array([[len(p.label) * _CHARACTER, _LINE * bool(p.label)] for p in points])
    centres = label_places(places, sizes, (_WIDTH, _HEIGHT))
    for name, colour in COLOURS.items():
        axes.scatter([], [], s=_DOT, c=colour, lw=0, label=name)
        for labelled, size in ((False, _DOT / 4), (True, _DOT)):
            chosen = [
                _group(point.category) == name and bool(point.label) == labelled for point in points
            ]
            x, y = places[chosen].T
            axes.scatter(x, y, s=size, c=colour, lw=0, alpha=0.8)
    for point, (x, y), (to_x, to_y) in zip(points, places, centres, strict=True):
        if point.label:
            colour = COLOURS[_group(point.category)]
            axes.plot((x, to_x), (y, to_y), c="#bbbbbb", lw=0.5, zorder=0)
            axes.text(to_x, to_y, point.label, fontsize=7, ha="center", va="center", color=colour)
    axes.set(xlim=(0, _WIDTH), ylim=(0, _HEIGHT), xticks=[], yticks=[])
    axes.spines[:].set_color("#cccccc")


def _group(name: str) -> str:
    grouped = _TOGETHER.get(name, name)
    return grouped if grouped in COLOURS else "other"

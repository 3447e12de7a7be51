"""Draw a matrix of cosine similarities as a heat map."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

import numpy as np
from numpy.typing import NDArray
from snap_catalog.parquet import replacing

SUFFIXES = (".svg", ".png")
_LABEL_WIDTH, _CELL, _DARK = 32, 0.55, 0.55
"""Characters in a line of a label, inches, share of the scale above which figures are white."""


def draw(
    similarity: NDArray[np.float32], labels: Sequence[str], path: str | os.PathLike[str]
) -> None:
    """Draw (n, n) cosines of n labelled texts as a heat map with its values.

    The suffix of the file (`SUFFIXES`) determines the format. Equal matrices give equal files.

    Raises:
        SnapError: the file cannot be written.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    wrapped = [fill(label, _LABEL_WIDTH, max_lines=3, placeholder=" ...") for label in labels]
    side = _CELL * len(labels)
    figure = Figure(figsize=(side + 3.5, side + 2.5), layout="constrained")
    axes = figure.add_subplot()
    low = min(0.0, float(similarity.min()))
    image = axes.imshow(similarity, cmap="Blues", vmin=low, vmax=1)
    ticks = range(len(labels))
    axes.set_yticks(ticks, wrapped, fontsize=8)
    axes.set_xticks(ticks, wrapped, fontsize=8, rotation=45, ha="right", rotation_mode="anchor")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for i in ticks:
        for j in ticks:
            value = float(similarity[i, j])
            colour = "white" if value - low > _DARK * (1 - low) else "black"
            axes.text(j, i, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=8)
    figure.colorbar(image, ax=axes, label="cosine similarity", shrink=0.8)
    suffix = Path(path).suffix.removeprefix(".")
    metadata = {"Date": None} if suffix == "svg" else None
    # Text stays text, so that the viewer's fonts can show scripts that ours do not have.
    settings = rc_context({"svg.hashsalt": "snap", "svg.fonttype": "none"})
    with replacing(path) as temporary, settings, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(temporary, format=suffix, dpi=200, metadata=metadata)

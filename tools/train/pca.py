"""Fit the model MiniLM-64: principal components of all-MiniLM-L6-v2's vectors (paper, Table 2).

    uv run --all-groups python -m tools.train.pca FOLDER

The components are those of the corpus's descriptions of its training operators. As in the scripts
of TG-NAS, on which the paper builds, vectors are projected as they are: neither centred before nor
scaled to length 1 afterwards.
"""

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from snap_catalog import corpus
from snap_catalog.console import say
from snap_encode import encode
from snap_encode.models.derived import PROJECTION, write_manifest

BASE, DIMENSIONS = "all-MiniLM-L6-v2", 64

_CARD = """# MiniLM-64

`{base}` in {dimensions} dimensions: its vectors projected onto their first principal components.
These were fitted on {texts:,} descriptions of the corpus' training operators, of whose variance
they hold {kept:.1%}. The vectors are not scaled to length 1.

Made by `tools/train/pca.py`. Apache-2.0, as the base model.
"""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def main(folder: Path) -> None:
    """Write the model to FOLDER."""
    from safetensors.numpy import save_file

    texts = training_texts()
    components, kept = principal_components(encode(texts, BASE), DIMENSIONS)
    folder.mkdir(parents=True, exist_ok=True)
    save_file({"weight": components}, folder / PROJECTION)
    card = _CARD.format(base=BASE, dimensions=DIMENSIONS, texts=len(texts), kept=kept)
    (folder / "README.md").write_text(card, "utf-8")
    write_manifest(folder, base=BASE, weights=PROJECTION)
    say(f"{folder}: {len(texts):,} texts, {kept:.1%} of the variance")


def training_texts() -> list[str]:
    """Return every description of the corpus' training operators, each text once, in order."""
    terms = [term for term in corpus().values() if term.split == "train"]
    return sorted({text for term in terms for _, text in term.examples()})


def principal_components(
    vectors: NDArray[np.float32], count: int
) -> tuple[NDArray[np.float32], float]:
    """Return the directions in which vectors vary most.

    Args:
        vectors: shape (n, d).
        count: how many directions.

    Returns:
        The directions, shape (count, d), of length 1, the largest number of each positive; and
        the share of the variance along them.
    """
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, spread, directions = np.linalg.svd(centred, full_matrices=False)
    chosen = directions[:count]
    largest = np.take_along_axis(chosen, np.abs(chosen).argmax(axis=1, keepdims=True), axis=1)
    kept = float((spread[:count] ** 2).sum() / (spread**2).sum())
    return (chosen * np.sign(largest)).astype(np.float32), kept


if __name__ == "__main__":
    main()

"""Scores by zero-cost proxies of networks around cells that are drawn from each search space."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from snap_evo.proxies import proxy_names

from tools.reproduce.sources import graphs_file
from tools.steps import Step
from tools.steps import command as run_command


class Drawn(NamedTuple):
    """How many cells of a space are scored, and in batches of how many images.

    Attributes:
        batch: images per batch.
        cells: cells drawn.
        grasp: how many of them are also scored by `grasp`, whose second derivatives cost most.
    """

    batch: int
    cells: int
    grasp: int


DRAWN = {
    "nb201": Drawn(64, 830, 830),
    "darts": Drawn(8, 545, 100),
    "transnas-micro": Drawn(16, 100, 100),
    "transnas-macro": Drawn(16, 100, 100),
}
"""By space, which is also a benchmark's name.

DARTS has 545 cells. There are fewer where networks take images of 224 x 224, and smaller batches
where networks are large. Of the 830 cells of NAS-Bench-201, 486 have published scores.
"""

_GRASP = "grasp"
FILES = ("proxies.parquet", "grasp.parquet")
"""The files of a space's scores: by all proxies but `grasp`, and by `grasp`, which costs most."""


def scores(results: Path) -> Iterator[Step]:
    """Yield the steps that run networks: an hour for each space on one core.

    All benchmarks of a space share the scores, which `snap-evo score` keeps network by network.
    """
    flat = [name for name in proxy_names() if name != _GRASP]
    for space, drawn in DRAWN.items():
        graphs, folder = graphs_file(results, space), results / "scores" / space
        if graphs.exists():
            yield _score(graphs, flat, drawn.batch, drawn.cells, folder / FILES[0])
            yield _score(graphs, [_GRASP], drawn.batch, drawn.grasp, folder / FILES[1])


def _score(graphs: Path, names: Sequence[str], batch: int, cells: int, out: Path) -> Step:
    command = [
        "snap-evo",
        "score",
        str(graphs),
        "--scorer",
        f"proxy:{'+'.join(names)},batch={batch}",
    ]
    command += ["--sample", str(cells), "--seed", "0", "-o", str(out)]
    return Step("score", out, [graphs], command, lambda: run_command(command))

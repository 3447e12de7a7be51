"""Scores by zero-cost proxies of networks around cells that are drawn from each search space."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from reproduction.sources import graphs_file
from reproduction.steps import Step
from reproduction.tools import tool
from snap_evo.proxies import proxy_names


class Drawn(NamedTuple):
    """How many cells of a space are scored, and in batches of how many images."""

    cells: int
    batch: int


_DRAWN = {
    "nb201": Drawn(500, 64),
    "darts": Drawn(500, 16),
    "transnas-micro": Drawn(100, 16),
    "transnas-macro": Drawn(100, 16),
}
"""By space, which is also a benchmark's name.

There are fewer cells where networks take images of 224 x 224, and smaller batches where they are
large.
"""


def scores(results: Path) -> Iterator[Step]:
    """Yield the steps that run networks: hours for each space on two cores.

    All benchmarks of a space share the scores, which `snap-evo score` keeps network by network.
    """
    for space, drawn in _DRAWN.items():
        graphs = graphs_file(results, space)
        if graphs.exists():
            yield _score(graphs, drawn, results / "scores" / space / "proxies.parquet")


def _score(graphs: Path, drawn: Drawn, out: Path) -> Step:
    scorer = f"proxy:{'+'.join(proxy_names())},batch={drawn.batch}"
    command = ["snap-evo", "score", str(graphs), "--scorer", scorer]
    command += ["--sample", str(drawn.cells), "--seed", "0", "-o", str(out)]
    return Step("score", out, [graphs], command, lambda: tool(command))

r"""How well the proxies of `snap_evo.proxies` agree with published ones, and with themselves."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
from snap_catalog.scores import NO_SCORE
from snap_eval import spearman

from tools import printed
from tools.measure.proxies.scored import RESULTS, Floats, Scored, score_files, scored
from tools.reproduce.sources import graphs_file
from tools.steps import made_by

_ACCURACY = "cifar10/test/accuracy@200"
_BATCH, _SIDE = 64, 32
_VARYING = ("l2_norm", "fisher", "jacov", "epe_nas", "grasp", "plain")
"""The proxies that differ most from published scores, or from one seed to the next."""
_OF_IMAGES = ("fisher", "jacov", "epe_nas", "nwot", "swap")
"""The proxies that images rather than noise change most."""


@click.command()
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(min=2))
@click.option("--seed-cells", default=20, show_default=True, type=click.IntRange(min=3))
@click.option("--photograph-cells", default=60, show_default=True, type=click.IntRange(min=3))
def agreement(seeds: int, seed_cells: int, photograph_cells: int) -> None:
    """Compare scores of NAS-Bench-201's cells with published ones."""
    click.echo("### Agreement with published scores\n")
    click.echo(printed.table(_HEAD, _rows(scored("nb201", score_files("nb201")), "cifar10")))
    micro = scored("transnas-micro", score_files("transnas-micro"))
    click.echo("\n### TransNAS micro, object classification\n")
    click.echo(printed.table(_HEAD, _rows(micro, "class_object", ["zen"])))
    click.echo(f"\n### With photographs, {photograph_cells} cells\n")
    photographs = RESULTS / "proxies" / "photographs.npz"
    write_photographs(photographs)
    noisy = _run(_OF_IMAGES, photograph_cells, 0, "")
    natural = _run(_OF_IMAGES, photograph_cells, 0, f",images={photographs.absolute()}")
    rows = zip(_rows(noisy, "cifar10"), _rows(natural, "cifar10"), strict=True)
    head = ["proxy", "cells", "noise: agreement", "photographs: agreement"]
    head += ["noise: accuracy", "photographs: accuracy"]
    click.echo(printed.table(head, ([a[0], a[1], a[2], b[2], a[4], b[4]] for a, b in rows)))
    click.echo(f"\n### {seeds} seeds, {seed_cells} cells\n")
    by_seed = [_run(_VARYING, seed_cells, seed, "") for seed in range(seeds)]
    head = ["proxy", "deviation over seeds / over cells", "two seeds", "one seed, accuracy"]
    click.echo(printed.table(head, (_scatter(name, by_seed) for name in _VARYING)))


_HEAD = ["proxy", "cells", "ours, theirs", "theirs, accuracy", "ours, accuracy"]


def _rows(found: Scored, dataset: str, names: Sequence[str] = ()) -> Iterator[list[str]]:
    """Correlate each proxy with published scores of the cells that have them."""
    metric = _ACCURACY if dataset == "cifar10" else f"{dataset}/valid/top1"
    accuracy = _column(found.graphs, metric)
    for name in names or found.scores:
        ours, column = found.scores[name], f"proxy/{dataset}/{name}"
        theirs = np.full_like(ours, np.nan)
        if column in found.graphs.column_names:
            published = _column(found.graphs, column)
            theirs = np.where(published == NO_SCORE, np.nan, published)
        both = ~np.isnan(theirs)
        shown = [_rho(ours[both], theirs[both]), _rho(theirs[both], accuracy[both])]
        yield [f"`{name}`", f"{both.sum() or len(ours)}", *shown, _rho(ours, accuracy)]


def _rho(one: Floats, other: Floats) -> str:
    return printed.short(spearman(one, other)) if len(one) else ""


def _column(graphs: pa.Table, name: str) -> Floats:
    found: Floats = graphs[name].to_numpy().astype(np.float64)
    return found


def _run(names: Sequence[str], cells: int, seed: int, images: str) -> Scored:
    """Score cells, unless that was done."""
    out = RESULTS / "proxies" / f"{'photographs' if images else 'noise'}-{names[0]}-{seed}.parquet"
    scorer = f"proxy:{'+'.join(names)},batch={_BATCH},seed={seed}{images}"
    graphs = str(graphs_file(RESULTS, "nb201"))
    command = ["snap-evo", "score", graphs, "--scorer", scorer, "--sample", str(cells)]
    return scored("nb201", [made_by([*command, "--seed", "0", "-o", str(out)], Path(), str(out))])


def _scatter(name: str, by_seed: Sequence[Scored]) -> list[str]:
    """Report how much a proxy's scores differ between seeds."""
    scores = np.stack([found.scores[name] for found in by_seed])
    accuracy = _column(by_seed[0].graphs, _ACCURACY)
    share = scores.std(0, ddof=1).mean() / scores.mean(0).std(ddof=1)
    between = [spearman(one, other) for one, other in combinations(scores, 2)]
    alone = [spearman(one, accuracy) for one in scores]
    return [f"`{name}`", printed.short(share, 2), printed.spread(between), printed.spread(alone)]


def write_photographs(path: Path) -> None:
    """Write 600 crops of the two photographs that scikit-learn brings, at two scales.

    They stand in for natural images, which cannot be downloaded everywhere. The class of a crop is
    its photograph and fifth of the width.
    """
    from sklearn.datasets import load_sample_images

    random, crops, labels = np.random.default_rng(0), [], []
    for number, photograph in enumerate(load_sample_images().images):
        for scale in (2, 4):
            height, width = (side // scale for side in photograph.shape[:2])
            whole = photograph[: height * scale, : width * scale]
            small = whole.reshape(height, scale, width, scale, 3).mean((1, 3)).astype(np.uint8)
            for _ in range(150):
                top, left = (int(random.integers(0, side - _SIDE + 1)) for side in (height, width))
                crops.append(small[top : top + _SIDE, left : left + _SIDE])
                labels.append(5 * number + 5 * left // width)
    classes = np.unique(labels, return_inverse=True)[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, images=np.array(crops), labels=classes)

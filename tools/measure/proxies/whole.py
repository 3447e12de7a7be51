"""How proxies rank whole networks: those of timm that take few operations."""

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
from snap_catalog.parquet import read
from snap_catalog.scores import NO_SCORE, by_scorer
from snap_eval import spearman
from snap_evo.proxies import proxy_names
from snap_gcn import Predictor
from torch import nn

from tools import printed
from tools.measure.proxies.scored import RESULTS, Floats
from tools.measure.tracing.published import Published, timm_networks
from tools.pipeline import DATA
from tools.steps import made_by

_MOST_FLOPS = 6e9
_DRAWN, _BATCH = 60, 8


@click.command()
def whole() -> None:
    """Rank networks of timm by their accuracy on ImageNet."""
    graphs, scores = (
        RESULTS / "proxies" / "timm.parquet",
        RESULTS / "proxies" / "timm-scores.parquet",
    )
    source = f"{__name__}:networks"
    made_by(["snap-graphs", "trace", source, str(graphs)], Path(), str(graphs))
    every = f"proxy:{'+'.join(name for name in proxy_names() if name != 'grasp')},batch={_BATCH}"
    command = ["snap-evo", "score", str(graphs), "--scorer", every, "--source", source]
    made_by([*command, "--skip-bad", "--jobs", "1", "-o", str(scores)], Path(), str(scores))
    click.echo("### Whole networks of timm (role develop)\n")
    rows = sorted(_rows(read(graphs, "graphs"), scores), key=lambda row: -row[1])
    shown = ([f"`{name}`", printed.short(rho), str(n)] for name, rho, n in rows)
    click.echo(printed.table(["scorer", "ImageNet top-1", "networks"], shown))


def networks() -> Iterator[tuple[str, nn.Module, tuple[int, ...]]]:
    """Yield the drawn networks of timm with the shape of their input."""
    for each in _drawn():
        yield each.name, each.build(), (3, each.image, each.image)


def _drawn() -> list[Published]:
    small = [
        n for n in timm_networks(DATA / "timm_imagenet_develop.csv.gz") if n.flops <= _MOST_FLOPS
    ]
    rows = np.random.default_rng(0).choice(len(small), _DRAWN, replace=False)
    return [small[row] for row in np.sort(rows)]


def _rows(graphs: pa.Table, scores: Path) -> Iterator[tuple[str, float, int]]:
    """Yield each scorer, its Spearman's rho with the accuracy, and how many networks it scored."""
    names = graphs["arch_id"].to_pylist()
    accuracy = {network.name: network.accuracy for network in _drawn()}
    measured = np.array([accuracy[name] for name in names])
    yield _ranked("snap", Predictor.bundled("snap").score(graphs), measured)
    yield _ranked("activations", graphs["activations"].to_numpy().astype(float), measured)
    for scorer, table in by_scorer(read(scores, "scores"), str(scores)).items():
        found = dict(zip(table["arch_id"].to_pylist(), table["score"].to_pylist(), strict=True))
        score = np.array([found.get(name, NO_SCORE) for name in names])
        yield _ranked(scorer.removeprefix("proxy:"), score, measured)


def _ranked(name: str, score: Floats, measured: Floats) -> tuple[str, float, int]:
    there = score != NO_SCORE
    return name, spearman(score[there], measured[there]), int(there.sum())

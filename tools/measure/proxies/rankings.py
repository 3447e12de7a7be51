"""What proxies and the predictor rank together, and what a second of computation buys."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import click
import numpy as np
from snap_catalog.parquet import replacing
from snap_eval import spearman
from snap_evo.proxies import proxy_names

from tools import printed
from tools.measure.populations import BENCHMARKS
from tools.measure.proxies.scored import RESULTS, score_files, scored
from tools.pipeline import ROOT
from tools.reproduce.evaluation import COMBINED, combined_file
from tools.reproduce.proxies import DRAWN
from tools.reproduce.sources import graphs_file
from tools.steps import made_by

_PICTURE = ROOT / "docs" / "proxies.svg"
_TIMED = 5
"""Networks of each space that all scorers score in one run, to compare seconds."""
_PREDICTOR, _BOTH = "snap", "combination"
_APART = 0.035
"""Rank correlation below which labels would overlap."""
_TITLES = {"gcn:snap": _PREDICTOR}


class Ranked(NamedTuple):
    """Rank correlations of scorers with a metric, over n architectures that all of them score."""

    title: str
    space: str
    n: int
    rho: Mapping[str, float]


@click.command()
def rankings() -> None:
    """Print rank correlations and seconds, and draw one over the other."""
    found = list(_ranked())
    means = {name: fmean(each.rho.get(name, np.nan) for each in found) for name in found[0].rho}
    names = sorted(means, key=lambda name: -np.nan_to_num(means[name], nan=-1))
    click.echo("### Rank correlations (role develop)\n")
    head = ["scorer", *(f"{each.title} ({each.n})" for each in found), "mean"]
    rows = (
        [_code(n), *(_short(e.rho.get(n, np.nan)) for e in found), _short(means[n])] for n in names
    )
    click.echo(printed.table(head, rows))
    seconds = {space: _seconds(space) for space in dict.fromkeys(each.space for each in found)}
    click.echo(f"\n### Seconds per network, {_TIMED} networks\n")
    timed = sorted(seconds["nb201"], key=lambda name: -seconds["nb201"][name])
    lines = ([_code(n), *(f"{of[n]:.2g}" for of in seconds.values())] for n in timed)
    click.echo(printed.table(["scorer", *seconds], lines))
    draw(means, {name: fmean(of[name] for of in seconds.values()) for name in timed}, _PICTURE)


def _ranked() -> Iterator[Ranked]:
    for space, metrics in BENCHMARKS.items():
        proxies, grasp = score_files(space)
        if not proxies.exists():
            continue
        files = [proxies, RESULTS / "scores" / space / "snap-0.parquet", combined_file(RESULTS)]
        if DRAWN[space].grasp == DRAWN[space].cells:
            files.append(grasp)
        known = scored(space, files)
        for metric in metrics:
            measured = known.graphs[metric].to_numpy()
            there = ~np.isnan(measured)
            rho = {
                name: spearman(scores[there], measured[there])
                for name, scores in known.scores.items()
            }
            yield Ranked(f"{space} {metric.split('/')[0]}", space, int(there.sum()), rho)


def _seconds(space: str) -> dict[str, float]:
    """Return by scorer the seconds per network, from one run of all scorers."""
    out = RESULTS / "proxies" / f"seconds-{space}.parquet"
    every = f"proxy:{'+'.join(proxy_names())},batch={DRAWN[space].batch}"
    command = ["snap-evo", "score", str(graphs_file(RESULTS, space)), "--scorer", "gcn:snap"]
    command += ["--scorer", every, "--sample", str(_TIMED), "--seed", "1", "--jobs", "1"]
    made_by([*command, "-o", str(out)], Path(), str(out))
    found = scored(space, [out]).seconds
    return {_TITLES.get(name, name): value for name, value in found.items()}


def _code(name: str) -> str:
    return f"**{name}**" if name in (_BOTH, _PREDICTOR) else f"`{name}`"


def _short(value: float) -> str:
    return "" if np.isnan(value) else printed.short(value)


def _close(shown: Mapping[str, tuple[float, float]]) -> Iterator[list[str]]:
    """Yield names, those together whose points are too close for labels of their own."""
    left = sorted(shown, key=lambda name: shown[name], reverse=True)
    while left:
        x, y = shown[left[0]]
        near = [n for n in left if shown[n][0] == x and y - shown[n][1] < _APART]
        yield near
        left = [name for name in left if name not in near]


def draw(rho: Mapping[str, float], seconds: Mapping[str, float], path: Path) -> None:
    """Draw mean rank correlations over mean seconds per network, one labelled point per scorer."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.4), layout="constrained")
    axes = figure.add_subplot(xscale="log")
    cost = {**seconds, _BOTH: sum(seconds[name] for name in (_PREDICTOR, *COMBINED))}
    shown = {name: (cost[name], rho[name]) for name in rho if not np.isnan(rho[name])}
    for names in _close(shown):
        x, y = shown[names[0]]
        ours = names[0] in (_BOTH, _PREDICTOR)
        axes.plot(x, y, "o", color="#b8510d" if ours else "#1f5fa8", ms=5)
        axes.annotate(
            ", ".join(names),
            (x, y),
            (5, 3),
            textcoords="offset points",
            fontsize=8,
            fontweight="bold" if ours else "normal",
        )
    axes.set_xlim(0.008, 12)
    axes.set_ylim(-0.25, 0.8)
    axes.set_xticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
    axes.set_xlabel("seconds per network on one core, mean over four search spaces")
    axes.set_ylabel("Spearman's rho, mean over six metrics")
    axes.grid(color="#dddddd")
    axes.spines[["top", "right"]].set_visible(False)
    with replacing(path) as temporary, rc_context({"svg.hashsalt": "snap"}):
        figure.savefig(temporary, format="svg", metadata={"Date": None})

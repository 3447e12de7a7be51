"""Compare the predictor with costs on whole networks.

    uv run --all-groups python -m tools.measure.whole_networks

Prints the section on whole networks of docs/predictor.md, and draws docs/networks.svg.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
import pyarrow as pa
from snap_catalog.parquet import read, replacing
from snap_eval import spearman
from snap_eval.arrays import Floats
from snap_gcn import Predictor

from tools import printed
from tools.measure.populations import NETWORKS
from tools.pipeline import ROOT, prepare

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PICTURE = ROOT / "docs" / "networks.svg"
_NAMED = (
    *("lcnet_050", "mobilenetv3_small_100", "mobilenetv2_100", "convnext_atto", "convnext_large"),
    *("deit_tiny_patch16_224", "inception_v3", "wide_resnet50_2", "hrnet_w64", "volo_d5_512"),
)
_ALIKE = 0.1
"""How far activations of a pair may differ."""
_DRAWS = 1000
_ENDS = (0.05, 0.95)
_COSTS = {"activations": "activations", "multiply-adds": "flops", "parameters": "params"}


def scorers(graphs: pa.Table) -> dict[str, Floats]:
    """Return scores of n networks, (n,) each, by the scorer's name."""
    costs = {name: graphs[column].to_numpy().astype(float) for name, column in _COSTS.items()}
    return {"**snap**, as bundled": Predictor.bundled().score(graphs), **costs}


def ordered(score: Floats, measured: Floats, activations: Floats) -> float:
    """Return the share of pairs of nearly equal activations that scores order rightly."""
    size = np.log(activations)
    near = np.abs(size[:, None] - size[None, :]) < np.log1p(_ALIKE)
    first, second = np.nonzero(np.triu(near, 1) & (measured[:, None] != measured[None, :]))
    agree = np.sign(score[first] - score[second]) * np.sign(measured[first] - measured[second])
    return float((1 + agree).mean() / 2)


def families(names: list[str]) -> list[list[int]]:
    """Return the positions of networks by family: the letters that their names begin with."""
    found: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        stem = re.sub(r"^(tf|legacy|eca|gc)_?", "", name)
        found.setdefault(re.split(r"[^a-z]", stem)[0], []).append(position)
    return list(found.values())


def interval(score: Floats, measured: Floats, groups: list[list[int]]) -> str:
    """Return the interval of Spearman's rho in 90 % of the draws of families."""
    rng = np.random.default_rng(0)
    drawn = (rng.integers(len(groups), size=len(groups)) for _ in range(_DRAWS))
    rows = (np.concatenate([groups[i] for i in draw]) for draw in drawn)
    found = [spearman(score[row], measured[row]) for row in rows]
    return " to ".join(printed.short(float(end)) for end in np.quantile(found, _ENDS))


def rows(tables: Mapping[str, pa.Table]) -> Iterator[list[str]]:
    """Yield the lines of the table."""
    timm = tables["timm"]
    measured = {
        (name, metric): tables[name][metric].to_numpy()
        for name, metrics in NETWORKS.items()
        for metric in metrics
    }
    accuracy = measured["timm", NETWORKS["timm"][0]]
    scores = {name: scorers(table) for name, table in tables.items()}
    groups = families(timm["arch_id"].to_pylist())
    for scorer, score in scores["timm"].items():
        rhos = [spearman(scores[name][scorer], values) for (name, _), values in measured.items()]
        pairs = ordered(score, accuracy, timm["activations"].to_numpy().astype(float))
        yield [
            scorer,
            *map(printed.short, rhos),
            interval(score, accuracy, groups),
            printed.short(pairs),
        ]


@click.command()
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
def main(work: Path) -> None:
    """Print the table."""
    prepare(work)
    tables = {name: read(work / f"{name}.parquet", "graphs") for name in NETWORKS}
    head = ["scorer", "TransNAS macro object classification", "room layout", "timm, ImageNet top-1"]
    head += ["90 % of draws of families", "pairs of like activations ordered rightly"]
    click.echo(f"## Whole networks\n\n{printed.table(head, rows(tables))}")
    draw(tables["timm"], PICTURE)


def draw(graphs: pa.Table, path: Path) -> None:
    """Draw accuracy over the predictor's score, and over the activations."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    found = scorers(graphs)
    with rc_context({"svg.hashsalt": "snap", "svg.fonttype": "none"}):
        figure = Figure(figsize=(10, 4.6), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        _points(left, graphs, found["**snap**, as bundled"])
        left.set_xlabel("score of snap")
        left.set_ylabel("ImageNet top-1 accuracy, %")
        _points(right, graphs, found["activations"])
        right.set_xscale("log")
        right.set_xlabel("activations")
        with replacing(path) as temporary:
            figure.savefig(temporary, format="svg", metadata={"Date": None})


def _points(axes: "Axes", graphs: pa.Table, values: Floats) -> None:
    accuracy = graphs[NETWORKS["timm"][0]].to_numpy()
    names = graphs["arch_id"].to_pylist()
    named = np.array([name in _NAMED for name in names])
    axes.plot(values[~named], accuracy[~named], "o", color="#9aa5b1", ms=3.5, alpha=0.6, mew=0)
    axes.plot(values[named], accuracy[named], "o", color="#0b5fa5", ms=4.5, mew=0)
    for row in np.flatnonzero(named):
        axes.annotate(
            names[row],
            (values[row], accuracy[row]),
            (5, -3),
            textcoords="offset points",
            fontsize=7,
            color="#0b3c66",
        )
    axes.set_title(f"Spearman {spearman(values, accuracy):.3f}", fontsize=10)
    axes.grid(color="#e6e6e6")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    main()

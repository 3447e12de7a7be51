"""Tell how much the paper's predictor scatters between seeds, on the short schedule.

    uv run tools/measure_seeds.py --seeds 5

Takes about a minute a seed on one core; a stopped run goes on at the seed it was at.
"""

from pathlib import Path
from statistics import mean, stdev

import click
from pipeline import Figures, fit, measure, prepare
from snap_gcn.folder import load


@click.command()
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(min=2))
def main(work: Path, seeds: int) -> None:
    """Train on a fifth of NAS-Bench-101's training cells for 20 epochs, once a seed."""
    prepare(work)
    models = [fit(work, f"short-{seed}", "short", seed) for seed in range(seeds)]
    taus = [load(model).config["training"]["tau"] for model in models]
    click.echo(f"nb101 held out, Kendall tau: {_spread(taus)}")
    rows = [measure(work, model) for model in models]
    for same in zip(*rows, strict=True):
        _tell(list(same))


def _tell(same: list[Figures]) -> None:
    first = same[0]
    rho = _spread([figures.spearman for figures in same])
    tau = _spread([figures.kendall_tau_b for figures in same])
    click.echo(f"{first.benchmark} {first.metric} ({first.role}, all {first.n:,} cells):")
    click.echo(f"  Spearman {rho}")
    click.echo(f"  Kendall tau {tau}")


def _spread(values: list[float]) -> str:
    listing = " ".join(f"{value:.4f}" for value in values)
    return f"{mean(values):.4f} +- {stdev(values):.4f} ({listing})"


if __name__ == "__main__":
    main()

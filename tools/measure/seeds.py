"""Report how well a predictor ranks, and its scatter between seeds.

    uv run --all-groups python -m tools.measure.seeds --preset snap --schedule full
    uv run --all-groups python -m tools.measure.seeds --preset paper --schedule short

Takes six minutes a seed on one core (`paper` one); a stopped run goes on at the seed it was at.
"""

from pathlib import Path
from statistics import mean, stdev

import click
from snap_gcn.model.recipe import PRESETS

from tools.pipeline import Figures, fit, measure, prepare


@click.command()
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option("--preset", default="snap", show_default=True, type=click.Choice(list(PRESETS)))
@click.option("--schedule", default="full", show_default=True, type=click.Choice(["full", "short"]))
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(min=2))
def main(work: Path, preset: str, schedule: str, seeds: int) -> None:
    """Train on NAS-Bench-101 once per seed, and rank the other benchmarks."""
    prepare(work)
    models = [
        fit(work, f"{preset}-{schedule}-{seed}", preset, schedule, seed) for seed in range(seeds)
    ]
    rows = [measure(work, model) for model in models]
    for same in zip(*rows, strict=True):
        _report(list(same))


def _report(same: list[Figures]) -> None:
    first = same[0]
    rho = _spread([figures.spearman for figures in same])
    tau = _spread([figures.kendall_tau_b for figures in same])
    click.echo(f"{first.benchmark} {first.metric} ({first.role}, {first.n:,} cells):")
    click.echo(f"  Spearman {rho}")
    click.echo(f"  Kendall tau {tau}")


def _spread(values: list[float]) -> str:
    listing = " ".join(f"{value:.4f}" for value in values)
    return f"{mean(values):.4f} +- {stdev(values):.4f} ({listing})"


if __name__ == "__main__":
    main()

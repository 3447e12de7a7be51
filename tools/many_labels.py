"""Compare an adapted predictor with networks that are trained on as many labels.

    uv run --all-groups tools/many_labels.py

Draws 2,000 cells of NAS-Bench-201, adapts `snap` to their CIFAR-10 test accuracy, trains both
presets on the same cells alone (`snap-gcn fit`), and prints Spearman's rho on the others. Takes
minutes.
"""

import tempfile
from pathlib import Path

import click
import numpy as np
import printed
from pipeline import prepare_develop, run
from populations import BENCHMARKS
from snap_catalog.parquet import read, write
from snap_eval import spearman
from snap_gcn import Predictor
from snap_gcn.adaptation.adapt import adapted
from snap_gcn.adaptation.measured import Labels

PRESETS = {"snap": "snap-minilm", "paper": "all-MiniLM-L6-v2"}
"""And the sentence encoder of each."""


@click.command()
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option("--count", default=2000, show_default=True, type=click.IntRange(min=10))
@click.option("--seed", default=0, show_default=True)
def main(work: Path, count: int, seed: int) -> None:
    """Print a table, a row for each way to learn."""
    prepare_develop(work)
    (metric,) = BENCHMARKS["nb201"]
    table = read(work / "nb201.parquet", "graphs")
    order = np.random.default_rng(seed).permutation(table.num_rows)
    drawn, rest = table.take(order[:count]), table.take(order[count:])
    measured = rest[metric].to_numpy()
    labels = Labels(metric, "max", np.arange(count), drawn[metric].to_numpy())
    model = adapted(Predictor.bundled(), drawn, labels, "adapted", "nb201").model
    scorers = {"`snap`": Predictor.bundled(), f"`snap`, adapted to {count:,}": Predictor(model)}
    with tempfile.TemporaryDirectory() as name:
        write(drawn, Path(name) / "drawn.parquet", "graphs", producer="snap-graphs")
        for preset, encoder in PRESETS.items():
            vectors = (work / f"operators-{encoder}.parquet").absolute()
            fit = ["snap-gcn", "fit", "drawn.parquet", "--operators", str(vectors)]
            command = [*fit, "--metric", metric, "--preset", preset, "--out", preset]
            trained = run(Path(name), preset, [*command, "--seed", str(seed)])
            scorers[f"`fit --preset {preset}`"] = Predictor.load(trained)
    rows = [
        [way, f"{spearman(scorer.score(rest), measured):.3f}"] for way, scorer in scorers.items()
    ]
    click.echo(printed.table(["", "Spearman"], rows))


if __name__ == "__main__":
    main()

"""Train the predictors that snap-gcn bundles, measure them, and put them into the package.

    uv run --all-groups python -m tools.train.bundled

Takes about half an hour on one core; a stopped run goes on after its last epoch. After a change of
the catalogued operators, a further run keeps the trained weights and renews the vectors alone.
"""

from dataclasses import replace
from pathlib import Path

import click
import pyarrow as pa
from msgspec import structs
from snap_encode import catalog_table, operator_table
from snap_gcn.model.folder import load, save
from snap_gcn.model.recipe import BUNDLED
from snap_gcn.model.schema import Measured
from snap_graphs.networks import common_operators

from tools.pipeline import DATA, ENCODERS, ROOT, fit, measure, prepare
from tools.train.calibrate import calibrated

BUNDLE = ROOT / "packages/snap-gcn/src/snap_gcn/bundle"


def known_operators(encoder: str) -> pa.Table:
    """Encode the catalogued operators, and those that most whole networks are made of."""
    catalogued = catalog_table(model=encoder)
    common = operator_table(common_operators(), model=encoder)
    return pa.concat_tables([catalogued, common.cast(catalogued.schema)])


@click.command()
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
def main(work: Path) -> None:
    """Train on NAS-Bench-101's training cells, full schedule, seed 0."""
    click.echo(f"benchmark tables from {DATA}")
    prepare(work)
    for name in BUNDLED:
        model = load(fit(work, name, name, "full", seed=0))
        measured = [Measured(**figures._asdict()) for figures in measure(work, work / name)]
        config = structs.replace(model.config, measured=measured)
        operators = known_operators(ENCODERS[name])
        save(calibrated(replace(model, config=config, operators=operators), work), BUNDLE / name)
        click.echo((BUNDLE / name / "README.md").read_text("utf-8"))


if __name__ == "__main__":
    main()

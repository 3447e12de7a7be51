"""`snap-gcn adapt`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from snap_catalog.console import say

from snap_gcn.commands.options import FEATURES, FILE, MODEL_HELP, QUIET, needed
from snap_gcn.model.recipe import BUNDLED

if TYPE_CHECKING:
    from snap_catalog.catalog import Direction


@click.command()
@click.argument("graphs", type=FILE)
@click.option("--metric", required=True, help="What was measured; part of a column's name will do.")
@click.option(
    "--measured",
    type=FILE,
    help="CSV or Parquet file of measurements with a column arch_id. Default: those in GRAPHS.",
)
@click.option(
    "--direction",
    type=click.Choice(["max", "min"]),
    help="Whether more or less of the metric is better. Default: as the file or catalog says.",
)
@FEATURES
@click.option("--model", default=BUNDLED[0], show_default=True, help=MODEL_HELP)
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Model folder to write.",
)
@QUIET
def adapt(
    graphs: str,
    metric: str,
    measured: str | None,
    direction: "Direction | None",
    features: tuple[str, ...],
    model: str,
    out: Path,
    quiet: bool,
) -> None:
    """Adapt a predictor to what you measured of some architectures of GRAPHS.

    The rest of GRAPHS says what architectures there are. The result is a model folder that
    `snap-gcn predict` and `snap-evo` take as any other. From 2 to 5,000 measurements are used.
    """
    from snap_catalog.metrics import fitting_metrics, resolve_metric
    from snap_catalog.parquet import column_names, read

    from snap_gcn.adaptation.adapt import adapted
    from snap_gcn.adaptation.given import Given
    from snap_gcn.adaptation.measured import in_file, in_table
    from snap_gcn.engines import present
    from snap_gcn.model.folder import check_free, save
    from snap_gcn.predictor import Predictor

    check_free(out)
    names = column_names(graphs)
    if measured is None:
        metric = resolve_metric(metric, names, source=graphs)
    table = read(graphs, "graphs", [*present(graphs), *fitting_metrics(metric, names)])
    labels = (
        in_file(table, metric, direction, measured)
        if measured
        else in_table(table, metric, direction, graphs)
    )
    with needed("adapt", "adapt"):
        given = Given.read(features)
        found = adapted(Predictor.load(model), table, labels, out.name, graphs, given)
    save(found.model, out)
    say(f"{out}: {found}", quiet=quiet)

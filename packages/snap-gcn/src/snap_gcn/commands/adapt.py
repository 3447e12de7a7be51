"""`snap-gcn adapt`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from snap_catalog.cli import FILE, out_option, quiet_option
from snap_catalog.console import say

from snap_gcn.commands.options import features_option, model_option, needed

if TYPE_CHECKING:
    from snap_catalog.catalog import Direction


@click.command()
@click.argument("graphs", type=FILE)
@click.option("--metric", required=True, help="The metric measured; part of its name will do.")
@click.option(
    "--measured",
    type=FILE,
    help="CSV or Parquet file of measurements with a column arch_id. Default: those in GRAPHS.",
)
@click.option(
    "--direction",
    type=click.Choice(["max", "min"]),
    help="Whether higher or lower values are better. Default: from the file or the catalog.",
)
@features_option
@model_option
@out_option(kind="folder", what="Model folder")
@quiet_option
def adapt(
    graphs: Path,
    metric: str,
    measured: Path | None,
    direction: "Direction | None",
    features: tuple[Path, ...],
    model: str,
    out: Path,
    quiet: bool,
) -> None:
    """Adapt a predictor to your measurements of some architectures of GRAPHS.

    GRAPHS lists all architectures that you consider. The result is a model folder for `snap-gcn
    predict` and `snap-evo`. Between 2 and 5,000 measurements are needed.
    """
    from snap_catalog.metrics import fitting_metrics, resolve_metric
    from snap_catalog.parquet import column_names, read

    from snap_gcn.adaptation.adapt import adapted
    from snap_gcn.adaptation.measurements import in_file, in_table
    from snap_gcn.adaptation.other_scores import OtherScores
    from snap_gcn.engines import columns_to_read
    from snap_gcn.model.folder import check_free, save
    from snap_gcn.predictor import Predictor

    check_free(out)
    names, source = column_names(graphs), str(graphs)
    if measured is None:
        metric = resolve_metric(metric, names, source=source)
    table = read(graphs, "graphs", [*columns_to_read(graphs), *fitting_metrics(metric, names)])
    measurements = (
        in_file(table, metric, direction, str(measured))
        if measured
        else in_table(table, metric, direction, source)
    )
    with needed("adapt", "adapt"):
        other_scores = OtherScores.read(features)
        predictor = Predictor.load(model)
        found = adapted(predictor, table, measurements, out.name, source, other_scores)
    save(found.model, out)
    say(f"{out}: {found}", quiet=quiet)

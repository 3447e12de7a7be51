"""`snap-gcn predict`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from snap_catalog.cli import FILE, json_option, out_option, quiet_option
from snap_catalog.console import progress, say

from snap_gcn.commands.options import device_option, features_option, model_option

if TYPE_CHECKING:
    from snap_gcn.engines import Engine


@click.command()
@click.argument("graphs", type=FILE)
@model_option
@click.option("--operators", type=FILE, help="Vectors of operators that the model does not know.")
@features_option
@out_option("scores.parquet")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Threads of this machine, or the workers of a Ray cluster.",
)
@device_option
@json_option
@quiet_option
def predict(
    graphs: Path,
    model: str,
    operators: Path | None,
    features: tuple[Path, ...],
    out: Path,
    engine: "Engine",
    device: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Score every architecture of the Parquet file GRAPHS; higher is better.

    The first line of the report says whether to rely on the ranking, the others say why.
    """
    from snap_catalog.parquet import check_writable, read
    from snap_catalog.streams import Stream

    from snap_gcn.adaptation.other_scores import OtherScores
    from snap_gcn.data.encoders import with_meaning
    from snap_gcn.data.vocabulary import UnknownOperatorError
    from snap_gcn.engines import predict_file
    from snap_gcn.predictor import Predictor
    from snap_gcn.reliability.trust import assess_files

    check_writable(out, "scores")
    total = Stream(graphs, "graphs", ["space", "arch_id"]).num_rows
    predictor = Predictor.load(model, device)
    if operators is not None:
        predictor = predictor.with_operators(read(operators, "operators"), str(operators))
    if features:
        source = ", ".join(map(str, features))
        predictor = predictor.with_scores(OtherScores.read(features), source)
    try:
        with progress("architectures scored", total, quiet=quiet) as advance:
            predict_file(predictor, graphs, out, advance, engine)
    except UnknownOperatorError as error:
        raise with_meaning(error, predictor.model.config.encoder) from None
    trust = assess_files(predictor, graphs, out)
    say(f"{out}: {total:,} architectures scored by {predictor.name}", quiet=quiet)
    say(str(trust), quiet=quiet or as_json)
    if as_json:
        click.echo(json.dumps({"scores": str(out), "scorer": predictor.name, **trust.as_dict()}))

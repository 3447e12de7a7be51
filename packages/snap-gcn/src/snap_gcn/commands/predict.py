"""`snap-gcn predict`."""

import json
from typing import TYPE_CHECKING

import click
from snap_catalog.console import progress, say

from snap_gcn.commands.options import DEVICE, FEATURES, FILE, MODEL_HELP, QUIET
from snap_gcn.model.recipe import BUNDLED

if TYPE_CHECKING:
    from snap_gcn.engines import Engine
    from snap_gcn.predictor import Predictor


@click.command()
@click.argument("graphs", type=FILE)
@click.option("--model", default=BUNDLED[0], show_default=True, help=MODEL_HELP)
@click.option("--operators", type=FILE, help="Vectors of operators that the model does not know.")
@FEATURES
@click.option(
    "-o", "--out", type=FILE, default="scores.parquet", show_default=True, help="File to write."
)
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Threads of this machine, or the workers of a Ray cluster.",
)
@DEVICE
@click.option("--json", "as_json", is_flag=True, help="Print how far to trust the ranking as JSON.")
@QUIET
def predict(
    graphs: str,
    model: str,
    operators: str | None,
    features: tuple[str, ...],
    out: str,
    engine: "Engine",
    device: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Score every architecture of the Parquet file GRAPHS; higher is better.

    Says in one line whether to rely on the ranking, and why in the lines after it.
    """
    from snap_catalog.parquet import check_writable
    from snap_catalog.streams import Stream

    from snap_gcn.adaptation.given import Given
    from snap_gcn.data.encoders import with_meaning
    from snap_gcn.data.vocabulary import UnknownOperatorError
    from snap_gcn.engines import predict_file
    from snap_gcn.reliability.trust import assess_files

    check_writable(out, "scores")
    total = Stream(graphs, "graphs", ["space", "arch_id"]).num_rows
    predictor = _predictor(model, operators, device)
    if features:
        predictor = predictor.with_scores(Given.read(features), ", ".join(features))
    try:
        with progress("architectures scored", total, quiet=quiet) as advance:
            predict_file(predictor, graphs, out, advance, engine)
    except UnknownOperatorError as error:
        raise with_meaning(error, predictor.model.config.encoder) from None
    trust = assess_files(predictor, graphs, out)
    say(f"{out}: {total:,} architectures scored by {predictor.name}", quiet=quiet)
    say(str(trust), quiet=quiet or as_json)
    if as_json:
        click.echo(json.dumps({"scores": out, "scorer": predictor.name, **trust.as_dict()}))


def _predictor(model: str, operators: str | None, device: str) -> "Predictor":
    from snap_catalog.parquet import read

    from snap_gcn.predictor import Predictor

    predictor = Predictor.load(model, device)
    if operators is None:
        return predictor
    return predictor.with_operators(read(operators, "operators"), operators)

"""Trace published networks, and compare what is counted with what their libraries publish.

    uv run --all-groups python -m tools.measure.tracing timm timm.parquet
    uv run --all-groups python -m tools.measure.tracing torchvision torchvision.parquet

The files hold the graphs with the networks' accuracies on ImageNet; docs/networks.md has the
figures.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import numpy as np
from snap_catalog.console import progress, say
from snap_catalog.parquet import check_writable, write
from snap_graphs.networks import network_table
from snap_graphs.table import Metric, append_metric

from tools import printed
from tools.measure.tracing.measured import Measured, measure, share
from tools.measure.tracing.published import Published, timm_networks, torchvision_networks
from tools.pipeline import DATA

_ACCURACY = "imagenet-1k/valid/accuracy"
_out = click.argument("out", type=click.Path(dir_okay=False))


@click.group()
def main() -> None:
    """Trace published networks; every subcommand prints a Markdown table."""


@main.command()
@_out
@click.option(
    "--table",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=DATA / "timm_imagenet_develop.csv.gz",
    help="Networks of timm with what it publishes of them.",
)
def timm(out: str, table: Path) -> None:
    """Trace timm's networks into the Parquet file OUT."""
    _measure("timm", list(timm_networks(table)), out)


@main.command()
@_out
def torchvision(out: str) -> None:
    """Trace torchvision's classification networks into the Parquet file OUT."""
    _measure("torchvision", list(torchvision_networks()), out)


def _measure(space: str, networks: Sequence[Published], out: str) -> None:
    check_writable(out, "graphs")
    measured = list(_measured(networks))
    names = [m.published.name for m in measured]
    table = network_table(space, names, [m.network for m in measured])
    accuracy = np.array([m.published.accuracy for m in measured])
    table = append_metric(table, _ACCURACY, Metric(accuracy, "max", "percent"))
    write(table, out, "graphs", producer="snap-graphs")
    click.echo(printed.table(["of the networks", space], list(_rows(measured, len(networks)))))


def _measured(networks: Sequence[Published]) -> Iterator[Measured]:
    with progress("tracing", len(networks)) as advance:
        for network in networks:
            try:
                yield measure(network)
            except Exception as error:
                say(f"{network.name}: {type(error).__name__}: {str(error).splitlines()[:1]}")
            advance(1, network.name)


def _rows(measured: Sequence[Measured], count: int) -> Iterator[list[str]]:
    """Yield the table's rows, and report the networks that do not agree."""
    yield ["traced", share([True] * len(measured) + [False] * (count - len(measured)))]
    checks = {
        "parameters exact": ([m.exact for m in measured], measured),
        "multiply-adds within 2 %": ([m.flops_agree for m in measured], measured),
        "the same, normalisations counted as fvcore does": (
            [m.flops_agree_with_normalisations for m in measured],
            measured,
        ),
    }
    known = [m for m in measured if m.published.activations is not None]
    plain = [m for m in known if not m.attends]
    if known:
        checks["activations within 2 %"] = ([m.activations_agree for m in known], known)
        checks["the same, without attention"] = ([m.activations_agree for m in plain], plain)
    for title, (hits, of) in checks.items():
        yield [title, share(hits)]
        off = [m.published.name for m, hit in zip(of, hits, strict=True) if not hit]
        say(f"{title}, not: {', '.join(off) or 'none'}")
    export, rest = (sum(getattr(m, part) for m in measured) for part in ("export", "rest"))
    yield ["seconds of torch.export.export", f"{export / len(measured):.2f} a network"]
    yield ["the whole trace takes", f"{(export + rest) / export:.2f} times as long"]


if __name__ == "__main__":
    main()

"""`snap-evo export` and `snap-evo build`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from snap_catalog.cli import json_option, quiet_option
from snap_catalog.console import counted, say

from snap_evo.commands import options

if TYPE_CHECKING:
    from snap_graphs.torch.build import NetworkCosts, Size

    from snap_evo.architecture import Architecture


@click.command()
@options.best_argument
@options.best_space_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["native", "genotype", "json"]),
    default="native",
    show_default=True,
    help="The space's own string, the Genotype of the DARTS code base (darts, nds), or JSON with "
    "the graph.",
)
@click.option(
    "--draw", type=click.Path(dir_okay=False), help="Also draw it, to an SVG or PNG file."
)
def export(best: str, space: str | None, form: str, draw: str | None) -> None:
    """Print the architecture of the file BEST (best.json) for other programs."""
    from snap_graphs.drawing import draw_architecture

    from snap_evo.architecture import as_genotype, as_json, read_architecture

    if draw is not None and Path(draw).suffix not in (".svg", ".png"):
        raise click.UsageError(f"{draw}: name a file that ends in .svg or .png")
    architecture = read_architecture(best, space)
    forms = {"native": lambda found: found.arch_id, "genotype": as_genotype, "json": as_json}
    text = forms[form](architecture)
    if draw is not None:
        draw_architecture(architecture.space, architecture.cell, draw)
    click.echo(text)


@click.command()
@options.best_argument
@options.best_space_option
@options.size_options
@click.option("--classes", type=click.IntRange(1, 100_000), help="Outputs of the classifier.")
@options.code_option
@click.option("--auxiliary", is_flag=True, help="Add the auxiliary head (darts, nds).")
@click.option(
    "--onnx", type=click.Path(dir_okay=False), help="Write the untrained network to this ONNX file."
)
@json_option
@quiet_option
def build(
    best: str,
    space: str | None,
    size: dict[str, int | None],
    classes: int | None,
    allow_code: bool,
    auxiliary: bool,
    onnx: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Build the PyTorch network of the cell in the file BEST (best.json), and count its costs.

    The default sizes are those of the network that the space's benchmark trains, or of the skeleton
    of a TOML space. A forward and a backward pass check the network.
    """
    from snap_catalog.extras import require
    from snap_catalog.parquet import check_writable

    from snap_evo.architecture import read_architecture
    from snap_evo.onnx import write_onnx

    require("snap-evo[build]", "torch")
    from snap_graphs.torch.build import (
        architecture_size,
        build_network,
        count_costs,
        network_size,
        try_training,
    )

    if onnx is not None:
        require("snap-evo[build]", "onnxscript")
        check_writable(onnx)
    found = read_architecture(best, space, allow_code=allow_code)
    given = {**size, "classes": classes}
    if (own := found.search_space) is None:
        full_size = network_size(found.space, **given)
    else:
        full_size = architecture_size(own, found.cell, **given)
    network = build_network(own or found.space, found.arch_id, **given, auxiliary=auxiliary)
    costs, reached = count_costs(network, full_size.image), try_training(network, full_size)
    if onnx is not None:
        say(f"writing {onnx}, which may take a minute", quiet=quiet)
        write_onnx(network, onnx, full_size.image)
    shown = _json if as_json else _summary
    click.echo(shown(found, full_size, costs, reached, onnx))


def _json(
    found: "Architecture", size: "Size", costs: "NetworkCosts", reached: int, onnx: str | None
) -> str:
    content = {
        "space": found.space,
        "arch_id": found.arch_id,
        **size._asdict(),
        **costs._asdict(),
        "trained_params": reached,
        "onnx": onnx,
    }
    return json.dumps(content, indent=2)


def _summary(
    found: "Architecture", size: "Size", costs: "NetworkCosts", reached: int, onnx: str | None
) -> str:
    everything = costs.params + costs.auxiliary_params
    macro = found.space == "transnas-macro"
    classes = counted(size.classes, "class", "classes")
    parts = f"{counted(size.layers, 'block')} per module" if macro else counted(size.layers, "cell")
    lines = [
        ("cell", found.arch_id),
        (
            "network",
            f"{parts}, {size.channels} initial channels, {classes}, "
            f"images of {size.image} x {size.image}",
        ),
        ("parameters", f"{costs.params:,}"),
        *([("auxiliary", f"{costs.auxiliary_params:,} more")] if costs.auxiliary_params else []),
        ("multiply-adds", f"{costs.flops:,} of convolutions and linear layers, for one image"),
        ("activations", f"{costs.activations:,} output elements of these"),
        ("checked", f"forward and backward; a gradient reaches {reached:,} of {everything:,}"),
        *([("onnx", onnx)] if onnx else []),
    ]
    return "\n".join(f"{label:<15}{text}" for label, text in lines)

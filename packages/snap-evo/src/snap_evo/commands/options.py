"""Options that several commands take."""

import math
import shlex
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from snap_catalog.console import say

from snap_evo import defaults

if TYPE_CHECKING:
    from snap_graphs import Space

_FACTORS = {"k": 1e3, "M": 1e6, "G": 1e9}


def _amount(context: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    """Read a positive number with or without k, M or G behind it, as 600M."""
    if text is None:
        return None
    factor = _FACTORS.get(text[-1:])
    try:
        amount = float(text[:-1]) * factor if factor else float(text)
    except ValueError:
        amount = 0.0
    if not 0 < amount < math.inf:
        raise click.BadParameter(f"{text!r} is no amount; write it as 600M")
    return amount


def say_withheld(home: "Space", *, quiet: bool) -> None:
    """Say in a line that code which a space names is not imported, where that is so."""
    if home.withheld_code:
        say(home.withheld_code, quiet=quiet)


def code_flag(allowed: bool) -> str:
    """Return what a suggested command ends with, so that it may import the same code."""
    return " --allow-code" if allowed else ""


def given(aside: Collection[str]) -> str:
    """Return the running command as it was given, without the options of some names."""
    context = click.get_current_context()
    words = ["snap-evo", context.command.name or ""]
    for option in context.command.params:
        name = option.name or ""
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE and name not in aside:
            value = context.params[name]
            words += option.opts if value is True else [*option.opts, str(value)]
    return shlex.join(words)


class Finite(click.FloatRange):
    """A number within bounds that is neither infinite nor NaN."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read a number."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


COUNT = click.IntRange(1, 2**31 - 1)
"""Of candidates: their numbers in files have 32 bits."""
SEED = click.IntRange(0, defaults.MOST_SEED)

seed_option = click.option(
    "--seed",
    type=SEED,
    default=defaults.SEED,
    show_default=True,
    help="Seed of all randomness.",
)
table_option = click.option(
    "--table", type=click.Path(dir_okay=False), help="A graphs.parquet with metrics."
)
space_option = click.option(
    "--space",
    default=defaults.SPACE,
    show_default=True,
    help="A search space that snap-graphs knows, as nb201 or darts, or a TOML file (*.toml) that "
    "defines one.",
)
scorer_option = click.option(
    "--scorer",
    default=defaults.SCORER,
    show_default=True,
    help="gcn:MODEL (needs snap-gcn), params, flops, table:FILE:COLUMN, "
    "command:PROGRAM {input} {output}, or one of another package. MODEL is snap, paper or a model "
    "folder, FILE a graphs.parquet, COLUMN one of its metrics. gcn*0.7+params*0.3 adds up ranks.",
)
_LIMITS = {
    "--min-params": "Fewest parameters of a network, as 5M.",
    "--max-params": "Most parameters of a network, as 6M.",
    "--max-flops": "Most multiply-adds for one image, as 600M.",
    "--max-activations": "Most elements that convolutions and linear layers put out for one image, "
    "as 8M.",
}


def _maxima(
    context: click.Context, parameter: click.Parameter, entries: tuple[str, ...]
) -> dict[str, float]:
    """Read highest values by name, each as NAME=VALUE."""
    maxima: dict[str, float] = {}
    for entry in entries:
        name, _, number = entry.rpartition("=")
        most = _amount(context, parameter, number)
        if not name or "," in name or "=" in name or most is None or name in maxima:
            raise click.BadParameter(f"{entry!r} is no limit; write each once, as depth=10")
        maxima[name] = most
    return maxima


maxima_option = click.option(
    "--max",
    "maxima",
    multiple=True,
    callback=_maxima,
    metavar="NAME=VALUE",
    help="Most of a cost (params, flops, activations, depth), of a metric of --table, as "
    "hw/edgegpu/latency_ms=4, or, with --measure, of what is measured beside the metric. May be "
    "repeated.",
)


def limit_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the limits, and the network whose costs they are of."""
    network = click.option(
        "--network",
        help="Whose costs count: imagenet, for darts, is 14 cells of 48 "
        "channels first on images of 224 x 224. Default: what the space's benchmark trains.",
    )
    command = network(command)
    for name, text in reversed(_LIMITS.items()):
        command = click.option(name, callback=_amount, metavar="AMOUNT", help=text)(command)
    return command


code_option = click.option(
    "--allow-code",
    is_flag=True,
    help="Import, and so run, the code that a TOML space names for its operators; costs, limits "
    "and networks of that space need it.",
)
best_argument = click.argument("best")
best_space_option = click.option(
    "--space", help="Read BEST as a string of this space instead of as a file."
)
_SIZES = {
    "--layers": ("layers", click.IntRange(1, 200), "Number of cells."),
    "--channels": ("channels", click.IntRange(8, 4096), "Channels of the first cells."),
    "--input": (
        "image",
        click.IntRange(8, 1024),
        "Side of the images in pixels; with darts and nds, 64 and more bring the ImageNet stem.",
    ),
}


def size_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the numbers that a skeleton leaves open, but for that of the classes."""
    for option, (name, kind, text) in reversed(_SIZES.items()):
        command = click.option(option, name, type=kind, help=text)(command)
    return command


time_limit_option = click.option(
    "--time-limit",
    type=Finite(min=0, min_open=True, max=defaults.LONGEST),
    metavar="SECONDS",
    help="Stop after so long; a scorer still at work is not waited for.",
)
engine_option = click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Where the work is done: this machine, or the workers of a Ray cluster "
    "(needs snap-evo[ray]).",
)


def jobs_option(what: str) -> Callable[..., Any]:
    """Make the option for how many searches or networks are worked on at a time."""
    return click.option(
        "--jobs",
        type=click.IntRange(min=1),
        help=f"{what} at a time, each in a process of its own. Default: one a processor.",
    )


def check_jobs(jobs: int | None, engine: str) -> None:
    """Refuse a number of processes where Ray decides."""
    if jobs is not None and engine != "local":
        raise click.UsageError("--jobs goes with --engine local; Ray shares out the work itself.")


out_option = click.option(
    "--out", default=".", show_default=True, type=click.Path(), help="Folder for the files."
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON instead of the summary."
)
quiet_option = click.option("--quiet", is_flag=True, help="Show no progress.")

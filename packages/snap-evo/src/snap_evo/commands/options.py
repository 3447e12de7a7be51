"""Options that several commands take."""

import math
import shlex
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from snap_catalog import SnapError
from snap_catalog.cli import json_option, out_option, quiet_option
from snap_catalog.console import say

from snap_evo import defaults
from snap_evo.engines import ENGINES, EngineOptions
from snap_evo.search_options import SearchOptions

if TYPE_CHECKING:
    from snap_graphs import Space

Decorator = Callable[[Callable[..., None]], Callable[..., None]]
_FACTORS = {"k": 1e3, "M": 1e6, "G": 1e9}


def together(name: str, kind: Callable[..., Any], *options: Decorator) -> Decorator:
    """Return a decorator that adds options to a command, which receives them as one object.

    Args:
        name: the command's parameter.
        kind: makes the object of the options' values by name.
        options: the options.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def collected(**values: Any) -> None:
            given = {each: values.pop(each) for each in names}
            command(**values, **{name: kind(**given)})

        known = len(getattr(command, "__click_params__", ()))
        for option in reversed(options):
            option(collected)
        names = [each.name for each in vars(collected)["__click_params__"][known:]]
        return collected

    return decorate


def _amount(context: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    """Read a positive number, optionally with the suffix k, M or G, such as 600M."""
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


def say_withheld(space: "Space", *, quiet: bool) -> None:
    """Print that code which a space names is not imported, if so."""
    if space.withheld_code:
        say(space.withheld_code, quiet=quiet)


def code_flag(allowed: bool) -> str:
    """Return the end of a suggested command, so that it may import the same code."""
    return " --allow-code" if allowed else ""


@contextmanager
def say_if_ended(
    message: Callable[[], str], by: tuple[type[BaseException], ...] = (SnapError, KeyboardInterrupt)
) -> Iterator[None]:
    """Print a message, unless it is empty, if an exception ends the block early."""
    try:
        yield
    except by:
        if text := message():
            say(text)
        raise


def given(aside: Collection[str]) -> str:
    """Return the running command line, without the options of some names."""
    context = click.get_current_context()
    words = ["snap-evo", context.command.name or ""]
    for option in context.command.params:
        name = option.name or ""
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE and name not in aside:
            value = context.params[name]
            words += option.opts if value is True else [*option.opts, str(value)]
    return shlex.join(words)


class Finite(click.FloatRange):
    """A finite number within bounds."""

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
"""Of candidates, which files number with 32 bits."""

table_option = click.option(
    "--table", type=click.Path(dir_okay=False), help="A graphs.parquet with metrics."
)
space_option = click.option(
    "--space",
    default=defaults.SPACE,
    show_default=True,
    help="The search space: a name, such as nb201 or darts, or a TOML file (*.toml) of your own.",
)
scorer_option = click.option(
    "--scorer",
    default=defaults.SCORER,
    show_default=True,
    help="What rates cells: gcn:MODEL (needs snap-gcn), params, flops, table:FILE:COLUMN, "
    "command:PROGRAM {input} {output}, proxy:NAME (needs snap-evo[proxies]), or one of another "
    "package. MODEL is snap, paper or a model folder, FILE a graphs.parquet, COLUMN one of its "
    "metrics. gcn*0.7+params*0.3 adds up weighted ranks.",
)


def _limit(name: str, text: str) -> Decorator:
    return click.option(name, callback=_amount, metavar="AMOUNT", help=text)


def _maxima(
    context: click.Context, parameter: click.Parameter, entries: tuple[str, ...]
) -> str | None:
    """Check highest values, each as NAME=VALUE, and return them separated by commas."""
    maxima: dict[str, float] = {}
    for entry in entries:
        name, _, number = entry.rpartition("=")
        most = _amount(context, parameter, number)
        if not name or "," in name or "=" in name or most is None or name in maxima:
            raise click.BadParameter(f"{entry!r} is no limit; write each once, such as depth=10")
        maxima[name] = most
    return ",".join(f"{name}={most!r}" for name, most in maxima.items()) or None


maxima_option = click.option(
    "--max",
    "most",
    multiple=True,
    callback=_maxima,
    metavar="NAME=VALUE",
    help="Highest value of a cost (params, flops, activations, depth), of a metric of --table, "
    "such as hw/edgegpu/latency_ms=4, or, with --measure, of a cost that is measured with the "
    "metric. May be repeated.",
)


def search_options(*further: Decorator) -> Decorator:
    """Return a decorator that adds space, scorer, limits and further options as `search`."""
    return together(
        "search",
        SearchOptions,
        space_option,
        scorer_option,
        *further,
        _limit("--min-params", "Fewest parameters of a network, such as 5M."),
        _limit("--max-params", "Most parameters of a network, such as 6M."),
        _limit("--max-flops", "Most multiply-adds for one image, such as 600M."),
        _limit(
            "--max-activations",
            "Most output elements of convolutions and linear layers for one image, such as 8M.",
        ),
        click.option(
            "--network",
            help="The network whose costs count: imagenet, for darts, has 14 cells, 48 initial "
            "channels and images of 224 x 224. Default: the network of the space's benchmark.",
        ),
    )


def with_space(search: SearchOptions, *, allow_code: bool) -> "tuple[SearchOptions, Space]":
    """Return the options with the definition of a TOML space, and the space itself."""
    from msgspec import structs
    from snap_graphs import space as find
    from snap_graphs.spaces.custom import DEFINITION

    space = find(search.space, allow_code=allow_code)
    return structs.replace(search, definition=space.metadata.get(DEFINITION)), space


code_option = click.option(
    "--allow-code",
    is_flag=True,
    help="Import, and so run, the code that a TOML space names for its operators; its costs, "
    "limits and networks need that code.",
)
best_argument = click.argument("best")
best_space_option = click.option(
    "--space", help="Read BEST as a string of this space instead of as a file."
)
size_options = together(
    "size",
    dict,
    click.option("--layers", type=click.IntRange(1, 200), help="Number of cells."),
    click.option("--channels", type=click.IntRange(8, 4096), help="Channels of the first cells."),
    click.option(
        "--input",
        "image",
        type=click.IntRange(8, 1024),
        help="Side of the images in pixels; with darts and nds, 64 or more adds the ImageNet stem.",
    ),
)
"""Adds `size`: by name the sizes of a network that a skeleton leaves open, except its classes."""
time_limit_option = click.option(
    "--time-limit",
    type=Finite(min=0, min_open=True, max=defaults.LONGEST),
    metavar="SECONDS",
    help="Stop after this time, without waiting for a scorer that is still running.",
)
_engine_option = click.option(
    "--engine",
    type=click.Choice([*ENGINES]),
    default="local",
    show_default=True,
    help="Where the work is done: local is this machine, ray the workers of a Ray cluster "
    "(needs snap-evo[ray]).",
)


def _with_jobs(engine: str, workers: int | None) -> EngineOptions:
    """Return the options, unless they give a number of processes although Ray decides it."""
    if workers is not None and engine != "local":
        raise click.UsageError("--jobs goes with --engine local; Ray distributes the work itself.")
    return EngineOptions(engine, workers)


def jobs_options(what: str) -> Decorator:
    """Return a decorator that adds `engine`: where, and how many searches or networks at a time."""
    jobs = click.option(
        "--jobs",
        "workers",
        type=click.IntRange(min=1),
        help=f"{what} at a time, each in its own process. Default: one per processor.",
    )
    return together("engine", _with_jobs, jobs, _engine_option)


measuring_engine_options = together(
    "engine",
    EngineOptions,
    click.option(
        "--workers",
        type=click.IntRange(1, 1024),
        default=1,
        show_default=True,
        help="Measurements at a time.",
    ),
    click.option(
        "--gpus-per-measurement",
        "gpus",
        type=Finite(min=0, max=1024),
        default=0.0,
        help="Graphics cards that each measurement needs, with --engine ray.",
    ),
    _engine_option,
)


@dataclass(frozen=True)
class Output:
    """The output of a command.

    Attributes:
        out: folder for the files.
        as_json: print JSON instead of the summary.
        quiet: show no progress.
    """

    as_json: bool
    quiet: bool
    out: Path


output_options = together(
    "output", Output, out_option(".", kind="folder"), json_option, quiet_option
)

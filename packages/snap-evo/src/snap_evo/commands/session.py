"""`snap-evo start`, `snap-evo ask` and `snap-evo tell`: a search whose user measures."""

from pathlib import Path

import click
from snap_catalog.cli import json_option, quiet_option, seed_option
from snap_catalog.console import counted, say

from snap_evo import defaults
from snap_evo.commands import measuring, options
from snap_evo.search_options import SearchOptions

_FOLDER = click.argument("folder", type=click.Path(file_okay=False))


@click.command()
@_FOLDER
@options.search_options(options.table_option, options.maxima_option, seed_option)
@click.option("--metric", required=True, help="Name of what you measure, such as accuracy.")
@click.option(
    "--direction",
    type=click.Choice(["max", "min"]),
    required=True,
    help="Whether a higher (max) or lower (min) value of the metric is better.",
)
@measuring.surrogate_option
@click.option(
    "--algorithm",
    default=defaults.MEASURING_ALGORITHM,
    show_default=True,
    help="The algorithm that proposes architectures.",
)
@options.code_option
@quiet_option
def start(
    folder: str,
    search: SearchOptions,
    metric: str,
    direction: str,
    surrogate: str,
    algorithm: str,
    allow_code: bool,
    quiet: bool,
) -> None:
    """Begin, in FOLDER, a search whose architectures you measure yourself.

    Continue with snap-evo ask and snap-evo tell.
    """
    from snap_evo.measuring.session import Session
    from snap_evo.measuring.setup import Setup

    search, space = options.with_space(search, allow_code=allow_code)
    options.say_withheld(space, quiet=quiet)
    setup = search.extended(
        Setup, metric=metric, direction=direction, surrogate=surrogate, algorithm=algorithm
    )
    session = Session.start(folder, setup, allow_code=allow_code)
    for line in session.readings():
        say(line, quiet=quiet)
    flag = options.code_flag(allow_code)
    say(f"{folder} is ready; next: snap-evo ask {folder} -n 4{flag}", quiet=quiet)


@click.command()
@_FOLDER
@click.option(
    "-n",
    "count",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    help="Number of architectures.",
)
@click.option(
    "--pending",
    is_flag=True,
    help="Print the proposals that are not measured yet, instead of new ones.",
)
@click.option(
    "--modules",
    type=click.Path(file_okay=False),
    help="Also write to this folder, for each architecture, a graphs.parquet of one row and a "
    "Python file that builds the network.",
)
@options.code_option
@json_option
def ask(
    folder: str, count: int, pending: bool, modules: str | None, allow_code: bool, as_json: bool
) -> None:
    """Print the architectures to measure next in the session in FOLDER, as CSV.

    The CSV has an empty column for the metric: fill it in, and pass the file to snap-evo tell.
    """
    from snap_evo.measuring.by_hand import as_csv, as_json_text, write_modules
    from snap_evo.measuring.session import Session

    session = Session(folder, allow_code=allow_code)
    options.say_withheld(session.space, quiet=False)
    if pending:
        names = [asked.arch_id for asked in session.progress().pending]
    else:
        names = [found.arch_id for found in session.ask(count)]
    if not pending and len(names) < count:
        say(f"{len(names):,} of {count:,}: no further architecture is left to propose")
    if modules is not None:
        write_modules(session, names, Path(modules))
    click.echo(as_json_text(session, names) if as_json else as_csv(session, names), nl=False)


@click.command()
@_FOLDER
@click.argument("results", type=click.Path(dir_okay=False))
@click.option(
    "--repeat",
    is_flag=True,
    help="Record values of architectures that are already measured as further measurements.",
)
@options.code_option
@json_option
def tell(folder: str, results: str, repeat: bool, allow_code: bool, as_json: bool) -> None:
    """Record the measurements of the CSV file RESULTS in the session in FOLDER.

    Its columns are arch_id and the metric (or value), "failed" for a failed measurement, and, if
    needed, seconds, note and the costs that --max limits.
    """
    from snap_evo.measuring.by_hand import read_results
    from snap_evo.measuring.session import Session
    from snap_evo.measuring.session_files import check_replaceable

    session = Session(folder, allow_code=allow_code)
    check_replaceable(session.folder)
    found = read_results(session, Path(results), repeat=repeat)
    session.tell_all(found, repeat=repeat)
    say(f"{counted(len(found), 'measurement')} recorded")
    if session.progress().best is None:
        session.write_table()
        say("no measurement so far succeeded within the limits: there is no best one yet")
        return
    measuring.report(session, as_json=as_json)

"""`snap-evo start`, `snap-evo ask` and `snap-evo tell`: a search that the user measures for."""

from pathlib import Path

import click
from snap_catalog.console import counted, say

from snap_evo import defaults
from snap_evo.commands import measuring, options

_FOLDER = click.argument("folder", type=click.Path(file_okay=False))


@click.command()
@_FOLDER
@options.space_option
@click.option("--metric", required=True, help="Name of what you measure, as accuracy.")
@click.option(
    "--direction",
    type=click.Choice(["max", "min"]),
    required=True,
    help="Whether more or less of the metric is better.",
)
@options.scorer_option
@measuring.surrogate_option
@click.option(
    "--algorithm",
    default=defaults.MEASURING_ALGORITHM,
    show_default=True,
    help="What proposes architectures.",
)
@options.table_option
@options.limit_options
@options.maxima_option
@options.code_option
@options.seed_option
@options.quiet_option
def start(
    folder: str,
    space: str,
    metric: str,
    direction: str,
    scorer: str,
    surrogate: str,
    algorithm: str,
    table: str | None,
    min_params: float | None,
    max_params: float | None,
    max_flops: float | None,
    max_activations: float | None,
    network: str | None,
    maxima: dict[str, float],
    allow_code: bool,
    seed: int,
    quiet: bool,
) -> None:
    """Begin, in FOLDER, a search whose architectures you measure yourself.

    Go on with snap-evo ask and snap-evo tell.
    """
    from snap_graphs import space as find
    from snap_graphs.spaces.custom import DEFINITION

    from snap_evo.measuring.session import Session
    from snap_evo.measuring.setup import Setup
    from snap_evo.objectives import join_maxima

    home = find(space, allow_code=allow_code)
    options.say_withheld(home, quiet=quiet)
    setup = Setup(
        space=space,
        definition=home.metadata.get(DEFINITION),
        metric=metric,
        direction="min" if direction == "min" else "max",
        scorer=scorer,
        surrogate=surrogate,
        algorithm=algorithm,
        table=table,
        min_params=min_params,
        max_params=max_params,
        max_flops=max_flops,
        max_activations=max_activations,
        network=network,
        most=join_maxima(maxima),
        seed=seed,
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
    help="How many architectures.",
)
@click.option(
    "--pending",
    is_flag=True,
    help="Print what was asked for and is not measured yet, instead of asking for more.",
)
@click.option(
    "--modules",
    type=click.Path(file_okay=False),
    help="Also write, to this folder, of every architecture a graphs.parquet of one row and a "
    "Python file that builds its network.",
)
@options.code_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON with the graphs instead of CSV.")
def ask(
    folder: str, count: int, pending: bool, modules: str | None, allow_code: bool, as_json: bool
) -> None:
    """Print what to measure next in the session in FOLDER.

    The CSV has an empty column for the metric: fill it in, and give the file to snap-evo tell.
    """
    from snap_evo.measuring.by_hand import as_csv, as_json_text, write_modules
    from snap_evo.measuring.session import Session

    session = Session(folder, allow_code=allow_code)
    options.say_withheld(session.home, quiet=False)
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
    help="Take values of architectures that are measured already as further measurements.",
)
@options.code_option
@options.json_option
def tell(folder: str, results: str, repeat: bool, allow_code: bool, as_json: bool) -> None:
    """Record the measurements in the CSV file RESULTS in the session in FOLDER.

    Its columns: arch_id, and the metric (or value), "failed" where the measurement failed. Further
    ones are seconds, note and what --max limits.
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
        say("none so far worked and keeps to the limits: there is no best one yet")
        return
    measuring.report(session, as_json=as_json)

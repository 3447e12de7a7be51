"""The part of `snap-evo run` and `snap-evo resume` that measures, and options of sessions."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
from snap_catalog import SnapError
from snap_catalog.console import counted, say
from snap_catalog.console import progress as show_progress

from snap_evo import defaults
from snap_evo.commands import options

if TYPE_CHECKING:
    from snap_evo.measuring.interfaces import Measurer
    from snap_evo.measuring.session import Session
    from snap_evo.measuring.setup import Setup

surrogate_option = click.option(
    "--surrogate",
    default=defaults.SURROGATE,
    show_default=True,
    help="What learns from the measurements: gcn:MODEL (needs snap-gcn), or one of another "
    "package.",
)
_MEASURE = (
    click.option(
        "--measure",
        help="Search by measuring: command:PROGRAM {arch} {graph} {output}, table:FILE:COLUMN "
        "or train:DATA.",
    ),
    click.option(
        "--measurements",
        type=options.COUNT,
        help="Architectures to measure, with --measure.",
    ),
    click.option("--metric", help="Name of what is measured. Default: the measurer's."),
    click.option(
        "--direction",
        type=click.Choice(["max", "min"]),
        help="Whether more or less of the metric is better. Default: the measurer's.",
    ),
    surrogate_option,
)
_WORK = (
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
        type=options.Finite(min=0, max=1024),
        default=0.0,
        help="Graphics cards that each measurement needs, with --engine ray.",
    ),
)


def measure_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add what `run` is given to measure."""
    for option in reversed((*_MEASURE, *_WORK)):
        command = option(command)
    return command


def work_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add how measurements are carried out."""
    for option in reversed(_WORK):
        command = option(command)
    return command


class Work(NamedTuple):
    """How measurements are carried out, and shown."""

    engine: str
    workers: int
    gpus: float
    time_limit: float | None
    as_json: bool
    quiet: bool


def check_given(*, measures: bool, **given: object) -> None:
    """Refuse options that do not go with --measure, or that go only with it.

    Raises:
        click.UsageError: one was given; names it.
    """
    for name, value in given.items():
        if value:
            problem = "does not go with --measure" if measures else "goes only with --measure"
            raise click.UsageError(f"--{name.replace('_', '-')} {problem}.")


def run_session(
    setup: "Setup", folder: str, work: Work, measurer: "Measurer", *, allow_code: bool
) -> None:
    """Begin a session, and measure."""
    from snap_evo.measuring.session import Session
    from snap_evo.measuring.session_files import check_replaceable

    if Path(folder).exists():
        check_replaceable(Path(folder))
    _measure(Session.start(folder, setup, allow_code=allow_code), work, measurer, retry=False)


def resume_session(
    folder: str, measurements: int | None, work: Work, *, allow_code: bool, retry: bool
) -> None:
    """Go on measuring, until as many architectures are measured."""
    import msgspec

    from snap_evo.measuring.session import Session
    from snap_evo.measuring.setup import write_setup

    session = Session(folder, allow_code=allow_code)
    if measurements is not None and session.setup.measure is not None:
        session.setup = msgspec.structs.replace(session.setup, measurements=measurements)
        write_setup(session.setup, session.folder)
    _measure(session, work, None, retry=retry)


def _measure(session: "Session", work: Work, measurer: "Measurer | None", *, retry: bool) -> None:
    """Measure with a measurer, which the session's setup loads if it is not given.

    Raises:
        click.UsageError: the session is measured by hand.
        SnapError: its file lacks the number of measurements, or measuring failed.
    """
    from snap_evo.measuring.engines import Order, engine
    from snap_evo.measuring.loop import carry_out
    from snap_evo.measuring.session import Progress
    from snap_evo.measuring.setup import FILE

    setup = session.setup
    if setup.measure is None:
        raise click.UsageError(
            f"{session.folder} is measured by hand: go on with snap-evo ask and snap-evo tell."
        )
    if setup.measurements is None:
        raise SnapError(
            f"{session.folder / FILE}: measure is set, but measurements is null; give "
            "--measurements, the number of architectures to measure"
        )
    options.say_withheld(session.home, quiet=work.quiet)
    for line in session.readings():
        say(line, quiet=work.quiet)
    order = Order(setup.measure, setup, session.allow_code)
    done = session.progress().measured
    with (
        _keeping(session),
        engine(order, work.engine, work.workers, work.gpus, measurer) as machine,
        show_progress(
            f"measure {setup.space}", setup.measurements, done=done, quiet=work.quiet
        ) as advance,
    ):

        def after(progress: Progress) -> None:
            nonlocal done
            best = progress.best
            note = f"best {best.entry.value:.6g}" if best else "none worked yet"
            advance(max(progress.measured - done, 0), note)
            done = progress.measured

        stopped = carry_out(
            session,
            machine,
            measurements=setup.measurements,
            time_limit=work.time_limit,
            retry=retry,
            after=after,
        )
    report(session, as_json=work.as_json, stopped=stopped)


def report(session: "Session", *, as_json: bool, stopped: str = "") -> None:
    """Write a session's files, and print the summary, or `best.json`."""
    from snap_evo.measuring import session_files

    progress = session.progress()
    files = session_files.write_results(session, progress)
    best = session_files.best_of(session, progress)
    click.echo(
        session_files.as_json(session, progress, best).rstrip()
        if as_json
        else session_files.summary(session, progress, files, stopped)
    )


@contextmanager
def _keeping(session: "Session") -> Iterator[None]:
    """Say what is kept, and how to go on, where measuring ends early."""
    try:
        yield
    except (SnapError, KeyboardInterrupt):
        progress = session.progress()
        if progress.results or progress.pending:
            say(
                f"{counted(progress.measured, 'measurement')} kept; to go on: "
                f"snap-evo resume {session.folder}{options.code_flag(session.allow_code)}"
            )
        raise

"""The part of `snap-evo run` and `snap-evo resume` that measures, and options of sessions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from snap_catalog import SnapError
from snap_catalog.console import counted, say
from snap_catalog.console import progress as show_progress

from snap_evo import defaults
from snap_evo.commands import options
from snap_evo.engines import EngineOptions, start_engine
from snap_evo.search_options import SearchOptions

if TYPE_CHECKING:
    from snap_catalog.catalog import Direction

    from snap_evo.measuring.interfaces import Measurer
    from snap_evo.measuring.session import Session

surrogate_option = click.option(
    "--surrogate",
    default=defaults.SURROGATE,
    show_default=True,
    help="The surrogate that learns from measurements: gcn:MODEL (needs snap-gcn), counts (needs "
    "snap-evo[counts]), or one of another package.",
)


@dataclass(frozen=True)
class MeasureOptions:
    """What searches measure, and what learns from it.

    Attributes:
        measure: the measurer, as `load_measurer` reads it; None for a search by score.
        measurements: architectures that a search measures.
        surrogate: learns from measurements, as `load_surrogate` reads it.
        metric: name of what is measured; None for the measurer's.
        direction: `max` or `min`; None for the measurer's.
    """

    measure: str | None
    measurements: int | None
    surrogate: str
    metric: str | None = None
    direction: "Direction | None" = None


measure_options = options.together(
    "measure",
    MeasureOptions,
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
        help="Whether a higher (max) or lower (min) value of the metric is better. Default: the "
        "measurer's.",
    ),
    surrogate_option,
)


@dataclass(frozen=True)
class Work:
    """How a search is run and shown.

    Attributes:
        engine: where it scores or measures.
        time_limit: seconds after which no measurement begins, or scoring ends; None for no limit.
        output: folder of the search, and what is printed.
    """

    engine: EngineOptions
    time_limit: float | None
    output: options.Output


def check_given(*, measures: bool, **given: object) -> None:
    """Refuse options that do not go with --measure, or only with it."""
    for name, value in given.items():
        if value:
            problem = "does not go with --measure" if measures else "goes only with --measure"
            raise click.UsageError(f"--{name.replace('_', '-')} {problem}.")


def run_session(
    search: SearchOptions, algorithm: str, measure: MeasureOptions, work: Work, *, allow_code: bool
) -> None:
    """Begin a session, and measure."""
    from snap_evo.measuring.measurers import load_measurer
    from snap_evo.measuring.session import Session
    from snap_evo.measuring.session_files import check_replaceable
    from snap_evo.measuring.setup import Setup

    assert measure.measure is not None
    if measure.measurements is None:
        raise click.UsageError("--measure needs --measurements, how many to make.")
    search, space = options.with_space(search, allow_code=allow_code)
    measurer = load_measurer(measure.measure, space)
    setup = search.extended(
        Setup,
        algorithm=algorithm,
        metric=measure.metric or measurer.metric,
        direction=measure.direction or measurer.direction,
        measure=measure.measure,
        measurements=measure.measurements,
        surrogate=measure.surrogate,
    )
    folder = work.output.out
    if folder.exists():
        check_replaceable(folder)
    _measure(Session.start(folder, setup, allow_code=allow_code), work, measurer, retry=False)


def resume_session(measurements: int | None, work: Work, *, allow_code: bool, retry: bool) -> None:
    """Continue a session, perhaps with a new number of measurements."""
    from msgspec import structs

    from snap_evo.measuring.session import Session
    from snap_evo.measuring.setup import write_setup

    session = Session(work.output.out, allow_code=allow_code)
    if measurements is not None and session.setup.measure is not None:
        session.setup = structs.replace(session.setup, measurements=measurements)
        write_setup(session.setup, session.folder)
    _measure(session, work, None, retry=retry)


def _measure(session: "Session", work: Work, measurer: "Measurer | None", *, retry: bool) -> None:
    """Measure with a measurer, or, if it is None, with that of the session's setup.

    Raises:
        click.UsageError: the user measures for the session.
        SnapError: its file has no number of measurements, or measuring failed.
    """
    from snap_evo.measuring.engines import Order
    from snap_evo.measuring.loop import run_session
    from snap_evo.measuring.session import Progress
    from snap_evo.measuring.setup import FILE

    setup = session.setup
    if setup.measure is None:
        raise click.UsageError(
            f"{session.folder} is measured by hand: continue with snap-evo ask and snap-evo tell."
        )
    if setup.measurements is None:
        raise SnapError(
            f"{session.folder / FILE}: measure is set, but measurements is null; give "
            "--measurements, the number of architectures to measure"
        )
    options.say_withheld(session.space, quiet=work.output.quiet)
    for line in session.readings():
        say(line, quiet=work.output.quiet)
    order = Order(setup.measure, setup, session.allow_code)
    done = session.progress().measured
    with (
        options.say_if_ended(lambda: _kept(session)),
        start_engine(work.engine) as engine,
        engine.measuring(order, measurer) as machine,
        show_progress(
            f"measure {setup.space}", setup.measurements, done=done, quiet=work.output.quiet
        ) as advance,
    ):

        def after(progress: Progress) -> None:
            nonlocal done
            best = progress.best
            note = f"best {best.entry.value:.6g}" if best else "none succeeded yet"
            advance(max(progress.measured - done, 0), note)
            done = progress.measured

        stopped = run_session(
            session,
            machine,
            measurements=setup.measurements,
            time_limit=work.time_limit,
            retry=retry,
            after=after,
        )
    report(session, as_json=work.output.as_json, stopped=stopped)


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


def _kept(session: "Session") -> str:
    """Return what is kept of a session, and how to continue."""
    progress = session.progress()
    if not (progress.results or progress.pending):
        return ""
    return (
        f"{counted(progress.measured, 'measurement')} kept; to continue: "
        f"snap-evo resume {session.folder}{options.code_flag(session.allow_code)}"
    )

"""`snap-evo run` and `snap-evo resume`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from snap_catalog.cli import FOLDER, json_option, quiet_option, seed_option
from snap_catalog.console import progress

from snap_evo import defaults
from snap_evo.commands import measuring, options
from snap_evo.engines import EngineOptions, start_engine
from snap_evo.search_options import ScoredSearch, SearchOptions

if TYPE_CHECKING:
    import pyarrow as pa

    from snap_evo.candidates import Candidates
    from snap_evo.scorers import Scorer
    from snap_evo.search_files import Report
    from snap_evo.search_loop import SearchResult

_STARTED = time.perf_counter()


@click.command()
@options.search_options(
    click.option(
        "--objective",
        default="score",
        show_default=True,
        help="What to optimise, separated by commas: score, params, flops, activations, depth, or "
        "metrics of --table, such as latency:edgegpu. Costs are minimised; the direction of a "
        "metric is in the table. With --measure the search is for the metric, here called score, "
        "alone, and the front is of all objectives.",
    ),
    options.table_option,
    options.maxima_option,
    seed_option,
)
@click.option(
    "--algorithm",
    help="de (differential evolution), re (regularised evolution), ls (local search), nsga2, "
    f"random or exhaustive. Default: {defaults.ALGORITHM}; nsga2 for several objectives; "
    f"{defaults.MEASURING_ALGORITHM} with --measure.",
)
@options.code_option
@measuring.measure_options
@click.option(
    "--budget",
    type=options.COUNT,
    help="Number of candidates that the algorithm may propose. A cell that is proposed again "
    f"counts, but is not scored again. Default: {defaults.BUDGET:,}; for exhaustive the whole "
    "space.",
)
@click.option(
    "--patience",
    type=options.COUNT,
    help="Stop after this many candidates in a row without a better score.",
)
@options.time_limit_option
@options.measuring_engine_options
@options.output_options
def run(
    search: SearchOptions,
    algorithm: str | None,
    allow_code: bool,
    measure: measuring.MeasureOptions,
    budget: int | None,
    patience: int | None,
    time_limit: float | None,
    engine: EngineOptions,
    output: options.Output,
) -> None:
    """Search a space and report the best cell found.

    Writes search.parquet (every candidate), best.json and best.svg, and for several objectives
    front.parquet, front.svg and front.png. Equal options give equal search.parquet and best.json,
    apart from `seconds`.

    With --measure the search measures the cells that it proposes and learns from the results. It
    writes measurements.jsonl, measurements.parquet, best.json, best.svg and progress.svg.
    """
    work = measuring.Work(engine, time_limit, output)
    if measure.measure is not None:
        measuring.check_given(measures=True, budget=budget, patience=patience)
        chosen = algorithm or defaults.MEASURING_ALGORITHM
        measuring.run_session(search, chosen, measure, work, allow_code=allow_code)
        return
    measuring.check_given(
        measures=False,
        measurements=measure.measurements,
        metric=measure.metric,
        direction=measure.direction,
    )
    algorithm = algorithm or ("nsga2" if "," in search.objective else defaults.ALGORITHM)
    search, space = options.with_space(search, allow_code=allow_code)
    options.say_withheld(space, quiet=output.quiet)
    if budget is None:
        budget = space.count() if algorithm == "exhaustive" else defaults.BUDGET
    scored = search.extended(
        ScoredSearch, algorithm=algorithm, budget=budget, patience=patience, allow_code=allow_code
    )
    _search(scored, None, work)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--budget", type=options.COUNT, help="New budget. Default: the budget of the search.")
@click.option(
    "--measurements",
    type=options.COUNT,
    help="New number of architectures to measure. Default: the number of the search.",
)
@click.option(
    "--retry",
    is_flag=True,
    help="First repeat the measurements of architectures for which all measurements failed.",
)
@options.time_limit_option
@options.code_option
@options.measuring_engine_options
@json_option
@quiet_option
def resume(
    folder: Path,
    budget: int | None,
    measurements: int | None,
    retry: bool,
    time_limit: float | None,
    allow_code: bool,
    engine: EngineOptions,
    as_json: bool,
    quiet: bool,
) -> None:
    """Continue the search whose files are in FOLDER.

    The result is the same as without the interruption: the algorithm proposes the candidates in
    search.parquet again, but does not score them again. A search that measures keeps every
    measurement.
    """
    from msgspec import structs

    from snap_evo.measuring.setup import is_session
    from snap_evo.search_files import read_history

    work = measuring.Work(engine, time_limit, options.Output(as_json, quiet, folder))
    if is_session(folder):
        measuring.check_given(measures=True, budget=budget)
        measuring.resume_session(measurements, work, allow_code=allow_code, retry=retry)
        return
    measuring.check_given(measures=False, measurements=measurements, retry=retry)
    recorded, search = read_history(folder)
    search = structs.replace(search, budget=budget or search.budget, allow_code=allow_code)
    options.say_withheld(search.find_space(allow_code=allow_code), quiet=quiet)
    _search(search, recorded, work)


def _search(search: ScoredSearch, recorded: "pa.Table | None", work: measuring.Work) -> None:
    """Search, report and write the files."""
    from snap_evo import search_files

    folder, quiet = search_files.prepare(work.output.out), work.output.quiet
    done = 0 if recorded is None else recorded.num_rows
    with (
        start_engine(work.engine) as machine,
        search_files.keeping(search, folder) as keep,
        progress(f"search {search.space}", search.budget, done=done, quiet=quiet) as advance,
    ):
        scorer = machine.scorer(search.scorer)

        def after(candidates: "Candidates") -> None:
            nonlocal done
            keep(candidates)
            new = max(candidates.evaluations - done, 0)
            advance(new)
            done += new

        began = time.perf_counter()
        result = search.run(scorer, time_limit=work.time_limit, recorded=recorded, after=after)
        seconds = {
            "start-up": began - _STARTED,
            "scoring": result.scoring_seconds,
            "algorithm": time.perf_counter() - began - result.scoring_seconds,
        }
        found = _examine(result, search, scorer, seconds)
        with _timed("writing and drawing", seconds):
            files = search_files.write_results(found, folder)
            files += search_files.write_drawings(found, folder)
    shown = search_files.as_json(found).rstrip() if work.output.as_json else None
    click.echo(shown or search_files.summary(found, seconds, files))


def _examine(
    result: "SearchResult", search: ScoredSearch, scorer: "Scorer", seconds: dict[str, float]
) -> "Report":
    """Rank the best cell by score and by measured accuracy, or report how far to trust the rank."""
    from snap_catalog import SnapError

    from snap_evo.ranking import look_up_accuracy, rank_space
    from snap_evo.scorers import ask_trust
    from snap_evo.search_files import Report

    if result.out_of_time:  # the scorer may hang
        return Report(result, search, None, None, "the time limit ended the search")
    space = search.find_space(allow_code=search.allow_code)
    with _timed("ranking the space", seconds):
        predicted = rank_space(space, scorer)
    arch_id = str(result.best["arch_id"][0])
    with _timed("measured accuracies", seconds):
        try:
            measured = look_up_accuracy(result.space, arch_id, predicted, result.evaluations)
            return Report(result, search, predicted, measured)
        except SnapError as error:
            unmeasured = str(error)
    with _timed("trust", seconds):
        trust = ask_trust(scorer, space)
    return Report(result, search, predicted, None, unmeasured, trust)


@contextmanager
def _timed(part: str, seconds: dict[str, float]) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[part] = time.perf_counter() - began

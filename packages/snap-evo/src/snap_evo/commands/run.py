"""`snap-evo run` and `snap-evo resume`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from snap_catalog.console import progress

from snap_evo import defaults
from snap_evo.commands import measuring, options

if TYPE_CHECKING:
    import pyarrow as pa
    from snap_graphs import Space

    from snap_evo.candidates import Candidates
    from snap_evo.plan import Plan
    from snap_evo.report import Report
    from snap_evo.scorers import Scorer
    from snap_evo.search_loop import SearchResult

_STARTED = time.perf_counter()


@click.command()
@options.space_option
@options.scorer_option
@click.option(
    "--algorithm",
    help="de (differential evolution), re (regularised evolution), ls (local search), nsga2, "
    f"random or exhaustive. Default: {defaults.ALGORITHM}, nsga2 where there are several "
    f"objectives, {defaults.MEASURING_ALGORITHM} with --measure.",
)
@click.option(
    "--objective",
    default="score",
    show_default=True,
    help="What to optimise, with commas between: score, params, flops, activations, depth, or "
    "metrics of --table, as latency:edgegpu. All but score are lowered, metrics as the table says. "
    "With --measure score is the metric, alone searched for; the front is of all.",
)
@options.table_option
@options.limit_options
@options.maxima_option
@options.code_option
@measuring.measure_options
@click.option(
    "--budget",
    type=options.COUNT,
    help="Candidates the algorithm may propose. A cell proposed again counts, though it is not "
    f"scored again. Default: {defaults.BUDGET:,}, for exhaustive the whole space.",
)
@click.option(
    "--patience",
    type=options.COUNT,
    help="Stop when this many candidates in a row brought no better score.",
)
@options.time_limit_option
@options.engine_option
@options.seed_option
@options.out_option
@options.json_option
@options.quiet_option
def run(
    space: str,
    scorer: str,
    algorithm: str | None,
    objective: str,
    table: str | None,
    min_params: float | None,
    max_params: float | None,
    max_flops: float | None,
    max_activations: float | None,
    maxima: dict[str, float],
    allow_code: bool,
    network: str | None,
    measure: str | None,
    measurements: int | None,
    metric: str | None,
    direction: str | None,
    surrogate: str,
    workers: int,
    gpus: float,
    budget: int | None,
    patience: int | None,
    time_limit: float | None,
    engine: str,
    seed: int,
    out: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Search a space and report the best cell found.

    Writes search.parquet (every candidate), best.json and best.svg; of several objectives
    also front.parquet, front.svg and front.png. Equal options give equal
    search.parquet and best.json, once `seconds` is dropped from both.

    With --measure the cells proposed are measured, and what was measured decides what is proposed
    next: writes measurements.jsonl, measurements.parquet, best.json, best.svg and progress.svg.
    """
    from snap_graphs import space as find
    from snap_graphs.spaces.custom import DEFINITION

    from snap_evo.objectives import join_maxima
    from snap_evo.plan import Plan

    if measure is not None:
        from snap_evo.measuring.measurers import load_measurer
        from snap_evo.measuring.setup import Setup

        measuring.check_given(measures=True, budget=budget, patience=patience)
        if measurements is None:
            raise click.UsageError("--measure needs --measurements, how many to make.")
        home = find(space, allow_code=allow_code)
        measurer = load_measurer(measure, home)
        chosen = direction or measurer.direction
        setup = Setup(
            space=space,
            definition=home.metadata.get(DEFINITION),
            metric=metric or measurer.metric,
            direction="min" if chosen == "min" else "max",
            measure=measure,
            measurements=measurements,
            scorer=scorer,
            surrogate=surrogate,
            algorithm=algorithm or defaults.MEASURING_ALGORITHM,
            table=table,
            min_params=min_params,
            max_params=max_params,
            max_flops=max_flops,
            max_activations=max_activations,
            most=join_maxima(maxima),
            objective=objective,
            network=network,
            seed=seed,
        )
        work = measuring.Work(engine, workers, gpus, time_limit, as_json, quiet)
        measuring.run_session(setup, out, work, measurer, allow_code=allow_code)
        return
    measuring.check_given(
        measures=False, measurements=measurements, metric=metric, direction=direction
    )
    algorithm = algorithm or ("nsga2" if "," in objective else defaults.ALGORITHM)
    home = find(space, allow_code=allow_code)
    options.say_withheld(home, quiet=quiet)
    plan = Plan(
        space=space,
        scorer=scorer,
        algorithm=algorithm,
        budget=_budget(home, algorithm) if budget is None else budget,
        seed=seed,
        objective=objective,
        table=table,
        min_params=min_params,
        max_params=max_params,
        max_flops=max_flops,
        max_activations=max_activations,
        most=join_maxima(maxima),
        allow_code=allow_code,
        network=network,
        patience=patience,
        definition=home.metadata.get(DEFINITION),
    )
    _search(plan, out, None, time_limit=time_limit, engine=engine, as_json=as_json, quiet=quiet)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False))
@click.option(
    "--budget", type=options.COUNT, help="A new budget; the search's own where not given."
)
@click.option(
    "--measurements",
    type=options.COUNT,
    help="Architectures to measure, of a search that measures; the search's own where not given.",
)
@click.option(
    "--retry", is_flag=True, help="Measure those again first whose measurements all failed."
)
@measuring.work_options
@options.time_limit_option
@options.code_option
@options.engine_option
@options.json_option
@options.quiet_option
def resume(
    folder: str,
    budget: int | None,
    measurements: int | None,
    retry: bool,
    workers: int,
    gpus: float,
    allow_code: bool,
    time_limit: float | None,
    engine: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Go on with the search whose files are in FOLDER.

    It ends as if it had never stopped: what search.parquet holds is proposed again, but not
    scored again. Of a search that measures, every measurement made is kept.
    """
    from snap_evo.measuring.setup import is_session
    from snap_evo.search_files import read_history

    if is_session(folder):
        measuring.check_given(measures=True, budget=budget)
        work = measuring.Work(engine, workers, gpus, time_limit, as_json, quiet)
        measuring.resume_session(folder, measurements, work, allow_code=allow_code, retry=retry)
        return
    measuring.check_given(measures=False, measurements=measurements, retry=retry)
    recorded, plan = read_history(folder)
    budget = plan.budget if budget is None else budget
    plan = replace(plan, budget=budget, allow_code=allow_code)
    options.say_withheld(plan.home, quiet=quiet)
    _search(
        plan, folder, recorded, time_limit=time_limit, engine=engine, as_json=as_json, quiet=quiet
    )


def _budget(home: "Space", algorithm: str) -> int:
    """Return the default budget."""
    return home.count() if algorithm == "exhaustive" else defaults.BUDGET


def _search(
    plan: "Plan",
    out: str,
    recorded: "pa.Table | None",
    *,
    time_limit: float | None,
    engine: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Search, report and write the files."""
    from snap_evo import report, search_files

    folder = search_files.prepare(out)
    done = 0 if recorded is None else recorded.num_rows
    with (
        _judge(plan.scorer, engine) as judge,
        search_files.keeping(plan, folder) as keep,
        progress(f"search {plan.space}", plan.budget, done=done, quiet=quiet) as advance,
    ):

        def after(candidates: "Candidates") -> None:
            nonlocal done
            keep(candidates)
            new = max(candidates.evaluations - done, 0)
            advance(new)
            done += new

        began = time.perf_counter()
        result = plan.carry_out(judge, time_limit=time_limit, recorded=recorded, after=after)
        seconds = {
            "start-up": began - _STARTED,
            "scoring": result.scoring_seconds,
            "algorithm": time.perf_counter() - began - result.scoring_seconds,
        }
        found = _examine(result, plan, judge, seconds)
        with _timed("writing and drawing", seconds):
            files = search_files.write_results(found, folder) + search_files.write_drawings(
                found, folder
            )
    click.echo(report.as_json(found).rstrip() if as_json else report.summary(found, seconds, files))


@contextmanager
def _judge(scorer: str, engine: str) -> "Iterator[Scorer]":
    """Make the scorer, where the work is to be done."""
    from snap_evo import load_scorer

    if engine == "local":
        yield load_scorer(scorer)
        return
    from snap_evo.cluster import ClusterScorer, cluster

    with cluster() as processors:
        yield ClusterScorer(scorer, processors)


def _examine(
    result: "SearchResult", plan: "Plan", judge: "Scorer", seconds: dict[str, float]
) -> "Report":
    """Place the best cell in the space as scored and measured; or report how far to trust it."""
    from snap_catalog import SnapError

    from snap_evo.measured_accuracy import look_up_accuracy
    from snap_evo.random_cells import ask_trust
    from snap_evo.ranking import rank_space
    from snap_evo.report import Report

    if result.out_of_time:  # the scorer may hang
        return Report(result, plan, None, None, "the time limit ended the search")
    with _timed("ranking the space", seconds):
        predicted = rank_space(plan.home, judge)
    arch_id = str(result.best["arch_id"][0])
    with _timed("measured accuracies", seconds):
        try:
            measured = look_up_accuracy(result.space, arch_id, predicted, result.evaluations)
            return Report(result, plan, predicted, measured)
        except SnapError as error:
            unmeasured = str(error)
    with _timed("trust", seconds):
        trust = ask_trust(judge, plan.home)
    return Report(result, plan, predicted, None, unmeasured, trust)


@contextmanager
def _timed(part: str, seconds: dict[str, float]) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[part] = time.perf_counter() - began

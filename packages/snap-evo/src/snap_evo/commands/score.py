"""`snap-evo score`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from snap_catalog import SnapError
from snap_catalog.cli import json_option, out_option, quiet_option, seed_option
from snap_catalog.console import counted, progress, say

from snap_evo.commands import options
from snap_evo.engines import EngineOptions, start_engine

if TYPE_CHECKING:
    import pyarrow as pa

    from snap_evo.scoring.job import Job


@click.command()
@click.argument("graphs")
@click.option(
    "--scorer",
    "scorers",
    multiple=True,
    required=True,
    help="A scorer as in snap-evo run, or proxy:NAME[+NAME...][,SETTING=VALUE...] (needs "
    "snap-evo[proxies]). May be repeated.",
)
@out_option("scores.parquet")
@click.option(
    "--sample",
    type=options.COUNT,
    help="Score N architectures, drawn with --seed.",
)
@seed_option
@click.option(
    "--source",
    metavar="FILE:FUNCTION",
    help="The function that made the networks that snap-graphs trace wrote to GRAPHS; for proxies.",
)
@click.option("--skip-bad", is_flag=True, help="Leave out networks that cannot be scored.")
@options.jobs_options("Networks run")
@options.code_option
@json_option
@quiet_option
def score(
    graphs: str,
    scorers: tuple[str, ...],
    out: Path,
    sample: int | None,
    seed: int,
    source: str | None,
    skip_bad: bool,
    engine: EngineOptions,
    allow_code: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Score the architectures of the Parquet file GRAPHS by several scorers; higher is better.

    Writes one row per architecture and scorer. Scores are kept in a file next to OUT until all are
    there: the same command continues after an interruption.
    """
    from snap_catalog.parquet import check_writable, read, write

    from snap_evo.scoring import score_table
    from snap_evo.scoring.job import Job
    from snap_evo.scoring.partial_scores import Kept

    check_writable(out, "scores")
    table = _drawn(read(graphs, "graphs"), sample, seed)
    if not table.num_rows:
        raise SnapError(f"{graphs}: has no architectures to score; name another file")
    job = Job(table, tuple(dict.fromkeys(scorers)), allow_code, source, skip_bad)
    kept = Kept(out, job.question)

    def continuing() -> str:
        message = f"{kept.path}: the scores so far are kept; run the same command to continue"
        return message if kept.path.exists() else ""

    with (
        options.say_if_ended(continuing, (Exception, KeyboardInterrupt)),
        start_engine(engine) as machine,
        progress("scores", job.count, quiet=quiet) as advance,
    ):
        scores = score_table.score(job, kept, machine.map, advance)
    if sample is not None:
        drawn = {"snap.sample": json.dumps({"architectures": table.num_rows, "seed": seed})}
        scores = scores.replace_schema_metadata({**scores.schema.metadata, **drawn})
    write(scores, out, "scores", producer="snap-evo")
    bad = kept.notes()
    kept.remove()
    if bad:
        say(f"left out {counted(len(bad), 'network')}, the first because {bad[0]}")
    for line in _remarks(job):
        say(line, quiet=quiet)
    found = _summary(scores)
    if as_json:
        count = {"architectures": table.num_rows}
        click.echo(json.dumps({"scores": str(out), **count, "seconds": found}, indent=2))
        return
    for name, seconds in found.items():
        shown = counted(table.num_rows, "architecture")
        click.echo(f"{name}: {shown}, {seconds:.3g} s each")


def _drawn(table: "pa.Table", sample: int | None, seed: int) -> "pa.Table":
    """Draw rows without replacement, in their order, or return all if there are no more."""
    import numpy as np

    if sample is None or sample >= table.num_rows:
        return table
    rows = np.random.default_rng(seed).choice(table.num_rows, sample, replace=False)
    return table.take(np.sort(rows))


def _remarks(job: "Job") -> Iterator[str]:
    """Yield how scorers read descriptions, and how far to trust their rankings."""
    from snap_evo.scorers import TrustReporter, plugin_errors, read_by

    for spec, scorer in job.scorers.items():
        yield from read_by(scorer, job.graphs)
        if isinstance(scorer, TrustReporter):
            with plugin_errors(scorer):
                verdict = str(scorer.trust(job.graphs)).splitlines()[0]
            yield f"{spec}: {verdict}"


def _summary(scores: "pa.Table") -> dict[str, float]:
    """Return by scorer its mean seconds per architecture."""
    import numpy as np
    from snap_catalog.scores import by_scorer

    parts = by_scorer(scores, "scores").items()
    return {name: float(np.mean(part["seconds"])) for name, part in parts}

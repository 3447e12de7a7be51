"""Rank every available benchmark, and write all tables and figures that it allows.

    uv run --all-groups python -m tools.reproduce
    uv run --all-groups python -m tools.reproduce --all

Converts the benchmarks, scores them with both presets and several seeds (training the missing ones,
six minutes per seed on one core or less), correlates, compares, searches, and writes Parquet
files, `report.html` and `docs/results.md`. A step whose inputs did not change is not run
again. Results that take hours (the ablation, training sizes, other encoders, zero-cost proxies) are
read from the files of an earlier run; `--all` computes them first.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from snap_catalog import SnapError
from snap_catalog.console import say
from snap_catalog.parquet import replacing
from snap_eval.report.render import render
from snap_eval.report.results import read_results
from snap_eval.report.sections import SECTIONS

from tools.pipeline import DATA
from tools.reproduce import evaluation, paper_tables, predictors, proxies, sources
from tools.reproduce.page import PAGE, page
from tools.reproduce.paper_tables import Folders
from tools.steps import Ledger, Step, command

_SLOW = (["ablation"], ["training_size"], ["encoder", "lengths"])
_FOLDER = click.Path(path_type=Path)


@click.command()
@click.option("--data", default=DATA, type=_FOLDER, help="Folder of the benchmark tables.")
@click.option("--results", default="build/results", show_default=True, type=_FOLDER)
@click.option("--work", default="build/bundled", show_default=True, type=_FOLDER)
@click.option("--encode", default="build/encode", show_default=True, type=_FOLDER)
@click.option("--gcn", default="build/gcn", show_default=True, type=_FOLDER)
@click.option("--docs", default=PAGE, show_default=True, type=_FOLDER)
@click.option("--bundled", is_flag=True, help="Use the bundled predictors alone; train nothing.")
@click.option("--all", "everything", is_flag=True, help="Also run the steps that take hours.")
def main(
    data: Path,
    results: Path,
    work: Path,
    encode: Path,
    gcn: Path,
    docs: Path,
    bundled: bool,
    everything: bool,
) -> None:
    """Compute missing results, then write the report and the page."""
    if everything:
        for module, *words in _SLOW:
            command([sys.executable, "-m", f"tools.measure.{module}", *words])
    missing = list(sources.missing(data))
    for line in missing:
        say(line)
    folders = Folders(results, work, encode, gcn)
    try:
        run_steps(data, folders, bundled=bundled, everything=everything)
        write(folders, missing, docs, seeds=1 if bundled else predictors.SEEDS)
    except SnapError as error:
        raise click.ClickException(str(error)) from error


def run_steps(data: Path, folders: Folders, *, bundled: bool, everything: bool) -> None:
    """Run all steps, or all but those that take hours, each after its inputs exist."""
    results = folders.results
    ledger = Ledger(results)
    chosen = predictors.bundled_models() if bundled else predictors.models(folders.work, data)
    stages: tuple[Callable[[], Iterator[Step]], ...] = (
        lambda: sources.graphs(data, results.with_name(f"{results.name}-work"), results),
        lambda: predictors.scores(results, chosen),
        lambda: proxies.scores(results) if everything else iter(()),
        lambda: evaluation.combination(results),
        lambda: evaluation.correlations(results),
        lambda: evaluation.independence(results),
        lambda: evaluation.searches(results),
        lambda: paper_tables.steps(folders),
        lambda: paper_tables.late_steps(folders),
    )
    for stage in stages:
        for step in stage():
            ledger.run(step)


def write(folders: Folders, missing: list[str], docs: Path, *, seeds: int) -> None:
    """Write the report and the page."""
    found = read_results(folders.results)
    before = docs.read_text("utf-8") if docs.exists() else ""
    for path, text in (
        (folders.results / "report.html", render(found, SECTIONS, "SNAP: results")),
        (docs, page(found, missing, seeds, before)),
    ):
        with replacing(path) as temporary:
            temporary.write_text(text, "utf-8")
        say(f"{path}: {len(text.encode()):,} bytes")


if __name__ == "__main__":
    main()

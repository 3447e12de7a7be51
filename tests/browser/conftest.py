"""A page drawn from real results, and Debian's chromium to look at it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright
from snap_catalog.parquet import read, write

BASELINE = "cifar10/test/baseline_accuracy"
NOISY = "cifar10/test/noisy_accuracy"


def _run(command: click.Command, words: str, *paths: Path) -> None:
    result = CliRunner().invoke(command, [*words.split(), *map(str, paths)])
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of two predictors, two baselines and two searches of NAS-Bench-201."""
    from snap_eval.cli import main as evaluate
    from snap_evo.cli import main as search
    from snap_gcn.cli import main as predict
    from snap_graphs.cli import main as convert

    folder = tmp_path_factory.mktemp("report")
    results = folder / "results"
    results.mkdir()
    graphs, out = results / "graphs.parquet", folder / "report.html"
    _run(convert, "convert nb201", graphs)
    scores = [results / f"{name}.parquet" for name in ("snap", "like")]
    _run(predict, "predict -o", scores[0], graphs)
    write(_alike(read(scores[0], "scores")), scores[1], "scores", producer="snap-eval")
    known = [word for path in (*scores, ":params", ":depth") for word in ("--scores", str(path))]
    given = f"--graphs {graphs} {' '.join(known)} --quiet"
    metrics = f"--metric {BASELINE} --metric {NOISY} --flip --all --bootstrap 20"
    _run(evaluate, f"correlate {given} {metrics} -o", results / "correlations.parquet")
    _run(evaluate, f"independence {given} -o", results / "independence.parquet")
    for algorithm in ("de", "random"):
        how = f"run --space nb201 --scorer params --algorithm {algorithm} --budget 200 --quiet"
        _run(search, f"{how} --out", results / algorithm)
    _run(evaluate, "report --results", results, out)
    return out


def _alike(scores: pa.Table) -> pa.Table:
    """Return the scores of a predictor that is somewhat like another."""
    noise = np.random.default_rng(0).normal(size=len(scores))
    mixed = pa.array(scores["score"].to_numpy() + 2 * noise)
    place = scores.column_names.index("score")
    entries = {"snap.scorer": "alike", "snap.seed": "0"}
    return scores.set_column(place, "score", mixed).replace_schema_metadata(entries)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's chromium; the test is skipped, saying so, where it is not installed."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("needs chromium: apt-get install chromium")
    # Chromium has no sandbox for root, which containers run as.
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, report: Path) -> Iterator[Callable[..., Page]]:
    """Open the report at some width; nothing but the file itself may be asked for or complained of.

    Arguments: the width in CSS pixels, and whether the visitor prefers dark pages.
    """
    trouble: list[str] = []
    context = []

    def open_page(width: int = 1280, *, dark: bool = False) -> Page:
        place = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
        )
        context.append(place)
        page = place.new_page()

        def on_request(request: Request) -> None:
            if not request.url.startswith(("data:", report.as_uri())):
                trouble.append(request.url)

        def on_console(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                trouble.append(message.text)

        page.on("request", on_request)
        page.on("console", on_console)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.goto(report.as_uri())
        page.wait_for_selector("html[data-drawn]")
        return page

    yield open_page
    for place in context:
        place.close()
    assert trouble == []

"""`snap-graphs convert`."""

import re
from pathlib import Path

import click
from snap_catalog.cli import quiet_option
from snap_catalog.console import progress, say

from snap_graphs.commands.options import Column, by_name, columns_option, declared

_SHAPE = re.compile(r"[1-9]\d{0,8}(x[1-9]\d{0,8})*", flags=re.ASCII)


def _shapes(
    context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> tuple[tuple[int, ...], ...]:
    for text in texts:
        if not _SHAPE.fullmatch(text):
            raise click.BadParameter(f"{text!r:.80} is no shape, as 3x224x224")
    return tuple(tuple(map(int, text.split("x"))) for text in texts)


@click.command()
@click.argument("benchmark")
@click.argument("out", type=click.Path(dir_okay=False))
@click.option("--source", type=click.Path(), help="The benchmark's file or folder.")
@click.option("--epochs", type=int, multiple=True, help="Keep only this budget; repeatable.")
@click.option(
    "--repeat",
    type=click.Choice(["mean", "all"]),
    default="mean",
    show_default=True,
    help="Average the repeats of a measurement, or keep each in a column of its own (#0, #1).",
)
@click.option("--skip-bad", is_flag=True, help="Go on after a bad record and count it.")
@columns_option
@click.option(
    "--input",
    "inputs",
    multiple=True,
    callback=_shapes,
    metavar="SHAPE",
    help="onnx: what a network reads, without the batch dimension, as 3x224x224, where its file "
    "leaves that open. Repeat it for several inputs, in order.",
)
@click.option("--space", default="", help="onnx: space to file the networks under; SOURCE's name.")
@quiet_option
def convert(
    benchmark: str,
    out: str,
    source: str | None,
    epochs: tuple[int, ...],
    repeat: str,
    skip_bad: bool,
    columns: tuple[Column, ...],
    inputs: tuple[tuple[int, ...], ...],
    space: str,
    quiet: bool,
) -> None:
    """Convert BENCHMARK to the Parquet file OUT.

    The source's format is recognised. Without --source, the cache (SNAP_CACHE) serves, else an
    installed data package, else a download. BENCHMARK is also `custom`: your own cells in JSON or
    YAML; or `onnx`: whole networks in ONNX files.
    """
    from snap_catalog.parquet import check_writable, write

    from snap_graphs.convert import convert as convert_benchmark
    from snap_graphs.convert import locate
    from snap_graphs.formats.base import Request

    if benchmark != "onnx" and (inputs or space):
        raise click.UsageError("--input and --space are for onnx")
    check_writable(out, "graphs")
    path = locate(benchmark, source, quiet=quiet)
    with progress(f"reading {path.name}", _bytes(path), quiet=quiet) as advance:
        request = Request(
            repeat="all" if repeat == "all" else "mean",
            epochs=frozenset(epochs),
            columns=by_name(columns),
            declared=declared(columns),
            space=space,
            inputs=inputs,
            skip_bad=skip_bad,
            advance=advance,
        )
        table = convert_benchmark(benchmark, path, request)
    write(table, out, "graphs", producer="snap-graphs")
    for note in request.notes:
        say(f"{path}: {note}", quiet=quiet)
    if request.skipped:
        say(f"{path}: {request.skipped:,} bad records were left out", quiet=quiet)
    classes = len(table["cell_hash"].unique())
    say(f"{out}: {table.num_rows:,} architectures, {classes:,} different cells", quiet=quiet)


def _bytes(path: Path) -> int:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(file.stat().st_size for file in files)

"""`snap-graphs convert`."""

import re
from pathlib import Path

import click
from snap_catalog.cli import quiet_option
from snap_catalog.console import progress, say

from snap_graphs.commands.options import Column, columns_option, request_for

_SHAPE = re.compile(r"[1-9]\d{0,8}(x[1-9]\d{0,8})*", flags=re.ASCII)


def _shapes(
    context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> tuple[tuple[int, ...], ...]:
    for text in texts:
        if not _SHAPE.fullmatch(text):
            raise click.BadParameter(f"{text!r:.80} is not a shape; write 3x224x224, for example")
    return tuple(tuple(map(int, text.split("x"))) for text in texts)


@click.command()
@click.argument("benchmark")
@click.argument("out", type=click.Path(dir_okay=False))
@click.option("--source", type=click.Path(), help="File or folder of the benchmark.")
@click.option("--epochs", type=int, multiple=True, help="Training budget to keep; repeatable.")
@click.option(
    "--repeat",
    type=click.Choice(["mean", "all"]),
    default="mean",
    show_default=True,
    help="Average repeated measurements, or write each to its own column (#0, #1).",
)
@click.option("--skip-bad", is_flag=True, help="Skip and count bad records.")
@columns_option
@click.option(
    "--input",
    "inputs",
    multiple=True,
    callback=_shapes,
    metavar="SHAPE",
    help="onnx: input shape without the batch dimension, such as 3x224x224, if the file leaves it "
    "open. Repeat for several inputs, in order.",
)
@click.option(
    "--space", default="", help="onnx: search space to record.  [default: the source's name]"
)
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

    The format of the source is detected. Without --source, the command uses a file in the cache
    (SNAP_CACHE), else an installed data package, else it downloads the file. Two further values
    of BENCHMARK: `custom` reads your own cells from JSON or YAML, `onnx` reads ONNX files.
    """
    from snap_catalog.parquet import check_writable, write

    from snap_graphs.convert import convert as convert_benchmark
    from snap_graphs.convert import locate

    if benchmark != "onnx" and (inputs or space):
        raise click.UsageError("--input and --space apply to onnx only")
    check_writable(out, "graphs")
    path = locate(benchmark, source, quiet=quiet)
    with progress(f"reading {path.name}", _bytes(path), quiet=quiet) as advance:
        request = request_for(
            columns,
            repeat=repeat,
            epochs=frozenset(epochs),
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
        say(f"{path}: {request.skipped:,} bad records skipped", quiet=quiet)
    classes = len(table["cell_hash"].unique())
    say(f"{out}: {table.num_rows:,} architectures, {classes:,} distinct cells", quiet=quiet)


def _bytes(path: Path) -> int:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(file.stat().st_size for file in files)

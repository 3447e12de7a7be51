"""Measure how the time and the memory of `snap-gcn predict` grow with the number of graphs.

    uv run --all-groups python -m tools.measure.scaling
    uv run --all-groups python -m tools.measure.scaling --model paper

Up to NAS-Bench-101's 423,624 cells are its first ones; beyond, they are made up: the same cells
again, under further names, which costs as much. The files are removed afterwards.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click
import pyarrow as pa
import pyarrow.compute as pc
from snap_catalog.parquet import read
from snap_catalog.streams import writing

from tools import printed
from tools.pipeline import prepare

SIZES = (10_000, 100_000, 423_624, 2_000_000)
_MEASURED = """
import resource, sys
from importlib import import_module
package, *arguments = sys.argv[1:]
try:
    import_module(package + ".cli").main(arguments)
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    # ru_maxrss counts what the process that started this one held; VmHWM does not.
    (peak,) = (line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(used.ru_utime + used.ru_stime, peak)
"""


def synthetic(cells: pa.Table, rows: int, path: Path) -> None:
    """Write a file of so many cells, those of a table again and again under other names."""
    place = cells.column_names.index("arch_id")
    with writing(path, "graphs", cells.schema, producer="snap-graphs") as append:
        for copy in range(-(-rows // cells.num_rows)):
            part = cells.slice(0, rows - copy * cells.num_rows)
            names = pc.binary_join_element_wise(part["arch_id"], str(copy), "#")
            append(part.set_column(place, "arch_id", names if copy else part["arch_id"]))


class Cost(NamedTuple):
    """What a command took, imports and all."""

    seconds: float
    processor_seconds: float
    kib: float


def cost(package: str, arguments: Sequence[str]) -> Cost:
    """Run a tool in a process of its own and return what that took.

    Args:
        package: of the tool, such as `snap_gcn`.
        arguments: of its command line.
    """
    begin = time.perf_counter()
    words = [sys.executable, "-c", _MEASURED, package, *arguments]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    figures = done.stdout.splitlines()[-1].split()
    return Cost(time.perf_counter() - begin, *map(float, figures))


def predicted(graphs: Path, model: str) -> Cost:
    """Return what scoring a file takes."""
    out = graphs.with_name("scores.parquet")
    return cost("snap_gcn", ["predict", str(graphs), "--model", model, "-o", str(out), "--quiet"])


@click.command()
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
@click.option("--model", default="snap", show_default=True)
def main(work: Path, model: str) -> None:
    """Score files of 10,000 to 2,000,000 graphs."""
    prepare(work)
    cells = read(work / "nb101.parquet", "graphs")
    rows = []
    with tempfile.TemporaryDirectory(dir=work) as folder:
        for size in SIZES:
            graphs = Path(folder) / "graphs.parquet"
            synthetic(cells, size, graphs)
            took = predicted(graphs, model)
            times = [f"{took.seconds:.1f} s", f"{took.processor_seconds:.1f} s"]
            rows.append([f"{size:,}", *times, f"{took.kib / 2**20:.2f} GiB"])
            click.echo(" ".join(rows[-1]), err=True)
    click.echo(printed.table(["graphs", "time", "processor time", "peak memory"], rows))


if __name__ == "__main__":
    main()

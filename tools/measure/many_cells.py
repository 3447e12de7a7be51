"""Measure what it takes to correlate more cells than fit into memory.

    uv run --all-groups python -m tools.measure.many_cells

Prints the seconds and the memory that `snap-eval correlate --where` takes at its peak. The cells
are those of NAS-Bench-101, again and again under other names. Their files, some gigabytes, are kept
in the folder `many` of the work folder.
"""

from pathlib import Path

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from snap_catalog.parquet import read
from snap_catalog.streams import writing

from tools import printed
from tools.measure.scaling import cost, synthetic
from tools.pipeline import METRIC, prepare_training


@click.command()
@click.option("--cells", default=50_000_000, show_default=True, type=click.IntRange(min=1))
@click.option("--work", default="build/bundled", show_default=True, type=click.Path(path_type=Path))
def main(cells: int, work: Path) -> None:
    """Correlate noisy scores of many cells with their accuracy."""
    graphs, scores = (work / "many" / f"{name}-{cells}.parquet" for name in ("graphs", "scores"))
    if not scores.exists():
        graphs.parent.mkdir(parents=True, exist_ok=True)
        prepare_training(work)
        synthetic(read(work / "nb101.parquet", "graphs"), cells, graphs)
        _write_scores(graphs, scores)
    words = ["correlate", "--graphs", str(graphs), "--scores", str(scores)]
    words += ["--metric", METRIC, "--statistic", "spearman", "--statistic", "pearson"]
    words += ["--where", "params > 1e6", "-o", str(graphs.with_name("correlations.parquet"))]
    took = cost("snap_eval", words)
    row = [f"{cells:,}", f"{took.seconds:.0f}", f"{took.kib / 2**20:.2f}"]
    click.echo(printed.table(["cells", "seconds", "GiB at the peak"], [row]))


def _write_scores(graphs: Path, scores: Path) -> None:
    """Write the accuracy of each cell with noise of one percent."""
    rng = np.random.default_rng(0)
    fields = [("space", pa.string()), ("arch_id", pa.string()), ("score", pa.float64())]
    nulls = ("spread", "novelty")
    schema = pa.schema([*fields, *((name, pa.float64()) for name in nulls)])
    schema = schema.with_metadata({"snap.scorer": "noisy"})
    file = pq.ParquetFile(graphs)
    with writing(scores, "scores", schema, producer="snap-eval") as append:
        for rows in file.iter_batches(columns=["space", "arch_id", METRIC]):
            score = rows[METRIC].to_numpy(zero_copy_only=False) + rng.normal(size=rows.num_rows)
            columns = [rows["space"], rows["arch_id"], pa.array(score)]
            empty = [pa.nulls(rows.num_rows, pa.float64()) for _ in nulls]
            append(pa.Table.from_arrays([*columns, *empty], schema=schema))


if __name__ == "__main__":
    main()

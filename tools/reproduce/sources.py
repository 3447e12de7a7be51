"""The benchmarks that are ranked: where their data are, and by what metrics."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tools.steps import Step
from tools.steps import command as run_command


class Source(NamedTuple):
    """Data of a benchmark.

    Attributes:
        space: what `snap-graphs convert` calls it.
        file: its file or folder in the data folder; '' where an installed package brings it.
        metrics: what its cells are ranked by.
        scores: a table in the data folder of zero-cost proxies' scores of its cells, if any.
    """

    space: str
    file: str
    metrics: Sequence[str]
    scores: str = ""


_GRAPHS = ("arxiv", "citeseer", "computers", "cora", "cs", "photo", "physics", "pubmed")
SOURCES = {
    "nb201": Source(
        "nb201",
        "nb201_cifar10.csv.gz",
        ["cifar10/test/accuracy@200"],
        "nb201_proxies_cifar10.csv.gz",
    ),
    "transnas-micro": Source(
        "transnas-micro",
        "tnb101_micro_2tasks.csv.gz",
        ["class_object/valid/top1", "room_layout/valid/neg_loss"],
        "official/naslib-zc-json/transbench101_micro",
    ),
    "transnas-macro": Source(
        "transnas-macro",
        "tnb101_macro_2tasks.csv.gz",
        ["class_object/valid/top1", "room_layout/valid/neg_loss"],
    ),
    "darts": Source("darts", "darts_cifar10_50ep.csv.gz", ["cifar10/valid/accuracy@50"]),
    "analog-nasbench": Source(
        "nb201",
        "",
        [f"cifar10/test/{kind}_accuracy" for kind in ("baseline", "ptq", "qat", "noisy", "analog")],
    ),
    "nb-graph": Source(
        "nb-graph", "", [*(f"{name}/test/accuracy" for name in _GRAPHS), "proteins/test/rocauc"]
    ),
}
"""By the benchmark's name in the catalog."""


def missing(data: Path) -> Iterator[str]:
    """Return which benchmarks' data are not there, and how to get them."""
    for name, source in SOURCES.items():
        if not _present(source, data):
            yield (
                f"{name}: not run, for {data / source.file} is missing; name another folder by "
                f"--data, or see: snap-graphs catalog {name}"
            )
        elif source.scores and not (data / source.scores).exists():
            yield f"{name}: without zero-cost proxies, for {data / source.scores} is missing"


def graphs(data: Path, work: Path, results: Path) -> Iterator[Step]:
    """Yield the steps that convert the available benchmarks to `graphs/NAME.parquet`."""
    for name, source in SOURCES.items():
        if _present(source, data):
            yield from _graphs(source, data, work, graphs_file(results, name))


def graphs_file(results: Path, name: str) -> Path:
    """Return where the cells of a benchmark are written."""
    return results / "graphs" / f"{name}.parquet"


def _present(source: Source, data: Path) -> bool:
    return not source.file or (data / source.file).exists()


def _graphs(source: Source, data: Path, work: Path, out: Path) -> Iterator[Step]:
    path = data / source.file if source.file else None
    scores = data / source.scores
    if not source.scores or not scores.exists():
        yield _convert(source.space, path, out)
        return
    yield _convert(source.space, path, work / out.name)
    if scores.is_dir():
        converted = work / f"scores-{out.name}"
        yield _convert(source.space, scores, converted)
        scores = converted
    yield _join(work / out.name, scores, out)


def _convert(space: str, path: Path | None, out: Path) -> Step:
    named = ["--source", str(path)] if path else []
    command = ["snap-graphs", "convert", space, str(out), *named, "--quiet"]
    return Step("convert", out, [path] if path else [], command, lambda: run_command(command))


def _join(graphs: Path, scores: Path, out: Path) -> Step:
    command = ["snap-graphs", "join", str(graphs), str(scores), "-o", str(out), "--quiet"]
    return Step("join", out, [graphs, scores], command, lambda: run_command(command))

"""Correlations, independence and searches, for every benchmark."""

import itertools
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
from snap_catalog import graph_facts
from snap_catalog.parquet import read
from snap_catalog.scores import by_scorer

from tools.reproduce import proxies
from tools.reproduce.sources import SOURCES, graphs_file
from tools.steps import Step
from tools.steps import command as run_command

_COSTS = ("params", "flops")
"""NAS-Bench-Suite-Zero has them too; they are the same once more."""
_SEARCHES = {"nb201": ("de", "random"), "darts": ("de", "random")}
"""By space: the algorithms to search it by."""
_BUDGET, _SEEDS = 1000, 5
_DEVELOP = ("nb201", "transnas-micro", "transnas-macro", "darts")
COMBINED = ("jacov", "swap")
"""The proxies that are combined with the predictor."""
_RESAMPLES = 1000


def correlations(results: Path) -> Iterator[Step]:
    """Yield the steps that correlate all scores with each metric."""
    for name, source in SOURCES.items():
        graphs = graphs_file(results, name)
        for metric in source.metrics if graphs.exists() else ():
            out = correlations_file(results, name, metric)
            how = ["--metric", metric, "--flip", "--all", "--bootstrap", str(_RESAMPLES)]
            yield _evaluate(
                "correlate", results, name, out, [*_baselines(results, name, metric), *how]
            )


def correlations_file(results: Path, benchmark: str, metric: str) -> Path:
    """Return where the correlations with a metric are written."""
    return results / "correlations" / benchmark / f"{metric.replace('/', '-')}.parquet"


def combination(results: Path) -> Iterator[Step]:
    """Yield the step that scores the benchmarks of role develop by the predictor and proxies.

    The weights for a benchmark are fitted on the metrics of the others.
    """
    graphs = {name: graphs_file(results, name) for name in _DEVELOP}
    scores = results / "scores"
    kinds = ("proxies", "snap-0")
    files = [scores / name / f"{kind}.parquet" for name in graphs for kind in kinds]
    if not all(file.exists() for file in [*graphs.values(), *files]):
        return
    command = ["snap-eval", "combine", "--leave-one-out", "--scores", f"{scores}/*/snap-0.parquet"]
    for name in COMBINED:
        command += ["--scores", f"{name}={scores}/*/proxies.parquet:proxy:{name}"]
    for name, path in graphs.items():
        command += ["--graphs", f"{name}={path}"]
    for metric in dict.fromkeys(metric for name in graphs for metric in SOURCES[name].metrics):
        command += ["--metric", metric]
    out = combined_file(results)
    command += ["-o", str(out), "--quiet"]
    inputs = [*graphs.values(), *files]
    yield Step("combine", out, inputs, command, partial(run_command, command))


def combined_file(results: Path) -> Path:
    """Return where the scores of the combination are written."""
    return results / "scores" / "combined.parquet"


def independence(results: Path) -> Iterator[Step]:
    """Yield the steps that compare the scorers of cells for images with one another."""
    for name in ("nb201", "transnas-micro"):
        graphs = graphs_file(results, name)
        if graphs.exists():
            out = results / "independence" / f"{name}.parquet"
            given = _baselines(results, name, SOURCES[name].metrics[0])
            yield _evaluate("independence", results, name, out, [*given])


def searches(results: Path) -> Iterator[Step]:
    """Yield the steps that search spaces by the default predictor."""
    for space, algorithms in _SEARCHES.items():
        for algorithm, seed in itertools.product(algorithms, range(_SEEDS)):
            folder = results / "search" / f"{space}-{algorithm}-{seed}"
            how = ["--space", space, "--algorithm", algorithm, "--seed", str(seed)]
            command = ["snap-evo", "run", *how, "--budget", str(_BUDGET), "--out", str(folder)]
            yield _search(folder, [*command, "--quiet"])


def _search(folder: Path, command: Sequence[str]) -> Step:
    return Step("search", folder / "search.parquet", [], command, lambda: run_command(command))


def _evaluate(subcommand: str, results: Path, name: str, out: Path, how: Sequence[str]) -> Step:
    graphs = graphs_file(results, name)
    scores = sorted((results / "scores" / SOURCES[name].space).glob("*.parquet"))
    if name in _DEVELOP and combined_file(results).exists():
        scores.append(combined_file(results))
    given = [word for path in scores for spec in _specs(path) for word in ("--scores", spec)]
    command = ["snap-eval", subcommand, "--graphs", f"{name}={graphs}", *given, *how]
    command += ["-o", str(out), "--quiet"]
    make = partial(run_command, command, quiet=True)
    return Step(subcommand, out, [graphs, *scores], command, make)


def _baselines(results: Path, name: str, metric: str) -> Iterator[str]:
    own = results / "scores" / SOURCES[name].space / proxies.FILES[0]
    return baselines(graphs_file(results, name), metric, published=not own.exists())


def _specs(scores: Path) -> Iterator[str]:
    """Yield what `--scores` takes of a file: proxies by their own names, without the costs."""
    if scores.name not in proxies.FILES:
        yield str(scores)
        return
    for scorer in by_scorer(read(scores, "scores"), str(scores)):
        name = scorer.removeprefix("proxy:")
        if name not in _COSTS:
            yield f"{name}={scores}:{scorer}"


def baselines(graphs: Path, metric: str, *, published: bool) -> Iterator[str]:
    """Yield the options for baselines that are columns of the benchmark.

    Args:
        graphs: the cells.
        metric: what is to be predicted; costs and proxies of other data sets are left out.
        published: whether to add published scores by proxies.
    """
    dataset = metric.split("/")[0]
    table = pq.read_table(graphs, columns=["space", "nodes", *_COSTS])
    specs = [f":{cost}" for cost in _COSTS if table[cost].null_count < table.num_rows]
    for column in pq.read_schema(graphs).names:
        kind, *rest = column.split("/")
        if published and kind == "proxy" and rest[0] == dataset and rest[1] not in _COSTS:
            specs.append(f"{rest[1]}=:{column}")
        elif column == f"{dataset}/model/params":
            specs.append(f"params=:{column}")
    specs.append("depth=:depth")
    operators = table["nodes"].combine_chunks().values.unique().to_pylist()
    identity = graph_facts(table["space"][0].as_py()).identity
    if identity in operators:
        specs.append(f"skips=:count:{identity}")
    if any("conv" in name for name in operators):
        specs.append("convolutions=:count:*conv*")
    return (word for spec in specs for word in ("--scores", spec))

"""The paper's tables and its Figure 6, from the files that the measuring scripts leave."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from snap_catalog.parquet import decode_metadata, read
from snap_catalog.scores import by_scorer
from snap_gcn import Predictor

from tools.measure import ablation
from tools.measure.encoder.lengths import LENGTHS, MODELS, REPORTED, Entry
from tools.measure.encoder.predictors import Ranking, rank
from tools.measure.encoder.separation import PAIRS, cosines
from tools.reproduce.evaluation import correlations_file
from tools.reproduce.trials_file import Measurement, Setting, Title, reported, save
from tools.steps import Step

_ACCURACY = "cifar10/test/accuracy@200"
_RANKED = (
    "Preset paper on its short schedule (20 epochs over a fifth of NAS-Bench-101) ranks all 15,625 "
    "cells of NAS-Bench-201 by CIFAR-10 test accuracy (develop)"
)
_STATED = "The paper's figures only: to measure our own takes ImageNet and days on GPUs"
_PAPER = Path(__file__).with_name("paper.toml")
_HERE = "uv run --all-groups python -m tools.reproduce"

_TABLE_2 = Title(
    "Encoders and lengths of descriptions (Table 2)",
    "uv run --all-groups python -m tools.measure.encoder lengths",
    f"{_RANKED}. The paper tuned MiniLM-L6-v2 itself; its figure is in the row of snap-minilm",
)
_TABLE_3 = Title(
    "Cells chosen on NAS-Bench-201 (Table 3)",
    _HERE,
    "Test accuracy after 200 epochs, mean of the benchmark's runs (develop); ours was looked up "
    "after the choice. Hours of ours on one CPU core, training counted once",
)
_TABLE_4 = Title("Networks for ImageNet, mobile setting (Table 4)", _HERE, _STATED)
_TABLE_5 = Title(
    "Zero-shot methods on NAS-Bench-201 (Table 5)",
    _HERE,
    "CIFAR-10 test accuracy (develop), over the cells that a scorer has scores of: all 15,625, "
    "proxies 9,445 at most; of predictors, the mean over seeds. The paper has one SNAP, which "
    "is in the rows of both of our presets",
)
_TABLE_6 = Title(
    "The paper's ablation (Table 6)",
    "uv run --all-groups python -m tools.measure.ablation",
    _RANKED,
)
_TABLE_7 = Title("Predictor-based search for ImageNet (Table 7)", _HERE, _STATED)
_TABLE_8 = Title(
    "Cosines of texts before and after tuning (Table 8)",
    "uv run --all-groups python -m tools.measure.encoder separation",
    "Before: all-MiniLM-L6-v2. After: tuned with the contrastive loss, one per seed; the paper's "
    "own tuned model was not published",
)
_FIGURE_6 = Title(
    "Training size (Figure 6)",
    "uv run --all-groups python -m tools.measure.training_size",
    "Preset paper, the same number of steps for every share; NAS-Bench-101 test "
    "accuracy at 108 epochs of all cells not trained on (validate)",
)


class Folders(NamedTuple):
    """The folders to read from and write to.

    Attributes:
        results: what the report is drawn from.
        work: predictors, and tables that training needs.
        encode: tuned encoders, and predictors by other encoders in the folder `grid` there.
        gcn: results of ablation and training size, in folders of these names.
    """

    results: Path
    work: Path
    encode: Path
    gcn: Path


def steps(folders: Folders) -> Iterator[Step]:
    """Yield the steps that write the tables whose measurements exist."""
    graphs = folders.results / "graphs" / "nb201.parquet"
    models = [folder for entry in _entries() for folder in trained(folders, entry)]
    if graphs.exists() and models:
        make = partial(encoders, folders, graphs)
        yield _step(folders, "table-2-encoders", _TABLE_2, [graphs, *models], make)
    for name, title, make_any in (
        ("table-4-imagenet", _TABLE_4, partial(reported, "table-4")),
        ("table-7-predictors", _TABLE_7, partial(reported, "table-7")),
    ):
        yield _step(folders, name, title, [_PAPER], make_any)
    tried = sorted((folders.gcn / "ablation").glob("*-*.json"))
    if tried:
        yield _step(folders, "table-6-ablation", _TABLE_6, tried, partial(ablated, tried))
    tuned = sorted(folders.encode.glob("contrastive-*"))
    if tuned:
        yield _step(folders, "table-8-cosines", _TABLE_8, tuned, partial(separated, tuned))
    sizes = sorted((folders.gcn / "training-size").glob("*-*.json"))
    if sizes:
        yield _step(folders, "figure-6-training-size", _FIGURE_6, sizes, partial(sized, sizes))


def late_steps(folders: Folders) -> Iterator[Step]:
    """Yield the steps that write the tables of earlier steps' results."""
    correlations = correlations_file(folders.results, "nb201", _ACCURACY)
    graphs = folders.results / "graphs" / "nb201.parquet"
    if correlations.exists():
        make = partial(zero_shot, correlations)
        yield _step(folders, "table-5-proxies", _TABLE_5, [correlations, _PAPER], make)
    scores = sorted((folders.results / "scores" / "nb201").glob("*-*.parquet"))
    searches = sorted((folders.results / "search").glob("nb201-*/search.parquet"))
    if graphs.exists() and scores:
        make = partial(found, graphs, scores, searches)
        inputs = [graphs, *scores, *searches, _PAPER]
        yield _step(folders, "table-3-found", _TABLE_3, inputs, make)


def encoders(folders: Folders, graphs: Path) -> Iterator[Measurement]:
    """Rank NAS-Bench-201 by predictors that read descriptions by other encoders (Table 2)."""
    table = read(graphs, "graphs")
    for entry in _entries():
        setting: Setting = {"encoder": entry.model, "sentences": entry.length}
        yield from _stated(setting, REPORTED.get(entry))
        for folder in trained(folders, entry):
            seed = int(folder.name.rpartition("-")[2])
            rho, tau = rank(Predictor.load(folder), table, "nb201")
            yield Measurement(setting, "spearman", seed, rho)
            yield Measurement(setting, "kendall_tau_b", seed, tau)


def trained(folders: Folders, entry: Entry) -> list[Path]:
    """Return the trained predictors of an encoder and a length of descriptions, one per seed."""
    pattern = f"{entry.model}-????????-{entry.length}-paper-*"
    found = (folders.encode / "grid").glob(pattern)
    return sorted(folder for folder in found if (folder / "config.json").exists())


def ablated(tried: Iterable[Path]) -> Iterator[Measurement]:
    """Read the result of each setting of the ablation (Table 6)."""
    known = {path.stem: json.loads(path.read_text("utf-8")) for path in tried}
    for setting, tau in ablation.PAPER.items():
        layers, decay, length, size = setting
        named: Setting = {
            "layers": layers,
            "weight decay": f"{decay:.0e}",
            "sentences": length,
            "vector": size,
        }
        yield Measurement(named, "kendall_tau_b", reported=tau)
        for stem, figures in known.items():
            name, _, seed = stem.rpartition("-")
            if name == ablation.name(setting):
                yield from _both(named, int(seed), figures)


def separated(tuned: Iterable[Path]) -> Iterator[Measurement]:
    """Measure the cosines of pairs of texts, before and after tuning (Table 8)."""
    settings: list[Setting] = [{"texts": f"{pair.first} / {pair.second}"} for pair in PAIRS]
    for setting, pair in zip(settings, PAIRS, strict=True):
        yield Measurement(setting, "cosine before tuning", reported=pair.before)
        yield Measurement(setting, "cosine after tuning", reported=pair.after)
    for setting, value in zip(settings, cosines("all-MiniLM-L6-v2"), strict=True):
        yield Measurement(setting, "cosine before tuning", 0, value)
    encoders = {int(folder.name.rpartition("-")[2]): str(folder) for folder in tuned}
    for seed, encoder in encoders.items():
        for setting, value in zip(settings, cosines(encoder), strict=True):
            yield Measurement(setting, "cosine after tuning", seed, value)


def sized(trials: Iterable[Path]) -> Iterator[Measurement]:
    """Read the result of each share of training cells (Figure 6)."""
    for path in sorted(trials, key=lambda path: int(path.stem.split("-")[0])):
        share, seed = map(int, path.stem.split("-"))
        figures = json.loads(path.read_text("utf-8"))
        yield from _both({"share trained on (%)": share, "cells": figures["cells"]}, seed, figures)


def zero_shot(correlations: Path) -> Iterator[Measurement]:
    """Compare our correlations with the paper's (Table 5)."""
    ours = {
        (row["scorer"], row["statistic"]): row["value"]
        for row in read(correlations, "correlations").to_pylist()
        if row["population"] == "all" and row["sign"] == 1
    }
    for stated in reported("table-5"):
        value = ours.get((str(stated.setting["scorer"]), stated.quantity))
        yield stated._replace(value=value)


def found(graphs: Path, scores: Iterable[Path], searches: Iterable[Path]) -> Iterator[Measurement]:
    """Report the accuracy of cells that score best or that searches find (Table 3)."""
    yield from reported("table-3")
    cells = read(graphs, "graphs", ["space", "arch_id", "params", "flops", _ACCURACY])
    for path in scores:
        table = read(path, "scores")
        seed = int(decode_metadata(table.schema)["snap.seed"])
        for scorer, rows in by_scorer(table, str(path)).items():
            method = f"{scorer}, top-1 of all cells"
            yield from _cell(cells, _best(rows), {"method": method}, seed)
    for path in searches:
        table = read(path, "search")
        facts = decode_metadata(table.schema)
        method = f"{facts['snap.scorer']}, {len(table):,} candidates by {facts['snap.algorithm']}"
        setting: Setting = {"method": method}
        seed = int(facts["snap.seed"])
        yield from _cell(cells, _best(table), setting, seed)
        hours = pc.max(table["seconds"]).as_py() / 3600
        yield Measurement(setting, "search (CPU hours)", seed, hours)
        if facts["snap.scorer"] == "gcn:snap":
            seconds = Predictor.bundled("snap").model.config.training.seconds
            yield Measurement(setting, "training (CPU hours)", seed, seconds / 3600)


def _best(table: pa.Table) -> str:
    """Return the cell with the highest score, the first of equals."""
    scores = table["score"].fill_null(float("-inf")).to_numpy()
    return str(table["arch_id"][int(scores.argmax())])


def _cell(cells: pa.Table, arch_id: str, setting: Setting, seed: int) -> Iterator[Measurement]:
    row = cells.filter(pc.equal(cells["arch_id"], arch_id)).to_pylist()[0]
    yield Measurement(setting, "FLOPs (M)", seed, row["flops"] / 1e6)
    yield Measurement(setting, "parameters (M)", seed, row["params"] / 1e6)
    yield Measurement(setting, "CIFAR-10 (%)", seed, row[_ACCURACY])


def _both(setting: Setting, seed: int, figures: Mapping[str, float]) -> Iterator[Measurement]:
    yield Measurement(setting, "spearman", seed, figures["rho"])
    yield Measurement(setting, "kendall_tau_b", seed, figures["tau"])


def _stated(setting: Setting, ranking: Ranking | None) -> Iterator[Measurement]:
    if ranking is not None:
        yield Measurement(setting, "spearman", reported=ranking.spearman)
        yield Measurement(setting, "kendall_tau_b", reported=ranking.kendall)


def _entries() -> list[Entry]:
    return [Entry(model, length) for model in MODELS for length in LENGTHS]


def _step(
    folders: Folders,
    name: str,
    title: Title,
    inputs: Sequence[Path],
    measure: Callable[[], Iterable[Measurement]],
) -> Step:
    out = folders.results / "tables" / f"{name}.parquet"
    return Step("tabulate", out, inputs, title, lambda: save(measure(), title, out))

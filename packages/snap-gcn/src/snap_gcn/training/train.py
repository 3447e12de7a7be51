"""Train a predictor, from files to a model folder."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pyarrow as pa
from snap_catalog import SnapError, benchmark
from snap_catalog.cache import cache_folder
from snap_catalog.console import say
from snap_catalog.metrics import is_metric, resolve_metric
from snap_catalog.parquet import column_names, decode_metadata, read
from snap_graphs.convert import convert
from snap_graphs.downloads import cached

from snap_gcn.data.encoders import with_described
from snap_gcn.data.views import COLUMNS
from snap_gcn.data.vocabulary import Vocabulary
from snap_gcn.model import folder
from snap_gcn.model.export import to_onnx
from snap_gcn.model.recipe import PRESETS, Recipe, members
from snap_gcn.model.schema import FORMAT, Config, Curves, Encoder, Training
from snap_gcn.reliability import training_space
from snap_gcn.training import monitor, processes
from snap_gcn.training.checkpoint import Checkpoint, TrainingSettings
from snap_gcn.training.dataset import held_out
from snap_gcn.training.ensemble import fit_members, fit_paths
from snap_gcn.training.fit import Fitted

_DEFAULT, _DEFAULT_METRIC = "nb101", "cifar10/test/accuracy@108"
"""Benchmark and metric to train on if no file is given."""


def train(
    asked: TrainingSettings,
    *,
    graphs: Path | None,
    source: str | None,
    operators: Path | None,
    out: Path,
    arguments: Sequence[str],
    resume: bool,
    tensorboard: Path | None,
    quiet: bool,
) -> None:
    """Train a predictor and write its folder.

    The metric asked for may be shortened, or empty for the file's only one. If no `graphs` are
    given, the cells are those of NAS-Bench-101, from its file `source` or the cache; if no
    `operators` are given, they are the catalog's. The model's card shows the `arguments` of the
    command line; `tensorboard` is the folder of a log.

    Raises:
        SnapError: data are missing or unsuitable, or the folder cannot be written.
    """
    recipes, partial = members(asked.preset, asked.schedule), Path(f"{out}.partial")
    with processes.joined(asked.device):
        quiet = quiet or processes.rank() > 0
        file = str(graphs or source or _cached())
        table, metric = _cells(graphs, file, asked.metric)
        vectors = str(operators or folder.locate(asked.preset) / folder.OPERATORS)
        given = read(vectors, "operators")
        vocabulary = with_described(
            Vocabulary.from_table(given), table.schema, _encoder(given.schema), file
        )
        settings = replace(asked, metric=metric, processes=processes.count())
        checkpoint = Checkpoint.of(partial, settings, {"graphs": file, "operators": vectors})
        paths: folder.Weights = {}
        if PRESETS[settings.preset].paths:
            paths = fit_paths(table, vocabulary, metric, recipes[0], file).tensors()
        begun = checkpoint.begun(resume=resume)
        with (
            monitor.tensorboard(tensorboard) as log,
            monitor.bar(recipes, begun, quiet=quiet) as show,
        ):

            def on_epoch(fitted: Sequence[Fitted]) -> None:
                log(fitted)
                checkpoint.save(fitted)
                show(fitted)

            fitted = fit_members(
                table,
                vocabulary,
                metric,
                recipes,
                seed=settings.seed,
                source=file,
                patience=settings.patience,
                device=settings.device,
                begun=begun,
                on_epoch=on_epoch,
            )
        if processes.rank() > 0:
            return
    launcher = ["snap-gcn"]
    if settings.processes > 1:
        launcher = ["torchrun", "--nproc-per-node", str(settings.processes), "-m", "snap_gcn"]
    command = shlex.join([*launcher, *arguments])
    model = assembled(settings, table, vocabulary, recipes, fitted, paths, out.name, command)
    folder.save(model, out)
    partial.unlink(missing_ok=True)
    training = model.config.training
    tau, held = training.tau, training.n_validate
    say(f"{out}: Kendall's tau {tau:.4f} on {held:,} held-out cells", quiet=quiet)


def _cached() -> Path:
    """Return the file of NAS-Bench-101 in the cache."""
    path = cached(benchmark(_DEFAULT))
    if path is None:
        raise SnapError(
            f"{_DEFAULT} is not in the cache ({cache_folder()}); "
            f"run: snap-graphs fetch {_DEFAULT}, or name its file with --source"
        )
    return path


def _cells(graphs: Path | None, file: str, metric: str) -> tuple[pa.Table, str]:
    """Read the columns that training needs, and resolve the name of the metric."""
    if graphs is None:
        table = convert(_DEFAULT, file)
        return table, resolve_metric(metric or _DEFAULT_METRIC, table.column_names, source=file)
    names = column_names(graphs)
    metrics = [name for name in names if is_metric(name)]
    if not metric and len(metrics) == 1:
        (metric,) = metrics
    column = resolve_metric(metric, names, source=file)
    needed = [*COLUMNS, "cell_hash", "module_hash", column]
    return read(graphs, "graphs", columns=[name for name in needed if name in names]), column


def _encoder(operators: pa.Schema) -> Encoder:
    """Return the sentence encoder that a table of operators names."""
    metadata = decode_metadata(operators)
    return Encoder(
        model=metadata["snap.model"],
        sha256=metadata["snap.model_sha256"],
        length=metadata.get("snap.length", "own"),
    )


def assembled(
    settings: TrainingSettings,
    table: pa.Table,
    vocabulary: Vocabulary,
    recipes: Sequence[Recipe],
    fitted: Sequence[Fitted],
    paths: folder.Weights,
    name: str,
    command: str,
) -> folder.Model:
    """Assemble a model from its trained members and its `PathModel`.

    `table` has the cells, including held-out ones; `paths` is empty if there is no `PathModel`.
    """
    data, cells = decode_metadata(table.schema), table.filter(~held_out(table))
    training = Training(
        benchmark=data.get("snap.benchmark", "own data"),
        metric=settings.metric,
        source_sha256=data.get("snap.source_sha256", "unknown"),
        n_train=max(member.n_train for member in fitted),
        n_validate=fitted[0].n_validate,
        patience=settings.patience,
        device=settings.device,
        processes=settings.processes,
        loss=fmean(member.epoch.loss for member in fitted),
        tau=fmean(member.epoch.tau for member in fitted),
        seconds=sum(epoch.seconds for member in fitted for epoch in member.history),
        kept=[member.kept for member in fitted],
        history=[
            Curves(loss=[epoch.loss for epoch in m.history], tau=[epoch.tau for epoch in m.history])
            for m in fitted
        ],
        shapes=training_space.ranges(
            cells, [recipe for recipe in recipes if not recipe.training_space]
        ),
    )
    preset = PRESETS[settings.preset]
    config = Config(
        format=FORMAT,
        name=name,
        command=command,
        preset=settings.preset,
        schedule=settings.schedule,
        seed=settings.seed,
        members=list(recipes),
        paths=preset.paths if paths else 0.0,
        one_form=preset.one_form,
        prior=preset.prior,
        encoder=_encoder(vocabulary.table.schema),
        training=training,
        trained_operators=sorted({key for m in fitted for key in m.trained}, key=str),
        training_space=training_space.record(cells, recipes, [m.trained for m in fitted]),
        measured=[],
        calibration=None,
        networks=None,
        kind="trained",
        adapted=None,
    )
    states = [member.weights for member in fitted]
    weights = {f"paths.{name}": values for name, values in paths.items()}
    for number, state in enumerate(states):
        part = folder.member(number)
        weights |= {f"{part}.{name}": tensor.numpy() for name, tensor in state.items()}
    return folder.Model(
        config=config,
        weights=weights,
        networks=to_onnx(recipes, states, vocabulary.vectors.shape[1]),
        operators=vocabulary.unread(),
        curve=monitor.drawn(training),
    )

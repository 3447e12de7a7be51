"""Train a predictor, from files to a model folder."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from snap_catalog import SnapError, benchmark
from snap_catalog.cache import cache_folder
from snap_catalog.console import say
from snap_catalog.metrics import is_metric, resolve_metric
from snap_catalog.parquet import column_names, read
from snap_graphs.cache import cached
from snap_graphs.convert import convert
from torch import Tensor

from snap_gcn.data.encoders import with_described
from snap_gcn.data.views import COLUMNS
from snap_gcn.data.vocabulary import Vocabulary
from snap_gcn.model import folder
from snap_gcn.model.export import to_onnx
from snap_gcn.model.recipe import PRESETS, Recipe, members
from snap_gcn.model.schema import FORMAT, Config
from snap_gcn.reliability import training_space
from snap_gcn.reliability.novelty import ranges
from snap_gcn.training import learning, processes
from snap_gcn.training.cells import held_out
from snap_gcn.training.checkpoint import Checkpoint, Run
from snap_gcn.training.ensemble import fit_members, fit_paths
from snap_gcn.training.fit import Fitted
from snap_gcn.training.record import encoder_of, training_record

_DEFAULT, _DEFAULT_METRIC = "nb101", "cifar10/test/accuracy@108"
"""What is trained on if no file is given."""


def train(
    asked: Run,
    *,
    graphs: str | None,
    source: str | None,
    operators: str | None,
    out: Path,
    arguments: Sequence[str],
    resume: bool,
    tensorboard: str | None,
    quiet: bool,
) -> None:
    """Train a predictor and write its folder.

    Args:
        asked: what is asked; its metric may be shortened, or empty for the file's only one.
        graphs: a file of the `graphs` contract; NAS-Bench-101 where None.
        source: where NAS-Bench-101 is; the cache where None.
        operators: a file of the `operators` contract; the catalog's operators where None.
        out: the folder.
        arguments: of the command line, for the model's card.
        resume: whether to go on with a training that was stopped.
        tensorboard: folder of a log.
        quiet: show no progress.

    Raises:
        SnapError: data are missing or cannot be trained on, or the folder cannot be written.
    """
    recipes = members(asked.preset, asked.schedule)
    with processes.joined(asked.device):
        quiet = quiet or processes.rank() > 0
        file = graphs or source or _cached()
        table, metric = _cells(graphs, file, asked.metric)
        vectors = operators or str(folder.locate(asked.preset) / folder.OPERATORS)
        vocabulary = _vocabulary(vectors, table, file)
        run = replace(asked, metric=metric, processes=processes.count())
        partial = Path(f"{out}.partial")
        checkpoint = Checkpoint.of(partial, run, {"graphs": file, "operators": vectors})
        paths = _paths(run.preset, table, vocabulary, metric, recipes, file)
        fitted = _fitted(
            run, table, vocabulary, recipes, file, checkpoint, resume, tensorboard, quiet
        )
        if processes.rank() > 0:
            return
    model = assembled(
        run, table, vocabulary, recipes, fitted, paths, out.name, _command(run.processes, arguments)
    )
    folder.save(model, out)
    partial.unlink(missing_ok=True)
    training = model.config.training
    tau, held = training.tau, training.n_validate
    say(f"{out}: Kendall's tau {tau:.4f} on {held:,} held-out cells", quiet=quiet)


def _cached() -> str:
    """Return where the cache has NAS-Bench-101."""
    path = cached(benchmark(_DEFAULT))
    if path is None:
        raise SnapError(
            f"{_DEFAULT} is not in the cache ({cache_folder()}); "
            f"run: snap-graphs fetch {_DEFAULT}, or name its file with --source"
        )
    return str(path)


def _cells(graphs: str | None, file: str, metric: str) -> tuple[pa.Table, str]:
    """Return what training reads of a file, and the column that `metric` names."""
    if graphs is None:
        table = convert(_DEFAULT, file)
        return table, resolve_metric(metric or _DEFAULT_METRIC, table.column_names, source=file)
    names = column_names(graphs)
    metrics = [name for name in names if is_metric(name)]
    if not metric and len(metrics) == 1:
        (metric,) = metrics
    column = resolve_metric(metric, names, source=graphs)
    needed = [*COLUMNS, "cell_hash", "module_hash", column]
    return read(graphs, "graphs", columns=[name for name in needed if name in names]), column


def _vocabulary(vectors: str, table: pa.Table, source: str) -> Vocabulary:
    """Return the operators of a file, and those that the table describes."""
    given = read(vectors, "operators")
    known = Vocabulary.from_table(given)
    return with_described(known, table.schema, encoder_of(given.schema), source)


def _paths(
    preset: str,
    table: pa.Table,
    vocabulary: Vocabulary,
    metric: str,
    recipes: Sequence[Recipe],
    source: str,
) -> folder.Weights:
    """Return the tensors of the preset's `PathModel`, if it has one."""
    if not PRESETS[preset].paths:
        return {}
    return fit_paths(table, vocabulary, metric, recipes[0], source).tensors()


def _fitted(
    run: Run,
    table: pa.Table,
    vocabulary: Vocabulary,
    recipes: Sequence[Recipe],
    source: str,
    checkpoint: Checkpoint,
    resume: bool,
    tensorboard: str | None,
    quiet: bool,
) -> list[Fitted]:
    begun = checkpoint.begun(resume=resume)
    with (
        learning.tensorboard(tensorboard) as log,
        learning.bar(recipes, begun, quiet=quiet) as show,
    ):

        def on_epoch(fitted: Sequence[Fitted]) -> None:
            log(fitted)
            checkpoint.save(fitted)
            show(fitted)

        return fit_members(
            table,
            vocabulary,
            run.metric,
            recipes,
            seed=run.seed,
            source=source,
            patience=run.patience,
            device=run.device,
            begun=begun,
            on_epoch=on_epoch,
        )


def assembled(
    run: Run,
    table: pa.Table,
    vocabulary: Vocabulary,
    recipes: Sequence[Recipe],
    fitted: Sequence[Fitted],
    paths: folder.Weights,
    name: str,
    command: str,
) -> folder.Model:
    """Put a model together from its trained members.

    Args:
        run: what was chosen.
        table: the cells, held-out ones included.
        vocabulary: the operators.
        recipes: of the members.
        fitted: the members.
        paths: tensors of the `PathModel`; none where there is none.
        name: of the model.
        command: what trained it.
    """
    cells = table.filter(~held_out(table))
    shown = ranges(cells, [recipe for recipe in recipes if not recipe.training_space])
    training = training_record(fitted, table.schema, run, shown)
    config = Config(
        format=FORMAT,
        name=name,
        command=command,
        preset=run.preset,
        schedule=run.schedule,
        seed=run.seed,
        members=list(recipes),
        paths=PRESETS[run.preset].paths if paths else 0.0,
        one_form=PRESETS[run.preset].one_form,
        prior=PRESETS[run.preset].prior,
        encoder=encoder_of(vocabulary.table.schema),
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
    parts = {folder.member(i): _arrays(state) for i, state in enumerate(states)}
    return folder.Model(
        config=config,
        weights=folder.joined({**parts, "paths": paths}),
        networks=to_onnx(recipes, states, vocabulary.vectors.shape[1]),
        operators=vocabulary.unread(),
        curve=learning.drawn(training),
    )


def _command(count: int, arguments: Sequence[str]) -> str:
    alone = ["snap-gcn"]
    several = ["torchrun", "--nproc-per-node", str(count), "-m", "snap_gcn"]
    return shlex.join([*(alone if count == 1 else several), *arguments])


def _arrays(state: dict[str, Tensor]) -> folder.Weights:
    return {name: tensor.numpy() for name, tensor in state.items()}

"""The record of what a model is: `config.json`."""

from collections.abc import Sequence
from statistics import fmean

import pyarrow as pa
from snap_catalog.parquet import decode_metadata

from snap_gcn.model.schema import Curves, Encoder, Ranges, Training
from snap_gcn.training.checkpoint import Run
from snap_gcn.training.fit import Epoch, Fitted


def training_record(
    fitted: Sequence[Fitted], graphs: pa.Schema, run: Run, shapes: Ranges
) -> Training:
    """Record what a predictor was trained on, how, and how it did.

    Loss and tau are those of the epochs kept, means over the members.

    Args:
        fitted: the trained members.
        graphs: schema of the training table; its metadata names the source of the data.
        run: what was chosen.
        shapes: the extent of what training showed.
    """
    data = decode_metadata(graphs)
    return Training(
        benchmark=data.get("snap.benchmark", "own data"),
        metric=run.metric,
        source_sha256=data.get("snap.source_sha256", "unknown"),
        n_train=max(member.n_train for member in fitted),
        n_validate=fitted[0].n_validate,
        patience=run.patience,
        device=run.device,
        processes=run.processes,
        loss=fmean(member.epoch.loss for member in fitted),
        tau=fmean(member.epoch.tau for member in fitted),
        seconds=sum(epoch.seconds for member in fitted for epoch in member.history),
        kept=[member.kept for member in fitted],
        history=[_curves(member.history) for member in fitted],
        shapes=shapes,
    )


def encoder_of(operators: pa.Schema) -> Encoder:
    """Return the sentence encoder that a table of operators names."""
    metadata = decode_metadata(operators)
    return Encoder(
        model=metadata["snap.model"],
        sha256=metadata["snap.model_sha256"],
        length=metadata.get("snap.length", "own"),
    )


def _curves(history: Sequence[Epoch]) -> Curves:
    return Curves(
        loss=[epoch.loss for epoch in history],
        tau=[epoch.tau for epoch in history],
    )

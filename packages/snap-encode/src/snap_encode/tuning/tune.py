"""Tune an encoder and write it to a folder."""

from collections import Counter
from pathlib import Path
from typing import Any

from snap_catalog import SnapError, corpus
from snap_catalog.console import progress, say
from snap_catalog.texts import Split
from snap_catalog.threads import one_thread

from snap_encode.models.bases import BASES
from snap_encode.tuning.evaluate import evaluate
from snap_encode.tuning.folder import check_new, write
from snap_encode.tuning.recipe import BASE, Recipe
from snap_encode.tuning.run import Run

_HELD_OUT: tuple[Split, ...] = ("validate", "test")


@one_thread()
def tune(
    out: Path, recipe: Recipe, *, seed: int = 0, resume: bool = False, quiet: bool = True
) -> None:
    """Tune the base model on the corpus, and write it to a folder.

    The state is saved after every epoch in a file next to the folder, which is removed at the end.

    An interrupted run, if there is one, is continued if `resume`. Equal seeds give equal weights.

    Raises:
        SnapError: the folder exists, an interrupted run exists or has other settings, or the loss
            diverges.
    """
    check_new(out)
    kept = out.with_name(f"{out.name}.checkpoint")
    if kept.exists() and not resume:
        raise SnapError(f"{kept}: belongs to an interrupted run; add --resume, or remove the file")
    run = Run(BASES[BASE](), recipe, seed)
    if kept.exists():
        run.resume(kept)
    try:
        done = len(run.history)
        with progress("Tuning epochs", recipe.epochs, done=done, quiet=quiet) as advance:
            while not run.finished:
                epoch = run.epoch()
                run.save(kept)
                advance(1, f"loss {epoch.loss:.4f} reciprocal rank {epoch.reciprocal_rank:.3f}")
    except KeyboardInterrupt:
        after = f"{len(run.history)} of {recipe.epochs} epochs"
        say(f"{out}: stopped after {after}; add --resume to continue")
        raise
    write(out, run.adapter, _record(run))
    kept.unlink()


def _record(run: Run) -> dict[str, Any]:
    figures = {split: evaluate(run.adapter.embed, split)._asdict() for split in _HELD_OUT}
    return {
        "settings": run.settings,
        "terms": Counter(term.split for term in corpus().values()),
        "history": [epoch._asdict() for epoch in run.history],
        "figures": figures,
    }

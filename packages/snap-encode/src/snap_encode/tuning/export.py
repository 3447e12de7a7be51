"""Write an encoder as a plain sentence-transformers folder."""

from pathlib import Path

from snap_encode.hush import hushed
from snap_encode.models import locate
from snap_encode.tuning.folder import new_folder


def export(model: str, out: Path) -> None:
    """Write a model, its adapter merged into the base, for plain sentence-transformers.

    Args:
        model: its name or folder, as `locate` takes it.
        out: a new folder.

    Raises:
        SnapError: the model is not to be had, or the folder exists or cannot be written.
    """
    with new_folder(out) as made:
        network = locate(model).load()
        with hushed():
            network.save_pretrained(str(made), create_model_card=False)

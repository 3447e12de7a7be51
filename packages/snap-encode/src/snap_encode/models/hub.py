"""Download models from the Hugging Face hub."""

from pathlib import Path
from textwrap import shorten

from snap_encode.libraries import silenced

OWNER = "sentence-transformers/"
"""Default owner of a model."""

_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]
_SECONDS = 10.0


class HubError(Exception):
    """The reason why a download from the hub failed."""


def download(repository: str) -> Path:
    """Return the folder of a model, from the hub or from its cache when it cannot be reached.

    Args:
        repository: owner and name, as `OWNER/NAME`.

    Raises:
        HubError: neither has the model.
    """
    with silenced():
        from huggingface_hub import HfApi, snapshot_download

        unreachable: Exception | None = None
        # Of all that the library raises, only some derives from one class.
        try:
            # The download has no time limit on its first question, so it is asked here.
            HfApi().model_info(repository, timeout=_SECONDS)
        except Exception as error:
            unreachable = error
        try:
            folder = snapshot_download(
                repository, allow_patterns=_FILES, local_files_only=unreachable is not None
            )
        except Exception as error:
            reason = str(unreachable or error) or type(error).__name__
            raise HubError(shorten(reason, 120, placeholder=" ...")) from error
    return Path(folder)

"""Download models from the Hugging Face hub."""

from pathlib import Path

from snap_encode.libraries import explained

OWNER = "sentence-transformers/"
"""Default owner of a model."""

_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]
_SECONDS = 10.0


def download(repository: str, problem: str, remedy: str) -> Path:
    """Return the folder of a model, from the hub or from its cache when it cannot be reached.

    `repository` is `OWNER/NAME`; the error begins with `problem` and ends with `remedy`.

    Raises:
        SnapError: neither has the model.
    """
    with explained(problem, remedy, most=120):
        from huggingface_hub import HfApi, snapshot_download

        unreachable: Exception | None = None
        try:
            # The download has no time limit on its first request, so that it is made here.
            HfApi().model_info(repository, timeout=_SECONDS)
        except Exception as error:
            unreachable = error
        try:
            return Path(
                snapshot_download(
                    repository, allow_patterns=_FILES, local_files_only=unreachable is not None
                )
            )
        except Exception as error:
            raise (unreachable or error) from error

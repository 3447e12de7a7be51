"""SHA-256 checksums of files, by which the tools recognise their inputs."""

import hashlib
import os
from pathlib import Path


def file_sha256(*paths: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of the contents of files, concatenated in the order given.

    Returns:
        64 hexadecimal digits.

    Raises:
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        with Path(path).open("rb") as file:
            hashlib.file_digest(file, lambda: digest)
    return digest.hexdigest()

"""Where the tools keep what can be had again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder for downloads and the like: `SNAP_CACHE`, or the system's place for them.

    It need not exist.
    """
    chosen = os.environ.get("SNAP_CACHE")
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("snap"))

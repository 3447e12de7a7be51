"""Locate the cache folder of the tools."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the cache folder: `SNAP_CACHE`, or else the system's cache folder for `snap`.

    The folder may not exist yet.
    """
    chosen = os.environ.get("SNAP_CACHE")
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("snap"))

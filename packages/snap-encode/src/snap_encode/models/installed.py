"""Files that installed packages hold."""

import importlib.util
from pathlib import Path


def package_folder(package: str) -> Path | None:
    """Return where an installed package lies, without running it; None where it is missing."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])

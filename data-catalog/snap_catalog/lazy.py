"""Import the public names of a package on first use, so that `--help` stays fast."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def exports(
    package: str, modules: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return a `__getattr__` and a `__dir__` for a package.

    Args:
        package: its name.
        modules: the module of every public name.
    """

    def getattribute(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(modules[name]), name)

    def listing() -> list[str]:
        return sorted({*vars(import_module(package)), *modules})

    return getattribute, listing

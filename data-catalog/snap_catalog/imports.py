"""Keep pyarrow from importing pandas."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType


class _NoPandasForPyarrow(MetaPathFinder):
    """Hides pandas from pyarrow alone.

    pyarrow imports pandas, if installed, when it first converts a Python object. That takes longer
    than most commands, and pyarrow works without it.
    """

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Refuse pandas if the importing code belongs to pyarrow, or to this project calling it."""
        if fullname == "pandas" and _caller().startswith(("pyarrow", "snap_")):
            raise ModuleNotFoundError("pyarrow works without pandas", name="pandas")
        return None


def _caller() -> str:
    """Return the name of the module that is importing another."""
    frame: FrameType | None = sys._getframe(2)
    while frame and frame.f_globals.get("__name__", "").startswith("importlib"):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "")) if frame else ""


def keep_pandas_from_pyarrow() -> None:
    """Hide pandas from pyarrow in this process; `to_pandas` then fails."""
    if not any(isinstance(finder, _NoPandasForPyarrow) for finder in sys.meta_path):
        sys.meta_path.insert(0, _NoPandasForPyarrow())

"""Keep what a command does not need from being imported."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType


class _NoPandasForPyarrow(MetaPathFinder):
    """Refuses pandas to pyarrow, and to nobody else.

    pyarrow looks for pandas, which takes longer to import than most commands run, the first time
    it is given a Python object, and makes do without it.
    """

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Refuse pandas where the innermost Python code is of pyarrow, or of ours calling it."""
        if fullname == "pandas" and _caller().startswith(("pyarrow", "snap_")):
            raise ModuleNotFoundError("pyarrow makes do without pandas", name="pandas")
        return None


def _caller() -> str:
    """Return the name of the module that is importing another."""
    frame: FrameType | None = sys._getframe(2)
    while frame and frame.f_globals.get("__name__", "").startswith("importlib"):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", "")) if frame else ""


def keep_pandas_from_pyarrow() -> None:
    """Let pyarrow do without pandas in this process, which cannot call `to_pandas` then."""
    if not any(isinstance(finder, _NoPandasForPyarrow) for finder in sys.meta_path):
        sys.meta_path.insert(0, _NoPandasForPyarrow())

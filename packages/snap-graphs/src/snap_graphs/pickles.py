"""Read pickles without running what is in them."""

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snap_catalog import SnapError


class Record:
    """Stands in for a class of a pickle: it takes attributes and does nothing."""


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes, admitted: Mapping[tuple[str, str], type[Record]]) -> None:
        super().__init__(io.BytesIO(data))
        self._admitted = admitted

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._admitted:
            raise pickle.UnpicklingError(f"it refers to {module}.{name}, which is not admitted")
        return self._admitted[module, name]


def load_pickle(path: Path, admitted: Mapping[tuple[str, str], type[Record]]) -> Any:
    """Load plain values, and instances of the admitted classes as inert records.

    Args:
        path: the pickle.
        admitted: by module and name, the record that stands in for each class.

    Raises:
        SnapError: the file is damaged or refers to anything else; nothing of it was run.
    """
    try:
        return _Unpickler(path.read_bytes(), admitted).load()
    except OSError as error:
        raise SnapError(f"{path}: cannot be read ({error.strerror})") from error
    except Exception as error:  # a damaged pickle raises whatever its opcodes stumble over
        reason = str(error) or type(error).__name__
        raise SnapError(f"{path}: refused as a pickle ({reason}); fetch the file anew") from error

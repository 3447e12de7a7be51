"""The options of a search that measures, and the file `session.json` that keeps them."""

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import structs
from snap_catalog import SnapError
from snap_catalog.catalog import Direction
from snap_catalog.parquet import replacing

from snap_evo import defaults
from snap_evo.search_options import Count, SearchOptions, Text

FILE = "session.json"


class Setup(SearchOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of a search that measures.

    Attributes:
        session: version of the file.
        metric: name of what is measured.
        direction: whether a higher (`max`) or lower (`min`) value is better.
        measure: the measurer, as `load_measurer` reads it; None if the user measures.
        measurements: architectures to measure; None if the user ends the search.
        surrogate: learns from measurements, as `load_surrogate` reads it.
        algorithm: proposes architectures to measure.
        code: whether the search began with the code that the definition names, as costs may need
            it. It continues only if the user allows that code again.
    """

    session: Literal[1] = 1
    metric: Text
    direction: Direction
    measure: str | None = None
    measurements: Count | None = None
    surrogate: Text = defaults.SURROGATE
    algorithm: Text = defaults.MEASURING_ALGORITHM
    code: bool = False


def is_session(folder: Path) -> bool:
    """Return whether a folder holds a session."""
    return (folder / FILE).exists()


def write_setup(setup: Setup, folder: Path) -> None:
    """Write `session.json`, whose first key says what kind of file it is."""
    content = {"session": setup.session, **structs.asdict(setup)}
    with replacing(folder / FILE) as temporary:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")


def read_setup(folder: Path) -> Setup:
    """Read `session.json`.

    Raises:
        SnapError: there is none, or it is damaged, which names the entry.
    """
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Setup)
    except FileNotFoundError as error:
        raise SnapError(
            f"{folder}: holds no {FILE}; begin with: snap-evo start {folder} --space SPACE "
            "--metric METRIC"
        ) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SnapError(f"{path}: cannot be read ({reason}); name a folder of snap-evo") from error
    except (ValueError, RecursionError) as error:
        raise SnapError(f"{path}: damaged ({error}); restore it from a copy") from error

"""What a search that measures is for, as its file `session.json` remembers it."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from snap_catalog import SnapError
from snap_catalog.catalog import Direction
from snap_catalog.parquet import replacing
from snap_graphs import Space, space
from snap_graphs.spaces import defined_space

from snap_evo import defaults
from snap_evo.objectives import Limit, cost_limits, parse_maxima

FILE = "session.json"
_Positive = Annotated[float, Meta(gt=0)]
_Count = Annotated[int, Meta(ge=1, le=2**31 - 1)]
_Text = Annotated[str, Meta(min_length=1)]


class Setup(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that decides what a search proposes to measure.

    Attributes:
        session: version of the file.
        space: the search space, as `snap_graphs.space` finds it.
        definition: the TOML of a space of the user's own; None where `space` is to be looked up.
        metric: name of what is measured.
        direction: whether more (`max`) or less (`min`) of it is better.
        measure: what measures, as `load_measurer` reads it; None where the user does.
        measurements: architectures to measure; None where the user ends the search.
        scorer: rates architectures before anything is measured, as `load_scorer` reads it.
        surrogate: what learns from measurements.
        algorithm: what proposes.
        min_params: fewest parameters of a network; None, here and below, for no limit.
        max_params: most parameters.
        max_flops: most multiply-adds.
        max_activations: most activations.
        most: further highest values, as `parse_maxima` reads them: of costs, of metrics of the
            table, and of what is measured beside the metric.
        objective: what the front is of, as `tradeoff` reads it; `score` alone for no front.
        table: a `graphs.parquet` of the space, whose metrics may be limited, or objectives.
        network: whose costs are meant; the benchmark's own where None.
        seed: of all randomness.
        code: whether it began with the code that the definition names, as costs may need it. It
            is imported where the user allows it again, and nothing goes on without.
    """

    session: Literal[1] = 1
    space: _Text
    definition: str | None = None
    metric: _Text
    direction: Direction
    measure: str | None = None
    measurements: _Count | None = None
    scorer: _Text = defaults.SCORER
    surrogate: _Text = defaults.SURROGATE
    algorithm: _Text = defaults.MEASURING_ALGORITHM
    min_params: _Positive | None = None
    max_params: _Positive | None = None
    max_flops: _Positive | None = None
    max_activations: _Positive | None = None
    most: str | None = None
    objective: _Text = "score"
    table: str | None = None
    network: str | None = None
    seed: Annotated[int, Meta(ge=0, le=defaults.MOST_SEED)] = defaults.SEED
    code: bool = False

    def home(self, *, allow_code: bool = False) -> Space:
        """Return the search space.

        Args:
            allow_code: whether code that the definition names may be imported.

        Raises:
            SnapError: there is no such space.
        """
        if self.definition is None:
            return space(self.space)
        return defined_space(self.definition, self.space, allow_code=allow_code)

    def limits(self) -> list[Limit]:
        """Return what is known of networks before they are measured and limited.

        Raises:
            SnapError: the table cannot be read.
        """
        own = cost_limits(self.min_params, self.max_params, self.max_flops, self.max_activations)
        return [*own, *parse_maxima(self.most, self.table)[0]]

    def measured_maxima(self) -> dict[str, float]:
        """Return the highest values of what is measured beside the metric, by name."""
        return parse_maxima(self.most, self.table)[1]


def is_session(folder: str) -> bool:
    """Return whether a folder holds a session."""
    return (Path(folder) / FILE).exists()


def write_setup(setup: Setup, folder: Path) -> None:
    """Write `session.json`."""
    with replacing(folder / FILE) as temporary:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(setup), indent=2) + b"\n")


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

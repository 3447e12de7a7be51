"""The configuration of a model, `config.json`: settings, training data and results."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from snap_catalog import SnapError

from snap_gcn.data.vocabulary import Key
from snap_gcn.model.recipe import Recipe
from snap_gcn.reliability.calibration import FEATURES, Calibration, NetworkCalibration
from snap_gcn.reliability.shape import NUMBERS

FORMAT: Literal[3] = 3
Whole = Annotated[int, Meta(ge=-(2**53), le=2**53)]
"""An integer that a double can hold."""
Range = Annotated[list[Whole], Meta(min_length=2, max_length=2)]
Ranges = dict[str, Range]
"""Minimum and maximum of each number of `snap_gcn.reliability.shape.shapes`."""


class _Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of `config.json`."""


class Encoder(_Entry, frozen=True, kw_only=True):
    """The sentence encoder of the operators' vectors, and the length of the descriptions."""

    model: str
    sha256: str
    length: str


class Curves(_Entry, frozen=True, kw_only=True):
    """Loss and Kendall's tau of a member by epoch."""

    loss: list[float]
    tau: list[float]


class Training(_Entry, frozen=True, kw_only=True):
    """The training data and the course of training; loss and tau are means over the members."""

    benchmark: str
    metric: str
    source_sha256: str
    n_train: Whole
    n_validate: Whole
    patience: Whole | None
    device: str
    processes: Whole
    loss: float
    tau: float
    seconds: float
    kept: list[Whole]
    history: list[Curves]
    shapes: Ranges


class Domain(_Entry, frozen=True, kw_only=True):
    """The operators and shapes in the training cells of the members for the training space."""

    operators: list[Key]
    shapes: Ranges


class Measured(_Entry, frozen=True, kw_only=True):
    """The rank correlations of a model on a benchmark."""

    benchmark: str
    metric: str
    role: str
    n: Whole
    spearman: float
    kendall_tau_b: float


class Adapted(_Entry, frozen=True, kw_only=True):
    """The measurements that a model was adapted to, and the features it uses.

    Attributes:
        metric: the metric measured.
        direction: whether higher (`max`) or lower (`min`) values are better.
        labels: number of measurements.
        operators: the operators whose positions in a graph are features.
        costs: the cost columns that are features.
        scorers: other scorers whose scores are features.
        spaces: the search spaces of the architectures.
        before: Spearman's rho between measurements and unadapted scores; None if undefined.
        left_out: Spearman's rho between measurements and leave-one-out predictions; likewise.
    """

    metric: str
    direction: Literal["max", "min"]
    labels: Whole
    operators: list[str]
    costs: list[str]
    scorers: list[str]
    spaces: list[str]
    before: float | None
    left_out: float | None


class Config(_Entry, frozen=True, kw_only=True):
    """The content of `config.json`.

    Attributes:
        format: version of the folder's format.
        name: of the model.
        command: the command that trained it.
        preset: of its recipe.
        schedule: of its training.
        seed: of all randomness.
        members: recipes of its networks.
        paths: weight of the `PathModel`; 0 if there is none.
        one_form: see `snap_gcn.model.recipe.Preset`, like `prior`.
        prior: whether whole networks are scored by their size.
        encoder: of the operators' vectors.
        training: data and course of the training.
        trained_operators: the operators in the training cells.
        training_space: extent of the training space; None if no member is for it alone.
        measured: rank correlations on benchmarks.
        calibration: predicts the rank correlation on other spaces; None if not calibrated.
        networks: the same for whole networks.
        kind: `trained`, or `adapted` to measurements.
        adapted: the measurements; None if the model was not adapted.
    """

    format: Literal[3]
    name: str
    command: str
    preset: str
    schedule: str
    seed: Whole
    members: Annotated[list[Recipe], Meta(min_length=1)]
    paths: float
    one_form: bool
    prior: bool
    encoder: Encoder
    training: Training
    trained_operators: Annotated[list[Key], Meta(min_length=1)]
    training_space: Domain | None
    measured: list[Measured]
    calibration: Calibration | None
    networks: NetworkCalibration | None
    kind: Literal["trained", "adapted"]
    adapted: Adapted | None


class _Format(Struct):
    """The entry that every format has."""

    format: Whole


def encode(config: Config) -> bytes:
    """Serialise a configuration as the text of `config.json`."""
    return msgspec.json.format(msgspec.json.encode(config), indent=2) + b"\n"


def decode(text: bytes, path: Path) -> Config:
    """Parse the text of `config.json`.

    Raises:
        SnapError: an entry is invalid, or the model has an earlier format.
    """
    try:
        if 1 <= (old := msgspec.json.decode(text, type=_Format).format) < FORMAT:
            raise SnapError(
                f"{path}: a model of format {old}; run: "
                f"snap-gcn convert {path.parent} NEW, and use NEW"
            )
        config = msgspec.json.decode(text, type=Config)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        problem = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise SnapError(f"{path}: {problem}; get or train the model again") from error
    if contradiction := _contradiction(config):
        raise SnapError(f"{path}: {contradiction}; get or train the model again")
    return config


def _contradiction(config: Config) -> str | None:
    """Return which entries of a configuration contradict each other; None if none do."""
    apart = [recipe.training_space for recipe in config.members]
    if all(apart) or any(apart) != (config.training_space is not None):
        return "`members` and `training_space` do not fit together"
    if (config.kind == "adapted") != (config.adapted is not None):
        return "`kind` and `adapted` do not fit together"
    shapes = [config.training.shapes]
    shapes += [config.training_space.shapes] if config.training_space else []
    if any(not entry.keys() <= set(NUMBERS) for entry in shapes):
        return f"`shapes` has other names than {', '.join(NUMBERS)}"
    if config.calibration is not None:
        names = {*config.calibration.slopes, *config.calibration.limits}
        names |= {name for entry in config.calibration.benchmarks for name in entry["features"]}
        if not names <= set(FEATURES):
            return f"`calibration` has other features than {', '.join(FEATURES)}"
    return None

"""The network around the cells of a user-defined space, and its choices."""

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from snap_catalog import SnapError
from snap_catalog.errors import excerpt

_KEYS = ("image", "classes", "stem", "stem_stride", "stages")
_STAGE_KEYS = ("repeats", "width", "stride")
_MOST_IMAGE, _MOST_CLASSES = 1024, 100_000
_MOST_REPEATS, MOST_WIDTH, _MOST_STRIDE = 200, 4096, 4
_MOST_STAGES, _MOST_CHOICES = 32, 64


class Chosen(NamedTuple):
    """A stage with fixed choices.

    Attributes:
        repeats: number of cells.
        width: output channels.
        stride: stride of the first cell.
    """

    repeats: int
    width: int
    stride: int


class Step(NamedTuple):
    """A cell's place in the network.

    Attributes:
        first: whether the cell is the first of its stage.
        width: channels of its nodes.
        side: output side in pixels.
        entering: channels, side and stride of each input.
    """

    first: bool
    width: int
    side: int
    entering: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Stage:
    """Equal cells in a row, of which the first changes the shape; entries list choices.

    Attributes:
        repeats: numbers of cells.
        widths: output channels.
        strides: strides of the first cell.
    """

    repeats: tuple[int, ...]
    widths: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True)
class Skeleton:
    """A stem, stages of cells, and a linear classifier behind global average pooling.

    Attributes:
        image: side of the square images in pixels.
        classes: outputs of the classifier.
        stem: channels of the 3x3 convolution that reads the images.
        stem_stride: its stride.
        stages: the stages.
    """

    image: int
    classes: int
    stem: int
    stem_stride: int
    stages: tuple[Stage, ...]

    @property
    def options(self) -> tuple[int, ...]:
        """Number of options of every choice: repeats, width and stride by stage."""
        return tuple(len(entries) for entries in self._entries() if len(entries) > 1)

    def choose(self, choices: Iterator[int]) -> tuple[Chosen, ...]:
        """Return the stages for one option per choice."""
        values = [e[next(choices)] if len(e) > 1 else e[0] for e in self._entries()]
        return tuple(Chosen(*values[at : at + 3]) for at in range(0, len(values), 3))

    def choices(self, stages: Sequence[Chosen]) -> list[int]:
        """Return the options of stages, the inverse of `choose`."""
        values = [value for stage in stages for value in stage]
        pairs = zip(self._entries(), values, strict=True)
        return [entries.index(value) for entries, value in pairs if len(entries) > 1]

    def has(self, stages: Sequence[Chosen]) -> bool:
        """Return whether stages are among the choices."""
        values = [value for stage in stages for value in stage]
        entries = self._entries()
        return len(values) == len(entries) and all(
            v in e for v, e in zip(values, entries, strict=True)
        )

    def steps(self, stages: Sequence[Chosen], inputs: int) -> Iterator[Step]:
        """Yield the cells in order; each reads the previous outputs, at first those of the stem.

        Args:
            stages: the stages.
            inputs: number of inputs of a cell.
        """
        side, scale = -(-self.image // self.stem_stride), 1
        before = deque([(self.stem, side, scale)] * inputs, maxlen=inputs)
        for repeats, width, stride in stages:
            for place in range(repeats):
                step = stride if place == 0 else 1
                side, scale = -(-side // step), scale * step
                entering = tuple((channels, old, scale // by) for channels, old, by in before)
                yield Step(place == 0, width, side, entering)
                before.append((width, side, scale))

    def _entries(self) -> list[tuple[int, ...]]:
        return [entry for s in self.stages for entry in (s.repeats, s.widths, s.strides)]


DEFAULT = Skeleton(
    32, 10, 16, 1, tuple(Stage((5,), (16 * 2**i,), (1 + (i > 0),)) for i in range(3))
)
"""The size of NAS-Bench-201's network, the default for operators with modules."""


def read_skeleton(entries: object, source: str) -> Skeleton:
    """Read the table `skeleton` of a definition.

    Args:
        entries: the table.
        source: origin of the table, for errors.

    Raises:
        SnapError: it is invalid; names the source, the key, the value and the remedy.
    """
    table = Entries(entries, source, _KEYS, "skeleton")
    stages = table.entries.get("stages")
    if not isinstance(stages, list) or not 0 < len(stages) <= _MOST_STAGES:
        table.refuse("stages", f"must list 1 to {_MOST_STAGES} stages, such as [[skeleton.stages]]")
    return Skeleton(
        image=table.number("image", 8, _MOST_IMAGE, DEFAULT.image),
        classes=table.number("classes", 1, _MOST_CLASSES, DEFAULT.classes),
        stem=table.number("stem", 1, MOST_WIDTH, DEFAULT.stem),
        stem_stride=table.number("stem_stride", 1, _MOST_STRIDE, DEFAULT.stem_stride),
        stages=tuple(_stage(stage, source, place) for place, stage in enumerate(stages)),
    )


def _stage(entries: object, source: str, place: int) -> Stage:
    table = Entries(entries, source, _STAGE_KEYS, f"skeleton.stages[{place}]")
    return Stage(
        table.numbers("repeats", _MOST_REPEATS, 1),
        table.numbers("width", MOST_WIDTH, None),
        table.numbers("stride", _MOST_STRIDE, 1),
    )


class Entries:
    """The entries of a TOML table, with checks that name the source, the key and the value."""

    def __init__(self, entries: object, source: str, keys: Sequence[str], table: str = "") -> None:
        """Check that the entries are a table of known keys.

        Args:
            entries: the table.
            source: origin of the table, for errors.
            keys: the known keys.
            table: name of the table in the file; empty for the top level.

        Raises:
            SnapError: the entries are not a table, or a key is unknown.
        """
        self.source, self._prefix = source, f"{table}." if table else ""
        if not isinstance(entries, dict):
            raise SnapError(f"{source}: {table} = {excerpt(entries)} must be a table [{table}]")
        self.entries: Mapping[str, Any] = entries
        for key in entries:
            if key not in keys:
                self.refuse(key, f"is unknown; the keys are {', '.join(keys)}")

    def refuse(self, key: str, problem: str) -> NoReturn:
        """Raise the error on the value of a key."""
        value = f" = {excerpt(self.entries[key])}" if key in self.entries else ""
        raise SnapError(f"{self.source}: {self._prefix}{key:.40}{value} {problem}")

    def text(self, key: str, form: re.Pattern[str], problem: str) -> str:
        """Return a text of the given form; else refuse it with a description of the problem."""
        value = self.entries.get(key)
        if not isinstance(value, str) or not form.fullmatch(value):
            self.refuse(key, problem)
        return value

    def number(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """Return an integer from a range, or the default."""
        value = self.entries.get(key, default)
        if type(value) is not int or not low <= value <= high:
            self.refuse(key, f"must be a whole number from {low} to {high}")
        return int(value)

    def numbers(self, key: str, high: int, default: int | None) -> tuple[int, ...]:
        """Return one or several integers from 1 to a maximum, or the default."""
        value = self.entries.get(key, default)
        listed = value if isinstance(value, list) else [value]
        whole = all(type(number) is int and 1 <= number <= high for number in listed)
        if not whole or not 0 < len(listed) <= _MOST_CHOICES or len({*listed}) < len(listed):
            self.refuse(
                key,
                f"must be a whole number from 1 to {high}, or a list of up to {_MOST_CHOICES} "
                "different ones to choose from",
            )
        return tuple(listed)

"""Extract numbers from a description by rules: kernel, stride, dilation, groups, expansion."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isqrt

from snap_encode.reading import package_files
from snap_encode.reading.plain_text import plain, with_digits

STATED, IMPLIED, GUESSED = 1.0, 0.8, 0.5
"""Confidence of a number: stated with its name, implied by other words, or left over."""


@dataclass(frozen=True)
class Stated:
    """Numbers in a text with their confidence.

    Attributes:
        values: kernel (its height), stride, dilation, groups and expansion, if stated.
        sure: the confidence of each, from 0 to 1.
        width: width of a kernel that is not square.
        pointwise: whether the text describes an operation on single positions.
    """

    values: Mapping[str, int] = field(default_factory=dict)
    sure: Mapping[str, float] = field(default_factory=dict)
    width: int | None = None
    pointwise: bool = False


@dataclass(frozen=True)
class _Found:
    """A number in a text; `second` is the second number of a pair (`3x5`)."""

    first: int
    second: int
    sure: float


_TABLES = package_files.table("numbers.toml")
_PART = re.compile("<([A-Z]+)>")


def _pattern(text: str) -> re.Pattern[str]:
    """Compile an expression with named parts.

    The rest of a word is limited to 20 letters, so that time is linear in the length of a text.
    """
    parts: Mapping[str, str] = _TABLES["parts"]
    while named := _PART.search(text):
        text = text.replace(named.group(), parts[named.group(1)])
    return re.compile(text.replace(r"\w*", r"\w{0,20}").replace(r"\w+", r"\w{1,20}"))


_RULES: Mapping[str, Sequence[tuple[re.Pattern[str], float]]] = {
    setting: [
        (_pattern(text), sure)
        for group, sure in (("stated", STATED), ("implied", IMPLIED))
        for text in _TABLES[group].get(setting, ())
    ]
    for setting in ("dilation", "stride", "groups", "expansion")
}
_KERNEL = _TABLES["kernel"]
_SQUARE, _COUNTED, _RADIUS, _POINTWISE, _TAIL = (
    _pattern(_KERNEL[name]) for name in ("square", "counted", "radius", "pointwise", "tail")
)
_NAMED, _OTHERS = ([_pattern(text) for text in _KERNEL[name]] for name in ("named", "others"))
_TWICE = re.compile(r"(?<!\d)(?:([3579])\s*[^\W\d]?\s*\1|(?<![a-wyz])(1)\s*[^\W\d]?\s*1)(?!\d)")
_LIKELY = (1, 2, 3, 5, 7, 9, 11)


def numbers(text: str) -> Stated:
    """Extract the numbers of a description.

    A number that is written with its name (`stride 2`, `k=3`, `5x5`) has the highest confidence,
    one implied by other words (`a pixel and its eight neighbours`) a lower one. A number that is
    left over (`c3`) has the lowest and becomes the kernel.
    """
    written = plain(text)
    rest = with_digits(written)
    square, rest = _square(rest)
    found: dict[str, _Found] = {}
    for setting, rules in _RULES.items():
        number, rest = _by_rules(rest, rules)
        if number is not None:
            found[setting] = number
    kernel = square if square and max(square.first, square.second) > 1 else None
    kernel = kernel or _counted(rest) or _named_kernel(rest) or _left_over(written) or square
    if kernel is None and "dilation" in found and found["dilation"].sure < STATED:
        dilation = found.pop("dilation")  # an odd number is the kernel: `dil 5`
        kernel = dilation if dilation.first % 2 else None
    if kernel is not None:
        found["kernel"] = kernel
    return Stated(
        {name: number.first for name, number in found.items()},
        {name: number.sure for name, number in found.items()},
        kernel.second if kernel and kernel.second != kernel.first else None,
        bool(_POINTWISE.search(rest)),
    )


def _square(text: str) -> tuple[_Found | None, str]:
    """Return the largest window of the form `3x3`, and the text without windows."""
    sizes = [(int(a), int(b)) for a, b in _SQUARE.findall(text) if int(a) and int(b)]
    if not sizes:
        return None, text
    height, width = max(sizes, key=lambda size: size[0] * size[1])
    return _Found(height, width, STATED), _SQUARE.sub(" ; ", text)


def _by_rules(
    text: str, rules: Sequence[tuple[re.Pattern[str], float]]
) -> tuple[_Found | None, str]:
    """Return the first number that matches a rule, and the text without it."""
    for pattern, sure in rules:
        found = pattern.search(text)
        if found is None:
            continue
        digits = next(filter(None, found.groups()), "2")
        if digits != "0":
            rest = f"{text[: found.start()]} ; {text[found.end() :]}"
            return _Found(int(digits), int(digits), sure), rest
    return None, text


def _counted(text: str) -> _Found | None:
    """Derive the side of a window from its radius or its number of positions."""
    if reach := _RADIUS.search(text):
        side = 2 * int(reach.group(1)) + 1
        return _Found(side, side, IMPLIED)
    for found in _COUNTED.finditer(text):
        count = int(found.group(1))
        for area in (count, count + 1):
            side = isqrt(area)
            if side > 1 and side * side == area and (area > 4 or count == 4):
                return _Found(side, side, IMPLIED)
    return None


def _named_kernel(text: str) -> _Found | None:
    for other in _OTHERS[:2]:
        text = other.sub(" ; ", text)
    for pattern in _NAMED:
        found = pattern.search(text)
        if found and any(int(number) for number in found.groups() if number):
            first, *second = (int(number) for number in found.groups() if number)
            return _Found(first, second[0] if second else first, STATED)
    return None


def _left_over(text: str) -> _Found | None:
    """Use a number that no rule matches as the kernel; `33` and `3c3` mean 3x3."""
    for rules in _RULES.values():
        for pattern, _ in rules:
            text = pattern.sub(" ; ", text)
    for pattern in _OTHERS:
        text = pattern.sub(" ; ", text)
    twice = _TWICE.search(text)
    if twice:
        side = int(twice.group(1) or twice.group(2))
        return _Found(side, side, IMPLIED)
    for tail in _TAIL.finditer(text):
        side = int(tail.group(1) or tail.group(2))
        if side in _LIKELY:
            return _Found(side, side, IMPLIED)
    left = [int(number) for number in re.findall(r"(?<!\d)\d{1,2}(?!\d)", text)]
    side = next((number for number in left if number in _LIKELY), 0)
    return _Found(side, side, GUESSED) if side else None

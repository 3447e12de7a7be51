"""Tables and figures in the format of the pages in `docs`."""

from collections.abc import Iterable, Sequence
from statistics import mean, stdev


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Write a mean and, of several values, their standard deviation: `.812 +- .014`."""
    middle = short(mean(values), digits)
    return middle if len(values) < 2 else f"{middle} +- {short(stdev(values), digits)}"


def short(value: float, digits: int = 3) -> str:
    """Write a number, without the zero before its point: `-.08`."""
    return f"{value:.{digits}f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.{digits}f}"

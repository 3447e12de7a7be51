"""CSV that spreadsheets show and do not execute."""

from collections.abc import Iterable, Sequence

_RUN = ("=", "+", "-", "@", "\t", "\r")
"""How texts begin that spreadsheets take for formulas."""
_QUOTED = frozenset(',"\r\n')


def csv_text(names: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Write a line of names and the rows as CSV.

    A text that a spreadsheet would run as a formula is preceded by an apostrophe, unless it is a
    number such as `-0.5`.
    """
    lines = [map(_cell, names), *(map(_cell, row) for row in rows)]
    return "".join(",".join(line) + "\n" for line in lines)


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    if isinstance(value, str) and value.startswith(_RUN) and not _is_number(value):
        text = f"'{value}"
    # The standard library's writer leaves a carriage return unquoted, which ends a line.
    return '"' + text.replace('"', '""') + '"' if _QUOTED & set(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()

"""Read a file of operators: one per line, `name<TAB>description` or just a description."""

import io
import os
from pathlib import Path

from snap_catalog import SnapError

_LONGEST = 10_000


def read_operators(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the descriptions of operators by name, in the order of the file.

    A line without a tab is both name and description. Blank lines, lines that begin with `#` and
    repeated lines are ignored. The text is UTF-8; a byte order mark is allowed.

    Raises:
        SnapError: the file cannot be read, has no operator, or has an invalid line (named).
    """
    descriptions: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(io.StringIO(_text(path), newline=None), 1):
        where = f"{path}:{number}"
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, description = _operator(line.rstrip("\n"), where)
        if descriptions.setdefault(name, description) != description:
            raise SnapError(
                f"{where}: operator {_shown(name)} has another description on line {lines[name]}; "
                "rename one"
            )
        lines.setdefault(name, number)
    if not descriptions:
        raise SnapError(f"{path}: contains no operator; write one per line, name<TAB>description")
    return descriptions


def _text(path: str | os.PathLike[str]) -> str:
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise SnapError(f"{path}: cannot be read ({reason}); name a text file") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_text(path, data[: error.start]) from error
    if "\0" in text:
        raise _not_text(path, data[: data.index(b"\0")])
    return text


def _not_text(path: str | os.PathLike[str], before: bytes) -> SnapError:
    number = before.count(b"\n") + 1
    return SnapError(f"{path}:{number}: not UTF-8 text; save the file as plain text in UTF-8")


def _operator(line: str, where: str) -> tuple[str, str]:
    if len(line) > _LONGEST:
        raise SnapError(
            f"{where}: a line of {len(line):,} characters; shorten it to {_LONGEST:,} or fewer"
        )
    fields = [field.strip() for field in line.split("\t")]
    if len(fields) > 2:
        raise SnapError(
            f"{where}: {len(fields) - 1} tabs in {_shown(line)}; write name<TAB>description"
        )
    name, description = fields[0], fields[-1]
    if not name:
        raise SnapError(f"{where}: no name before the tab in {_shown(line)}; add one")
    if not description:
        raise SnapError(f"{where}: no description after the tab in {_shown(line)}; add one")
    return name, description


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")

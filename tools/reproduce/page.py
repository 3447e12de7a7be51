"""`docs/results.md`: the figures of the report as text, and where each is from."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from snap_catalog.console import counted
from snap_eval.report.figures import Absent, Chart, Table
from snap_eval.report.results import Results
from snap_eval.report.sections import SECTIONS

from tools import printed

_HEAT_MAPS = ("heat-map", "independence")
_LONG = ("best-cells",)
"""Tables that the report alone has."""
_WIDEST = 100
"""Longer texts, as those of DARTS cells, are cut."""

_COMMIT = re.compile(r"at commit (\w+)")
_SECTION = re.compile(r"^## ", re.MULTILINE)
_NUMBERED = re.compile(r"(Table|Figure) \d+")

PAGE = "docs/results.md"
"""Where the page is, in the repository."""


def page(results: Results, missing: Sequence[str], seeds: int, before: str = "") -> str:
    """Write the page.

    Args:
        results: the results folder.
        missing: benchmarks whose data are not there.
        seeds: models of a predictor.
        before: the page as it is, whose tables stay where the folder has no results for them.
    """
    parts = [part for section in SECTIONS for part in section.parts(results)]
    kept = dict(_kept(before, [part.what for part in parts if isinstance(part, Absent)]))
    absent = [part for part in parts if isinstance(part, Absent) and part.what not in kept]
    how = " with `--bundled`" if seeds == 1 else ""
    blocks = [
        "# Results",
        f"Made by `uv run --all-groups python -m tools.reproduce`{how} at commit {commit()}; "
        f"{counted(seeds, 'seed')} of each preset unless said. The report that it writes next to "
        "its Parquet files shows the same as charts. Roles are in brackets: nothing was chosen by "
        "a metric of the role test, and no label but NAS-Bench-101's reached a weight. The table "
        '"More statistics" has only rows over all cells: all scorers on metrics of the role '
        "develop, predictors with several seeds on the others.",
        *(block for part in parts if isinstance(part, Chart | Table) for block in _blocks(part)),
        *kept.values(),
        "## Not run",
        _listing([*missing, *(f"{part.what}: `{part.command}`" for part in absent)]),
    ]
    return "\n\n".join(blocks) + "\n"


def _kept(before: str, absent: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield of what is absent the section of an earlier page, if it has one, with its commit."""
    made = _COMMIT.search(before)
    sections = {number: text for text in _SECTION.split(before)[1:] if (number := _numbered(text))}
    for what in absent:
        text = sections.get(_numbered(what))
        if made and text:
            note = "" if "Measured at commit" in text else f"Measured at commit {made[1]}. "
            heading, _, rest = text.strip().partition("\n\n")
            yield what, f"## {heading}\n\n{note}{rest}"


def _numbered(text: str) -> str:
    """Return which figure or table of the paper the first line of a text is about, if any."""
    found = _NUMBERED.search(text.partition("\n")[0])
    return found[0] if found else ""


def commit() -> str:
    """Return the commit that is checked out, and whether files but the page differ from it."""
    here = Path(__file__).parent
    name = _git(here, "rev-parse", "--short=12", "HEAD") or "unknown"
    others = (":(top)", f":(top,exclude){PAGE}")
    changed = _git(here, "status", "--porcelain", "--untracked-files=no", "--", *others)
    return f"{name} (with changes)" if changed else name


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _blocks(part: Chart | Table) -> Iterator[str]:
    text = _pivoted(part) if isinstance(part, Chart) else _laid_out(part)
    if text:
        yield f"## {part.title}"
        yield f"{part.text}\n\n    {part.command}"
        yield text


def _laid_out(part: Table) -> str:
    if part.name in _LONG:
        return ""
    rows = [[_plain(entry.text) for entry in row] for row in part.rows]
    if part.name == "correlations":
        rows = [
            row
            for row in rows
            if "all" in row and ("develop" in row or any("±" in text for text in row))
        ]
    return printed.table(part.head, rows)


def _pivoted(part: Chart) -> str:
    """Lay a heat map out as a table; other charts are in the report alone."""
    if not part.name.startswith(_HEAT_MAPS):
        return ""
    rows: dict[str, dict[str, float | None]] = {}
    for row in part.data.to_pylist():
        rows.setdefault(row["row"], {})[row["column"]] = row["value"]
    columns = list(dict.fromkeys(part.data["column"].to_pylist()))
    lines = [[name, *(_number(of.get(column)) for column in columns)] for name, of in rows.items()]
    return printed.table(["", *columns], lines)


def _number(value: float | None) -> str:
    return "" if value is None else printed.short(value, 2)


def _plain(text: str) -> str:
    cut = text if len(text) <= _WIDEST else f"{text[:_WIDEST]}..."
    return cut.replace("|", "\\|")


def _listing(items: Sequence[str]) -> str:
    return "\n".join(f"- {item}" for item in items)

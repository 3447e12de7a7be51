"""Hook of `mkdocs.yml`: pages made of READMEs, contracts, click commands and notebooks."""

import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from typing import Literal, get_args

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from nbclient import NotebookClient
from nbconvert import MarkdownExporter
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from snap_catalog.schemas import Column, Contract, Name, contract

ROOT = Path(__file__).parents[1]
TOOLS = ("snap-graphs", "snap-encode", "snap-gcn", "snap-evo", "snap-eval")
INCLUDED = {
    **{f"packages/{tool}/README.md": f"tools/{tool}.md" for tool in TOOLS},
    "data-catalog/README.md": "tools/snap-catalog.md",
    "packages/snap-graphs/SAFETY.md": "safety.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Files outside docs/ that are pages of the site, and where they stand there."""
ORIGINS = {page: path for path, page in INCLUDED.items()}
CONTRACTS = "<!-- contracts -->"
"""The line of a page that tables of all contracts replace."""

_LINK = re.compile(r"(?<=\]\()(?P<path>[^()\s:#]+)(?P<anchor>#[^()\s]*)?(?=\))")
_LINKED = re.compile(r"(?<!!)\[(?P<text>[^\[\]]*)\]\((?P<path>[^()\s:#]+)(#[^()\s]*)?\)")
_LONGEST_START = 600
"""Seconds after which a kernel hangs, on the slowest of machines."""
_log = logging.getLogger("mkdocs.hooks.site_pages")
_command = "build"


def on_startup(command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
    """Remember whether notebooks are run: not by `mkdocs serve`, which builds at every change."""
    global _command
    _command = command


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made of something else."""
    for path, page in INCLUDED.items():
        text = (ROOT / path).read_text("utf-8")
        tool = Path(page).stem
        if tool in TOOLS:
            text += _command_reference(tool)
        files.append(File.generated(config, page, content=text))
    for notebook in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")):
        for name, content in _notebook_page(notebook).items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in the contracts, and make links inside the repository links inside the site."""
    here = page.file.src_uri
    if CONTRACTS in markdown:
        markdown = markdown.replace(CONTRACTS, "\n".join(_contract_tables()))
    return site_links(markdown, here)


def site_links(markdown: str, page: str) -> str:
    """Return a page's text with its relative links changed to those of the site.

    Args:
        markdown: the text as it stands in the repository, where its links lead to files.
        page: the path of the page in the site. A link to a file that is not in the site becomes
            its text.
    """
    folder = dirname(ORIGINS.get(page, f"docs/{page}"))

    def target(path: str) -> str | None:
        wanted = normpath(join(folder, path))
        found = INCLUDED.get(wanted) or wanted.removeprefix("docs/").replace(".ipynb", ".md")
        if found == page or not (ROOT / wanted).exists():
            return path
        if wanted in ("README.md", "docs"):
            found = "index.md"
        elif found == wanted:
            return None
        return relpath(found, dirname(page) or ".")

    def without(link: re.Match[str]) -> str:
        return link["text"] if target(link["path"]) is None else link[0]

    def moved(link: re.Match[str]) -> str:
        return f"{target(link['path'])}{link['anchor'] or ''}"

    return _LINK.sub(moved, _LINKED.sub(without, markdown))


def _command_reference(tool: str) -> str:
    """Return the Markdown from which mkdocs-click makes the reference of a tool's commands."""
    (entry,) = entry_points(group="console_scripts", name=tool)
    return f"""
## Command reference

::: mkdocs-click
    :module: {entry.module}
    :command: {entry.attr}
    :prog_name: {tool}
    :depth: 2
    :style: plain
    :list_subcommands: true
"""


def _contract_tables() -> Iterator[str]:
    """Yield the lines that describe every contract."""
    for found in map(contract, get_args(Name)):
        yield from (f"## {found.name}", "", found.about, "", *_facts(found), "")
        yield from ("| column | type | what it holds |", "|---|---|---|")
        yield from map(_column_row, found.columns)
        yield ""


def _facts(found: Contract) -> Iterator[str]:
    read = f", reads from version {found.oldest} on" if found.oldest < found.version else ""
    yield f"- version: {found.version}{read}"
    yield f"- key: {_names(found.key)}"
    if found.metadata:
        yield f"- metadata that it must have: {_names(found.metadata)}"
    if found.provenance:
        yield f"- metadata of published files: {_names(found.provenance)}"
    if found.open is not None:
        yield f"- further columns: one nullable `double` per {found.open}"


def _column_row(column: Column) -> str:
    marks = [word for word in ("nullable", "optional") if getattr(column, word)]
    marks += [f"since version {column.since}"] if column.since > 1 else []
    kind = ", ".join([f"`{column.type}`", *marks])
    return f"| `{column.name}` | {kind} | {column.about} |"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _notebook_page(path: Path) -> dict[str, str | bytes]:
    """Return a notebook as a Markdown page and the pictures in it, by file name."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    if _command != "serve":
        execute(notebook)
    exporter = MarkdownExporter()  # type: ignore[no-untyped-call]
    exporter.register_preprocessor(  # type: ignore[no-untyped-call]
        CoalesceStreamsPreprocessor, enabled=True
    )
    text, resources = exporter.from_notebook_node(
        notebook, resources={"unique_key": path.stem, "output_files_dir": "."}
    )
    text = text.replace('<table border="1" class="dataframe">', "<table>")
    return {f"{path.stem}.md": text, **resources["outputs"]}


def execute(notebook: nbformat.NotebookNode) -> None:
    """Run a notebook in an empty folder, with the commands of this environment."""
    _log.info("Running notebook %s", notebook.cells[0].source.splitlines()[0])
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            resources={"metadata": {"path": folder}},
            startup_timeout=_LONGEST_START,
        )
        client.execute(env={**os.environ, "PATH": path})

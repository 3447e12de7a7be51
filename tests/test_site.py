"""The documentation site builds without a warning, and its notebooks run."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from snap_catalog.schemas import contract

from tools.site_pages import INCLUDED, TOOLS, site_links

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def run(folder: Path, *command: str) -> str:
    """Run a command of this environment in a folder, and return all that it prints."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "NO_MKDOCS_2_WARNING": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.slow
def test_the_site_builds_and_its_notebooks_run_without_a_warning(tmp_path: Path) -> None:
    printed = run(ROOT, "mkdocs", "build", "--strict", "--site-dir", str(tmp_path))
    assert "WARNING -" not in printed
    pages = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*.html")}
    texts = {name: path.read_text("utf-8") for name, path in pages.items()}
    for tool in TOOLS:
        assert f'id="{tool}-' in texts[f"tools/{tool}.html"], "no command reference"
    assert "snap_graphs.to_pyg" in texts["api.html"]
    column = contract("graphs").columns[0]
    assert column.about in texts["contracts.html"]
    for notebook in NOTEBOOKS:
        assert re.search(r"<svg|<img", texts[f"notebooks/{notebook.stem}.html"]), "no picture"
    loaded = {name: re.findall(r'src="(https?:[^"]*)"', text) for name, text in texts.items()}
    assert {name: urls for name, urls in loaded.items() if urls} == {}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_and_explains_every_step(notebook: Path) -> None:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell for cell in code if cell["outputs"] or cell["execution_count"]] == []
    assert len(cells) - len(code) >= len(code) // 2


@pytest.mark.parametrize(
    ("page", "written", "shown"),
    [
        ("tools/snap-evo.md", "[a](../../docs/search.md#re)", "[a](../search.md#re)"),
        ("tools/snap-evo.md", "[a](../snap-gcn/README.md)", "[a](snap-gcn.md)"),
        ("search.md", "[a](../packages/snap-evo/README.md#files)", "[a](tools/snap-evo.md#files)"),
        ("index.md", "[a](../CONTRIBUTING.md)", "[a](contributing.md)"),
        ("index.md", "[a](notebooks/own-operators.ipynb)", "[a](notebooks/own-operators.md)"),
        ("contributing.md", "[a](README.md), [b](LICENSE)", "[a](index.md), b"),
        ("contributing.md", "![a](docs/networks.svg)", "![a](networks.svg)"),
        ("search.md", "[a](https://example.org), [b](#re)", "[a](https://example.org), [b](#re)"),
        ("search.md", "`rows[0](n)`", "`rows[0](n)`"),
    ],
)
def test_a_link_leads_to_the_page_of_the_site(page: str, written: str, shown: str) -> None:
    assert site_links(written, page) == shown


def test_every_markdown_file_of_a_package_is_a_page() -> None:
    folders = ("data-catalog", "packages/*")
    found = {p.relative_to(ROOT).as_posix() for f in folders for p in ROOT.glob(f"{f}/*.md")}
    assert found <= INCLUDED.keys()

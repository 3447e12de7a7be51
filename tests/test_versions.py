"""All packages have one version."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECTS = [
    ROOT / "pyproject.toml",
    ROOT / "data-catalog" / "pyproject.toml",
    *sorted(ROOT.glob("packages/*/pyproject.toml")),
]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


@pytest.mark.parametrize("path", PROJECTS, ids=lambda path: path.parent.name)
def test_a_package_has_the_version_of_all_and_pins_its_siblings_to_it(path: Path) -> None:
    project = tomllib.loads(path.read_text("utf-8"))["project"]
    assert project["version"] == VERSION
    if path.parent != ROOT:
        siblings = [d for d in project["dependencies"] if d.startswith("snap-")]
        assert [d for d in siblings if not d.endswith(f"=={VERSION}")] == []


def test_the_citation_and_the_changelog_name_the_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert re.search(rf"^version: {re.escape(VERSION)}$", citation, re.MULTILINE)
    assert VERSION in (ROOT / "CHANGELOG.md").read_text("utf-8")

"""What the READMEs show is true, and what the command lines offer is in the READMEs."""

import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = [ROOT / "data-catalog", *sorted((ROOT / "packages").iterdir())]
READMES = [package / "README.md" for package in PACKAGES]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *READMES]
TOOLS = sorted(e.name for e in entry_points(group="console_scripts") if e.value.startswith("snap_"))
HEAVY = {
    "altair",
    "duckdb",
    "jinja2",
    "matplotlib",
    "networkx",
    "pyarrow",
    "pymoo",
    "scipy",
    "sentence_transformers",
    "torch",
    "torch_geometric",
    "transformers",
}

_HELP = """
import sys
from importlib.metadata import entry_points
(entry,) = entry_points(group="console_scripts", name=sys.argv[1])
try:
    entry.load()(sys.argv[2:], prog_name=sys.argv[1])
finally:
    print(*sys.modules, file=sys.stderr)
"""


def _name(value: object) -> str | None:
    return str(value.relative_to(ROOT)) if isinstance(value, Path) else None


def _tool(name: str) -> click.Group:
    (entry,) = entry_points(group="console_scripts", name=name)
    group = entry.load()
    assert isinstance(group, click.Group)
    return group


def _subcommands() -> list[tuple[str, str]]:
    return [(tool, subcommand) for tool in TOOLS for subcommand in _tool(tool).commands]


def test_there_are_five_tools() -> None:
    assert [p.name for p in PACKAGES[1:]] == TOOLS


@pytest.mark.parametrize(("tool", "subcommand"), _subcommands())
def test_every_subcommand_and_option_is_in_the_readme_and_has_a_help_text(
    tool: str, subcommand: str
) -> None:
    readme = (ROOT / "packages" / tool / "README.md").read_text("utf-8")
    command = _tool(tool).commands[subcommand]
    assert command.help
    assert subcommand in readme
    options = [o for o in command.params if isinstance(o, click.Option)]
    assert [o.name for o in options if not any(form in readme for form in o.opts)] == []
    assert [o.name for o in options if not o.help and not isinstance(o.type, click.Choice)] == []


@pytest.mark.parametrize(
    "command", [*((tool,) for tool in TOOLS), *_subcommands()], ids=lambda words: " ".join(words)
)
def test_help_loads_no_heavy_library(command: tuple[str, ...]) -> None:
    called = [sys.executable, "-c", _HELP, *command, "--help"]
    done = subprocess.run(called, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"Usage: {' '.join(command)}")
    assert HEAVY & set(done.stderr.split()) == set()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []

import json
import re
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from snap_graphs.cli import main
from snap_graphs.convert import convert
from snap_graphs.spaces import defined_space

README = (Path(__file__).parents[1] / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_example_of_own_cells_is_converted(tmp_path: Path) -> None:
    (example,) = blocks("yaml")
    as_yaml, as_json = tmp_path / "cells.yaml", tmp_path / "cells.json"
    as_yaml.write_text(example)
    as_json.write_text(json.dumps(yaml.safe_load(example)))
    tables = [convert("custom", path) for path in (as_yaml, as_json)]
    assert tables[0].num_rows == 2
    assert tables[0].equals(tables[1])


def test_the_example_of_an_own_space_is_one() -> None:
    (example,) = blocks("toml")
    assert defined_space(example, "README.md").count() == 3**6


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_is_documented(name: str) -> None:
    assert f"snap-graphs {name}" in README

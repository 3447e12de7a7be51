"""The options that all tools share."""

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from snap_catalog.cli import json_option, out_option, quiet_option, seed_option


def given(option: Any, *arguments: str) -> dict[str, Any]:
    """Return what a command with one option is called with."""
    values: dict[str, Any] = {}

    def record(**parameters: Any) -> None:
        values.update(parameters)

    command = click.command()(option(record))
    result = CliRunner().invoke(command, list(arguments), catch_exceptions=False)
    if result.exit_code:
        raise ValueError(result.output)
    return values


def test_flags_and_the_seed_have_defaults() -> None:
    assert given(quiet_option) == {"quiet": False}
    assert given(json_option, "--json") == {"as_json": True}
    assert given(seed_option) == {"seed": 0}


@pytest.mark.parametrize("seed", ["-1", str(2**32)])
def test_a_seed_that_numpy_refuses_is_refused(seed: str) -> None:
    with pytest.raises(ValueError, match="seed"):
        given(seed_option, "--seed", seed)


def test_an_output_without_a_default_is_required() -> None:
    with pytest.raises(ValueError, match="Missing option"):
        given(out_option())
    assert given(out_option(), "-o", "a.svg") == {"out": Path("a.svg")}


def test_an_output_has_a_default_or_none() -> None:
    assert given(out_option("scores.parquet")) == {"out": Path("scores.parquet")}
    assert given(out_option(required=False)) == {"out": None}
    assert given(out_option(shown_default="FILE's stem")) == {"out": None}


def test_a_folder_is_no_output_file(tmp_path: Path) -> None:
    assert given(out_option(kind="folder"), "--out", str(tmp_path)) == {"out": tmp_path}
    with pytest.raises(ValueError, match="directory"):
        given(out_option(), "--out", str(tmp_path))


def test_the_help_shows_a_computed_default() -> None:
    command = click.command()(out_option(shown_default="FILE's stem")(lambda out: None))
    assert "[default: (FILE's stem)]" in CliRunner().invoke(command, ["--help"]).output

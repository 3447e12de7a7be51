"""The command-line options that all SNAP tools share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
SEED = click.IntRange(0, 2**32 - 1)
"""The seeds that NumPy, torch and scikit-learn all accept."""

quiet_option = click.option("--quiet", is_flag=True, help="Print only results and errors.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
seed_option = click.option(
    "--seed", type=SEED, default=0, show_default=True, help="Seed of all random draws."
)


def out_option(
    default: str | None = None,
    *,
    kind: Literal["file", "folder"] = "file",
    what: str = "",
    required: bool = True,
    shown_default: str = "",
) -> Callable[[_Command], _Command]:
    """Return the option `-o`/`--out`, which names the file or folder to write.

    Args:
        default: the path if the user names none.
        kind: whether the command writes a file or a folder.
        what: what is written, as the help names it: `SVG or PNG file`.
        required: without a default, whether the user must name a path; None is passed otherwise.
        shown_default: the default as the help names it, if the command computes it.
    """
    settings: dict[str, Any] = {"required": required and not shown_default}
    if default is not None:
        settings = {"default": default}
    return click.option(
        "-o",
        "--out",
        type=FILE if kind == "file" else FOLDER,
        show_default=shown_default or default is not None,
        help=f"{what or kind.capitalize()} to write.",
        **settings,
    )

"""Measure what the encoder's vectors separate, and what that is worth to a predictor.

    uv run --all-groups tools/measure_encoder.py lengths

and likewise the other subcommands; what they print is in docs/encoder.md.
"""

import click
from encoder.before_after import draw_before_after
from encoder.controls import controls
from encoder.lengths import rank_lengths
from encoder.map import draw_map
from encoder.robustness import robustness
from encoder.separation import separation
from encoder.understood import measure_reading


@click.group()
def main() -> None:
    """Measure the encoder; every subcommand prints a Markdown table."""


for command in (
    measure_reading,
    separation,
    rank_lengths,
    controls,
    robustness,
    draw_before_after,
    draw_map,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
